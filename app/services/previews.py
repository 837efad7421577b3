"""Previews: another K on an iteration's features."""

from app.services.workspace import WorkspaceStatus, job, open_workspace
from pul import jobs
from pul.records import ClusterCounts, JobRecord

__all__ = ["ClusterCounts", "job"]

_RESUMABLE = ("stopped", "failed")


def start_preview(location: str, run_id: int, iteration: int, n_clusters: int | None) -> JobRecord:
    """Start clustering the features of an iteration with another K, or comparing several.

    Args:
        location: The workspace.
        run_id: The run.
        iteration: The iteration.
        n_clusters: K; None compares several.

    Raises:
        JobError: Another preview of this run is being made, or no worker can be started.
    """
    return jobs.start_preview(open_workspace(location), run_id, iteration, n_clusters)


def last_preview(location: str, run_id: int, iteration: int) -> JobRecord | None:
    """Return the last job that made a preview of an iteration; None if there is none."""
    found = [
        each
        for each in open_workspace(location).jobs()
        if each.kind == "preview"
        and (each.params["run_id"], each.params["iteration"]) == (run_id, iteration)
    ]
    return found[-1] if found else None


def is_active(made_by: JobRecord | None) -> bool:
    """Whether a job is queued, running or paused."""
    return made_by is not None and made_by.status in ("queued", "running", "paused")


def cluster_counts(location: str, run_id: int, iteration: int) -> ClusterCounts | None:
    """Return the comparison of several K on an iteration; None if there is none."""
    return open_workspace(location).cluster_counts(run_id, iteration)


def can_apply(now: WorkspaceStatus) -> bool:
    """Whether a run will have another iteration, which can use new values."""
    return now.run is not None and (now.is_active or now.run.status in _RESUMABLE)


def next_iteration(now: WorkspaceStatus) -> int:
    """Return the first iteration of a run that would use values requested now."""
    running = now.job.progress.iteration if now.is_active and now.job and now.job.progress else 0
    return max(running, now.run.n_iterations_done if now.run else 0) + 1
