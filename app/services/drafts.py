"""Drafts: work on cards that a browser kept, laid out again as the labels are now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from app.services.authors import shown_names
from app.services.cards import Board, Candidate, Card, candidate_of, lay_out
from app.services.minimap import Rows
from pul.labelling.suggestions import Card as LaidCard

_MAX_DRAFTS = 50
_MAX_IMAGES = 2_000  # of a draft
_MAX_TEXT = 200


@dataclass(frozen=True, slots=True)
class Draft:
    """A card on which somebody had begun to work.

    Attributes:
        card: The card, without the images that were judged meanwhile.
        dropped: Its images that are taken out, or were never chosen.
        accepted: Candidates that joined.
        rejected: Candidates that are other people.
        told: Who judged which of its images meanwhile; "" if nobody did.
    """

    card: Card
    dropped: tuple[int, ...]
    accepted: tuple[Candidate, ...]
    rejected: tuple[Candidate, ...]
    told: str


def restore(on: Board, kept: object) -> tuple[list[Draft], str]:
    """Return the drafts that a browser kept, and what happened to those that are gone.

    Args:
        on: What cards are made from.
        kept: What the browser sent; it may send anything.
    """
    drafts, told = [], ""
    for plain in kept[:_MAX_DRAFTS] if isinstance(kept, list) else ():
        if not isinstance(plain, Mapping):
            continue
        draft = _restore(on, plain)
        if isinstance(draft, Draft):
            drafts.append(draft)
        else:
            told = draft or told
    return drafts, told


def _restore(on: Board, plain: Mapping[str, Any]) -> Draft | str:
    """Return a draft; where nothing of it is left, why."""
    tiles, loose = _numbers(plain.get("tiles")), _numbers(plain.get("loose"))
    free = on.index.free(on.state)

    def left(images: Sequence[int]) -> Rows:
        rows = on.index.rows_of(np.array(images, dtype=np.int64))
        return rows[free[rows]]

    groups = {name: _groups(plain.get(name)) for name in ("accepted", "rejected")}
    named = [*tiles, *(image for side in groups.values() for group in side for image in group)]
    told = _told(on, named)
    rows = left(tiles)
    if not len(rows):
        return told
    images = on.index.image_ids[rows]
    candidates = {
        name: tuple(candidate_of(on, found) for group in side if len(found := left(group)))
        for name, side in groups.items()
    }
    laid = LaidCard(
        key=-1,
        cluster=-1,
        images=images,
        camids=on.index.footage.camids[rows],
        tracklets=on.index.tracklets.groups.of[rows],
        chosen=~np.isin(images, np.array(loose, dtype=np.int64)),
        reliable=on.index.similarities[rows] > (on.index.lambda_ or -np.inf),
        reason=str(plain.get("reason", ""))[:_MAX_TEXT],
    )
    joined = [tile.image for each in candidates["accepted"] for tile in each.tiles]
    refused = [tile.image for each in candidates["rejected"] for tile in each.tiles]
    card = replace(
        lay_out(on, laid, members=joined, refused=refused, is_begun=True),
        card_id=str(plain.get("id", ""))[:_MAX_TEXT],
    )
    return Draft(card, tuple(_numbers(plain.get("dropped"))), **candidates, told=told)


def _told(on: Board, images: Sequence[int]) -> str:
    """Return who judged which images meanwhile, as text; "" if nobody did."""
    by: dict[str, int] = {}
    for image in images:
        opinions = on.state.opinions.get(image, ())
        if opinions:
            author = max(opinions).author
            by[author] = by.get(author, 0) + 1
    if not by:
        return ""
    names = shown_names(on.place[0], (event.author for event in on.state.events))
    who = ", ".join(f"{names.get(author, author)} ({n})" for author, n in sorted(by.items()))
    n = sum(by.values())
    return f"{n} {'image was' if n == 1 else 'images were'} labelled meanwhile: {who}."


def _numbers(plain: object) -> list[int]:
    """Return the whole numbers of a list; it may be anything."""
    if not isinstance(plain, list):
        return []
    limit = 2**63
    return [n for n in plain[:_MAX_IMAGES] if type(n) is int and 0 <= n < limit]


def _groups(plain: object) -> list[list[int]]:
    return [_numbers(group) for group in plain[:_MAX_IMAGES]] if isinstance(plain, list) else []
