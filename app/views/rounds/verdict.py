"""The part of the Train page that says first what the run gained, and what labels gave of it."""

from functools import partial

import streamlit as st

from app import services, state
from app.wording import plain
from pul.errors import PulError
from pul.records import RunRecord

_HINT = (
    "A run in the background with the same start model, settings and steering, but without labels. "
    "The difference is what the labels gave."
)


def show(run: RunRecord) -> None:
    """Show the verdict; nothing before anything is trained."""
    said = services.verdicts.verdict(state.location(), run)
    if said is None:
        return
    text, button = st.columns([4.5, 1.4], vertical_alignment="center")
    text.markdown(f"## {said.headline}\n\n{plain(said.text)}")
    if said.can_measure and run.status in ("finished", "stopped"):
        button.button(
            "Measure it",
            help=_HINT,
            on_click=partial(_measure, run.run_id),
            width="stretch",
            key="measure",
        )
    elif said.twin is not None and said.twin not in state.compared():
        button.button(
            "Draw both",
            help="Draw the run without labels into the chart.",
            on_click=partial(state.compare, [said.twin]),
            width="stretch",
            key="draw_both",
        )


def _measure(run_id: int) -> None:
    """Start the run without labels, and compare it with the one that is shown.

    What is shown is set first: as soon as the run exists, the header may trigger a rerun.
    """
    state.show_run(run_id)
    state.remember_trouble(run_id, "")
    try:
        state.compare([services.verdicts.train_without_labels(state.location(), run_id)])
    except PulError as error:
        state.remember_trouble(run_id, str(error))
