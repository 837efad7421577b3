"""Waiting for what takes seconds, without holding up who goes on to something else."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from typing import TypeVar

import streamlit as st

from app import services

T = TypeVar("T")

_SLICE_S = 0.1
_MOST = 64  # more than wait at once: who need not wait shall find a thread
_threads = ThreadPoolExecutor(max_workers=_MOST, thread_name_prefix="waiting")


def wait_in_background(make: Callable[[], T], text: str) -> T:
    """Return what `make` returns; who presses something meanwhile need not wait for it.

    A session draws one thing after another (docs/decisions/0039), and a drawing can be ended only
    where it calls Streamlit: so what takes seconds is made in a thread, whether it is waited for to
    the end or not. It must not call Streamlit itself, and should be kept, as it may be asked again.

    Args:
        make: What takes seconds.
        text: What is being done, for who waits.
    """
    making = _threads.submit(make)
    with st.spinner(text):
        while not wait([making], timeout=_SLICE_S).done:
            st.session_state.get("waiting")  # a call at which the drawing may be ended
    return making.result()


def iteration_to_label(location: str, run_id: int, newest: int) -> int:
    """Return the iteration to label on, waited for where its index is not there."""
    prepare = partial(services.index.prepared, location, run_id, newest)
    return wait_in_background(prepare, "Finding similar people")
