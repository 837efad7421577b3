"""A ranked list: pictures by rank, with a frame and a sign for match or mismatch."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import streamlit as st

from app.wording import fit

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
        url: Where its picture is.
        camera: Its camera; None if unknown.
        similarity: Cosine to the query.
        mark: `match`, `wrong`, `same camera`, `other side` or `junk`; None if unknown.
    """

    url: str
    camera: int | None
    similarity: float
    mark: str | None


def ranked_strip(images: Sequence[Ranked], *, n_shown: int) -> None:
    """Show a ranked list; junk has no rank.

    Args:
        images: The images, most similar first.
        n_shown: How many are shown.
    """
    rank, tiles = 0, []
    for image in images[:n_shown]:
        is_counted = image.mark not in _IGNORED
        rank += is_counted
        tiles.append(_tile(image, str(rank) if is_counted else "–"))
    st.html(f'<div class="pul-ranked">{"".join(tiles)}</div>')


def first_match(images: Sequence[Ranked]) -> int | None:
    """Return the rank of the first true match, from 1; None if there is none."""
    counted = [image.mark for image in images if image.mark not in _IGNORED]
    return counted.index("match") + 1 if "match" in counted else None


def _tile(image: Ranked, rank: str) -> str:
    kind = (image.mark or "plain").replace(" ", "-")
    camera = "" if image.camera is None else f"c{image.camera}"
    why = fit(_WHY.get(image.mark or "", ""))
    hint = f"rank {rank}, cosine {image.similarity:.3f}" + (f", {why}" if why else "")
    sign = _SIGNS.get(image.mark or "", "")
    below = image.mark if image.mark in _IGNORED else f"{image.similarity:.2f}"
    return (
        f'<figure class="{kind}" title="{hint}"><div><img src="{escape(image.url)}" alt="{hint}" '
        f'width="64" height="128" loading="lazy"><b>{rank}</b><i>{sign}</i></div>'
        f"<figcaption><span>{camera}</span><span>{below}</span></figcaption></figure>"
    )
