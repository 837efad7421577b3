"""The card: who is this? Tiles, candidates, keys; acts wait in the browser until stored."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

_FOLDER = Path(__file__).parent
_SCRIPTS = (
    "text.js", "outbox.js", "likeness.js", "work.js", "zoom.js", "tiles.js", "minimap.js",
    "chooser.js", "pair.js", "card.js",
)  # fmt: skip


def _read(*names: str) -> str:
    return "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in names)


_render = st.components.v2.component(
    "pul_card",
    html=_read("card.html"),
    css=_read("card.css"),
    js=_read(*_SCRIPTS),
    isolate_styles=False,
)


def card(payload: dict[str, Any], *, on_outbox: Callable[[], None], key: str) -> None:
    """Show the next card.

    Args:
        payload: What to draw, as `app.labelling.card_payload` makes it.
        on_outbox: Called when the browser sent acts: they are `st.session_state[key]["outbox"]`,
            all that are not yet acknowledged, oldest first.
        key: Key of the component; the card stays on the screen as long as it is the same.
            `st.session_state[key]["wanted"]` is the card that is worked on: for whom there shall be
            more candidates. Its `"rounds"` is set once when somebody wants to go on to the rounds.
    """
    _render(
        key=key, data=payload, on_outbox_change=on_outbox, on_wanted_change=_nothing,
        on_rounds_change=_nothing,
    )  # fmt: skip


def _nothing() -> None:
    """Streamlit keeps a component's value only where it may call something about it."""
