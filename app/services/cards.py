"""The cards of the Label page, with all that the browser needs to draw and rank them."""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.services.index import suggestion_index
from app.services.labels import read_annotations
from app.services.map import map_arrays
from app.services.minimap import Point, Rows, View, around, identities_in, view_of
from pul.arrays import FloatArray
from pul.labelling import suggestions
from pul.labelling.annotations import Annotations
from pul.labelling.suggestions import SuggestionIndex
from pul.labelling.suggestions.sides import bar_other_sides

MOST_TILES = 80
N_POOL = 24  # candidates that the browser ranks again when some are accepted
N_NEAREST = 12
LIKENESS_STEPS = 84  # steps of 1: affinities up to 1.5 fit a byte


@dataclass(frozen=True, slots=True)
class Tile:
    """One image as the screen shows it.

    Attributes:
        image: Its id in the store.
        camera: Its camera number in the dataset; None if unknown.
        tracklet: Number of its tracklet.
        is_chosen: Whether it looks like the person of the card.
        is_reliable: Whether it lies above λ in its cluster.
        point: Position on the mini-map; None if there is no map.
    """

    image: int
    camera: int | None
    tracklet: int = -1
    is_chosen: bool = True
    is_reliable: bool = True
    point: Point | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """Images that may show the same person, accepted together.

    Attributes:
        tiles: Its images, the most similar first.
        n_cameras: Number of cameras with these images.
        probability: How sure it is that they show the person, in [0, 1].
        is_unlikely: Whether they are shown only when somebody asks for them.
    """

    tiles: tuple[Tile, ...]
    n_cameras: int
    probability: float = 1.0  # of those that somebody joined
    is_unlikely: bool = False


@dataclass(frozen=True, slots=True)
class Likeness:
    """Affinities between U tracklets.

    Attributes:
        tracklets: Their numbers, ascending.
        steps: Affinities in `LIKENESS_STEPS`, row by row, (U ** 2,) bytes of int8.
    """

    tracklets: tuple[int, ...]
    steps: bytes


@dataclass(frozen=True, slots=True)
class More:
    """More candidates for a card that is being labelled.

    Attributes:
        card_id: The card.
        candidates: The most similar first.
        likeness: Affinities of the person's and the candidates' tracklets.
    """

    card_id: str
    candidates: tuple[Candidate, ...]
    likeness: Likeness


@dataclass(frozen=True, slots=True)
class Card:
    """One card.

    Attributes:
        card_id: Its name within the run.
        reason: Why it is shown, as text.
        tiles: Its images: those that look like one person first, from center to far.
        joined: Images that surely show this person too, so that they are joined beforehand.
        candidates: Images that may show this person too, the most similar first.
        likeness: Affinities of the tracklets on it.
        nearest: Most similar identities, the most similar first.
        around: Positions of unlabelled images on the mini-map.
        identities: Positions and identities of labelled images on it.
        n_more: Images of the cluster that did not fit on the card.
    """

    card_id: str
    reason: str
    tiles: tuple[Tile, ...]
    joined: tuple[Candidate, ...]
    candidates: tuple[Candidate, ...]
    likeness: Likeness
    nearest: tuple[int, ...]
    around: tuple[Point, ...]
    identities: tuple[tuple[int, int, int], ...]
    n_more: int


@dataclass(frozen=True, slots=True, eq=False)
class Board:
    """All that the cards of one iteration are made from, annotations included.

    Attributes:
        place: Workspace and run.
        iteration: The iteration.
        index: Its suggestion index.
        state: The annotations.
        points: 2-D map, shape (N, 2), or (0, 2).
        owners: Identity of each image, 0 or less for none, shape (N,).
        means: Mean embedding of each owner, in ascending order, shape (L, P).
    """

    place: tuple[str, int]
    iteration: int
    index: SuggestionIndex
    state: Annotations
    points: FloatArray
    owners: NDArray[np.int64]
    means: FloatArray


def board(location: str, run_id: int, iteration: int) -> Board:
    """Return what cards are made from.

    Raises:
        StoreError: There is no such iteration.
    """
    index, state = suggestion_index(location, run_id, iteration), read_annotations(location)
    points = map_arrays(location, run_id, iteration).points
    answers = index.answers(state)
    return Board((location, run_id), iteration, index, state, points, answers.owners, answers.means)


# Cards


def next_cards(
    on: Board, *, n: int, skipped: Collection[str] = (), taken: Collection[str] = ()
) -> dict[str, suggestions.Card]:
    """Return the next cards by name, best first; fewer if no more are useful.

    Args:
        on: What the cards are made from.
        n: How many.
        skipped: Names of skipped cards, to be shown later.
        taken: Names of cards that other people have open: used only if too few others are left.
    """
    later, of_others = ([_key(on, name) for name in names] for names in (skipped, taken))
    cards: dict[str, suggestions.Card] = {}
    for excluded in ([*later, *of_others], later):
        keys = [key for key in excluded if key is not None]
        keys += [card.key for card in cards.values()]
        found = suggestions.next_cards(on.index, on.state, n=n - len(cards), skipped=keys)
        cards |= {_card_id(on, card): card for card in found}
    if not cards:  # only skipped cards are left
        found = suggestions.next_cards(on.index, on.state, n=n)
        cards = {_card_id(on, card): card for card in found}
    return cards


