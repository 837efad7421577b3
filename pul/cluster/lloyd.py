"""Lloyd's iterations of k-means on all images, redoing only what moved."""

import numpy as np

from pul.arrays import DoubleArray, FloatArray, IntArray, row_blocks, rows_within
from pul.cluster.clustering import squared_distances

_BLOCK_BYTES = 32 * 2**20  # temporaries of one matrix product
_SCORES_BYTES = 512 * 2**20  # scores of all images to all centroids, where they fit in this
_TOLERANCE = 1e-4  # of the features' mean variance, as in scikit-learn


def run_lloyd(
    features: FloatArray,
    centroids: FloatArray,
    *,
    max_iterations: int,
    clusters: IntArray | None = None,
) -> tuple[IntArray, FloatArray, int]:
    """Move centroids to the mean of the images nearest to them until no image changes cluster.

    Args:
        features: Features, shape (N, D).
        centroids: Where to begin, shape (K, D), K ≤ N.
        max_iterations: Iterations at most, at least 1.
        clusters: The centroid nearest to each image, shape (N,), where it is known already.

    Returns:
        Cluster of each image, shape (N,), none empty; centroids, shape (K, D), the means of their
        clusters; and the number of iterations.
    """
    n_clusters = len(centroids)
    everything = np.arange(n_clusters)
    assignment = _Assignment(features, n_clusters)
    clusters = assignment.update(centroids, everything) if clusters is None else clusters.copy()
    _fill_empty(features, clusters, centroids)
    centroids = centroids.copy()
    _move(centroids, features, clusters, everything)
    tolerance, moved, n_iterations = _shift_tolerance(features), everything, 1
    while n_iterations < max_iterations:
        n_iterations += 1
        nearest = assignment.update(centroids, moved)
        _fill_empty(features, nearest, centroids)
        changed = nearest != clusters
        moved = np.union1d(clusters[changed], nearest[changed])
        clusters = nearest
        if _move(centroids, features, clusters, moved) <= tolerance:
            break
    return clusters, centroids, n_iterations


class _Assignment:
    """The nearest centroid of every image, kept up to date as some of the centroids move.

    Centroids are compared by their score at an image, |c|²/2 - x·c, which is half their squared
    distance less what is the same for all. They are shifted by the mean of the features first, so
    that features far from the origin lose little precision. Equally near: the first centroid.

    All scores are kept where they fit in 512 MiB, and those of the centroids that moved are
    redone. Elsewhere only the lowest score of each image is kept: an image whose own centroid
    stayed is compared with those that moved, an image whose own centroid moved with all.
    """

    def __init__(self, features: FloatArray, n_clusters: int) -> None:
        self._features = features
        self._mean = features.mean(axis=0, dtype=np.float64)
        self._size = rows_within(_BLOCK_BYTES, n_clusters)
        self._nearest = np.zeros(len(features), dtype=np.int64)
        self._lowest = np.empty(len(features), dtype=np.float32)
        keeps_all = 4 * len(features) * n_clusters <= _SCORES_BYTES
        self._scores = np.empty((len(features), n_clusters if keeps_all else 0), dtype=np.float32)

    def update(self, centroids: FloatArray, moved: IntArray) -> IntArray:
        """Return the nearest centroid of each image, shape (N,), given which ones moved."""
        scorer = _Scorer(centroids, self._mean)
        redo = self._redo_scores if self._scores.size else self._redo_lowest
        for rows in row_blocks(len(self._features), self._size):
            redo(rows, scorer, moved)
        return self._nearest.copy()

    def _redo_scores(self, rows: slice, scorer: "_Scorer", moved: IntArray) -> None:
        scores = self._scores[rows]
        # a slice where it will do: assigning by index costs a tenth of the product
        columns = slice(None) if len(moved) == scores.shape[1] else moved
        scores[:, columns] = scorer.scores(self._features[rows], moved)
        self._nearest[rows] = scores.argmin(axis=1)

    def _redo_lowest(self, rows: slice, scorer: "_Scorer", moved: IntArray) -> None:
        block, nearest, lowest = self._features[rows], self._nearest[rows], self._lowest[rows]
        is_moved = np.isin(np.arange(scorer.n_clusters), moved)
        lost = np.flatnonzero(is_moved[nearest])
        stayed = np.flatnonzero(~is_moved)
        lowest[lost] = np.inf
        if len(stayed):
            nearest[lost], lowest[lost] = scorer.lowest(block[lost], stayed)
        best, values = scorer.lowest(block, moved)
        is_closer = (values < lowest) | ((values == lowest) & (best < nearest))
        np.copyto(nearest, best, where=is_closer)
        np.minimum(lowest, values, out=lowest)


class _Scorer:
    """Scores of centroids at images, by matrix product."""

    def __init__(self, centroids: FloatArray, mean: DoubleArray) -> None:
        shifted = centroids - mean  # (K, D), double
        offsets = np.einsum("kd,kd->k", shifted, shifted) / 2 + shifted @ mean
        self._directions = -shifted.astype(np.float32)
        self._offsets = offsets.astype(np.float32)
        self.n_clusters = len(centroids)

    def scores(self, block: FloatArray, among: IntArray) -> FloatArray:
        """Return the scores of some centroids at B images, shape (B, M)."""
        table = block @ self._directions[among].T
        table += self._offsets[among]
        return np.asarray(table, dtype=np.float32)

    def lowest(self, block: FloatArray, among: IntArray) -> tuple[IntArray, FloatArray]:
        """Return the best of some centroids at B images, shape (B,), and its score, shape (B,)."""
        table = self.scores(block, among)
        best = table.argmin(axis=1)
        return among[best], table[np.arange(len(block)), best]


def _fill_empty(features: FloatArray, clusters: IntArray, centroids: FloatArray) -> None:
    """Give every empty cluster the farthest image that is not the last one of its cluster."""
    counts = np.bincount(clusters, minlength=len(centroids))
    empty = np.flatnonzero(counts == 0)
    if not len(empty):
        return
    farthest = iter(np.argsort(-squared_distances(features, clusters, centroids), kind="stable"))
    for k in empty:
        image = next(i for i in farthest if counts[clusters[i]] > 1)
        counts[clusters[image]] -= 1
        clusters[image] = k


def _move(
    centroids: FloatArray, features: FloatArray, clusters: IntArray, moved: IntArray
) -> float:
    """Move some centroids to the mean of their members; return the sum of squared shifts."""
    order = np.argsort(clusters, kind="stable")
    starts = np.searchsorted(clusters[order], moved, side="left")
    ends = np.searchsorted(clusters[order], moved, side="right")
    shift = 0.0
    for k, start, end in zip(moved, starts, ends, strict=True):
        mean = _mean(features, order[start:end])
        shift += float(np.sum((mean - centroids[k]) ** 2))
        centroids[k] = mean
    return shift


def _mean(features: FloatArray, members: IntArray) -> DoubleArray:
    """Return the mean of some rows, in double precision and in bounded memory."""
    total = np.zeros(features.shape[1])
    for rows in row_blocks(len(members), rows_within(_BLOCK_BYTES, features.shape[1])):
        total += features[members[rows]].sum(axis=0, dtype=np.float64)
    return total / len(members)


def _shift_tolerance(features: FloatArray) -> float:
    """Return the sum of squared shifts at which the centroids count as converged."""
    mean = features.mean(axis=0, dtype=np.float64).astype(np.float32)
    spread = squared_distances(features, np.zeros(len(features), dtype=np.int64), mean[None])
    return _TOLERANCE * float(spread.sum(dtype=np.float64)) / max(features.size, 1)
