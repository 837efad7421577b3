"""Pause, resume and stop a job; mark as failed those whose worker is gone."""

import shlex
import time

from pul.jobs.process import WorkerProcess
from pul.records import JobRecord
from pul.store.jobs import ACTIVE
from pul.store.workspace import Workspace

LOST_AFTER_S = 10.0
_WATCH_S = 0.2

# The heartbeat of workers elsewhere whose clock or silence is suspect, and since when by our own.
_watched: dict[tuple[str, int], tuple[str, float]] = {}


def pause_job(workspace: Workspace, job_id: int) -> None:
    """Ask a job to pause within one batch; its worker stays and holds its memory.

    Raises:
        JobError: The job has ended.
    """
    workspace.request(job_id, "pause")


def resume_job(workspace: Workspace, job_id: int) -> None:
    """Ask a paused job to continue.

    Raises:
        JobError: The job has ended.
    """
    workspace.request(job_id, "resume")


def stop_job(workspace: Workspace, job_id: int) -> None:
    """Ask a job to stop within one batch; a run can be resumed from its last finished iteration.

    Raises:
        JobError: The job has ended.
    """
    workspace.request(job_id, "stop")


def reap_lost_jobs(
    workspace: Workspace, timeout_s: float = LOST_AFTER_S, *, wait: bool = False
) -> list[JobRecord]:
    """Mark the jobs whose worker is gone as failed; their runs can be resumed.

    On this machine a worker is gone when its process is, whatever the clock says. On another
    machine it is gone when its heartbeat has not changed while this process watched for
    `timeout_s`: clocks of two machines may be hours apart, so a heartbeat that looks old is a
    reason to watch, and no more.

    Args:
        workspace: The workspace of the jobs.
        timeout_s: Seconds without a new heartbeat after which a worker elsewhere counts as gone.
        wait: Whether to go on watching until it is known of each job; otherwise a job of which it
            is not known yet is left for a later call.

    Returns:
        The jobs whose worker was gone, as they are now; none of a workspace that is read-only.
    """
    active = [] if workspace.is_read_only else workspace.active_jobs()
    reaped = (_reap(workspace, job, timeout_s, wait=wait) for job in active)
    return [job for job in reaped if job is not None]


def _reap(
    workspace: Workspace, job: JobRecord, timeout_s: float, *, wait: bool
) -> JobRecord | None:
    """Return a job as it was marked as failed; None where its worker lives, or may live."""
    while (is_lost := _is_lost(workspace, job, timeout_s)) or (is_lost is None and wait):
        failed = _fail(workspace, job) if is_lost else None
        if failed is not None:
            return failed
        if not is_lost:
            time.sleep(_WATCH_S)
        job = workspace.job(job.job_id)  # it gave a sign or ended meanwhile
    return None


def _is_lost(workspace: Workspace, job: JobRecord, timeout_s: float) -> bool | None:
    """Return whether a job's worker is gone; None where it must be watched for longer."""
    if not job.worker or job.status not in ACTIVE:
        return False
    worker = WorkerProcess.parse(job.worker)
    if worker.is_here:
        return not worker.is_alive
    if 0 <= workspace.seconds_since_heartbeat(job.job_id) <= timeout_s:
        return False
    key, now = (workspace.location, job.job_id), time.monotonic()
    heartbeat_at, since = _watched.get(key, ("", now))
    if heartbeat_at != job.heartbeat_at:
        is_first = key not in _watched
        _watched[key] = (job.heartbeat_at, now)
        return None if is_first else False
    return True if now - since > timeout_s else None


def _fail(workspace: Workspace, job: JobRecord) -> JobRecord | None:
    worker = WorkerProcess.parse(job.worker)
    fix = f"start the {job.kind} again"
    if job.run_id is not None:
        place = shlex.quote(workspace.url)
        fix = f"resume with `python -m pul resume {job.run_id} --workspace {place}`"
    error = (
        f"The worker vanished (process {worker.pid} on {worker.host}, last seen "
        f"{job.heartbeat_at}): it was killed, or the machine went down. See "
        f"{workspace.log_path(job.job_id)}; {fix}."
    )
    return workspace.fail_lost_job(job, error)
