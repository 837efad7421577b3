"""The worker process: does one job, and records how it ended."""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

from pul.algorithm.events import (
    Event,
    IterationFinished,
    NotMeasurable,
    NotTracked,
    RunFinished,
    SettingsChosen,
)
from pul.errors import PulError
from pul.jobs import WorkerProcess
from pul.jobs.course import tell_worse
from pul.jobs.heartbeat import TERMINATED, Heartbeat, JobStopped, OnEvent
from pul.records import JobRecord, JobStatus
from pul.store.workspace import Workspace

RETRY_S = 600.0  # a database server that is restarted or moved must not cost a run
# How torch words it on the CPU, on a GPU, and for a thread that cannot be started.
_OUT_OF_MEMORY = ("can't allocate memory", "out of memory", "can't start new thread")


def work(
    workspace: Workspace,
    job_id: int,
    *,
    on_event: OnEvent | None = None,
    on_trace: Callable[[str], None] | None = None,
) -> JobRecord:
    """Do a queued job in this process, to its end or until it is stopped.

    Args:
        workspace: Where the job is.
        job_id: The job.
        on_event: Called with every event, for a command line that shows them.
        on_trace: Called with the trace of a failure, for a log.

    Returns:
        The job as it ended: finished, stopped, or failed with the error, and with its trace where
        the error was unexpected.

    Raises:
        JobError: Another worker has the job.
        StoreError: The store refuses to record the end.
    """
    worker = str(WorkerProcess.of(os.getpid()))
    job = workspace.claim_job(job_id, worker)
    status: JobStatus = "finished"
    error = trace = ""
    try:
        with Heartbeat(workspace, job_id, worker, on_event) as heartbeat:
            _do(workspace, job, heartbeat)
    except (JobStopped, KeyboardInterrupt):
        status = "stopped"
    except Exception as failure:  # whatever it is, people should see it
        status, error = "failed", _explain(failure)
        if not isinstance(failure, PulError):
            trace = traceback.format_exc()
        if on_trace is not None:
            on_trace(traceback.format_exc())
    return workspace.finish_job(job_id, status, error, trace)


def main() -> None:
    """Do one job: `python -m pul.jobs.worker LOCATION JOB_ID`."""
    location, job_id = sys.argv[1:]
    # A machine that shuts down sends SIGTERM first: stop as if someone had pressed stop.
    signal.signal(signal.SIGTERM, _terminate)
    with Workspace.open(location, retry_s=RETRY_S) as workspace:
        is_run = workspace.job(int(job_id)).kind == "run"  # only a run has events to log
        log = partial(_log, workspace, int(job_id)) if is_run else None
        job = work(workspace, int(job_id), on_event=log, on_trace=_print)
    _print(f"job {job.job_id} {job.status}")
    if job.status == "failed":
        sys.exit(1)


def _terminate(_signal: int, _frame: object) -> None:
    TERMINATED.set()
    raise KeyboardInterrupt


def _do(workspace: Workspace, job: JobRecord, heartbeat: Heartbeat) -> None:
    """Do a job by its kind; modules are imported late, as an import of images needs no torch."""
    match job.kind:
        case "run":
            from pul.jobs.run import do_run

            do_run(workspace, job, heartbeat)
        case "import":
            from pul.jobs.import_data import do_import

            do_import(workspace, job, heartbeat)
        case "preview":
            from pul.jobs.preview import do_preview

            do_preview(workspace, job, heartbeat)
        case "suggest":
            from pul.jobs.suggest import do_suggest

            do_suggest(workspace, job, heartbeat)
        case "export":
            from pul.jobs.export import do_export

            do_export(workspace, job, heartbeat)


def _explain(failure: Exception) -> str:
    if isinstance(failure, PulError):
        return str(failure)
    if isinstance(failure, MemoryError) or any(words in str(failure) for words in _OUT_OF_MEMORY):
        return (
            "There is not enough memory; choose a smaller batch, network or image size, then "
            "start a new run, or free some memory and resume this one."
        )
    return f"An unexpected error, which is a bug: {type(failure).__name__}: {failure}"


def _log(workspace: Workspace, job_id: int, event: Event) -> None:
    if isinstance(event, SettingsChosen):
        for reason in event.reasons:
            _print(reason)
    if isinstance(event, NotMeasurable):
        _print(f"figures are not measurable: {event.reason}")
    if isinstance(event, NotTracked):
        _print(event.reason)
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
        _log_worse(workspace, job_id)


def _log_worse(workspace: Workspace, job_id: int) -> None:
    run_id = workspace.job(job_id).run_id
    if run_id is None:
        return
    with suppress(PulError):  # a log is no reason to fail
        if line := tell_worse(workspace, run_id):
            _print(line)


def _print(line: str) -> None:
    line = line.encode(errors="backslashreplace").decode()  # names of files that are not UTF-8
    print(f"{datetime.now(UTC).isoformat(timespec='seconds')} {line}", flush=True)


if __name__ == "__main__":
    main()
