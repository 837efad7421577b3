"""The job of a run: from the last finished iteration in the store to the end of the loop."""

from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from pul.algorithm.events import (
    EvaluationSet,
    IterationFinished,
    LiveSettings,
    NotMeasurable,
    NotTracked,
    Progress,
    ResumeState,
    SettingsChosen,
)
from pul.algorithm.loop import run
from pul.arrays import ByteArray
from pul.config import RunConfig
from pul.data.images import load_pixels
from pul.errors import ImageError, JobError, StoreError
from pul.evaluation.protocol import Protocol
from pul.jobs.heartbeat import Heartbeat, JobStopped
from pul.jobs.trackers import Trackers
from pul.labelling.guidance import note_labels, read_guidance
from pul.labelling.loading import read_footage, store_index
from pul.models.network import Network, dump_network, load_network
from pul.models.resources import default_n_threads
from pul.records import ImageTable, JobProgress, JobRecord
from pul.store.file_sums import FileSum
from pul.store.workspace import Workspace


def do_run(workspace: Workspace, job: JobRecord, heartbeat: Heartbeat) -> None:
    """Work on the run that the job names, from its last finished iteration to its end.

    Raises:
        JobError: The job names no run.
        PulError: What the loop or the store raises.
    """
    run_id = _run_id(job)
    record = workspace.run(run_id)
    config = RunConfig(**record.config)
    workspace.remove_stray_folders(run_id)
    network = load_network(workspace.start_model(run_id))
    if config.fit_images != "model":
        network.config = network.config.replace(resize=config.fit_images)
    train = workspace.run_images(run_id, "train")
    events = run(
        network,
        _load_split(workspace, train, network, heartbeat, "train"),
        config,
        live=lambda iteration: read_live_settings(workspace, run_id, config, iteration),
        evaluation=_load_evaluation_set(workspace, run_id, train, network, heartbeat),
        camids=train.camids,
        footage=read_footage(train, side_aware=config.evaluation.side_aware),
        resume=_load_resume_state(workspace, run_id),
    )
    # Torch limits its own threads; numpy's, one a core, would spin as soon as the studio is busy.
    limits = threadpool_limits(config.n_threads or default_n_threads())
    trackers = Trackers(workspace, record, lambda why: heartbeat.report_event(NotTracked(why)))
    with trackers, limits, closing(events):
        for event in events:
            if isinstance(event, Progress):
                heartbeat.report_progress(event.progress)
            elif isinstance(event, IterationFinished):
                _store_iteration(
                    workspace, run_id, event, job.job_id, config.n_iterations, heartbeat
                )
                prune_run(workspace, run_id, config)
                trackers.write()
            elif isinstance(event, SettingsChosen):
                config = event.config
                workspace.set_run_config(run_id, config)
            heartbeat.report_event(event)


def _run_id(job: JobRecord) -> int:
    if job.run_id is None:
        raise JobError(f"Job {job.job_id} is of kind 'run', but names no run.")
    return job.run_id


def read_live_settings(
    workspace: Workspace, run_id: int, config: RunConfig, iteration: int
) -> LiveSettings:
    """Return λ, K and annotations at the start of an iteration: what people set last."""
    controls = workspace.take_controls(run_id, iteration)
    guidance = read_guidance(workspace, run_id, iteration)
    note_labels(workspace, run_id, iteration, guidance.last_act)
    return LiveSettings(
        lambda_=controls.get("lambda_", config.lambda_),
        n_clusters=int(controls.get("n_clusters", config.n_clusters)),
        annotations=guidance.annotations,
        annotations_hash=guidance.content_hash,
        left_out=guidance.left_out,
        validation=guidance.validation,
        together=guidance.together,
        apart=guidance.apart,
    )


def _load_split(
    workspace: Workspace, images: ImageTable, network: Network, heartbeat: Heartbeat, split: str
) -> ByteArray:
    try:
        return load_pixels(
            [Path(path) for path in images.paths],
            height=network.config.height,
            width=network.config.width,
            padding=network.config.padding,
            cache_dir=workspace.cache_path,
            ranges=workspace.grey_ranges(),
            on_progress=heartbeat.progress_callback("decode", split),
        )
    except ImageError as error:
        advice = workspace.advise_missing()
        raise ImageError(f"{error} {advice}" if advice else str(error)) from error


