"""The rows of the Identities page: faces, counts, flags, roles; merge, split, rename."""

from collections.abc import Callable
from typing import Any

from app.components.mount import mount

_render = mount(
    "pul_identity_rows",
    script="identity_rows/identity_rows.js",
    values=("outbox", "opened", "like"),
    html="identity_rows/identity_rows.html",
    css="identity_rows/identity_rows.css",
)


def identity_rows(payload: dict[str, Any], *, on_outbox: Callable[[], None], key: str) -> None:
    """Show the identities.

    Args:
        payload: What to draw, as `app.payloads.rows_payload` makes it.
        on_outbox: Called when the browser sent acts: they are `st.session_state[key]["outbox"]`.
        key: Key of the component; `st.session_state[key]["opened"]` is the row that is open,
            and `"like"` the image for which similar ones are wanted.
    """
    _render(key=key, data=payload, on_outbox_change=on_outbox)
