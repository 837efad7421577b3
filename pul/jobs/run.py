"""The job of a run: from the last whole iteration in the store to the end of the loop."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from pul.arrays import ByteArray
from pul.config import RunConfig
from pul.data.images import load_pixels
from pul.errors import JobError
from pul.jobs.heartbeat import Heartbeat
from pul.models.resources import default_n_threads
from pul.records import ImageTable, JobRecord
from pul.store.artifacts import remove_unfinished
from pul.store.workspace import Workspace

if TYPE_CHECKING:  # torch takes seconds to load, and an import job needs none of it
    from pul.algorithm.events import EvaluationSet, IterationFinished, LiveSettings, ResumeState
    from pul.models.network import Network


def _run(workspace: Workspace, job: JobRecord, watch: Heartbeat) -> None:
    """Go on with a run from where it stands to its end."""
    from pul.algorithm.events import IterationFinished, Progress
    from pul.algorithm.loop import run
    from pul.labelling.loading import read_footage
    from pul.models.network import load_network

    run_id = _run_id(job)
    config = RunConfig(**workspace.run(run_id).config)
    remove_unfinished(workspace.run_path(run_id))
    network = load_network(workspace.start_model(run_id))
    train = workspace.run_images(run_id, "train")
    events = run(
        network,
        _load_pixels(workspace, train, network, watch, "train"),
        config,
        live=lambda iteration: _live_settings(workspace, run_id, config, iteration),
        evaluation=_load_evaluation_set(workspace, run_id, train, network, watch),
        camids=train.camids,
        footage=read_footage(train),
        resume=_load_resume_state(workspace, run_id),
    )
    # Torch minds its own threads; numpy's, one a core, would spin as soon as the screen is busy.
    with threadpool_limits(config.n_threads or default_n_threads()), closing(events):
        for event in events:
            if isinstance(event, Progress):
                watch.report(event.progress)
            elif isinstance(event, IterationFinished):
                _store_iteration(workspace, run_id, event, (job.job_id, watch.worker))
                _prune(workspace, run_id, config)
            watch.tell(event)


def _run_id(job: JobRecord) -> int:
    if job.run_id is None:
        raise JobError(f"Job {job.job_id} is to work on a run, but names none.")
    return job.run_id


def _live_settings(
    workspace: Workspace, run_id: int, config: RunConfig, iteration: int
) -> "LiveSettings":
    """Return λ, K and annotations at the start of an iteration: what people asked for last."""
    from pul.algorithm.events import LiveSettings
    from pul.labelling.guidance import read_guidance

    controls = workspace.take_controls(run_id, iteration)
    guidance = read_guidance(workspace, run_id)
    return LiveSettings(
        lambda_=controls.get("lambda_", config.lambda_),
        n_clusters=int(controls.get("n_clusters", config.n_clusters)),
        annotations=guidance.annotations,
        annotations_hash=guidance.content_hash,
        left_out=guidance.left_out,
        validation=guidance.validation,
    )


def _load_pixels(
    workspace: Workspace, images: ImageTable, network: "Network", watch: Heartbeat, split: str
) -> ByteArray:
    return load_pixels(
        [Path(path) for path in images.paths],
        height=network.config.height,
        width=network.config.width,
        cache_dir=workspace.cache_path,
        on_progress=watch.count("decode", split),
    )


def _load_evaluation_set(
    workspace: Workspace, run_id: int, train: ImageTable, network: "Network", watch: Heartbeat
) -> "EvaluationSet | None":
    """Return what is known of who is who; None if nothing is."""
    from pul.algorithm.events import EvaluationSet

    query, gallery = workspace.test_images(run_id)
    train_pids = train.pids if (train.pids > 0).any() else None
    if train_pids is None and not (len(query) and len(gallery)):
        return None
    return EvaluationSet(
        query_pixels=_load_pixels(workspace, query, network, watch, "query"),
        gallery_pixels=_load_pixels(workspace, gallery, network, watch, "gallery"),
        query_pids=query.pids,
        query_camids=query.camids,
        gallery_pids=gallery.pids,
        gallery_camids=gallery.camids,
        train_pids=train_pids,
    )


def _load_resume_state(workspace: Workspace, run_id: int) -> "ResumeState | None":
    """Return the last whole iteration of a run; None if there is none yet."""
    from pul.algorithm.events import ResumeState
    from pul.models.network import load_network

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
    workspace: Workspace, run_id: int, event: "IterationFinished", worker: tuple[int, str]
) -> None:
    from pul.models.network import dump_network

    workspace.add_iteration(
        run_id,
        event.record,
        event.arrays,
        dump_network(event.network),
        rankings=event.rankings,
        worker=worker,
    )


def _prune(workspace: Workspace, run_id: int, config: RunConfig) -> None:
    """Keep the models of the last two iterations and of the best by validation, never by test."""
    if config.keep_features is None:
        return
    records = workspace.iterations(run_id)
    kept = {record.iteration for record in records[-2:]}
    judged = [(r.validation_metrics.mean_ap, r.iteration) for r in records if r.validation_metrics]
    kept |= {iteration for _, iteration in sorted(judged)[-1:]}
    workspace.prune_run(run_id, keep_features=config.keep_features, checkpoints=kept)
