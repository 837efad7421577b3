"""The model of an iteration: its path, a download, and a fork."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from app.wording import plain


def checkpoint_row(
    what: str, path: Path, *, on_fork: Callable[[], None], is_chosen: bool, key: str
) -> None:
    """Show the path of a model, with buttons to download it and to fork from it.

    Args:
        what: Whose model it is: `run 2, iteration 3`.
        path: Its file.
        on_fork: Called to start a run from it.
        is_chosen: Whether its point was clicked; otherwise a hint is shown.
        key: Key of the widgets.
    """
    hint = "" if is_chosen else " · click a point for another"
    st.markdown(f"**Model of {plain(what)}**{hint}")
    st.code(str(path), language=None, wrap_lines=True)
    download, fork = st.columns(2)
    download.download_button(
        "Download",
        data=path.read_bytes,
        file_name=f"{what.replace(', ', '-').replace(' ', '-')}{path.suffix}",
        on_click="ignore",
        width="stretch",
        key=f"{key}:download",
    )
    fork.button(
        "Fork …",
        on_click=on_fork,
        width="stretch",
        key=f"{key}:fork",
        help="Use it as the start model of a new run, with changed settings.",
    )
