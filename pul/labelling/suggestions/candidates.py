"""More of this person: who else looks like the images of a card or of an identity."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from pul.arrays import BoolArray, FloatArray, IntArray
from pul.labelling.annotations import Annotations
from pul.labelling.suggestions.index import SuggestionIndex
from pul.labelling.suggestions.likeness import ONE_PERSON

N_CANDIDATES = 12
_POOL = 60  # nearest tracklets that are put together into candidates
_SAME_MOMENT = 0.5  # cosine below which two tracklets with a common frame are two people


@dataclass(frozen=True)
class Candidate:
    """Images that may show the person, to be accepted at once. M images.

    Attributes:
        images: Their numbers, shape (M,), likest first, a tracklet's images side by side.
        camids: Camera of each, shape (M,).
        tracklets: Tracklet of each, shape (M,).
    """

    images: IntArray
    camids: IntArray
    tracklets: IntArray


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

    A tracklet ranks by its mean affinity to the person's tracklets and by the highest one, as a
    person looks different from camera to camera. Tracklets that look like one person are one
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
    affinity = _affinity(index, rows)
    affinity[_other_people(index, rows)] = -np.inf
    n_free = np.bincount(index.tracklets.groups.of, free, len(affinity))
    affinity[n_free == 0] = -np.inf
    pool = np.argsort(-affinity, kind="stable")[:_POOL]
    pool = pool[np.isfinite(affinity[pool])]
    found = _candidates(index, pool, affinity, free)[:n]
    index.drop_pages()
    return found


def _affinity(index: SuggestionIndex, rows: IntArray) -> FloatArray:
    """Return the affinity of tracklets to a person, shape (S,); -inf of those that are not near."""
    tracklets, counts = np.unique(index.tracklets.groups.of[rows], return_counts=True)
    near = index.tracklets_near(tracklets, counts)
    affinities = index.tracklets.affinities(tracklets, near)
    is_compared = np.isfinite(affinities)  # all, unless sides differ
    weights = counts.astype(np.float32)
    sums = weights @ np.where(is_compared, affinities, 0.0)
    mean = sums / np.maximum(weights @ is_compared, 1.0)
    both = np.full(len(index.tracklets.means), -np.inf, dtype=np.float32)
    both[slice(None) if near is None else near] = (mean + affinities.max(axis=0)) / 2
    return both


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


def _candidates(
    index: SuggestionIndex, pool: IntArray, affinity: FloatArray, free: BoolArray
) -> list[Candidate]:
    """Put the tracklets of the pool together, best first."""
    bundles = index.tracklets.bundle(pool, least=ONE_PERSON)
    firsts = np.unique(bundles, return_index=True)[1]  # the pool is sorted: the likest of each
    members = [pool[bundles == bundles[first]] for first in np.sort(firsts)]
    members.sort(key=lambda tracklets: -float(affinity[tracklets].max()))
    return [_candidate(index, tracklets, free) for tracklets in members]


def _candidate(index: SuggestionIndex, tracklets: IntArray, free: BoolArray) -> Candidate:
    rows = index.tracklets.groups.members_of(tracklets)
    rows = rows[free[rows]]
    return Candidate(
        index.image_ids[rows], index.footage.camids[rows], index.tracklets.groups.of[rows]
    )
