"""The part of the Train page that shows untrained labels, and trains with them."""

import re

import streamlit as st

from app import services, state
from app.services.runs import Untrained
from app.wording import counted
from pul.errors import PulError
from pul.records import RunRecord

HINT = (
    "A new run in the background: the same start model, the same settings, and these labels. Its "
    "curves are shown with those of this run."
)
_COUNT_OF_IDS = re.compile(r" \+ \d+ IDs?$")


def show(now: services.workspace.WorkspaceStatus, run: RunRecord) -> None:
    """Show labels that wait for training, if there are any.

    Only for the newest run: older ones need not train with later labels.
    """
    if run.run_id != now.runs[-1].run_id:
        return
    waiting = services.runs.untrained(state.location(), run.run_id, now.iterations)
    if waiting is None:
        return
    people = f"{counted(waiting.n_identities, 'person')}, {counted(waiting.n_images, 'image')}"
    if now.is_active:
        if run.n_iterations_done + 1 < run.config["n_iterations"]:
            st.caption(f"Labelled so far: {people}. The next iteration trains with them.")
    elif run.status == "finished":
        _offer(run, waiting, people)
    else:
        st.caption(f"Labelled so far: {people}. *Resume* trains with them.")


def _offer(run: RunRecord, waiting: Untrained, people: str) -> None:
    text, button = st.columns([4.5, 1.4], vertical_alignment="center")
    text.info(
        f"**{people}** are labelled; this run has not trained with them."
        if waiting.is_first
        else f"The labels have changed since this run trained: **{people}** now.",
        icon=":material/person_check:",
    )
    button.button(
        "Train with them",
        type="primary",
        help=HINT,
        width="stretch",
        on_click=train,
        args=(run,),
    )


def train(run: RunRecord) -> None:
    """Start a run with the labels and select it, compared with the old one.

    The selection is set first: as soon as the run exists, the header may trigger a rerun, and code
    after that might never run.
    """
    location = state.location()
    waiting = services.runs.untrained(
        location, run.run_id, services.runs.iterations(location, run.run_id)
    )
    name = _name(run.name, waiting.n_identities) if waiting else run.name
    before = state.compared()
    state.show_run(None)
    state.compare([run.run_id] if run.n_iterations_done else [])
    state.remember_trouble(run.run_id, "")
    try:
        services.runs.train_with_labels(location, run, name)
    except PulError as error:
        state.compare(before)
        state.remember_trouble(run.run_id, str(error))


def _name(name: str, n_identities: int) -> str:
    """Return the name of a run with labels: `run 2 + 50 IDs`, also when repeated."""
    ids = f"{n_identities} ID{'s' if n_identities > 1 else ''}"
    return f"{_COUNT_OF_IDS.sub('', name)} + {ids}"
