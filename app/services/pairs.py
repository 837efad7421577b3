"""Pair questions: do two groups of images show the same person?"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from app.services import population
from app.services.cards import Board, Tile, digest, tiles_of
from app.wording import counted, fit
from pul.labelling import suggestions
from pul.labelling.annotations import Side

_N_COUNTED = 20  # questions that are sent ahead


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


@dataclass(frozen=True, slots=True)
class Round:
    """Pairs that are asked one after another.

    Attributes:
        at: When it was asked for, in milliseconds; 0 for none.
        title: What it is for.
        told: What it has come to so far.
        is_count: Whether it counts people: then more pairs follow, until none is left.
        pairs: The next ones.
    """

    at: int = 0
    title: str = ""
    told: str = ""
    is_count: bool = False
    pairs: tuple[PairQuestion, ...] = ()


def next_pairs(on: Board, *, n: int) -> list[PairQuestion]:
    """Return the unanswered pairs whose answer decides most images."""
    return [
        _lay_out(on, pair, f"Your answer decides {pair.n_images} images.")
        for pair in suggestions.pair_questions(on.index, on.state, n=n)
    ]


def review(on: Board, at: int) -> Round:
    """Return the joins to look at again, the most doubtful first."""
    found = suggestions.review_questions(on.index, on.state)
    told = "" if found else "No join is in doubt."
    pairs = tuple(_lay_out(on, pair, _doubt(on, pair)) for pair in found)
    return Round(at, "Look again", told, pairs=pairs)


def count(on: Board, at: int) -> Round:
    """Return the next questions that count people, and how many there are so far."""
    plan = population.plan_of(on.index)
    found = suggestions.count_questions(on.index, on.state, plan, n=_N_COUNTED)
    told = population.told(population.count_of(on.index, on.state))
    title = fit("How many people are there?")
    pairs = tuple(_lay_out(on, pair, "Any two pictures, to count with.") for pair in found)
    return Round(at, title, told, is_count=True, pairs=pairs)


def _doubt(on: Board, pair: suggestions.PairQuestion) -> str:
    names = [on.state.name(side.identity) for side in (pair.left, pair.right) if side.identity]
    if len(names) == 2:
        return f"{names[0]} and {names[1]} look alike: yes merges them."
    return f"These are in {names[0]}, but look different: no takes them out."


def _lay_out(on: Board, pair: suggestions.PairQuestion, reason: str) -> PairQuestion:
    return PairQuestion(
        pair_id=_name(pair.left, pair.right),
        reason=reason,
        left=_side(on, pair.left, pair.left_images),
        right=_side(on, pair.right, pair.right_images),
    )


def _side(on: Board, side: Side, shown: tuple[int, ...]) -> PairSide:
    named = side.identity is not None
    name = on.state.name(side.identity or 0) if named else counted(len(side.images), "image")
    rows = on.index.rows_of(np.asarray(shown, dtype=np.int64))
    return PairSide(name, tiles_of(on, rows), side.to_plain())


def _name(left: Side, right: Side) -> str:
    return digest([left.to_plain(), right.to_plain()])
