"""The buttons that control a run, and its error if it failed."""

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
    "pause": ("Pause", "The worker pauses within a batch and keeps its memory."),
    "unpause": ("Continue", "The worker continues where it paused."),
    "stop": ("Stop", "The worker stops within a batch; finished iterations are kept."),
    "resume": ("Resume", "A new worker continues from the last finished iteration."),
}
_SYMBOLS = {"lambda_": "λ", "n_clusters": "K"}
_WAITING: dict[Command, Act] = {"pause": "pause", "resume": "unpause", "stop": "stop"}


def steering(
    status: JobStatus, requested: Command | None, *, on_act: Callable[[Act], None]
) -> None:
    """Show the buttons that apply.

    Args:
        status: Status of the last job on the run.
        requested: Command that the worker has not acknowledged yet; its button waits.
        on_act: Callback of the buttons. A callback runs before the rerun; a button checked during
            the rerun would lose its click if a poll starts the next one.
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
    """Show why a run failed; the traceback is collapsed."""
    st.error(f"**The run failed.** {plain(error)}")
    if traceback:
        with st.expander("Traceback"):
            st.code(traceback, language=None)


def live_settings(
    lambda_: float,
    n_clusters: int,
    waiting: Mapping[str, float],
    *,
    on_ask: Callable[[float | None, int | None], None],
    key: str,
) -> None:
    """Show a form that changes λ and K from the next iteration on.

    Args:
        lambda_: Current or requested λ.
        n_clusters: Current or requested K.
        waiting: Requested values that wait for the next iteration, by name.
        on_ask: Called with the new λ and K, None for unchanged.
        key: Key of the widgets.
    """
    words = [f"{_SYMBOLS[name]} {value:g}" for name, value in waiting.items()]
    label = f"{', '.join(words)} next" if words else "λ, K …"
    # The form keeps its values while the page polls; its key changes once they are stored.
    key = f"{key}:{lambda_}:{n_clusters}"

    def ask() -> None:  # a callback, as for the buttons above
        threshold = st.session_state[f"{key}:lambda"]
        clusters = int(st.session_state[f"{key}:k"])
        on_ask(
            threshold if threshold != lambda_ else None,
            clusters if clusters != n_clusters else None,
        )

    with (
        st.popover(label, help="Change λ and K during the run", width="stretch"),
        st.form(key, border=False),
    ):
        st.number_input("Threshold λ", 0.0, 1.0, lambda_, 0.01, key=f"{key}:lambda")
        st.number_input("Clusters K", 1, value=n_clusters, key=f"{key}:k")
        st.form_submit_button("Apply from the next iteration", on_click=ask, width="stretch")
