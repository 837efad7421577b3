"""Making the index of an iteration: a block at a time, so that memory is bounded."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from pul.arrays import (
    BoolArray,
    FloatArray,
    IntArray,
    check_features,
    l2_normalize,
    row_blocks,
    rows_within,
)
from pul.data.footage import Footage, embed, n_embedded
from pul.errors import FeatureError
from pul.labelling.suggestions.calibration import NONE
from pul.labelling.suggestions.cells import make_cells
from pul.labelling.suggestions.groups import Groups, group
from pul.labelling.suggestions.index import SuggestionIndex
from pul.labelling.suggestions.likeness import (
    ONE_PERSON,
    Allocate,
    Tracklets,
    in_memory,
    make_tracklets,
    mean_of,
)
from pul.labelling.suggestions.rehearsal import rehearse
from pul.labelling.suggestions.sides import bar_other_sides, shown_sides, sides_of

_BLOCK = 1024
_BLOCK_BYTES = 32 << 20
_ALL = 20_000  # bundles, or tracklets, up to which all are compared with all
_MOST_PIVOTS = 2048
_N_SKETCHED = 64  # dimensions of features, and of colours, that are looked at first

OnStep = Callable[[str], None]


def build_index(
    features: FloatArray,
    clusters: IntArray,
    similarities: FloatArray,
    image_ids: IntArray,
    footage: Footage,
    *,
    lambda_: float | None = 0.85,
    colours: FloatArray | None = None,
    second_clusters: IntArray | None = None,
    allocate: Allocate = in_memory,
    on_step: OnStep = lambda _: None,
) -> SuggestionIndex:
    """Prepare an iteration for suggestions.

    N images, D dimensions. Up to 20,000 bundles, each is compared with all others; with more, with
    those of the cells around its own.

    Args:
        features: Un-normalised features, shape (N, D), mapped from the disk if they are many.
        clusters: Cluster of each image, shape (N,), values in [0, K); -1 for an outlier, which
            belongs with no other.
        similarities: Cosine of each image to its cluster's center, shape (N,).
        image_ids: Number of each image in the store, shape (N,), ascending.
        footage: Where and when the images were taken.
        lambda_: λ of the iteration; None where all are reliable.
        colours: What people wear, as `embed` makes it of `describe_colours`, shape (N, C): half of
            the likeness where it is given.
        second_clusters: Another k-means run, shape (N,): where the two disagree there is doubt.
        allocate: Makes the large arrays of the index, by name and shape.
        on_step: Called with what is done next, for people.

    Raises:
        FeatureError: Features are misshapen, or the arrays are of different length.
    """
    # Long: one line a part of the index, each a function of its own.
    features = check_features(features)
    lengths = {len(x) for x in (features, clusters, similarities, image_ids, footage)}
    if len(lengths) != 1 or 0 in lengths:
        raise FeatureError(
            f"The arrays of an iteration must be of one length, and not empty, but are {lengths}."
        )
    on_step("comparing images")
    clusters = _without_outliers(clusters)
    embedding = _embed_all(features, colours, footage, allocate)
    n_dims = n_embedded(features.shape[1])
    on_step("finding tracklets")
    tracklets = make_tracklets(embedding, footage, allocate=allocate)
    cluster_of = _majority(tracklets.groups, clusters)
    by_cluster = group(cluster_of)
    on_step("finding people in clusters")
    bundles = _bundle(tracklets, by_cluster)
    images = group(bundles.of[tracklets.groups.of])
    shape = (len(bundles.starts) - 1, embedding.shape[1])
    means = mean_of(embedding, images, out=allocate("means", shape))
    shown = shown_sides(footage.sides)
    sides = sides_of(shown, images)
    on_step("finding people who are alike")
    pivots = _pivots(tracklets.means, by_cluster)
    doubts = {
        "farthest pair inside": -_farthest_inside(
            embedding, shown, tracklets, by_cluster, bundles, means, sides
        ),
        "near another cluster": _nearest_outside(
            means, _of_bundles(by_cluster.of, bundles), pivots, sides
        ),
        "close to λ": -_distance_to_lambda(similarities, lambda_, images),
    }
    if second_clusters is not None:
        doubts["two clusterings disagree"] = _disagreement(images, second_clusters)
    index = SuggestionIndex(
        image_ids=image_ids,
        footage=footage,
        embedding=embedding,
        clusters=clusters,
        similarities=np.asarray(similarities, dtype=np.float32),
        lambda_=lambda_,
        tracklets=tracklets,
        cluster_of=cluster_of,
        by_cluster=by_cluster,
        sketch=_sketch(tracklets.means, (n_dims, embedding.shape[1] - n_dims), allocate),
        moments=_moments(footage),
        bundles=bundles,
        images=images,
        means=means,
        sides=sides,
        cohesion=_cohesion(tracklets, bundles),
        n_cameras=_count_distinct(images, footage.camids),
        doubts={reason: _ranks(values) for reason, values in doubts.items()},
        rehearsed=NONE,
    )
    on_step("rehearsing")
    return replace(index, rehearsed=rehearse(index))


def _embed_all(
    features: FloatArray, colours: FloatArray | None, footage: Footage, allocate: Allocate
) -> FloatArray:
    n_dims = n_embedded(features.shape[1])
    n_colours = 0 if colours is None else colours.shape[1]
    embedding = allocate("embedding", (len(features), n_dims + n_colours))
    embed(features, footage.camids, out=embedding[:, :n_dims])
    if colours is not None:
        for rows in row_blocks(len(features), rows_within(_BLOCK_BYTES, embedding.shape[1])):
            embedding[rows, n_dims:] = colours[rows]
            embedding[rows] = l2_normalize(embedding[rows])
    return embedding


def _moments(footage: Footage) -> Groups:
    known = (footage.frames >= 0) & (footage.camids >= 0)
    moments = np.stack([footage.camids, footage.recordings, footage.frames])
    moments[:, ~known] = -1 - np.arange(np.count_nonzero(~known))
    return group(np.unique(moments, axis=1, return_inverse=True)[1].ravel())


def _pivots(means: FloatArray, by_cluster: Groups) -> FloatArray:
    """Return the means of the largest clusters, of tracklets, shape (≤ 2,048, P)."""
    largest = np.argsort(-by_cluster.sizes(), kind="stable")[:_MOST_PIVOTS]
    return l2_normalize(np.stack([means[by_cluster.members(k)].mean(axis=0) for k in largest]))


def _sketch(means: FloatArray, parts: tuple[int, int], allocate: Allocate) -> FloatArray:
    """Return the first, widest dimensions of features and colours, where tracklets are many."""
    n_dims, n_colours = (min(part, _N_SKETCHED) for part in parts)
    shape = (len(means) if len(means) > _ALL else 0, n_dims + n_colours)
    if not shape[0]:
        return np.empty(shape, dtype=np.float32)
    sketch = allocate("sketch", shape)
    for rows in row_blocks(len(means), rows_within(_BLOCK_BYTES, means.shape[1])):
        sketch[rows, :n_dims] = means[rows, :n_dims]
        sketch[rows, n_dims:] = means[rows, parts[0] : parts[0] + n_colours]
    return sketch


def _of_bundles(of_tracklets: IntArray, bundles: Groups) -> IntArray:
    """Return what holds of all tracklets of a bundle, of its first one, shape (B,)."""
    of_bundles: IntArray = of_tracklets[bundles.rows[bundles.starts[:-1]]]
    return of_bundles


def _majority(groups: Groups, clusters: IntArray) -> IntArray:
    """Return the most frequent cluster of each group, the lowest of equals."""
    pairs, counts = np.unique(np.stack([groups.of, clusters]), axis=1, return_counts=True)
    best = np.lexsort((pairs[1], -counts, pairs[0]))
    first = np.searchsorted(pairs[0][best], np.arange(len(groups.starts) - 1))
    majority: IntArray = pairs[1][best][first]
    return majority


def _bundle(tracklets: Tracklets, by_cluster: Groups) -> Groups:
    bundles = np.empty(len(by_cluster.of), dtype=np.int64)
    n_bundles = 0
    for number in range(len(by_cluster.starts) - 1):
        members = by_cluster.members(number)
        bundles[members] = tracklets.bundle(members, least=ONE_PERSON) + n_bundles
        n_bundles = int(bundles[members].max()) + 1
    return group(bundles)


def _cohesion(tracklets: Tracklets, bundles: Groups) -> FloatArray:
    """Return the mean affinity of two images of each bundle, an image with itself included."""
    sizes = tracklets.groups.sizes().astype(np.float32)
    cohesion = np.empty(len(bundles.starts) - 1, dtype=np.float32)
    for number in range(len(cohesion)):
        members = bundles.members(number)
        weights = sizes[members] / sizes[members].sum()
        cohesion[number] = weights @ tracklets.affinities(members, members) @ weights
    return cohesion


def _count_distinct(groups: Groups, values: IntArray) -> IntArray:
    pairs = np.unique(np.stack([groups.of, values]), axis=1)[0]
    return np.bincount(pairs, minlength=len(groups.starts) - 1).astype(np.int64)


def _farthest_inside(
    embedding: FloatArray,
    shown: BoolArray,
    tracklets: Tracklets,
    by_cluster: Groups,
    bundles: Groups,
    means: FloatArray,
    sides: BoolArray,
) -> FloatArray:
    """Return the lowest cosine to the bundle of any image of its sides in its cluster, (B,)."""
    bundles_of = group(_of_bundles(by_cluster.of, bundles))
    lowest = np.full(len(means), np.inf, dtype=np.float32)
    for number in range(len(by_cluster.starts) - 1):
        own = bundles_of.members(number)
        rows = tracklets.groups.members_of(by_cluster.members(number))
        for block in row_blocks(len(rows), rows_within(_BLOCK_BYTES, means.shape[1])):
            cosines = embedding[rows[block]] @ means[own].T
            bar_other_sides(cosines, shown[rows[block]], sides[own])
            cosines[np.isneginf(cosines)] = np.inf
            lowest[own] = np.minimum(lowest[own], cosines.min(axis=0))
    return lowest


def _nearest_outside(
    means: FloatArray, clusters: IntArray, pivots: FloatArray, sides: BoolArray
) -> FloatArray:
    """Return the highest cosine of a bundle to one of another cluster, shape (B,)."""
    highest = np.empty(len(clusters), dtype=np.float32)
    for own, others in _compared(means, pivots):
        cosines = bar_other_sides(means[own] @ means[others].T, sides[own], sides[others])
        cosines[clusters[own][:, None] == clusters[others][None]] = -1.0
        highest[own] = cosines.max(axis=1)
    return highest


def _compared(means: FloatArray, pivots: FloatArray) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield blocks of bundles with the bundles that each block is compared with."""
    everyone = np.arange(len(means))
    if len(means) <= _ALL:
        yield from ((everyone[rows], everyone) for rows in row_blocks(len(means), _BLOCK))
        return
    cells = make_cells(means, pivots)
    for cell in range(len(pivots)):
        around = cells.around(cell)
        members = cells.rows[cells.starts[cell] : cells.starts[cell + 1]]
        for rows in row_blocks(len(members), rows_within(_BLOCK_BYTES, len(around))):
            yield members[rows], around


