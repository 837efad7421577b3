"""The process that does a job: stores its events, heeds what is asked, gives signs of life."""

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np
from threadpoolctl import threadpool_limits

from pul.arrays import ByteArray
from pul.config import RunConfig
from pul.data.datasets import read_dataset
from pul.data.images import check_images, load_pixels
from pul.errors import JobError, PulError, StoreError
from pul.exchange.background import write_export
from pul.jobs import WorkerProcess
from pul.records import Command, ImageTable, JobProgress, JobRecord, JobStatus
from pul.store.artifacts import remove_unfinished
from pul.store.workspace import Workspace
from pul.threads import default_n_threads

if TYPE_CHECKING:  # torch takes seconds to load, and an import job needs none of it
    from pul.loop import EvaluationSet, Event, IterationFinished, LiveSettings, ResumeState
    from pul.model import Network

CHECK_S = 0.2  # how often progress is stored and requests are looked at
HEARTBEAT_S = 2.0  # how often a sign of life is given while there is no progress

# What torch says on the CPU, on a GPU, and of a thread that cannot be had.
_OUT_OF_MEMORY = ("can't allocate memory", "out of memory", "can't start new thread")

OnEvent = Callable[["Event"], None]


def work(workspace: Workspace, job_id: int, *, on_event: OnEvent | None = None) -> JobRecord:
    """Do a queued job in this process, to its end or until it is stopped.

    Args:
        workspace: Where the job is.
        job_id: The job.
        on_event: Told of every event, for a command line that shows them.

    Returns:
        The job as it ended: finished, stopped, or failed with the error and its trace.

    Raises:
        JobError: Another worker has the job.
        StoreError: The store refuses to take note of the end.
    """
    worker = str(WorkerProcess.of(os.getpid()))
    job = workspace.claim_job(job_id, worker)
    status: JobStatus = "finished"
    error = trace = ""
    try:
        with _Watch(workspace, job_id, worker, on_event) as watch:
            _WORK[job.kind](workspace, job, watch)
    except (_Stopped, KeyboardInterrupt):
        status = "stopped"
    except Exception as failure:  # whatever it is, people shall see it
        status, error, trace = "failed", _explain(failure), traceback.format_exc()
    return workspace.finish_job(job_id, status, error, trace)


def main() -> None:
    """Do one job: `python -m pul.worker LOCATION JOB_ID`."""
    location, job_id = sys.argv[1:]
    # A machine that goes down asks politely first: stop as if someone had pressed stop.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Workspace.open(location) as workspace:
        is_run = workspace.job(int(job_id)).kind == "run"  # an import has nothing to log, nor torch
        job = work(workspace, int(job_id), on_event=_log if is_run else None)
    _print(f"job {job.job_id} {job.status}")
    if job.status == "failed":
        sys.exit(job.traceback)


class _Stopped(Exception):  # noqa: N818 - not an error: someone asked for it
    """Someone asked the job to stop."""


class _Watch:
    """The line between a job at work and the people who watch it.

    A thread stores progress and looks for requests, so that no batch waits for the database and
    long steps give signs of life; requests are heeded in the job's own thread, between batches.
    """

    def __init__(
        self, workspace: Workspace, job_id: int, worker: str, on_event: OnEvent | None
    ) -> None:
        self.worker = worker
        self._workspace, self._job_id, self._on_event = workspace, job_id, on_event
        self._progress: JobProgress | None = None
        self._command: Command | None = None
        self._lost: JobError | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep_in_touch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()
        if kind is None:
            self._workspace.heartbeat(self._job_id, self._progress, worker=self.worker)

    def tell(self, event: "Event") -> None:
        """Show an event to whoever asked to see them."""
        if self._on_event is not None:
            self._on_event(event)

    def report(self, progress: JobProgress) -> None:
        """Say where the job stands, and heed what was asked of it: wait while it is paused.

        Raises:
            _Stopped: It shall stop.
            JobError: It was given to another worker.
        """
        self._progress = progress
        if self._command == "pause":
            self._workspace.heed(self._job_id, "pause")
            while self._command not in ("resume", "stop") and self._lost is None:
                time.sleep(CHECK_S)
        if self._lost is not None:
            raise self._lost
        if self._command == "resume":
            self._workspace.heed(self._job_id, "resume")
            self._command = None
        if self._command == "stop":
            raise _Stopped

    def count(self, step: str, message: str = "") -> Callable[[int, int], None]:
        """Return a callback that reports (done, total) of a step."""

        def on_progress(done: int, total: int) -> None:
            progress = JobProgress(step=step, done=done, total=total, message=message)
            self.report(progress)
            if self._on_event is not None:
                from pul.loop import Progress

                self._on_event(Progress(progress))

        return on_progress

    def _keep_in_touch(self) -> None:
        stored, stored_at = None, -HEARTBEAT_S
        while not self._ended.wait(CHECK_S):
            progress, now = self._progress, time.monotonic()
            try:
                if progress is not stored or now - stored_at >= HEARTBEAT_S:
                    self._workspace.heartbeat(self._job_id, progress, worker=self.worker)
                    stored, stored_at = progress, now
                self._command = self._workspace.requested(self._job_id)
            except JobError as error:
                self._lost = error
                return
            except StoreError:
                continue  # a database that is busy or full for a while stops no training


