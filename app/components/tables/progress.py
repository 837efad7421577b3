"""The progress of a background job."""

import streamlit as st

from app.wording import duration, place, share_done
from pul.records import JobRecord


def progress_panel(job: JobRecord, *, remaining_s: float | None = None) -> None:
    """Show a job's progress and, if known, its remaining time.

    Args:
        job: A job that is queued, running or paused.
        remaining_s: Remaining seconds.
    """
    progress = job.progress
    words = [place(progress)]
    if progress is not None and progress.loss is not None:
        words.append(f"loss {progress.loss:.3f}")
    if remaining_s is not None:
        words.append(f"about {duration(remaining_s)} left")
    if job.status == "paused":
        words.insert(0, "paused")
    st.progress(share_done(progress), " · ".join(words))