def _distance_to_lambda(
    similarities: FloatArray, lambda_: float | None, images: Groups
) -> FloatArray:
    distances = np.abs(similarities - (lambda_ or 0.0))
    sizes = images.sizes()
    mean = np.bincount(images.of, distances, len(sizes)) / sizes
    return np.asarray(mean, dtype=np.float32)


def _disagreement(images: Groups, second_clusters: IntArray) -> FloatArray:
    """Return the share of each bundle that is not in its most frequent second cluster."""
    pairs, counts = np.unique(np.stack([images.of, second_clusters]), axis=1, return_counts=True)
    most = np.zeros(len(images.starts) - 1)
    np.maximum.at(most, pairs[0], counts)
    return np.asarray(1 - most / images.sizes(), dtype=np.float32)


def _ranks(values: FloatArray) -> FloatArray:
    """Return the share of other values that are lower, shape (B,), in [0, 1]."""
    lower = np.searchsorted(np.sort(values), values)
    return np.asarray(lower / max(1, len(values) - 1), dtype=np.float32)


def _without_outliers(clusters: IntArray) -> IntArray:
    """Return the clusters with each outlier in one of its own."""
    outliers = np.flatnonzero(clusters < 0)
    alone = np.array(clusters, dtype=np.int64)
    alone[outliers] = alone.max() + 1 + np.arange(len(outliers))
    return alone
