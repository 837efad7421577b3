"""Jobs in the background: start and steer them. Light, so that the screen may import it."""

from pul.jobs.control import LOST_AFTER_S, pause_job, reap_lost_jobs, resume_job, stop_job
from pul.jobs.process import WorkerProcess
from pul.jobs.start import (
    active_preview,
    create_fork,
    create_resumption,
    create_run,
    resume_run,
    start_import,
    start_job,
    start_preview,
    start_run,
    start_suggest,
    start_video_import,
)
from pul.jobs.trackers import not_tracked

__all__ = [
    "LOST_AFTER_S",
    "WorkerProcess",
    "active_preview",
    "create_fork",
    "create_resumption",
    "create_run",
    "not_tracked",
    "pause_job",
    "reap_lost_jobs",
    "resume_job",
    "resume_run",
    "start_import",
    "start_job",
    "start_preview",
    "start_run",
    "start_suggest",
    "start_video_import",
    "stop_job",
]
