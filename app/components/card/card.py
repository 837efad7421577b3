"""The card of the Label page: tiles, candidates, keys; acts wait in the browser until stored."""

from collections.abc import Callable
from typing import Any

from app.components.mount import mount

_render = mount(
    "pul_card",
    script="card/card.js",
    values=("outbox", "wanted", "drafts", "like", "review"),
    html="card/card.html",
    css="card/card.css",
)


def card(payload: dict[str, Any], *, on_outbox: Callable[[], None], key: str) -> None:
    """Show the next card.

    Args:
        payload: What to draw, as `app.payloads.card_payload` makes it.
        on_outbox: Called when the browser sent acts: they are `st.session_state[key]["outbox"]`,
            all that are not acknowledged yet, oldest first.
        key: Key of the component; the card stays on the screen as long as it is the same.
            `st.session_state[key]["wanted"]` is the current card, for which more candidates are
            requested; `"review"` is when a review of the labels was asked for; `"drafts"` is what
            the browser kept of unfinished cards, and `"like"` the image for which similar ones are
            wanted.
    """
    _render(key=key, data=payload, on_outbox_change=on_outbox)
