"""The part of the Retrieval page that chooses the iterations: one, or two to compare."""

import streamlit as st

from app import services, state
from app.services.retrieval import Place
from pul.records import RunRecord, last_measured


def name_of(now: services.workspace.WorkspaceStatus, place: Place) -> str:
    """Return the display name of an iteration."""
    names = {run.run_id: run.name for run in now.runs}
    at = f"iteration {place.iteration}" if place.iteration else "baseline"
    return f"{names.get(place.run_id, 'a run')}, {at}"


def choose_places(now: services.workspace.WorkspaceStatus) -> list[Place]:
    """Show the choice of one iteration, or two to compare."""
    if now.run is None:
        return []
    measured = last_measured(now.iterations)
    newest = measured.iteration if measured else now.run.n_iterations_done
    first = _choose_place(now, now.run.run_id, newest, key="a")
    if not st.toggle("Compare with", newest > 0, key="retrieval:compare"):
        return [first]
    return [first, _choose_place(now, now.run.run_id, 0, key="b")]


def compare_with(run: RunRecord, place: Place) -> None:
    """Let the page compare the newest iteration of a run with another one of it."""
    finished = services.runs.iterations(state.location(), run.run_id)
    key = f"retrieval:b:{state.location()}:{run.run_id}"
    st.session_state["retrieval:compare"] = True
    st.session_state[f"{key}:run"] = place.run_id
    st.session_state[f"{key}:{place.run_id}:{len(finished)}"] = place.iteration


def _choose_place(
    now: services.workspace.WorkspaceStatus, run_id: int, iteration: int, *, key: str
) -> Place:
    run, at = st.columns(2)
    runs = {run.run_id: run for run in reversed(now.runs)}
    key = f"retrieval:{key}:{state.location()}:{run_id}"
    chosen = run.selectbox(
        "Run", list(runs), list(runs).index(run_id), format_func=lambda i: runs[i].name,
        key=f"{key}:run",
    )  # fmt: skip
    finished = [r.iteration for r in services.runs.iterations(state.location(), chosen)] or [0]
    is_known = chosen == run_id and iteration in finished
    place = finished.index(iteration) if is_known else len(finished) - 1
    picked = at.selectbox("Iteration", finished, place, key=f"{key}:{chosen}:{len(finished)}")
    return Place(chosen, int(picked))
