"""Pictures of people as tiles of 64×128, loaded when they scroll into view."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

import streamlit as st

from app.wording import counted


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture.

    Attributes:
        url: Where it is.
        cluster: Its cluster; tiles of one cluster are adjacent.
        camera: Its camera number in the dataset; None if unknown.
        similarity: Cosine to the center of its cluster.
        is_reliable: Whether it trains at the current λ.
        is_center: Whether it is the center of its cluster.
    """

    url: str
    cluster: int
    camera: int | None
    similarity: float
    is_reliable: bool
    is_center: bool


def grid(tiles: Sequence[Tile], *, height: int, is_grouped: bool = True) -> None:
    """Show tiles in a scrolling box.

    Args:
        tiles: The pictures, those of one cluster next to each other.
        height: Height of the box in pixels.
        is_grouped: Whether each cluster has its own heading.
    """
    if is_grouped:
        groups = (list(group) for _, group in groupby(tiles, key=lambda tile: tile.cluster))
        body = "".join(_group(group) for group in groups)
    else:
        body = _row(tiles)
    st.html(f'<div class="pul-grid" style="height:{height}px" tabindex="0">{body}</div>')


def strip(urls: Sequence[str], alt: str) -> None:
    """Show pictures in a row, without captions.

    Args:
        urls: Where they are.
        alt: What each of them is, for who does not see it.
    """
    image = f'alt="{escape(alt)}" loading="lazy" width="64" height="128"'
    tiles = "".join(f'<img src="{escape(url)}" {image}>' for url in urls)
    st.html(f'<div class="pul-strip">{tiles}</div>')


def _group(tiles: Sequence[Tile]) -> str:
    cameras = {tile.camera for tile in tiles} - {None}
    seen = f" · {counted(len(cameras), 'camera')}" if cameras else ""
    title = f"Cluster {tiles[0].cluster} · {counted(len(tiles), 'image')}{seen}"
    return f"<h6>{title}</h6>{_row(tiles)}"


def _row(tiles: Sequence[Tile]) -> str:
    return f'<div class="pul-tiles">{"".join(_tile(tile) for tile in tiles)}</div>'


def _tile(tile: Tile) -> str:
    kind = "center" if tile.is_center else "reliable" if tile.is_reliable else "far"
    camera = "" if tile.camera is None else f"c{tile.camera}"
    hint = f"cluster {tile.cluster}, cosine {tile.similarity:.2f}"
    return (
        f'<figure class="{kind}" title="{hint}"><img src="{escape(tile.url)}" alt="{hint}" '
        f'width="64" height="128" loading="lazy"><figcaption><span>{camera}</span>'
        f"<span>{tile.similarity:.2f}</span></figcaption></figure>"
    )
