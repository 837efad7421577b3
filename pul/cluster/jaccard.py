"""k-reciprocal encoding and the Jaccard distance between images."""

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from pul.arrays import DoubleArray, FloatArray, IntArray, check_features, l2_normalize
from pul.cluster.neighbors import Neighbors, find_neighbors
from pul.errors import ConfigError

_PAIRS = 4096  # pairs of features multiplied at a time
_EPSILON = 1e-12


def jaccard_distances(
    features: ArrayLike,
    *,
    k1: int = 20,
    k2: int = 6,
    max_distance: float = 1.0,
    scaled: bool = True,
) -> sparse.csr_array:
    """Return the Jaccard distances of the k-reciprocal neighbourhoods of all images.

    Args:
        features: Features, shape (N, D); they are l2-normalised here.
        k1: Neighbours that must be mutual.
        k2: Neighbours whose neighbourhoods are averaged.
        max_distance: Larger distances are not stored, nor those of 1: nothing in common.
        scaled: Whether a neighbour's weight is exp(-d² / the farthest image's d²), as in Zhong et
            al., or exp(-d²), as where such distances are clustered.

    Returns:
        Distances, shape (N, N), sparse, float32; what is not stored is farther than
        `max_distance`. An image's distance to itself is stored, as 0.

    Raises:
        ConfigError: k1 or k2 is outside what is allowed.
        FeatureError: Features are misshapen or not finite.
    """
    matrix = l2_normalize(check_features(features))
    if not len(matrix):
        return sparse.csr_array((0, 0), dtype=np.float32)
    neighbors = find_neighbors(matrix, k1 + 1)
    if not scaled:
        neighbors = replace(neighbors, farthest=np.ones_like(neighbors.farthest))
    codes = _encode(matrix, neighbors, k1, k2)
    least = max(2 * (1 - max_distance) / (2 - max_distance), _EPSILON)  # overlap at that distance
    columns, overlaps = [], []
    for i, overlap in enumerate(_overlaps(codes, len(matrix))):
        overlap[i] = 1
        near = (overlap >= least).nonzero()[0]
        columns.append(near)
        overlaps.append(overlap[near].astype(np.float32))
    starts = np.cumsum([0, *map(len, columns)])
    shared = np.concatenate(overlaps)
    table = (1 - shared / (2 - shared), np.concatenate(columns), starts)
    return sparse.csr_array(table, shape=(len(matrix), len(matrix)))


def _encode(features: FloatArray, neighbors: Neighbors, k1: int, k2: int) -> sparse.csr_array:
    """Return each image's weights over its neighbourhood, shape (N, N), rows summing to 1."""
    if k1 < 1 or k2 < 1:
        raise ConfigError(f"k1 and k2 must be at least 1, but are {k1} and {k2}.")
    members = _expand(neighbors.indices, k1)
    owners, others = members.nonzero()
    scale = np.maximum(neighbors.farthest, _EPSILON)
    weights = np.exp(-_pair_distances(features, owners, others) / scale[owners])
    weights /= np.bincount(owners, weights=weights, minlength=len(features))[owners]
    codes = sparse.csr_array((weights, (owners, others)), shape=members.shape)
    nearest = neighbors.indices[:, :k2]
    return (_indicator(nearest) @ codes / nearest.shape[1]).tocsr() if k2 > 1 else codes


def _expand(ranking: IntArray, k1: int) -> sparse.csr_array:
    """Return who is in whose k-reciprocal neighbourhood R*, shape (N, N), as ones.

    R holds mutual neighbours among the first k1. A member's own half-sized neighbourhood joins
    where R has more than two thirds of it.
    """
    mutual = _mutual(ranking)
    half = _mutual(ranking[:, : round(k1 / 2) + 1])
    sizes = half.sum(axis=1)  # (N,)
    shared = (mutual @ half).multiply(mutual).tocoo()  # of i's R with the half of its member j
    joins = 3 * shared.data > 2 * sizes[shared.col]
    joining = sparse.csr_array(
        (np.ones(joins.sum()), (shared.row[joins], shared.col[joins])), shape=mutual.shape
    )
    return (mutual + joining @ half).tocsr()


def _mutual(ranking: IntArray) -> sparse.csr_array:
    chosen = _indicator(ranking)
    return chosen.multiply(chosen.T).tocsr()


def _indicator(ranking: IntArray) -> sparse.csr_array:
    n_images, k = ranking.shape
    starts = np.arange(0, n_images * k + 1, k)
    table = (np.ones(n_images * k, dtype=np.float32), ranking.ravel(), starts)
    return sparse.csr_array(table, shape=(n_images, n_images))


def _pair_distances(features: FloatArray, owners: IntArray, others: IntArray) -> FloatArray:
    distances = np.empty(len(owners), dtype=np.float32)
    for start in range(0, len(owners), _PAIRS):
        pairs = slice(start, start + _PAIRS)
        difference = features[owners[pairs]] - features[others[pairs]]
        distances[pairs] = np.einsum("pd,pd->p", difference, difference)
    return distances


def _overlaps(codes: sparse.csr_array, n_rows: int) -> Iterator[DoubleArray]:
    """Yield, for the first rows, the sum of the smaller weights with each image, shape (N,).

    Only images that share a neighbour have any: they stand in that neighbour's column.
    """
    columns = codes.tocsc()
    n_images, lengths = codes.shape[0], np.diff(columns.indptr)
    for start, end in itertools.pairwise(codes.indptr[: n_rows + 1]):
        shared = codes.indices[start:end]
        counts = lengths[shared]
        before = counts.cumsum() - counts
        places = (columns.indptr[shared] - before).repeat(counts)
        places += np.arange(len(places), dtype=places.dtype)  # all entries of those columns
        smaller = np.minimum(columns.data[places], codes.data[start:end].repeat(counts))
        overlaps = np.bincount(columns.indices[places], weights=smaller, minlength=n_images)
        yield overlaps.astype(np.float64, copy=False)
