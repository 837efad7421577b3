"""Which card next: typical and different people first, then those where an answer changes most."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from pul.arrays import BoolArray, DoubleArray, FloatArray, IntArray, row_blocks
from pul.labelling.annotations import Annotations
from pul.labelling.suggestions.index import SuggestionIndex
from pul.labelling.suggestions.sides import bar_other_sides

N_TYPICAL = 10  # identities after which the queue turns to doubtful cards: docs/results.md
_LEAST = (6, 2)  # images that make a card worth a look; fewer where there is no such card
_PER_SIZE = 0.5  # cosine that e times as many images are worth
_PER_CAMERA = 0.2  # cosine that one more camera is worth, up to four
_BLOCK = 512
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
        reliable: Images above λ, shape (M,); the others have a frame.
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
    known = _Likeness(index, annotations)
    n_free = np.bincount(index.images.of, free, len(index.means)).astype(np.int64)
    n_free[list(skipped)] = 0
    typical = n_known < N_TYPICAL
    values = _typical(index, n_free) if typical else _decisive(index, n_free)
    rounds = (np.where(n_free >= least, values, -np.inf) for least in _LEAST)
    keys = next(filter(None, (_best(index, each, known, n, spread=typical) for each in rounds)), [])
    found = [
        _make(index, free, key, _reason(index, free, key, known.of(key), n_known, typical))
        for key in keys
    ]
    index.drop_pages()
    return found


def card_of(index: SuggestionIndex, annotations: Annotations, key: int) -> Card:
    """Return the card with a key, as it is by now."""
    likeness = _Likeness(index, annotations).of(key)
    free = index.free(annotations)
    reason = _reason(index, free, key, likeness, len(annotations.identities), typical=True)
    return _make(index, free, key, reason)


def card_of_images(index: SuggestionIndex, images: IntArray, *, reason: str = "") -> Card:
    """Return a card of images that somebody chose, such as by a lasso on the map."""
    rows = index.rows_of(np.asarray(images, dtype=np.int64))
    center = index.embedding[rows].mean(axis=0)
    closeness = index.embedding[rows] @ center
    return _lay_out(index, rows, closeness, np.ones(len(rows), np.bool_), (-1, -1, reason))


class _Likeness:
    """The highest cosine of bundles to an identity, 0 or more: computed where it is asked for."""

    def __init__(self, index: SuggestionIndex, annotations: Annotations) -> None:
        self._index, self._known = index, index.identity_means(annotations)
        self._sides = index.identity_sides(annotations)

    def of_all(self, bundles: IntArray) -> FloatArray:
        """Return that of some bundles, shape (A,)."""
        if not len(self._known):
            return np.zeros(len(bundles), dtype=np.float32)
        cosines = self._index.means[bundles] @ self._known.T
        bar_other_sides(cosines, self._index.sides[bundles], self._sides)
        highest: FloatArray = cosines.max(axis=1, initial=0.0)
        return highest

    def of(self, bundle: int) -> float:
        """Return that of one bundle."""
        return float(self.of_all(np.array([bundle]))[0])


def _typical(index: SuggestionIndex, n_free: IntArray) -> DoubleArray:
    """Return what bundles are worth, shape (B,), before a likeness to what is known is taken off.

    What is taken off is never below 0, so that this is a bound.
    """
    values: DoubleArray = (
        index.cohesion
        + _PER_SIZE * np.log(np.maximum(n_free, 1))
        + _PER_CAMERA * np.minimum(index.n_cameras, 4)
    )
    return values


def _decisive(index: SuggestionIndex, n_free: IntArray) -> DoubleArray:
    """Value doubt by the images it affects, among bundles that look like one person themselves."""
    doubt = np.mean(list(index.doubts.values()), axis=0)
    values: DoubleArray = _typical(index, n_free) + _PER_SIZE * doubt * np.log(
        np.maximum(n_free, 1)
    )
    return values


def _best(
    index: SuggestionIndex, bounds: DoubleArray, known: _Likeness, n: int, *, spread: bool
) -> list[int]:
    """Return the n best bundles, each of another cluster; with `spread`, unlike those before it.

    A likeness only lowers a value. So bundles are looked at by falling bounds, and only until no
    other can be better: a few hundred of any number.
    """
    clusters = index.clusters_of_bundles()
    order = np.argsort(-bounds, kind="stable")[: np.count_nonzero(bounds > -np.inf)]
    blocks = (order[rows] for rows in row_blocks(len(order), _BLOCK))
    seen, values = order[:0], bounds[:0]
    keys: list[int] = []
    while len(keys) < n:
        best = values.max(initial=-np.inf)
        if len(seen) < len(order) and bounds[order[len(seen)]] >= best:
            block = next(blocks)
            worth = bounds[block] - _KNOWN * known.of_all(block)
            for key in keys:
                worth = _lower(index, worth, block, clusters, key, spread=spread)
            seen, values = np.append(seen, block), np.append(values, worth)
            continue
        if not np.isfinite(best):
            break
        keys.append(int(seen[values == best].min()))
        values = _lower(index, values, seen, clusters, keys[-1], spread=spread)
    return keys


def _lower(
    index: SuggestionIndex,
    values: DoubleArray,
    bundles: IntArray,
    clusters: IntArray,
    key: int,
    *,
    spread: bool,
) -> DoubleArray:
    """Return what bundles are worth after one was chosen, shape (A,)."""
    if spread:
        cosines = index.means[bundles] @ index.means[key : key + 1].T
        bar_other_sides(cosines, index.sides[bundles], index.sides[key : key + 1])
        values = values - _KNOWN * np.maximum(cosines[:, 0], 0)
    lowered: DoubleArray = np.where(clusters[bundles] == clusters[key], -np.inf, values)
    return lowered


def _make(index: SuggestionIndex, free: BoolArray, key: int, reason: str) -> Card:
    first = index.bundles.members(key)[0]
    cluster = int(index.cluster_of[first])
    tracklets = index.by_cluster.members(index.by_cluster.of[first])
    rows = index.tracklets.groups.members_of(tracklets)
    rows = rows[free[rows] & (index.sides_shown(rows) @ index.sides[key])]
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


def _reason(
    index: SuggestionIndex,
    free: BoolArray,
    key: int,
    likeness: float,
    n_known: int,
    typical: bool,
) -> str:
    return ", ".join(_reasons(index, free, key, likeness, n_known, typical))


def _reasons(
    index: SuggestionIndex,
    free: BoolArray,
    key: int,
    likeness: float,
    n_known: int,
    typical: bool,
) -> Iterator[str]:
    sizes = index.images.sizes()
    if index.cohesion[key] >= np.median(index.cohesion[sizes >= min(_LEAST[0], sizes.max())]):
        yield "dense"
    chosen = index.images.members(key)
    camids = index.footage.camids[chosen[free[chosen]]]
    n_cameras = len(np.unique(camids[camids >= 0]))  # of what the card proposes, where known
    if n_cameras:
        yield f"{n_cameras} cameras" if n_cameras > 1 else "one camera"
    tracklets = index.by_cluster.members(index.by_cluster.of[index.bundles.members(key)[0]])
    around = index.tracklets.groups.members_of(tracklets)  # whole ones, as the card shows them
    n_judged = int(np.count_nonzero(~free[around]))
    cluster = f"cluster of {len(around):,} image{'s' if len(around) > 1 else ''}"
    yield f"{cluster} ({n_judged:,} judged already)" if n_judged else cluster
    if n_known:
        is_alike = likeness > 0.5  # half-way to being one person
        yield "like somebody labelled already" if is_alike else "unlike anyone labelled so far"
    if not typical:
        doubts = {reason: values[key] for reason, values in index.doubts.items()}
        yield max(doubts, key=lambda reason: doubts[reason])
