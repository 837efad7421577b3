"""The menu of a run, and the way back for runs that were put aside by it."""

from collections.abc import Callable, Sequence

import streamlit as st

from app.wording import counted, plain
from pul.records import RunRecord, Shelf

_DONE = {"archived": "Archived", "deleted": "Deleted"}


def run_menu(
    run: RunRecord,
    *,
    is_active: bool,
    report: Callable[[], bytes] | None,
    on_shelve: Callable[[Shelf], None],
) -> None:
    """Show the menu of what is done seldom: a report, archive, delete.

    Args:
        run: The run.
        is_active: Whether it is worked on: then it can be archived, but not deleted.
        report: Makes its report, an HTML file; None where there is nothing to report yet.
        on_shelve: Told what to do with it.
    """
    with st.popover("⋯", help="Report, archive, delete", width="stretch"):
        if report is not None:
            st.download_button(
                "Report (HTML)", data=report, file_name=f"run-{run.run_id}.html",
                mime="text/html", on_click="ignore", width="stretch",
            )  # fmt: skip
            st.caption("Figures, curves, settings; no pictures of people.")
        if run.shelf:
            st.button("Bring back", on_click=on_shelve, args=("",), width="stretch")
        else:
            st.button("Archive", on_click=on_shelve, args=("archived",), width="stretch")
            st.caption("Out of the lists; everything stays.")
        st.button(
            "Delete",
            on_click=on_shelve,
            args=("deleted",),
            disabled=is_active,
            width="stretch",
        )
        st.caption(
            "Stop it first."
            if is_active
            else "Can be taken back until `python -m pul clean` frees its space."
        )


def shelved_notice(run: RunRecord, *, on_undo: Callable[[], None]) -> None:
    """Say that a run has just been put aside, with the way back."""
    told, undo = st.columns([5, 1], vertical_alignment="center")
    kept = counted(run.n_iterations_done + 1, "iteration")
    told.success(f"{_DONE[run.shelf]} {plain(run.name)}; its {kept} can be brought back.")
    undo.button("Undo", on_click=on_undo, width="stretch", key="undo-shelve")


def shelf_list(
    runs: Sequence[RunRecord],
    *,
    on_look: Callable[[int], None],
    on_return: Callable[[int], None],
) -> None:
    """Show the runs that are put aside.

    Args:
        runs: Archived and deleted runs.
        on_look: Told the number of an archived run to look at.
        on_return: Told the number of a run to bring back.
    """
    for run in runs:
        told, look, back = st.columns([4, 1, 1], vertical_alignment="center")
        told.markdown(
            f"**{plain(run.name)}** · {run.shelf} · {counted(run.n_iterations_done, 'iteration')}"
        )
        if run.shelf == "archived":
            look.button(
                "Open", key=f"look:{run.run_id}", on_click=on_look, args=(run.run_id,),
                width="stretch",
            )  # fmt: skip
        back.button(
            "Bring back", key=f"back:{run.run_id}", on_click=on_return, args=(run.run_id,),
            width="stretch",
        )  # fmt: skip
    if any(run.shelf == "deleted" for run in runs):
        st.caption("`python -m pul clean --workspace …` removes deleted runs for good.")
