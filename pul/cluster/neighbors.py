"""Exact nearest neighbours of every image among all images, in bounded memory."""

from dataclasses import dataclass

import numpy as np

from pul.arrays import FloatArray, IntArray, row_blocks

_N_CELLS = 512
_N_PROBED = 16  # cells that are searched for an image: nine in ten of its neighbours lie there

_BLOCK = 1000  # images against as many others; a power of two would transpose at half the speed


@dataclass(frozen=True, slots=True)
class Neighbors:
    """The k nearest of N images to each of them, nearest first; the image itself comes first.

    Attributes:
        indices: Neighbours, shape (N, k), int64.
        squared_distances: Their squared Euclidean distances, shape (N, k), float32, ascending.
        farthest: Squared distance of the farthest of all images, shape (N,), float32.
    """

    indices: IntArray
    squared_distances: FloatArray
    farthest: FloatArray


def find_neighbors(features: FloatArray, n_neighbors: int) -> Neighbors:
    """Find the nearest images of each image by comparing all pairs.

    A block of distances serves its rows and, transposed, its columns: each pair is multiplied once.

    Args:
        features: Features, shape (N, D), finite, N ≥ 1.
        n_neighbors: k, the image itself included; N at most are found.

    Returns:
        The neighbours.
    """
    squares = np.einsum("nd,nd->n", features, features)
    nearest = _Nearest(len(features), min(n_neighbors, len(features)))
    blocks = list(row_blocks(len(features), _BLOCK))
    for i, rows in enumerate(blocks):
        doubled = -2 * features[rows]
        for columns in blocks[i:]:
            distances = doubled @ features[columns].T
            distances += squares[rows, None]
            distances += squares[columns]
            if rows == columns:
                np.fill_diagonal(distances, -np.inf)  # rounding may put no copy before the image
            else:
                nearest.offer(columns, rows.start, np.ascontiguousarray(distances.T))
            nearest.offer(rows, columns.start, distances)
    return nearest.sorted()


class _Nearest:
    """The nearest neighbours among those offered so far."""

    def __init__(self, n_images: int, k: int) -> None:
        self._k = k
        self._indices = np.full((n_images, k), n_images, dtype=np.int64)
        self._distances = np.full((n_images, k), np.inf, dtype=np.float32)
        self._farthest = np.zeros(n_images, dtype=np.float32)

    def offer(self, rows: slice, first: int, distances: FloatArray) -> None:
        """Take what is nearer among images `first`, `first` + 1, ..., given distances (B, C)."""
        self._farthest[rows] = np.maximum(self._farthest[rows], distances.max(axis=1))
        bound = self._distances[rows].max(axis=1)
        if not np.isfinite(bound).all():
            kth = min(self._k, distances.shape[1]) - 1
            bound = np.partition(distances, kth, axis=1)[:, kth]
        near = np.flatnonzero(distances <= bound[:, None])  # few, after the first blocks
        owners, offered = np.divmod(near, distances.shape[1])
        self._merge(rows, owners, first + offered, distances.ravel()[near])

    def _merge(self, rows: slice, owners: IntArray, images: IntArray, offered: FloatArray) -> None:
        n_rows = rows.stop - rows.start
        counts = np.bincount(owners, minlength=n_rows)
        places = self._k + np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)
        shape = (n_rows, self._k + int(counts.max()))
        indices = np.zeros(shape, dtype=np.int64)
        distances = np.full(shape, np.inf, dtype=np.float32)
        indices[:, : self._k], indices[owners, places] = self._indices[rows], images
        distances[:, : self._k], distances[owners, places] = self._distances[rows], offered
        best = np.argpartition(distances, self._k - 1, axis=1)[:, : self._k]
        self._indices[rows] = np.take_along_axis(indices, best, axis=1)
        self._distances[rows] = np.take_along_axis(distances, best, axis=1)

    def sorted(self) -> Neighbors:
        """Return them, nearest first."""
        order = np.lexsort((self._indices, self._distances), axis=1)
        distances = np.take_along_axis(self._distances, order, axis=1)
        return Neighbors(
            indices=np.take_along_axis(self._indices, order, axis=1),
            squared_distances=np.maximum(distances, 0),  # rounding may take them below
            farthest=self._farthest,
        )


def find_likely_neighbors(
    features: FloatArray, n_neighbors: int, *, seed: int, n_cells: int = _N_CELLS
) -> Neighbors:
    """Find most of the nearest images of each image, in cells near its own.

    Args:
        features: Features, shape (N, D), float32, contiguous, finite.
        n_neighbors: k, the image itself included; at most N.
        seed: Seed of the cells.
        n_cells: Cells that the images are divided into.

    Returns:
        The neighbours; `farthest` is infinite, as nobody looked there. All of them, exactly, where
        faiss is not installed.

    References:
        Jégou et al. 2011, inverted file without compression.
    """
    try:
        import faiss
    except ImportError:
        return find_neighbors(features, n_neighbors)
    coarse = faiss.IndexFlatL2(features.shape[1])
    index = faiss.IndexIVFFlat(coarse, features.shape[1], n_cells)
    index.cp.niter, index.cp.seed = 5, seed % 2**31
    index.nprobe = _N_PROBED
    index.train(features)
    index.add(features)
    distances, indices = index.search(features, n_neighbors)
    short = np.flatnonzero((indices < 0).any(axis=1))  # their cells held too few images
    if len(short):
        everywhere = faiss.IndexFlatL2(features.shape[1])
        everywhere.add(features)
        distances[short], indices[short] = everywhere.search(features[short], n_neighbors)
    own = indices == np.arange(len(features))[:, None]
    absent = np.flatnonzero(~own.any(axis=1))  # copies came before it
    indices[absent, -1] = absent
    own[absent, -1] = True
    order = np.argsort(np.where(own, -np.inf, distances), axis=1, kind="stable")
    squared = np.take_along_axis(np.where(own, 0, distances), order, axis=1)
    return Neighbors(
        indices=np.take_along_axis(indices, order, axis=1),
        squared_distances=np.asarray(np.maximum(squared, 0), dtype=np.float32),
        farthest=np.full(len(features), np.inf, dtype=np.float32),
    )