def _key(on: Board, name: str) -> int | None:
    iteration, _, key = name.partition(":")
    return int(key) if iteration == str(on.iteration) and key.isdigit() else None


def _card_id(on: Board, card: suggestions.Card) -> str:
    return f"{on.iteration}:{card.key}"


def lay_out(
    on: Board,
    card: suggestions.Card,
    *,
    members: Sequence[int] = (),
    refused: Sequence[int] = (),
    is_begun: bool = False,
) -> Card:
    """Return a card with all that is needed to draw it.

    Args:
        on: What cards are made from.
        card: The card.
        members: Images that joined its person, beside the chosen ones of the card.
        refused: Images that are no candidates, beside those of the card.
        is_begun: Whether somebody chose its images: then nobody joins beforehand.
    """
    images = card.images[:MOST_TILES]
    rows = on.index.rows_of(images)
    chosen = rows[card.chosen[:MOST_TILES]]
    person = [*on.index.image_ids[chosen].tolist(), *members]
    refused = [*card.images.tolist(), *refused]
    if is_begun:
        found = suggestions.suggest_more(on.index, on.state, person, refused=refused, n=N_POOL)
        joined: list[suggestions.Candidate] = []
    else:
        joined, found = suggestions.join_sure(on.index, on.state, person, refused=refused, n=N_POOL)
    groups = [on.index.rows_of(candidate.images) for candidate in (*joined, *found)]
    view = view_of(on.points, chosen, groups)
    candidates = _candidates(on, (*joined, *found), view)
    return Card(
        card_id=_card_id(on, card),
        reason=card.reason,
        tiles=tiles_of(on, rows, view, chosen=card.chosen, reliable=card.reliable),
        joined=candidates[: len(joined)],
        candidates=candidates[len(joined) :],
        likeness=_likeness(on.index, rows, groups),
        nearest=_nearest(on, chosen),
        around=around(on.points, on.owners, rows, view),
        identities=identities_in(on.points, on.owners, view),
        n_more=len(card.images) - len(images),
    )


def more(on: Board, card_id: str, images: Sequence[int], refused: Sequence[int]) -> More:
    """Return more candidates for the person of a card.

    Args:
        on: What the cards are made from.
        card_id: The card.
        images: Images that are chosen.
        refused: Images of other people.
    """
    found = suggestions.suggest_more(on.index, on.state, images, refused=refused, n=N_POOL)
    groups = [on.index.rows_of(candidate.images) for candidate in found]
    rows = on.index.rows_of(np.asarray(images, dtype=np.int64))
    return More(card_id, _candidates(on, found), _likeness(on.index, rows, groups))


def tiles_of(
    on: Board,
    rows: Rows,
    view: View | None = None,
    *,
    chosen: NDArray[np.bool_] | None = None,
    reliable: NDArray[np.bool_] | None = None,
) -> tuple[Tile, ...]:
    """Return tiles of images, in the order of their rows."""
    index = on.index
    images, camids = index.image_ids[rows].tolist(), index.footage.camids[rows].tolist()
    tracklets = index.tracklets.groups.of[rows].tolist()
    points = view.places(on.points[rows]) if view else [None] * len(rows)
    return tuple(
        Tile(
            image=images[n],
            camera=camids[n] if camids[n] >= 0 else None,
            tracklet=tracklets[n],
            is_chosen=chosen is None or bool(chosen[n]),
            is_reliable=reliable is None or bool(reliable[n]),
            point=points[n],
        )
        for n in range(len(rows))
    )


def _candidates(
    on: Board, found: Sequence[suggestions.Candidate], view: View | None = None
) -> tuple[Candidate, ...]:
    laid = (candidate_of(on, on.index.rows_of(each.images), view) for each in found)
    return tuple(
        replace(each, probability=known.probability, is_unlikely=known.is_unlikely)
        for each, known in zip(laid, found, strict=True)
    )


def candidate_of(on: Board, rows: Rows, view: View | None = None) -> Candidate:
    """Return images as a candidate, in the order of their rows."""
    tiles = tiles_of(on, rows, view)
    return Candidate(tiles, len({tile.camera for tile in tiles} - {None}))


def _likeness(index: SuggestionIndex, rows: Rows, candidates: Sequence[Rows]) -> Likeness:
    tracklets = np.unique(index.tracklets.groups.of[np.concatenate([rows, *candidates])])
    affinities = index.tracklets.affinities(tracklets, tracklets)
    steps = np.clip(np.rint(affinities * LIKENESS_STEPS), -127, 127).astype(np.int8)
    return Likeness(tuple(tracklets.tolist()), bytes(steps.tobytes()))


def _nearest(on: Board, chosen: Rows) -> tuple[int, ...]:
    labelled = np.flatnonzero(on.owners > 0)
    if not len(labelled) or not len(chosen):
        return ()
    people = np.unique(on.owners[labelled])
    cosines = on.means @ on.index.embedding[chosen].mean(axis=0)
    own, known = on.index.sides_of_rows([chosen]), on.index.identity_sides(on.state)
    cosines = bar_other_sides(cosines[None], own, known)[0]
    nearest = np.argsort(-cosines)[:N_NEAREST]
    return tuple(int(identity) for identity in people[nearest[np.isfinite(cosines[nearest])]])


def digest(plain: Any) -> str:
    """Return a short hash of plain values."""
    return hashlib.sha256(json.dumps(plain).encode()).hexdigest()[:16]
