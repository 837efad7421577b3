"""The model of an iteration: where it lies, to take it away, and to start from it."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from app.wording import plain


def checkpoint_row(
    what: str, path: Path, *, on_fork: Callable[[], None], is_chosen: bool, key: str
) -> None:
    """Show where a model lies, with a button that downloads it and one that starts from it.

    Args:
        what: Whose model it is: `run 2, iteration 3`.
        path: Its file.
        on_fork: Called when someone wants to start a run from it.
        is_chosen: Whether someone clicked its point; says how to, otherwise.
        key: Key of the widgets.
    """
    told, download, fork = st.columns([4, 1, 1], vertical_alignment="center")
    hint = "" if is_chosen else " · click a point for another"
    told.markdown(f"**Model of {plain(what)}**{hint}  \n`{path}`")
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