def _load_evaluation_set(
    workspace: Workspace, run_id: int, train: ImageTable, network: Network, heartbeat: Heartbeat
) -> EvaluationSet | None:
    """Return the images and identities to evaluate with; None where no identity is known.

    Where the test images cannot be measured, as with one camera, the reason is reported: to
    adapt the model they are not needed.
    """
    query, gallery = workspace.test_images(run_id)
    train_pids = train.pids if (train.pids > 0).any() else None
    reason = _why_not_measurable(workspace, run_id, query, gallery)
    if reason:
        heartbeat.report_event(NotMeasurable(reason))
        query, gallery = (table.where(np.zeros(len(table), bool)) for table in (query, gallery))
    if train_pids is None and not (len(query) and len(gallery)):
        return None
    return EvaluationSet(
        query_pixels=_load_split(workspace, query, network, heartbeat, "query"),
        gallery_pixels=_load_split(workspace, gallery, network, heartbeat, "gallery"),
        query_pids=query.pids,
        query_camids=query.camids,
        gallery_pids=gallery.pids,
        gallery_camids=gallery.camids,
        train_pids=train_pids,
        sides=(query.sides, gallery.sides),
    )


def _why_not_measurable(
    workspace: Workspace, run_id: int, query: ImageTable, gallery: ImageTable
) -> str:
    if not len(query) or not (gallery.pids >= 0).any():
        return ""  # nothing to measure on was given, and nobody expects figures
    config = RunConfig(**workspace.run(run_id).config).evaluation
    sides = (query.sides, gallery.sides) if config.side_aware else None
    who = (query.pids, query.camids, gallery.pids, gallery.camids)
    protocol = Protocol.of(*who, config.camera_aware, sides)
    return "" if protocol.is_measurable() else protocol.explain_unmatched()


def _load_resume_state(workspace: Workspace, run_id: int) -> ResumeState | None:
    """Return the last finished iteration of a run; None if there is none yet."""
    records = workspace.iterations(run_id)
    if not records:
        return None
    last = records[-1].iteration
    return ResumeState(
        iteration=last,
        network=load_network(workspace.checkpoint_path(run_id, last)),
        points=np.array(workspace.arrays(run_id, last, "points")["points"]),
        reliable_shares=tuple(r.reliable_share for r in records if r.iteration > 0),
    )


def _store_iteration(
    workspace: Workspace,
    run_id: int,
    event: IterationFinished,
    job_id: int,
    n_iterations: int,
    heartbeat: Heartbeat,
) -> None:
    def on_step(text: str, done: int, total: int) -> None:
        progress = JobProgress(
            step="suggest",
            done=done,
            total=total,
            iteration=event.record.iteration,
            n_iterations=n_iterations,
            message=text,
        )
        # Whoever stops the run now does not lose the iteration: it stops after it is stored.
        with suppress(JobStopped):
            heartbeat.report_progress(progress)

    def prepare_labelling(sums: Mapping[str, FileSum]) -> None:
        # Without it nothing is wrong: whoever wants to label starts a job, which tells an error.
        with suppress(StoreError, OSError, MemoryError):
            store_index(workspace, run_id, event.record, event.arrays, sums, on_step=on_step)

    workspace.add_iteration(
        run_id,
        event.record,
        event.arrays,
        dump_network(event.network),
        rankings=event.rankings,
        worker=(job_id, heartbeat.worker),
        before_row=prepare_labelling,
    )


def prune_run(workspace: Workspace, run_id: int, config: RunConfig) -> None:
    """Remove what the settings give up; the best model by validation, never by test, stays."""
    if config.keep_features is None and config.keep_models == "all":
        return
    records = workspace.iterations(run_id)
    checkpoints = {record.iteration for record in records}
    if config.keep_models == "last":
        judged = [
            (r.validation_metrics.mean_ap, r.iteration) for r in records if r.validation_metrics
        ]
        best = {iteration for _, iteration in sorted(judged)[-1:]}
        checkpoints = {record.iteration for record in records[-2:]} | best
    keep_features = config.keep_features or len(records)
    workspace.prune_run(run_id, keep_features=keep_features, checkpoints=checkpoints)
