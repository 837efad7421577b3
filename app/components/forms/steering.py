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
    "pause": ("Pause", "The worker pauses within a batch and keeps its memory; nothing is lost."),
    "unpause": ("Continue", "The worker continues where it paused."),
    "stop": (
        "Stop",
        "The worker stops within a batch and frees its memory. Finished iterations are kept; what "
        "is done of the present one is lost, and Resume does it again.",
    ),
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
        # What failed is put right first: that button is the primary one then.
        kind: Literal["primary", "secondary"] = "primary" if status == "stopped" else "secondary"
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


def failure(name: str, error: str, traceback: str, *, on_fix: Callable[[], None]) -> None:
    """Show why a run failed, and offer to put it right; the traceback is collapsed.

    Args:
        name: Name of the run.
        error: Why it failed.
        traceback: Where; "" for none.
        on_fix: Called to open the form with its settings.
    """
    st.error(f"**“{plain(name)}” failed.** {plain(error)}")
    st.button(
        "Fix and start again",
        type="primary",
        on_click=on_fix,
        key="fix",
        help="Open the form with the settings of this run, to change what was wrong.",
    )
    if traceback:
        with st.expander("Traceback"):
            st.code(traceback, language=None, wrap_lines=True)


def live_settings(
    lambda_: float,
    n_clusters: int | None,
    waiting: Mapping[str, float],
    *,
    on_ask: Callable[[float, int | None], str],
    key: str,
) -> None:
    """Show a form that changes λ and K from the next iteration on.

    Args:
        lambda_: Current or requested λ.
        n_clusters: Current or requested K; None where the method finds K by itself.
        waiting: Requested values that wait for the next iteration, by name.
        on_ask: Called with what stands in the fields when the button is pressed; returns what is
            wrong with it, "" if it is used.
        key: Key of the widgets.
    """
    words = [f"{_SYMBOLS[name]} {value:g}" for name, value in waiting.items()]
    label = f"{', '.join(words)} next" if words else "λ, K …" if n_clusters is not None else "λ …"
    # The form keeps its values while the page polls; its key changes once they are stored.
    key = f"{key}:{lambda_}:{n_clusters}"

    def ask() -> None:  # a callback, as for the buttons above
        clusters = st.session_state.get(f"{key}:k")
        threshold = float(st.session_state[f"{key}:lambda"])
        st.session_state[f"{key}:error"] = on_ask(
            threshold, None if clusters is None else int(clusters)
        )

    with (
        st.popover(label, help="Change λ and K during the run", width="stretch"),
        st.form(key, border=False),
    ):
        st.number_input("Threshold λ", value=lambda_, step=0.01, key=f"{key}:lambda")
        if n_clusters is not None:
            st.number_input("Clusters K", value=n_clusters, step=1, key=f"{key}:k")
        if error := st.session_state.get(f"{key}:error"):
            st.error(plain(error))
        st.form_submit_button("Apply from the next iteration", on_click=ask, width="stretch")
