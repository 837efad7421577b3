"""The process that does a job: stores its events, heeds what is asked, gives signs of life."""

import os
import signal
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from threadpoolctl import threadpool_limits

from pul.data.datasets import read_dataset
from pul.data.images import check_images
from pul.errors import PulError
from pul.jobs import WorkerProcess
from pul.jobs.export import write_export
from pul.jobs.heartbeat import Heartbeat, JobStopped, OnEvent
from pul.jobs.run import _run
from pul.models.resources import default_n_threads
from pul.records import JobProgress, JobRecord, JobStatus
from pul.store.workspace import Workspace

if TYPE_CHECKING:  # torch takes seconds to load, and an import job needs none of it
    from pul.algorithm.events import Event


# What torch says on the CPU, on a GPU, and of a thread that cannot be had.
_OUT_OF_MEMORY = ("can't allocate memory", "out of memory", "can't start new thread")


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
        with Heartbeat(workspace, job_id, worker, on_event) as watch:
            _WORK[job.kind](workspace, job, watch)
    except (JobStopped, KeyboardInterrupt):
        status = "stopped"
    except Exception as failure:  # whatever it is, people shall see it
        status, error, trace = "failed", _explain(failure), traceback.format_exc()
    return workspace.finish_job(job_id, status, error, trace)


def main() -> None:
    """Do one job: `python -m pul.jobs.worker LOCATION JOB_ID`."""
    location, job_id = sys.argv[1:]
    # A machine that goes down asks politely first: stop as if someone had pressed stop.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Workspace.open(location) as workspace:
        is_run = workspace.job(int(job_id)).kind == "run"  # an import has nothing to log, nor torch
        job = work(workspace, int(job_id), on_event=_log if is_run else None)
    _print(f"job {job.job_id} {job.status}")
    if job.status == "failed":
        sys.exit(job.traceback)


def _import(workspace: Workspace, job: JobRecord, watch: Heartbeat) -> None:
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


def _preview(workspace: Workspace, job: JobRecord, watch: Heartbeat) -> None:
    """Cluster an iteration's features with another K, or compare several."""
    from pul.jobs.preview import compare_cluster_counts, make_preview

    run_id, iteration = job.params["run_id"], job.params["iteration"]
    n_clusters, n_threads = job.params["n_clusters"], workspace.run(run_id).config["n_threads"]
    with threadpool_limits(n_threads or default_n_threads()):
        if n_clusters is None:
            on_progress = watch.count("cluster", "comparing numbers of clusters")
            compare_cluster_counts(workspace, run_id, iteration, on_progress=on_progress)
        else:
            watch.report(JobProgress(step="cluster", message=f"K {n_clusters}"))
            make_preview(workspace, run_id, iteration, n_clusters)


def _export(workspace: Workspace, job: JobRecord, watch: Heartbeat) -> None:
    """Write labels or a model in a form that others read."""
    watch.report(JobProgress(step="export", total=1))
    message = write_export(workspace, job)
    watch.report(JobProgress(step="export", done=1, total=1, message=message))


_WORK = {"run": _run, "import": _import, "preview": _preview, "export": _export}


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
    from pul.algorithm.events import IterationFinished, RunFinished

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
