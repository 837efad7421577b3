"""The buttons that steer a run, and what is said when it failed."""

from collections.abc import Callable, Mapping
from typing import Literal

import streamlit as st

from app.wording import plain
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
_SYMBOLS = {"lambda_": "λ", "n_clusters": "K"}
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
    st.error(f"**The run failed.** {plain(error)}")
    if traceback:
        with st.expander("Trace"):
            st.code(traceback, language=None)


def live_settings(
    lambda_: float,
    n_clusters: int,
    waiting: Mapping[str, float],
    *,
    on_ask: Callable[[float | None, int | None], None],
    key: str,
) -> None:
    """Let someone change λ and K from the next iteration on.

    Args:
        lambda_: λ as it is in force, or asked for.
        n_clusters: K as it is in force, or asked for.
        waiting: What was asked for and waits for the next iteration, by name.
        on_ask: Told the new λ and K, None where it stays.
        key: Key of the widgets.
    """
    words = [f"{_SYMBOLS[name]} {value:g}" for name, value in waiting.items()]
    label = f"{', '.join(words)} next" if words else "λ, K …"
    # The form keeps what is typed while the page polls; its key changes when it was heard.
    key = f"{key}:{lambda_}:{n_clusters}"

    def ask() -> None:  # before the page is drawn again, as the presses above
        threshold = st.session_state[f"{key}:lambda"]
        clusters = int(st.session_state[f"{key}:k"])
        on_ask(
            threshold if threshold != lambda_ else None,
            clusters if clusters != n_clusters else None,
        )

    with (
        st.popover(label, help="Change λ and K on the way", width="stretch"),
        st.form(key, border=False),
    ):
        st.number_input("Threshold λ", 0.0, 1.0, lambda_, 0.01, key=f"{key}:lambda")
        st.number_input("Clusters K", 1, value=n_clusters, key=f"{key}:k")
        st.form_submit_button("Apply from the next iteration", on_click=ask, width="stretch")
