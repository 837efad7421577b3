"""The Train page: what a run gained, its chart; start, control and compare runs."""

from functools import partial

import streamlit as st

from app import services, state
from app.components.forms.shelf import shelf_list, shelved_notice
from app.components.tables.empty import nothing_yet
from app.components.tables.iteration_table import iteration_table
from app.views.fragments import fragment
from app.views.rounds import curves, new_run, progress, verdict, won_and_lost
from app.wording import counted
from pul.records import JobRecord

POLL_S = 1.0


def show(now: services.workspace.WorkspaceStatus | None) -> None:
    if now is None or not now.n_images:
        nothing_yet(
            "There is nothing to train on yet.", "Add images first.", state.page("workspace")
        )
        return
    if (shelved := state.shelved()) is not None:
        shelved_notice(shelved, on_undo=partial(_restore, shelved.run_id))
    if now.run is not None:
        state.write_address(now.run.run_id)
        every = POLL_S if now.is_active else None
        drawn_for = state.shown_on_rounds()
        verdict.show(now.run)
        fragment(every)(progress.show)(now.run.run_id, drawn_for)
        if now.iterations:
            fragment()(curves.show)(now, now.run, drawn_for)
            fragment()(won_and_lost.show)(now.run)
    new_run.show(now)
    if now.iterations:
        with st.expander("Every iteration"):
            iteration_table(now.iterations)
    if now.job is not None:
        _log(now)
    _shelf()


def _log(now: services.workspace.WorkspaceStatus) -> None:
    """Show the worker's log; it is read only while the expander is open."""
    log = st.expander("Log", key="log", on_change="rerun")
    if log.open and now.job is not None:
        with log:
            fragment(POLL_S if now.is_active else None)(_tail)(now.job)


def _tail(job: JobRecord) -> None:
    tail = services.runs.log_tail(state.location(), job.job_id)
    st.code(tail or "The worker has printed nothing yet.", language=None)


def _shelf() -> None:
    shelved = services.runs.shelved(state.location())
    if shelved:
        with st.expander(f"Archived and deleted: {counted(len(shelved), 'run')}"):
            shelf_list(shelved, on_open=state.show_run, on_restore=_restore)


def _restore(run_id: int) -> None:
    services.runs.shelve(state.location(), run_id, "")
    state.remember_shelved(None)
    state.show_run(run_id)
