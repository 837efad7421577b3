"""A strip of queries; one is chosen by click or arrow keys."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import streamlit as st

from app.components.mount import mount

_render = mount(
    "pul_query_strip",
    script="query_strip/query_strip.js",
    values=("chosen",),
    html='<div class="queries" role="group" aria-label="Queries"></div>',
    css="query_strip/query_strip.css",
)


@dataclass(frozen=True, slots=True)
class Query:
    """One picture to search with.

    Attributes:
        image_id: Its number in the store.
        url: Where its picture is.
        label: Text below it.
        hint: Its text for screen readers.
    """

    image_id: int
    url: str
    label: str
    hint: str


def query_strip(tiles: Sequence[Query], *, key: str) -> int:
    """Show queries and return the id of the chosen one, by default the first.

    Args:
        tiles: The queries of the page; at least one.
        key: Key of the component; another page of queries is another key.
    """
    before = st.session_state.get(key, {}).get("chosen")
    chosen = before if before is not None else tiles[0].image_id
    _render(
        key=key,
        data={"tiles": [asdict(tile) for tile in tiles], "chosen": chosen},
    )
    return int(chosen)
