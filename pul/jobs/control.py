"""Pause, resume and stop a job; mark as failed those whose worker is gone."""

import shlex

from pul.errors import JobError
from pul.jobs.process import WorkerProcess
from pul.records import JobRecord
from pul.store.workspace import Workspace

LOST_AFTER_S = 10.0


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


def reap_lost_jobs(workspace: Workspace, timeout_s: float = LOST_AFTER_S) -> list[JobRecord]:
    """Mark the jobs whose worker is gone as failed; their runs can be resumed.

    On this machine a worker is gone when its process is, whatever the clock says; on another
    machine when its heartbeat stopped.

    Args:
        workspace: The workspace of the jobs.
        timeout_s: Seconds without a heartbeat after which a worker elsewhere counts as gone.

    Returns:
        The jobs whose worker was gone, as they are now.
    """
    lost = [job for job in workspace.active_jobs() if _is_lost(workspace, job, timeout_s)]
    return [failed for job in lost for failed in _fail(workspace, job)]


def _is_lost(workspace: Workspace, job: JobRecord, timeout_s: float) -> bool:
    if not job.worker:
        return False
    worker = WorkerProcess.parse(job.worker)
    if worker.is_here:
        return not worker.is_alive
    return workspace.seconds_since_heartbeat(job.job_id) > timeout_s


def _fail(workspace: Workspace, job: JobRecord) -> list[JobRecord]:
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
    try:
        return [workspace.finish_job(job.job_id, "failed", error=error)]
    except JobError:
        return []  # it ended by itself between the two queries
