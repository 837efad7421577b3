"""The progress of a background job, and of what is done while one waits."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

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


@contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar while the block runs; yield a function of (what is done now, done, in all)."""
    bar = st.progress(0.0)
    since: dict[str, float] = {}

    def show(step: str, done: int, total: int) -> None:
        taken = monotonic() - since.setdefault(step, monotonic())
        words = [step, f"{done:,}/{total:,}"]
        if done and taken > 1:
            words.append(f"about {duration(taken * (total - done) / done)} left")
        bar.progress(min(1.0, done / max(1, total)), " · ".join(words))

    try:
        yield show
    finally:
        bar.empty()
