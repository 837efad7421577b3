"""More of this person: who else looks like the images of a card or of an identity."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from pul.arrays import BoolArray, FloatArray, IntArray
from pul.labelling.annotations import Annotations
from pul.labelling.suggestions.calibration import N_CANDIDATES, SURE, compare_groups
from pul.labelling.suggestions.index import SuggestionIndex
from pul.labelling.suggestions.likeness import ONE_PERSON

_POOL = 60  # nearest tracklets that are put together into candidates
_ROUNDS = 3  # of joining who is sure
_SAME_MOMENT = 0.5  # cosine below which two tracklets with a common frame are two people


@dataclass(frozen=True)
class Candidate:
    """Images that may show the person, to be accepted at once. M images.

    Attributes:
        images: Their numbers, shape (M,), likest first, a tracklet's images side by side.
        camids: Camera of each, shape (M,).
        tracklets: Tracklet of each, shape (M,).
        probability: How sure it is that they show the person, in [0, 1], by `Calibration`.
        is_unlikely: Whether they need not be shown before somebody asks for them.
    """

    images: IntArray
    camids: IntArray
    tracklets: IntArray
    probability: float
    is_unlikely: bool


def suggest_more(
    index: SuggestionIndex,
    annotations: Annotations,
    images: Collection[int],
    *,
    identity: int | None = None,
    refused: Collection[int] = (),
    n: int = N_CANDIDATES,
) -> list[Candidate]:
    """Rank who else may be the person on the given images; ask again after each acceptance.

    Tracklets rank by their likeness (`Tracklets.compare`); those that look like one person are one
    candidate. Images that somebody judged, or said not to show this identity, never come; nor do
    other people of the same frame, nor images of a side that none of the person's shows.

    Args:
        index: The iteration.
        annotations: What is known.
        images: The person: the chosen images of the card and all accepted ones.
        identity: The identity, where it is stored already; its images count too.
        refused: Images that were dropped or passed over since the last event was stored.
        n: At most so many.
    """
    known = {*images, *(annotations.identity(identity).images if identity is not None else ())}
    rows = index.rows_of(np.array(sorted(known), dtype=np.int64))
    if len(rows) == 0:
        return []
    barred = set(refused) | (annotations.refused_by(identity) if identity is not None else set())
    free = index.free(annotations).copy()
    free[rows] = False
    free[index.rows_of(np.array(sorted(barred), dtype=np.int64))] = False
    mean, highest = compare_all(index, rows)
    likeness = np.asarray((mean + highest) / 2, dtype=np.float32)
    likeness[_other_people(index, rows)] = -np.inf
    n_free = np.bincount(index.tracklets.groups.of, free, len(likeness))
    likeness[n_free == 0] = -np.inf
    pool = np.argsort(-likeness, kind="stable")[:_POOL]
    pool = pool[np.isfinite(likeness[pool])]
    groups = _put_together(index, pool, likeness)
    of = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    every = np.concatenate(groups) if groups else pool
    compared = compare_groups(mean[every], highest[every], of, len(groups))
    calibration = index.calibration(annotations)
    sureness = calibration.probability(compared)
    unlikely = calibration.are_unlikely(sureness)
    shown = list(zip(groups, sureness.tolist(), unlikely.tolist(), strict=True))[:n]
    found = [_candidate(index, free, *each) for each in shown]
    index.drop_pages()
    return found


def join_sure(
    index: SuggestionIndex,
    annotations: Annotations,
    images: Collection[int],
    *,
    refused: Collection[int] = (),
    n: int = N_CANDIDATES,
) -> tuple[list[Candidate], list[Candidate]]:
    """Join who surely is the person, before anyone looks; then rank who else may be.

    What joins changes how like the others look, so that they are ranked anew a few times.

    Args:
        index: The iteration.
        annotations: What is known.
        images: The person: the chosen images of the card.
        refused: Images that are on the card unchosen, or somebody else's.
        n: At most so many candidates besides those that join.

    Returns:
        Those that join, the surest of each round first; and the others, the likest first.
    """
    joined: list[Candidate] = []
    person = set(images)
    for _ in range(_ROUNDS):
        row = suggest_more(index, annotations, person, refused=refused, n=n)
        sure = [candidate for candidate in row if candidate.probability >= SURE]
        if not sure:
            return joined, row
        joined += sure
        person.update(*(candidate.images.tolist() for candidate in sure))
    return joined, suggest_more(index, annotations, person, refused=refused, n=n)


def compare_all(index: SuggestionIndex, rows: IntArray) -> tuple[FloatArray, FloatArray]:
    """Compare each tracklet with a person, as `Tracklets.compare` does, shapes (S,).

    Args:
        index: The iteration.
        rows: Images of the person.

    Returns:
        Mean and highest affinity; both minus infinity of those that are not near.
    """
    tracklets, n_images = np.unique(index.tracklets.groups.of[rows], return_counts=True)
    near = index.tracklets_near(tracklets, n_images)
    compared = index.tracklets.compare(tracklets, n_images, near)
    if near is None:
        return compared
    both = np.full((2, len(index.tracklets.means)), -np.inf, dtype=np.float32)
    both[:, near] = compared
    return both[0], both[1]


def _other_people(index: SuggestionIndex, rows: IntArray) -> IntArray:
    """Return the tracklets seen in the same frame as the person and looking unlike the person.

    Looking alike is no contradiction: detectors box one person twice.
    """
    near = index.moments.members_of(np.unique(index.moments.of[rows]))
    tracklets = np.unique(index.tracklets.groups.of[near])
    mine = np.unique(index.tracklets.groups.of[rows])
    cosines = index.tracklets.means[tracklets] @ index.tracklets.means[mine].T
    others: IntArray = tracklets[cosines.max(axis=1) < _SAME_MOMENT]
    return others


def _put_together(index: SuggestionIndex, pool: IntArray, likeness: FloatArray) -> list[IntArray]:
    """Put the tracklets of the pool together that look like one person, the likest first."""
    bundles = index.tracklets.bundle(pool, least=ONE_PERSON)
    firsts = np.unique(bundles, return_index=True)[1]  # the pool is sorted: the likest of each
    groups = [pool[bundles == bundles[first]] for first in np.sort(firsts)]
    groups.sort(key=lambda tracklets: -float(likeness[tracklets].max()))
    return groups


def _candidate(
    index: SuggestionIndex,
    free: BoolArray,
    tracklets: IntArray,
    probability: float,
    is_unlikely: bool,
) -> Candidate:
    rows = index.tracklets.groups.members_of(tracklets)
    rows = rows[free[rows]]
    return Candidate(
        index.image_ids[rows],
        index.footage.camids[rows],
        index.tracklets.groups.of[rows],
        probability,
        is_unlikely,
    )
