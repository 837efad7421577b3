"""Purity, NMI and recall of clusters against known people; agreement of two clusterings."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from pul.arrays import DoubleArray, IntArray
from pul.errors import EvaluationError
from pul.records import ClusterQuality

_EPSILON = 1e-12


def cluster_quality(
    clusters: ArrayLike, pids: ArrayLike, reliable: ArrayLike, *, source: str
) -> ClusterQuality | None:
    """Measure how well clusters agree with the known identities.

    Purity is the share of images that are of their cluster's majority identity; NMI is the mutual
    information of clusters and identities over the mean of their entropies. Images whose pid is
    not positive are ignored.

    Args:
        clusters: Cluster of each image, shape (N,).
        pids: Identity of each image, shape (N,); 0 and below where it is not known.
        reliable: Reliable images, shape (N,), bool.
        source: Where the identities come from: `truth` or `annotations`.

    Returns:
        The figures; None where no identity is known. `reliable_purity` is 0 where no image with a
        known identity is reliable.

    Raises:
        EvaluationError: The three arrays differ in length.

    >>> reliable = [True, True, False, True, True]
    >>> found = cluster_quality([0, 0, 0, 1, 1], [1, 1, 2, 2, 2], reliable, source="truth")
    >>> found.purity, found.reliable_purity
    (0.8, 1.0)
    """
    groups, people, chosen = np.asarray(clusters), np.asarray(pids), np.asarray(reliable)
    if not groups.shape == people.shape == chosen.shape:
        raise EvaluationError(
            "clusters, pids and reliable must have the same shape (N,), but have "
            f"{groups.shape}, {people.shape} and {chosen.shape}."
        )
    known = people > 0
    if not known.any():
        return None
    trained = known & chosen.astype(bool)
    return ClusterQuality(
        purity=_purity(_contingency(groups[known], people[known])),
        reliable_purity=_purity(_contingency(groups[trained], people[trained])),
        nmi=_nmi(_contingency(groups[known], people[known])),
        n_images=int(known.sum()),
        source=source,
    )


def cluster_purities(clusters: ArrayLike, pids: ArrayLike, *, n_clusters: int) -> DoubleArray:
    """Return the share of each cluster's known images that are of its majority identity.

    Args:
        clusters: Cluster of each image, shape (N,), values in [0, K); -1 for an outlier.
        pids: Identity of each image, shape (N,); 0 and below where it is not known.
        n_clusters: K.

    Returns:
        Shares in (0, 1], shape (K,); NaN for a cluster without an image of a known identity.

    Raises:
        EvaluationError: The two arrays differ in length.

    >>> cluster_purities([0, 0, 0, 1, 2], [7, 7, 9, 0, 9], n_clusters=3).round(2).tolist()
    [0.67, nan, 1.0]
    """
    groups, people = np.asarray(clusters), np.asarray(pids)
    if groups.shape != people.shape:
        raise EvaluationError(
            f"clusters and pids must have the same shape (N,), but have {groups.shape} and "
            f"{people.shape}."
        )
    known = (people > 0) & (groups >= 0)
    pairs, counts = np.unique(
        np.column_stack([groups[known], people[known]]), axis=0, return_counts=True
    )
    majority, total = (np.zeros(n_clusters) for _ in range(2))
    np.maximum.at(majority, pairs[:, 0], counts)
    np.add.at(total, pairs[:, 0], counts)
    shares: DoubleArray = np.full(n_clusters, np.nan)
    np.divide(majority, total, out=shares, where=total > 0)
    return shares


def adjusted_rand(first: ArrayLike, second: ArrayLike) -> float:
    """Return how far two clusterings of the same images agree, beyond chance.

    With n_ij images in cluster i of the first and j of the second, and a_i and b_j in all:
    (Σ C(n_ij, 2) - E) / ((Σ C(a_i, 2) + Σ C(b_j, 2)) / 2 - E), where
    E = Σ C(a_i, 2) · Σ C(b_j, 2) / C(N, 2) is what chance gives.

    Args:
        first: Cluster of each image, shape (N,); images with -1, outliers, in either are ignored.
        second: The same in the other clustering.

    Returns:
        At most 1, for the same groups under any numbers; about 0 for chance, and below it negative.

    Raises:
        EvaluationError: The two arrays differ in length.

    References:
        Hubert and Arabie, Comparing partitions, Journal of Classification 2 (1985), Eq. 5.

    >>> round(adjusted_rand([0, 0, 1, 1], [0, 0, 1, 2]), 4)
    0.5714
    """
    left, right = np.asarray(first), np.asarray(second)
    if left.shape != right.shape:
        raise EvaluationError(
            f"Two clusterings must have the same shape (N,), but have {left.shape} and "
            f"{right.shape}."
        )
    both = (left >= 0) & (right >= 0)
    table = _contingency(left[both], right[both])
    together = _pairs(table.counts)
    by_first = _pairs(np.bincount(table.rows, weights=table.counts))
    by_second = _pairs(np.bincount(table.columns, weights=table.counts))
    every = _pairs(np.array([both.sum()]))
    chance = by_first * by_second / every if every else 0.0
    most = (by_first + by_second) / 2
    # one group each, or each image a group of its own in both: they agree
    return float((together - chance) / (most - chance)) if most - chance > _EPSILON else 1.0


def _pairs(counts: ArrayLike) -> float:
    """Return how many pairs lie in groups of these sizes."""
    sizes = np.asarray(counts, dtype=np.float64)
    return float((sizes * (sizes - 1) / 2).sum())


@dataclass(frozen=True, slots=True)
class _Contingency:
    """The cells of the table of clusters × identities that are not empty."""

    counts: IntArray
    rows: IntArray
    columns: IntArray


def _contingency(groups: IntArray, people: IntArray) -> _Contingency:
    _, rows = np.unique(groups, return_inverse=True)
    _, columns = np.unique(people, return_inverse=True)
    width = int(columns.max(initial=0)) + 1
    cells, counts = np.unique(rows * width + columns, return_counts=True)
    return _Contingency(counts, cells // width, cells % width)


def _purity(table: _Contingency) -> float:
    if not len(table.counts):
        return 0.0
    majority = np.zeros(int(table.rows.max()) + 1, dtype=np.int64)
    np.maximum.at(majority, table.rows, table.counts)
    return float(majority.sum() / table.counts.sum())


def _nmi(table: _Contingency) -> float:
    joint: DoubleArray = table.counts / table.counts.sum()
    by_row = np.bincount(table.rows, weights=joint).astype(np.float64)
    by_column = np.bincount(table.columns, weights=joint).astype(np.float64)
    mutual = np.sum(joint * np.log(joint / (by_row[table.rows] * by_column[table.columns])))
    mean_entropy = (_entropy(by_row) + _entropy(by_column)) / 2
    # one cluster and one identity: both are certain, and agree
    return float(np.clip(mutual / mean_entropy, 0, 1)) if mean_entropy > _EPSILON else 1.0


def _entropy(shares: DoubleArray) -> float:
    return float(-np.sum(shares * np.log(shares)))
