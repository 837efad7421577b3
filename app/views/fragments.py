"""Streamlit fragments that show our errors."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st

from app.wording import plain
from pul.errors import PulError

P = ParamSpec("P")


def fragment(run_every: float | None = None) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Like `st.fragment`, but a `PulError` is shown as its message.

    An exception in a fragment does not reach the error handling of `studio.main`: Streamlit would
    show a traceback.

    Args:
        run_every: Seconds between reruns; None for no polling.
    """

    def make(show: Callable[P, None]) -> Callable[P, None]:
        @wraps(show)
        def show_or_explain(*args: P.args, **kwargs: P.kwargs) -> None:
            try:
                show(*args, **kwargs)
            except PulError as error:
                st.error(plain(str(error)))

        return st.fragment(show_or_explain, run_every=run_every)

    return make
