"""Pair questions: do two groups of images show the same person?"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from app.services.cards import Board, Tile, digest, tiles_of
from pul.labelling import suggestions
from pul.labelling.annotations import Side


@dataclass(frozen=True, slots=True)
class PairSide:
    """One side of a question.

    Attributes:
        name: Its name.
        tiles: Its most typical images.
        plain: Its form in the log: an identity, or images.
    """

    name: str
    tiles: tuple[Tile, ...]
    plain: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PairQuestion:
    """Same person or not?

    Attributes:
        pair_id: Its name, derived from its sides.
        reason: Why it is asked, as text.
        left, right: The sides.
    """

    pair_id: str
    reason: str
    left: PairSide
    right: PairSide


def next_pairs(on: Board, *, n: int) -> list[PairQuestion]:
    """Return the unanswered pairs whose answer decides most images."""
    return [
        PairQuestion(
            pair_id=_name(pair.left, pair.right),
            reason=f"Your answer decides {pair.n_images} images.",
            left=_side(on, pair.left, pair.left_images),
            right=_side(on, pair.right, pair.right_images),
        )
        for pair in suggestions.pair_questions(on.index, on.state, n=n)
    ]


def _side(on: Board, side: Side, shown: tuple[int, ...]) -> PairSide:
    named = side.identity is not None
    name = on.state.name(side.identity or 0) if named else f"{len(side.images)} unnamed images"
    rows = on.index.rows_of(np.asarray(shown, dtype=np.int64))
    return PairSide(name, tiles_of(on, rows), side.to_plain())


def _name(left: Side, right: Side) -> str:
    return digest([left.to_plain(), right.to_plain()])