def _run(workspace: Workspace, job: JobRecord, watch: _Watch) -> None:
    """Go on with a run from where it stands to its end."""
    from pul.labelling import read_footage
    from pul.loop import IterationFinished, Progress, run_pul
    from pul.model import load_network

    run_id = _run_id(job)
    config = RunConfig(**workspace.run(run_id).config)
    remove_unfinished(workspace.run_path(run_id))
    network = load_network(workspace.start_model(run_id))
    train = workspace.run_images(run_id, "train")
    events = run_pul(
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
                _keep_iteration(workspace, run_id, event, (job.job_id, watch.worker))
                _prune(workspace, run_id, config)
            watch.tell(event)


def _import(workspace: Workspace, job: JobRecord, watch: _Watch) -> None:
    """Read a dataset, check every image, add what is good."""
    root, format = Path(job.params["root"]), job.params["format"]
    watch.report(JobProgress(step="import", message=f"reading {root}"))
    dataset = read_dataset(root, format=format, cache_dir=workspace.path / "images")
    dataset = check_images(dataset, on_progress=watch.count("import", f"checking {root}"))
    is_same_place = job.params.get("place") == "same"
    n_new = workspace.add_dataset(dataset, is_same_place=is_same_place)
    n_images = len(dataset.samples)
    message = (
        f"{n_new} new images, {n_images - n_new} known already, {len(dataset.skipped)} left out"
    )
    watch.report(JobProgress(step="import", done=n_images, total=n_images, message=message))


def _preview(workspace: Workspace, job: JobRecord, watch: _Watch) -> None:
    """Cluster an iteration's features with another K, or compare several."""
    from pul.previews import compare_cluster_counts, make_preview

    run_id, iteration = job.params["run_id"], job.params["iteration"]
    n_clusters, n_threads = job.params["n_clusters"], workspace.run(run_id).config["n_threads"]
    with threadpool_limits(n_threads or default_n_threads()):
        if n_clusters is None:
            on_progress = watch.count("cluster", "comparing numbers of clusters")
            compare_cluster_counts(workspace, run_id, iteration, on_progress=on_progress)
        else:
            watch.report(JobProgress(step="cluster", message=f"K {n_clusters}"))
            make_preview(workspace, run_id, iteration, n_clusters)


def _export(workspace: Workspace, job: JobRecord, watch: _Watch) -> None:
    """Write labels or a model in a form that others read."""
    watch.report(JobProgress(step="export", total=1))
    message = write_export(workspace, job)
    watch.report(JobProgress(step="export", done=1, total=1, message=message))


_WORK = {"run": _run, "import": _import, "preview": _preview, "export": _export}


def _run_id(job: JobRecord) -> int:
    if job.run_id is None:
        raise JobError(f"Job {job.job_id} is to work on a run, but names none.")
    return job.run_id


def _live_settings(
    workspace: Workspace, run_id: int, config: RunConfig, iteration: int
) -> "LiveSettings":
    """Return λ, K and annotations at the start of an iteration: what people asked for last."""
    from pul.labelling import read_guidance
    from pul.loop import LiveSettings

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
    workspace: Workspace, images: ImageTable, network: "Network", watch: _Watch, split: str
) -> ByteArray:
    return load_pixels(
        [Path(path) for path in images.paths],
        height=network.config.height,
        width=network.config.width,
        cache_dir=workspace.cache_path,
        on_progress=watch.count("decode", split),
    )


def _load_evaluation_set(
    workspace: Workspace, run_id: int, train: ImageTable, network: "Network", watch: _Watch
) -> "EvaluationSet | None":
    """Return what is known of who is who; None if nothing is."""
    from pul.loop import EvaluationSet

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
    from pul.loop import ResumeState
    from pul.model import load_network

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


def _keep_iteration(
    workspace: Workspace, run_id: int, event: "IterationFinished", worker: tuple[int, str]
) -> None:
    from pul.model import dump_network

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


def _explain(failure: Exception) -> str:
    if isinstance(failure, PulError):
        return str(failure)
    if isinstance(failure, MemoryError) or any(sign in str(failure) for sign in _OUT_OF_MEMORY):
        return (
            "There is not enough memory; choose a smaller batch, network or image size, then "
            "start a new run, or free some memory and resume this one."
        )
    return f"Something that should not happen did: {type(failure).__name__}: {failure}"


def _log(event: "Event") -> None:
    from pul.loop import IterationFinished, RunFinished

    if isinstance(event, RunFinished):
        _print(f"run ended: {event.reason}")
    if isinstance(event, IterationFinished):
        record = event.record
        figures = f"iteration {record.iteration}: {record.reliable_share:.1%} reliable"
        if record.loss is not None:
            figures += f", loss {record.loss:.3f}"
        if record.metrics is not None:
            figures += f", rank-1 {record.metrics.rank_1:.1%}, mAP {record.metrics.mean_ap:.1%}"
        _print(figures)


def _print(line: str) -> None:
    print(f"{datetime.now(UTC).isoformat(timespec='seconds')} {line}", flush=True)


if __name__ == "__main__":
    main()
