"""The Clusters page: all clusters of an iteration by eye, and what can be said about them."""

from typing import Any

import streamlit as st

from app import payloads, services, state
from app.components.clusters.clusters import clusters
from app.views import annotator, leading, waiting
from app.views.fragments import fragment
from app.wording import fit, place, share_done
from pul.records import RunRecord

POLL_S = 1.0
_VIEW = ("view", "sort", "show", "camera", "size", "lambda", "open", "like", "iteration")


def show(now: services.workspace.WorkspaceStatus | None) -> None:
    if now is None or now.run is None:
        waiting.for_a_run(now, "There are no clusters yet.")
    elif not now.iterations:
        _wait(now)
    else:
        _clusters(now, now.run)


def _wait(now: services.workspace.WorkspaceStatus) -> None:
    waiting.for_first_iteration(now, fit("People are being grouped for the first time."))
    if now.is_active and now.job is not None:
        fragment(POLL_S)(_progress)(now.job.job_id)


def _progress(job_id: int) -> None:
    done = services.workspace.job(state.location(), job_id).progress
    st.progress(share_done(done), place(done))


@fragment()
def _clusters(now: services.workspace.WorkspaceStatus, run: RunRecord) -> None:
    location, desk = state.location(), state.desk()
    desk.name = annotator.given_name()
    newest = len(now.iterations) - 1
    key = f"clusters:{services.labels.log_name(location)}:{run.run_id}"
    _read_iteration(run.run_id, newest)

    def receive() -> None:
        outbox = st.session_state[key]["outbox"]
        annotator.remember_name(outbox)
        desk.receive(location, outbox, annotator.sign())

    def write_view() -> None:
        _write(st.session_state[key]["view"])

    def choose_iteration() -> None:
        state.show_iteration(run.run_id, int(st.session_state[key]["iteration"]), newest)
        _write({"iteration": str(state.iteration(run.run_id, newest))})

    leading.to_card(st.session_state.get(key, {}), key)
    record = now.iterations[state.iteration(run.run_id, newest)]
    payload = payloads.clusters_payload(location, desk, run.run_id, record, newest)
    clusters(
        payload | {"query": {name: st.query_params.get(name, "") for name in _VIEW}},
        on_outbox=receive,
        on_view=write_view,
        on_iteration=choose_iteration,
        key=key,
    )
    annotator.ask_after_first_act()


def _read_iteration(run_id: int, newest: int) -> None:
    """Show the iteration of the address once, where one was opened that names it."""
    named = st.query_params.get("iteration", "")
    seen = f"iteration-read:{state.location()}:{run_id}"
    if seen not in st.session_state and named.isdigit() and int(named) <= newest:
        state.show_iteration(run_id, int(named), newest)
    st.session_state[seen] = True


def _write(view: dict[str, Any]) -> None:
    """Write what is shown to the address, so that a reload or a link shows the same."""
    kept = {"iteration": st.query_params["iteration"]} if "iteration" in st.query_params else {}
    shown = kept | {str(name): str(value) for name, value in view.items()}
    for name in _VIEW:
        if name not in shown:
            st.query_params.pop(name, None)
        elif st.query_params.get(name) != shown[name]:
            st.query_params[name] = shown[name]
