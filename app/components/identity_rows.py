"""A row per identity: faces, counts, flags, roles; merge, split, rename."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

_FOLDER = Path(__file__).parent


def _read(*names: str) -> str:
    return "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in names)


_render = st.components.v2.component(
    "pul_identity_rows",
    html=_read("identity_rows.html"),
    css=_read("identity_rows.css"),
    js=_read("text.js", "outbox.js", "zoom.js", "identity_rows.js"),
    isolate_styles=False,
)


def identity_rows(payload: dict[str, Any], *, on_outbox: Callable[[], None], key: str) -> None:
    """Show the identities.

    Args:
        payload: What to draw, as `app.labelling.rows_payload` makes it.
        on_outbox: Called when the browser sent acts: they are `st.session_state[key]["outbox"]`.
        key: Key of the component; `st.session_state[key]["opened"]` is the row that is open.
    """
    _render(key=key, data=payload, on_outbox_change=on_outbox, on_opened_change=_nothing)


def _nothing() -> None:
    """Streamlit keeps a component's value only where it may call something about it."""
