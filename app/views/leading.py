"""From a picture to another page: its like, or a card of it."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from app import state


def to_similar(values: dict[str, Any], key: str) -> None:
    """Go to the list of the images that look like one for which the browser asked, once.

    Args:
        values: What the component sent; `"like"` is the image, and when it was asked for.
        key: Key of the component.
    """
    _once(
        values.get("like"),
        f"{key}:like",
        "retrieval",
        lambda like: state.find_like(int(like["image"])),
    )


def to_card(values: dict[str, Any], key: str) -> None:
    """Go to a card of the images for which the browser asked, once.

    Args:
        values: What the component sent; `"card"` has the images, and when they were asked for.
        key: Key of the component.
    """
    _once(values.get("card"), f"{key}:card", "label", lambda card: state.open_card(card["images"]))


def _once(
    wanted: dict[str, Any] | None, seen: str, page: str, prepare: Callable[[dict[str, Any]], None]
) -> None:
    if not wanted or st.session_state.get(seen) == wanted["at"]:
        return
    st.session_state[seen] = wanted["at"]
    prepare(wanted)
    st.switch_page(state.page(page))
