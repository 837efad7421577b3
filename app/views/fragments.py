"""Parts of a page that are drawn by themselves."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st

from app.wording import plain
from pul.errors import PulError

P = ParamSpec("P")


def fragment(run_every: float | None = None) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Make a part of a page that is drawn by itself, and says in words what went wrong in it.

    What a fragment of Streamlit raises does not come to the frame around the pages, which says it
    in words elsewhere: Streamlit would put a trace on the page.

    Args:
        run_every: Seconds after which it is drawn again; None for not.
    """

    def make(show: Callable[P, None]) -> Callable[P, None]:
        @wraps(show)
        def tell(*args: P.args, **kwargs: P.kwargs) -> None:
            try:
                show(*args, **kwargs)
            except PulError as error:
                st.error(plain(str(error)))

        return st.fragment(tell, run_every=run_every)

    return make
