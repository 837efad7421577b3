"""Waiting for slow work without blocking the user's next click."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import services, state
from app.components.tables.empty import nothing_yet
from app.wording import ENDED, count, duration, fit, plain, share_done
from pul.errors import ServerLostError
from pul.records import JobProgress

T = TypeVar("T")

_SLICE_S = 0.1
_MAX_THREADS = 64  # more than ever wait at once, so that nobody waits for a thread
_threads = ThreadPoolExecutor(max_workers=_MAX_THREADS, thread_name_prefix="waiting")


def wait_in_background(make: Callable[[], T], text: str) -> T:
    """Return what `make` returns; a click meanwhile interrupts the wait.

    A session runs one script at a time, and a rerun can interrupt it only where it calls Streamlit:
    so slow work is done in a thread, which also finishes if the script is interrupted. `make` must
    not call Streamlit, and should cache its result, as it may be called again.

    Args:
        make: The slow work.
        text: What is shown meanwhile.
    """
    future = _threads.submit(make)
    with st.spinner(text):
        while not wait([future], timeout=_SLICE_S).done:
            st.session_state.get("waiting")  # a Streamlit call, at which a rerun can interrupt
    return future.result()


@st.fragment(run_every=2.0)
def for_server(location: str) -> None:
    """Say that the database server does not answer, and show the page as soon as it does."""
    try:
        services.workspace.open_workspace(location).version()
    except ServerLostError as error:
        st.warning(
            f"{error} This page waits, and goes on by itself; jobs that are running wait too.",
            icon=":material/hourglass_top:",
        )
    else:
        st.rerun()


def for_a_run(now: services.workspace.WorkspaceStatus | None, text: str) -> None:
    """Say that a page needs a run, and what comes first.

    Args:
        now: Status of the workspace, which has no run; None where there is none.
        text: What is not there, as a sentence.
    """
    has_images = now is not None and now.n_images
    first = "Start with “Group without training”." if has_images else "Add images first."
    nothing_yet(text, first, state.page("workspace"))


def for_first_iteration(now: services.workspace.WorkspaceStatus, text: str) -> None:
    """Say that a page waits for the first iteration of the run, or why none will come.

    Args:
        now: Status of the workspace; its run has no iteration yet.
        text: What is being made, as a sentence.
    """
    train = state.page("rounds")
    if now.run is None or now.is_active:
        nothing_yet(text, "See the progress of the run.", train)
    elif now.run.status == "failed":
        nothing_yet(
            f"“{plain(now.run.name)}” failed before its first iteration was finished.",
            "Put its settings right and start again, or choose another run.",
            train,
        )
    else:
        nothing_yet(
            f"“{plain(now.run.name)}” has no finished iteration: it {ENDED[now.run.status]}.",
            "Resume it, or choose another run.",
            train,
        )


def iteration_to_label(location: str, run_id: int, newest: int) -> int:
    """Return the iteration to label on; show progress while its suggestion index is made."""
    place = (location, run_id, newest)
    iteration = services.index.prepared(*place)
    if iteration is not None:
        return iteration
    bar = st.empty()
    started = time.monotonic()
    with st.spinner(fit("Finding similar people")):
        while iteration is None:
            time.sleep(_SLICE_S)
            show_progress(bar, services.index.progress(*place), time.monotonic() - started)
            iteration = services.index.prepared(*place)
    bar.empty()
    return iteration


def show_progress(bar: DeltaGenerator, progress: JobProgress | None, seconds: float) -> None:
    """Show in a bar what a job does, how far it is, and how long it takes, after some seconds."""
    if progress is None:
        st.session_state.get("waiting")  # a Streamlit call, at which a rerun can interrupt
        return
    share = share_done(progress)
    text = progress.message.capitalize()
    if share:
        text += f": {count(progress.done)} of {count(progress.total)} images"
        text += f", about {duration(seconds * (1 - share) / share)} left"
    bar.progress(share, text)
