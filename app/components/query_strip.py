"""A page of queries to choose one from, by click or by arrow keys."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import streamlit as st

_FOLDER = Path(__file__).parent
_render = st.components.v2.component(
    "pul_query_strip",
    html='<div class="queries" role="group" aria-label="Queries"></div>',
    css=(_FOLDER / "query_strip.css").read_text(encoding="utf-8"),
    js=(_FOLDER / "query_strip.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


@dataclass(frozen=True, slots=True)
class Query:
    """One picture to search with.

    Attributes:
        image_id: Its number in the store.
        url: Where its picture is.
        label: What stands below it.
        hint: What is said of it to those who do not see it.
    """

    image_id: int
    url: str
    label: str
    hint: str


def query_strip(tiles: Sequence[Query], *, key: str) -> int:
    """Show queries and return the number of the one that is chosen; the first until one is.

    Args:
        tiles: The queries of the page; at least one.
        key: Key of the component; another page of queries is another key.
    """
    before = st.session_state.get(key, {}).get("chosen")
    chosen = before if before is not None else tiles[0].image_id
    _render(
        key=key,
        data={"tiles": [asdict(tile) for tile in tiles], "chosen": chosen},
        on_chosen_change=_nothing,
    )
    return int(chosen)


def _nothing() -> None:
    """Streamlit keeps a component's value only where it may call something about it."""
