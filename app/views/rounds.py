"""Page 5: start, steer and watch runs."""

from functools import partial

import streamlit as st

from app import services, services_runs, state
from app.components.curves import Curve, curves
from app.components.empty import nothing_yet
from app.components.iteration_table import iteration_table
from app.components.progress import progress_panel
from app.components.steering import failure, steering
from app.views import new_run
from app.wording import counted, definition, remaining_s

POLL_S = 1.0
ENDED = {"finished": "finished", "stopped": "was stopped", "failed": "failed"}


def show(now: services.Standing | None) -> None:
    if now is None or not now.n_images:
        nothing_yet(
            "There is nothing to train on yet.", "Add images first.", state.page("workspace")
        )
        return
    if now.run is not None:
        st.fragment(_run, run_every=POLL_S if now.is_active else None)(now.run.run_id)
    with st.expander("New run", expanded=now.run is None):
        new_run.show(now)


def _run(run_id: int) -> None:
    now = services.standing(state.location(), run_id)
    _steer(now)
    if now.iterations:
        _figures(now)
        with st.expander("Every iteration", expanded=True):
            iteration_table(now.iterations)
    if now.job is not None:
        with st.expander("Log"):
            tail = services_runs.log_tail(state.location(), now.job.job_id)
            st.code(tail or "The worker has printed nothing yet.", language=None)


def _steer(now: services.Standing) -> None:
    run, job = now.run, now.job
    if run is None or job is None:
        return
    told, buttons = st.columns([3, 1], gap="large", vertical_alignment="center")
    with told:
        if now.is_active:
            progress_panel(job, remaining_s=remaining_s(job.progress, now.iterations))
        else:
            done = counted(run.n_iterations_done, "iteration")
            st.markdown(f"**{run.name}** {ENDED[run.status]} after {done}.")
    with buttons:
        on_act = partial(services_runs.steer, state.location(), job)
        steering(job.status, now.requested, on_act=on_act)
    if run.status == "failed":
        failure(job.error, job.traceback)


def _figures(now: services.Standing) -> None:
    runs = {run.run_id: run.name for run in reversed(now.runs)}
    shown = now.run.run_id if now.run else 0
    others = [run_id for run_id in runs if run_id != shown]
    compared: list[int] = []
    if others:
        compared = st.multiselect(
            "Compare with",
            others,
            format_func=runs.__getitem__,
            placeholder="Compare with other runs",
            label_visibility="collapsed",
            key=f"compare:{shown}",
        )
    drawn = [Curve(runs[shown], now.iterations)]
    drawn += [Curve(runs[i], services_runs.iterations(state.location(), i)) for i in compared]
    metrics = now.iterations[-1].metrics
    method = metrics.ap_method if metrics else "no"
    st.plotly_chart(
        curves(drawn, ap_method=method),
        config={"displayModeBar": False},
        alt="Curves of mAP, rank-k, reliable share and loss by iteration",
        key="curves",
    )
    if metrics is None:
        st.caption("These images have no query and gallery with known people: no mAP, no rank-k.")
    else:
        st.caption(f"{definition(metrics)}. Dashed: the baseline, before any training.")
