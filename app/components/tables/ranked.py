"""A ranked list: pictures by rank, with a frame and a sign for match or mismatch."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import streamlit as st

from app.components.mount import mount
from app.wording import fit

_render = mount(
    "pul_ranked",
    script="tables/ranked.js",
    values=("picked",),
    html='<div class="pul-ranked" role="group"></div>',
)

# Green and red, and a sign for colour-blind readers.
_SIGNS = {"match": "✓", "wrong": "✗", "same camera": "", "other side": "", "junk": ""}
_IGNORED = ("same camera", "other side", "junk")  # they have no rank
_WHY = {
    "match": "the same person",
    "wrong": "another person",
    "same camera": "the same person on the query's own camera: ignored in the figures",
    "other side": "shows another side than the query: ignored in the figures",
    "junk": "a bad detection: ignored in the figures",
}


@dataclass(frozen=True, slots=True)
class Ranked:
    """One image that was found.

    Attributes:
        image_id: Its number in the store.
        url: Where its picture is.
        camera: Its camera; None if unknown.
        similarity: Cosine to the query; None where it is not known.
        mark: `match`, `wrong`, `same camera`, `other side` or `junk`; None if unknown.
        rank: Its rank where it is not its place among those shown; None for that place.
    """

    image_id: int
    url: str
    camera: int | None
    similarity: float | None
    mark: str | None
    rank: int | None = None


def ranked_strip(images: Sequence[Ranked], *, n_shown: int, name: str, key: str) -> int | None:
    """Show a ranked list, in which a picture can be picked; return the picked one, None for none.

    Args:
        images: The images, most similar first; junk has no rank.
        n_shown: How many are shown.
        name: What it is, for screen readers.
        key: Key of the component; another list is another key.
    """
    rank, tiles = 0, []
    for image in images[:n_shown]:
        is_counted = image.mark not in _IGNORED
        rank += is_counted
        tiles.append(_tile(image, str(rank) if is_counted else "–"))
    return _strip(tiles, name, key)


def rank_strip(images: Sequence[Ranked], *, name: str, key: str) -> int | None:
    """Show images with ranks of their own, which may be unknown; return the picked one."""
    return _strip([_tile(i, str(i.rank) if i.rank else "> 100") for i in images], name, key)


def _strip(tiles: Sequence[str], name: str, key: str) -> int | None:
    picked = st.session_state.get(key, {}).get("picked")
    _render(key=key, data={"html": "".join(tiles), "name": name, "picked": picked})
    return int(picked) if picked is not None else None


def first_match(images: Sequence[Ranked]) -> int | None:
    """Return the rank of the first true match, from 1; None if there is none."""
    counted = [image.mark for image in images if image.mark not in _IGNORED]
    return counted.index("match") + 1 if "match" in counted else None


def _tile(image: Ranked, rank: str) -> str:
    kind = (image.mark or "plain").replace(" ", "-")
    camera = "" if image.camera is None else f"c{image.camera}"
    why = fit(_WHY.get(image.mark or "", ""))
    level = "" if image.similarity is None else f"{image.similarity:.2f}"
    hint = f"rank {rank}"
    if image.similarity is not None:
        hint += f", cosine {image.similarity:.3f}"
    hint += f", {why}" if why else ""
    sign = _SIGNS.get(image.mark or "", "")
    below = image.mark if image.mark in _IGNORED else level
    return (
        f'<figure class="{kind}" title="{hint}"><button type="button" aria-label="{hint}" '
        f'aria-pressed="false" data-image="{image.image_id}"><img src="{escape(image.url)}" '
        f'alt="" width="64" height="128" loading="lazy"><b>{rank}</b><i>{sign}</i></button>'
        f"<figcaption><span>{camera}</span><span>{below}</span></figcaption></figure>"
    )
