"""The menu of a run, and the list of archived and deleted runs."""

from collections.abc import Callable, Sequence

import streamlit as st

from app.wording import counted, fit, plain
from pul.records import RunRecord, Shelf

_DONE = {"archived": "Archived", "deleted": "Deleted"}


def run_menu(
    run: RunRecord,
    *,
    is_active: bool,
    report: Callable[[], bytes] | None,
    on_shelve: Callable[[Shelf], None],
) -> None:
    """Show the menu of a run: report, archive, delete.

    Args:
        run: The run.
        is_active: Whether it is running: then it can be archived, but not deleted.
        report: Returns its report, an HTML file; None if there is nothing to report yet.
        on_shelve: Called with where to move it.
    """
    with st.popover("⋯", help="Report, archive, delete", width="stretch"):
        if report is not None:
            st.download_button(
                "Report (HTML)", data=report, file_name=f"run-{run.run_id}.html",
                mime="text/html", on_click="ignore", width="stretch",
            )  # fmt: skip
            st.caption(fit("Figures, curves, settings; no pictures of people."))
        if run.shelf:
            st.button("Restore", on_click=on_shelve, args=("",), width="stretch")
        else:
            st.button("Archive", on_click=on_shelve, args=("archived",), width="stretch")
            st.caption("Hidden from lists; nothing is removed.")
        st.button(
            "Delete",
            on_click=on_shelve,
            args=("deleted",),
            disabled=is_active,
            width="stretch",
        )
        st.caption(
            "Stop the run first."
            if is_active
            else "Can be restored until `python -m pul clean` removes it."
        )


def shelved_notice(run: RunRecord, *, on_undo: Callable[[], None]) -> None:
    """Show that a run has just been archived or deleted, with Undo."""
    text, undo = st.columns([5, 1], vertical_alignment="center")
    iterations = counted(run.n_iterations_done + 1, "iteration")
    text.success(f"{_DONE[run.shelf]} {plain(run.name)}; its {iterations} can be restored.")
    undo.button("Undo", on_click=on_undo, width="stretch", key="undo-shelve")


def shelf_list(
    runs: Sequence[RunRecord],
    *,
    on_open: Callable[[int], None],
    on_restore: Callable[[int], None],
) -> None:
    """Show the archived and deleted runs.

    Args:
        runs: Archived and deleted runs.
        on_open: Called with the number of an archived run to open.
        on_restore: Called with the number of a run to restore.
    """
    for run in runs:
        text, open_, restore = st.columns([4, 1, 1], vertical_alignment="center")
        text.markdown(
            f"**{plain(run.name)}** · {run.shelf} · {counted(run.n_iterations_done, 'iteration')}"
        )
        if run.shelf == "archived":
            open_.button(
                "Open", key=f"open:{run.run_id}", on_click=on_open, args=(run.run_id,),
                width="stretch",
            )  # fmt: skip
        restore.button(
            "Restore", key=f"restore:{run.run_id}", on_click=on_restore, args=(run.run_id,),
            width="stretch",
        )  # fmt: skip
    if any(run.shelf == "deleted" for run in runs):
        st.caption("`python -m pul clean --workspace …` removes deleted runs permanently.")
