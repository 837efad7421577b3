"""The controls beside the map: preview another K, compare several, apply λ and K to the run."""

from functools import partial

import streamlit as st

from app import services, state
from app.components.map.cluster_counts import cluster_counts
from app.components.map.scatter import current_choice
from app.services.workspace import WorkspaceStatus
from app.views.fragments import fragment
from app.wording import counted, live_setting, plain
from pul.errors import PulError
from pul.records import IterationRecord, JobRecord, RunRecord

POLL_S = 0.5
_SAME = 1e-6


def show(now: WorkspaceStatus, record: IterationRecord, lambda_: float, *, map_key: str) -> None:
    """Show the controls.

    Args:
        now: Status of the workspace.
        record: The iteration on the map.
        lambda_: Value of its slider.
        map_key: Key of the map, whose slider a button reads when it is pressed.
    """
    run_id = now.run.run_id if now.run else 0
    job = services.previews.last_preview(state.location(), run_id, record.iteration)
    n_clusters = _choose(run_id, record, is_busy=services.previews.is_active(job))
    if job is not None and services.previews.is_active(job):
        fragment(POLL_S)(_wait)(job.job_id)
    elif job is not None and job.status == "failed":
        st.error(plain(job.error))
    _status(run_id, record)
    _compared(run_id, record)
    _apply(now, record, lambda_, n_clusters, map_key)


def _choose(run_id: int, record: IterationRecord, *, is_busy: bool) -> int:
    iteration, present = record.iteration, record.n_clusters
    row = st.container(horizontal=True, vertical_alignment="bottom")  # wraps on a narrow screen
    first = state.previewed(run_id, iteration) or present
    n_clusters = row.number_input(
        "Clusters K", value=first, step=1, key=_field_key(run_id, iteration), width=130
    )
    start = partial(_start, run_id, record)
    row.button(
        "Preview K",
        on_click=start,
        kwargs={"is_compared": False},
        disabled=is_busy,
        help="Cluster the features of this iteration with this K; the run does not change.",
        width="content",
    )
    row.button(
        "Compare K",
        on_click=start,
        kwargs={"is_compared": True},
        disabled=is_busy,
        help="Cluster with several K, from 0.5 to 1.5 times the current one, each with two seeds.",
        width="content",
    )
    return int(n_clusters)


def _field_key(run_id: int, iteration: int) -> str:
    return f"k:{state.location()}:{run_id}:{iteration}"


def _start(run_id: int, record: IterationRecord, *, is_compared: bool) -> None:
    """Start a preview of the K that stands in the field when the button is pressed."""
    n_clusters = None
    try:
        if not is_compared:
            n_clusters = int(st.session_state[_field_key(run_id, record.iteration)])
            services.checks.check_n_clusters(n_clusters, record.n_images)
        services.previews.start_preview(state.location(), run_id, record.iteration, n_clusters)
    except PulError as error:
        st.toast(plain(str(error)), icon=":material/error:")
    else:
        if n_clusters is not None:
            state.preview(run_id, record.iteration, n_clusters)


def _wait(job_id: int) -> None:
    """Show the progress of the preview, and rerun the page when it is ready."""
    job = services.previews.job(state.location(), job_id)
    if not services.previews.is_active(job):
        st.rerun()
    st.progress(_share(job), _doing(job))


def _share(job: JobRecord) -> float:
    done = job.progress
    return done.done / done.total if done is not None and done.total else 0.0


def _doing(job: JobRecord) -> str:
    if job.params["n_clusters"] is not None:
        return f"Clustering with K {job.params['n_clusters']} …"
    done = job.progress
    return f"Comparing: clustering {done.done + 1} of {done.total}" if done else "Comparing …"


def _status(run_id: int, record: IterationRecord) -> None:
    shown = state.previewed(run_id, record.iteration)
    place = (state.location(), run_id, record.iteration)
    preview = services.map.preview(*place, shown) if shown else None
    if preview is None:
        st.caption(f"The map shows the run's own {counted(record.n_clusters, 'cluster')}.")
        return
    text, back = st.columns([2, 1], vertical_alignment="center")
    text.caption(f"The map shows a preview with K {shown}; the run used {record.n_clusters}.")
    back.button(
        "Back to the run", on_click=state.preview, args=(run_id, record.iteration, 0),
        type="tertiary",
    )  # fmt: skip


def _compared(run_id: int, record: IterationRecord) -> None:
    compared = services.previews.cluster_counts(state.location(), run_id, record.iteration)
    if compared is None:
        return
    cluster_counts(
        [each.n_clusters for each in compared.counts],
        [each.inertia for each in compared.counts],
        [each.agreement for each in compared.counts],
        present=record.n_clusters,
        on_pick=partial(_pick, _field_key(run_id, record.iteration)),
        key=f"cluster_counts:{run_id}:{record.iteration}",
    )
    best = max(compared.counts, key=lambda each: each.agreement)
    st.caption(
        f"Best guess: K {best.n_clusters}, where two seeds agree most "
        f"({best.agreement:.2f} adjusted mutual information; 1 is the same clusters). "
        "A click on a point puts its K into the field."
    )


def _pick(field: str, n_clusters: int) -> None:
    st.session_state[field] = n_clusters


def _apply(
    now: WorkspaceStatus, record: IterationRecord, lambda_: float, n_clusters: int, map_key: str
) -> None:
    if now.run is None or not services.previews.can_apply(now):
        st.caption("This run is finished; start another run to use this λ and K.")
        return
    current_settings = services.runs.current_settings(state.location(), now.run)
    iteration = services.previews.next_iteration(now)
    wanted: dict[str, tuple[float, float]] = {"lambda_": (current_settings.lambda_, lambda_)}
    if not services.runs.finds_k(now.run):
        wanted["n_clusters"] = (current_settings.n_clusters, n_clusters)
    for column, (name, (before, value)) in zip(st.columns(2), wanted.items(), strict=True):
        column.button(
            f"Use {live_setting(name, value)}",
            on_click=_ask,
            args=(now.run, record, name, map_key),
            disabled=abs(before - value) < _SAME,
            help=f"From iteration {iteration} on; the current iteration is not affected.",
            key=f"use:{name}",
            width="stretch",
        )
    if current_settings.waiting:
        asked = [
            live_setting(name, value) for name, value in sorted(current_settings.waiting.items())
        ]
        st.caption(f"Waiting for iteration {iteration}: **{', '.join(asked)}**.")


def _ask(run: RunRecord, record: IterationRecord, name: str, map_key: str) -> None:
    """Ask a run for the λ or the K that stands in its field when the button is pressed."""
    location = state.location()
    before = services.runs.current_settings(location, run)
    try:
        if name == "lambda_":
            value = current_choice(map_key, record.lambda_).lambda_
            services.runs.ask_change(location, run.run_id, lambda_=value)
        else:
            value = int(st.session_state[_field_key(run.run_id, record.iteration)])
            services.checks.check_n_clusters(value, record.n_images)
            services.runs.ask_change(location, run.run_id, n_clusters=value)
    except PulError as error:
        st.toast(plain(str(error)), icon=":material/error:")
        return
    was, will = live_setting(name, getattr(before, name)), live_setting(name, value)
    iteration = services.previews.next_iteration(
        services.workspace.workspace_status(location, run.run_id)
    )
    st.toast(f"{will} from iteration {iteration} on, instead of {was}.", icon=":material/check:")
