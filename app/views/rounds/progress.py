"""The part of the Train page that polls: the progress of the run, and its buttons."""

from functools import partial

import streamlit as st

from app import services, state
from app.components.forms.shelf import run_menu
from app.components.forms.steering import failure, live_settings, steering
from app.components.tables.progress import progress_panel
from app.views.rounds import labels
from app.wording import ENDED, counted, plain, remaining_s
from pul.errors import PulError
from pul.records import RunRecord, Shelf


def show(run_id: int, drawn_for: tuple[object, ...]) -> None:
    if state.shown_on_rounds() != drawn_for:
        st.rerun()  # a click here changed other parts of the page
    now = services.workspace.workspace_status(state.location(), run_id)
    if now.run is None:
        return
    _steer(now, now.run)


def _steer(now: services.workspace.WorkspaceStatus, run: RunRecord) -> None:
    text, live, buttons, menu = st.columns([3.1, 0.9, 1.4, 0.5], vertical_alignment="center")
    with text:
        if run.parent_run_id is not None:
            st.caption(f"Forked from run {run.parent_run_id}, iteration {run.parent_iteration}")
        if now.is_active and now.job is not None:
            progress_panel(now.job, remaining_s=remaining_s(now.job.progress, now.iterations))
            st.caption(
                "*Pause* loses nothing and keeps the memory; *Stop* frees it, and loses what is "
                "done of the present iteration."
            )
        else:
            done = counted(run.n_iterations_done, "iteration")
            st.markdown(f"**{plain(run.name)}** {ENDED.get(run.status, run.status)} after {done}.")
    if now.job is not None:
        with buttons:
            on_act = partial(_act, run.run_id)
            steering(now.job.status, now.requested, on_act=on_act)
    with live:
        if run.status != "finished":
            _change(run)
    with menu:
        run_menu(
            run,
            is_active=now.is_active,
            report=partial(services.runs.report, state.location(), run.run_id)
            if now.iterations
            else None,
            on_shelve=partial(_shelve, run),
        )
    if run.status == "failed" and now.job is not None:
        failure(run.name, now.job.error, now.job.traceback, on_fix=partial(state.fix, run.run_id))
    if trouble := state.trouble(run.run_id):
        st.error(plain(trouble))
    if told := services.runs.not_tracked(state.location(), run.run_id):
        rest = "The run goes on, and writes what is missing as soon as it can."
        st.warning(f"{plain(told)} {rest if now.is_active else 'They are in this workspace.'}")
    labels.show(now, run)


def _act(run_id: int, act: str) -> None:
    """Pause, continue, stop or resume a run; its job is that of now, not the one drawn."""
    state.remember_trouble(run_id, "")
    try:
        services.runs.steer(state.location(), run_id, act)
    except PulError as error:
        state.remember_trouble(run_id, str(error))


def _change(run: RunRecord) -> None:
    current_settings = services.runs.current_settings(state.location(), run)
    live_settings(
        current_settings.lambda_,
        None if services.runs.finds_k(run) else current_settings.n_clusters,
        current_settings.waiting,
        on_ask=partial(_ask, run),
        key=f"live:{run.run_id}",
    )


def _ask(run: RunRecord, lambda_: float, n_clusters: int | None) -> str:
    """Ask a run for another λ or K, and return what is wrong with them."""
    location = state.location()
    current = services.runs.current_settings(location, run)
    try:
        services.checks.check_lambda(lambda_)
        if n_clusters is not None:
            n_images = len(services.workspace.run_images(location, run.run_id))
            services.checks.check_n_clusters(n_clusters, n_images)
        services.runs.ask_change(
            location,
            run.run_id,
            lambda_=lambda_ if lambda_ != current.lambda_ else None,
            n_clusters=n_clusters if n_clusters != current.n_clusters else None,
        )
    except PulError as error:
        return str(error)
    return ""


def _shelve(run: RunRecord, shelf: Shelf) -> None:
    changed = services.runs.shelve(state.location(), run.run_id, shelf)
    state.remember_shelved(changed if shelf else None)
    state.show_run(run.run_id if not shelf else None)
