"""The buttons that steer a run, and what is said when it failed."""

from collections.abc import Callable
from typing import Literal

import streamlit as st

from pul.records import Command, JobStatus

Act = Literal["pause", "unpause", "stop", "resume"]

_OFFERED: dict[JobStatus, tuple[Act, ...]] = {
    "queued": ("stop",),
    "running": ("pause", "stop"),
    "paused": ("unpause", "stop"),
    "stopped": ("resume",),
    "failed": ("resume",),
    "finished": (),
}
_WORDS: dict[Act, tuple[str, str]] = {
    "pause": ("Pause", "The worker waits within a batch and keeps its memory."),
    "unpause": ("Go on", "The worker goes on where it paused."),
    "stop": ("Stop", "The worker ends within a batch; whole iterations stay."),
    "resume": ("Resume", "A new worker goes on from the last whole iteration."),
}
_WAITING: dict[Command, Act] = {"pause": "pause", "resume": "unpause", "stop": "stop"}


def steering(
    status: JobStatus, requested: Command | None, *, on_act: Callable[[Act], None]
) -> None:
    """Show the buttons that make sense.

    Args:
        status: Status of the last job on the run.
        requested: What was asked of it and not heeded yet; its button waits.
        on_act: Told of a press before the page is drawn again: a press that were noticed while it
            is drawn would be lost where a poll asks for the next drawing meanwhile.
    """
    for column, act in zip(st.columns(2), _OFFERED[status], strict=False):
        word, hint = _WORDS[act]
        is_waiting = requested is not None and _WAITING[requested] == act
        label = f"{word} …" if is_waiting else word
        kind: Literal["primary", "secondary"] = "primary" if act == "resume" else "secondary"
        column.button(
            label,
            key=f"act:{act}",
            help=hint,
            on_click=on_act,
            args=(act,),
            disabled=is_waiting,
            type=kind,
            width="stretch",
        )


def failure(error: str, traceback: str) -> None:
    """Say why a run failed; the trace behind it is folded away."""
    st.error(f"**The run failed.** {error}")
    if traceback:
        with st.expander("Trace"):
            st.code(traceback, language=None)
