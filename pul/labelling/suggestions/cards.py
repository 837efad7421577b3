"""Which card next: typical and different people first, then those where an answer changes most."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from pul.arrays import BoolArray, DoubleArray, FloatArray, IntArray
from pul.labelling.annotations import Annotations
from pul.labelling.suggestions.index import SuggestionIndex
from pul.labelling.suggestions.sides import side_cosines

N_TYPICAL = 10  # identities after which the queue turns to doubtful cards: docs/results.md
_LEAST = (6, 2)  # images that make a card worth a look; fewer where there is no such card
_PER_SIZE = 0.5  # cosine that e times as many images are worth
_PER_CAMERA = 0.2  # cosine that one more camera is worth, up to four
_KNOWN = 0.5  # how much a likeness to a known identity counts against a card


@dataclass(frozen=True)
class Card:
    """One question: are the chosen images one person? M images.

    Attributes:
        key: Names the card within its iteration; given back in `skipped` to leave it out.
        cluster: The cluster it was cut from; -1 for a card of chosen images.
        images: Numbers of its images, shape (M,): by camera, each from center to far, a tracklet's
            images side by side.
        camids: Camera of each, shape (M,).
        tracklets: Tracklet of each, shape (M,): equal ones are stacked.
        chosen: Images that look like one person, shape (M,); the rest of the cluster is shown
            unchosen, but for images of another side.
        reliable: Images above λ, shape (M,); the others have a dotted border.
        reason: Why this card, for people.
    """

    key: int
    cluster: int
    images: IntArray
    camids: IntArray
    tracklets: IntArray
    chosen: BoolArray
    reliable: BoolArray
    reason: str


def next_cards(
    index: SuggestionIndex,
    annotations: Annotations,
    *,
    n: int = 1,
    skipped: Collection[int] = (),
) -> list[Card]:
    """Return the cards that come next, best first; fewer where no more is worth a look.

    The first `N_TYPICAL` identities come from large and dense bundles of several cameras, far from
    the identities that are known; later cards from where an answer changes most images. A person
    whose card joins many images of many cameras takes no more actions than another. Images that
    somebody judged (in an identity, unsure, junk) are on no card.

    Args:
        index: The iteration.
        annotations: What is known.
        n: How many: the screen loads the next ones ahead. Different ones of a cluster never come
            together, as answering one changes the other.
        skipped: Keys of cards that were passed over.
    """
    free = index.free(annotations)
    n_known = len(annotations.identities)
    likeness = index.likeness_to_identities(annotations)
    n_free = np.bincount(index.images.of, free, len(index.means)).astype(np.int64)
    n_free[list(skipped)] = 0
    typical = n_known < N_TYPICAL
    values = _typical(index, n_free, likeness) if typical else _decisive(index, n_free, likeness)
    rounds = (np.where(n_free >= least, values, -np.inf) for least in _LEAST)
    keys = next(filter(None, (_best(index, each, n, spread=typical) for each in rounds)), [])
    return [
        _make(index, free, key, _reason(index, key, likeness[key], n_known, typical))
        for key in keys
    ]


def card_of(index: SuggestionIndex, annotations: Annotations, key: int) -> Card:
    """Return the card with a key, as it is by now."""
    likeness = float(index.likeness_to_identities(annotations, slice(key, key + 1))[0])
    reason = _reason(index, key, likeness, len(annotations.identities), typical=True)
    return _make(index, index.free(annotations), key, reason)


def card_of_images(index: SuggestionIndex, images: IntArray, *, reason: str = "") -> Card:
    """Return a card of images that somebody chose, such as by a lasso on the map."""
    rows = index.rows_of(np.asarray(images, dtype=np.int64))
    center = index.embedding[rows].mean(axis=0)
    closeness = index.embedding[rows] @ center
    return _lay_out(index, rows, closeness, np.ones(len(rows), np.bool_), (-1, -1, reason))


def _typical(index: SuggestionIndex, n_free: IntArray, likeness: FloatArray) -> DoubleArray:
    values: DoubleArray = (
        index.cohesion
        + _PER_SIZE * np.log(np.maximum(n_free, 1))
        + _PER_CAMERA * np.minimum(index.n_cameras, 4)
        - _KNOWN * likeness
    )
    return values


def _decisive(index: SuggestionIndex, n_free: IntArray, likeness: FloatArray) -> DoubleArray:
    """Value doubt by the images it affects, among bundles that look like one person themselves."""
    doubt = np.mean(list(index.doubts.values()), axis=0)
    values: DoubleArray = _typical(index, n_free, likeness) + _PER_SIZE * doubt * np.log(
        np.maximum(n_free, 1)
    )
    return values


def _best(index: SuggestionIndex, values: DoubleArray, n: int, *, spread: bool) -> list[int]:
    """Return the n best bundles; with `spread`, each unlike those before it."""
    values = values.copy()
    clusters = _clusters(index)
    keys: list[int] = []
    while len(keys) < n and np.isfinite(values.max(initial=-np.inf)):
        keys.append(int(values.argmax()))
        values[clusters == clusters[keys[-1]]] = -np.inf
        if spread:
            last = index.side_means.take(slice(keys[-1], keys[-1] + 1))
            values -= _KNOWN * np.maximum(side_cosines(index.side_means, last)[:, 0], 0)
    return keys


def _clusters(index: SuggestionIndex) -> IntArray:
    """Return the cluster that each bundle was cut from, shape (B,)."""
    clusters: IntArray = index.cluster_of[index.bundles.rows[index.bundles.starts[:-1]]]
    return clusters


def _make(index: SuggestionIndex, free: BoolArray, key: int, reason: str) -> Card:
    cluster = int(index.cluster_of[index.bundles.members(key)[0]])
    tracklets = np.flatnonzero(index.cluster_of == cluster)
    rows = index.tracklets.groups.members_of(tracklets)
    rows = rows[free[rows] & index.is_comparable(rows, key)]
    closeness = index.embedding[rows] @ index.means[key]
    chosen = index.images.of[rows] == key
    return _lay_out(index, rows, closeness, chosen, (key, cluster, reason))


def _lay_out(
    index: SuggestionIndex,
    rows: IntArray,
    closeness: DoubleArray,
    chosen: BoolArray,
    head: tuple[int, int, str],
) -> Card:
    camids, tracklets = index.footage.camids[rows], index.tracklets.groups.of[rows]
    order = np.lexsort(
        (-closeness, -_best_of(closeness, tracklets), -_best_of(closeness, camids), ~chosen)
    )
    rows, lambda_ = rows[order], index.lambda_
    key, cluster, reason = head
    return Card(
        key=key,
        cluster=cluster,
        images=index.image_ids[rows],
        camids=camids[order],
        tracklets=tracklets[order],
        chosen=chosen[order],
        reliable=index.similarities[rows] > (lambda_ if lambda_ else -np.inf),
        reason=reason,
    )


def _best_of(values: DoubleArray, groups: IntArray) -> DoubleArray:
    """Return for each row the highest value in its group."""
    numbers = np.unique(groups, return_inverse=True)[1]
    best = np.full(numbers.max(initial=-1) + 1, -np.inf)
    np.maximum.at(best, numbers, values)
    return best[numbers]


def _reason(index: SuggestionIndex, key: int, likeness: float, n_known: int, typical: bool) -> str:
    return ", ".join(_reasons(index, key, likeness, n_known, typical))


def _reasons(
    index: SuggestionIndex, key: int, likeness: float, n_known: int, typical: bool
) -> Iterator[str]:
    sizes = index.images.sizes()
    if index.cohesion[key] >= np.median(index.cohesion[sizes >= min(_LEAST[0], sizes.max())]):
        yield "dense"
    n_cameras = int(index.n_cameras[key])
    yield f"{n_cameras} cameras" if n_cameras > 1 else "one camera"
    in_cluster = index.cluster_of[index.tracklets.groups.of] == _clusters(index)[key]
    n_around = int(np.count_nonzero(in_cluster))  # whole tracklets, as the card shows them
    yield f"cluster of {n_around:,} image{'s' if n_around > 1 else ''}"
    if n_known:
        is_alike = likeness > 0.5  # half-way to being one person
        yield "like somebody labelled already" if is_alike else "unlike anyone labelled so far"
    if not typical:
        doubts = {reason: values[key] for reason, values in index.doubts.items()}
        yield max(doubts, key=lambda reason: doubts[reason])
