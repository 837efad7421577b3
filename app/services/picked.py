"""Cards of images that somebody picked elsewhere: on the map, among clusters, in a ranked list.

A pick over several clusters is several questions, not one person: each cluster has cards of its
own. Of single images of different clusters nothing is chosen beforehand.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.services.cards import MOST_TILES, Board, Card, digest, lay_out
from app.services.minimap import Rows
from pul.labelling import suggestions


@dataclass(frozen=True, slots=True)
class PickedCard:
    """The images of one card of a pick.

    Attributes:
        images: Their numbers.
        reason: Which card it is, as text.
        is_chosen: Whether they are chosen beforehand.
    """

    images: tuple[int, ...]
    reason: str
    is_chosen: bool

    @property
    def name(self) -> str:
        """Its name, which depends on its images only, not on the iteration."""
        return f"chosen-{digest(sorted(self.images))}"


def split(on: Board, images: Sequence[int]) -> list[PickedCard]:
    """Return the cards of a pick: those of a cluster with most images first.

    Args:
        on: What cards are made from.
        images: The images; those that are labelled, or not of the run, are left out.
    """
    rows = on.index.rows_of(np.array(sorted(set(images)), dtype=np.int64))
    rows = rows[on.index.free(on.state)[rows]]
    groups, singles = _by_cluster(on, rows)
    if len(groups) == 0 and len(singles) == 1:
        groups, singles = [singles], singles[:0]
    parts = [
        _part(on, part, _told(group, len(groups), n, -(-len(group) // MOST_TILES)))
        for group in groups
        for n, part in enumerate(_parts(on, group))
    ]
    alone = f"single images of {len(singles)} clusters: nothing is chosen beforehand"
    return parts + [
        replace(_part(on, part, alone), is_chosen=False) for part in _parts(on, singles)
    ]


def _by_cluster(on: Board, rows: Rows) -> tuple[list[Rows], Rows]:
    """Return the rows of each cluster with several of them, and the other rows."""
    clusters = on.index.clusters[rows]
    known, counts = np.unique(clusters, return_counts=True)
    groups = [rows[clusters == cluster] for cluster in known[counts > 1]]
    groups.sort(key=lambda group: -len(group))
    return groups, rows[np.isin(clusters, known[counts == 1])]


def _parts(on: Board, rows: Rows) -> list[Rows]:
    """Cut rows into as many as fit a card, those that look alike together."""
    if not len(rows):
        return []
    center = on.index.embedding[rows].mean(axis=0)
    ordered = rows[np.argsort(-(on.index.embedding[rows] @ center), kind="stable")]
    return [ordered[at : at + MOST_TILES] for at in range(0, len(ordered), MOST_TILES)]


def _told(group: Rows, n_groups: int, part: int, n_parts: int) -> str:
    where = "picked by you" if n_groups == 1 else f"picked by you, of {n_groups} clusters one each"
    if n_parts == 1:
        return where
    return f"{where}, card {part + 1} of {n_parts} for {len(group):,} images of one cluster"


def _part(on: Board, rows: Rows, reason: str) -> PickedCard:
    images = tuple(on.index.image_ids[np.sort(rows)].tolist())
    return PickedCard(images, reason, is_chosen=True)


def card_of(on: Board, picked: PickedCard) -> Card | None:
    """Return the card of a part of a pick; None if all its images are labelled by now."""
    rows = on.index.rows_of(np.array(picked.images, dtype=np.int64))
    rows = rows[on.index.free(on.state)[rows]]
    if not len(rows):
        return None
    laid = suggestions.card_of_images(on.index, on.index.image_ids[rows], reason=picked.reason)
    if not picked.is_chosen:
        laid = replace(laid, chosen=np.zeros(len(rows), dtype=np.bool_))
    return replace(lay_out(on, laid, is_begun=True), card_id=picked.name)
