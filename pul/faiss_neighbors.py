"""Nearest neighbours by faiss, for more images than comparing all pairs is worth waiting for."""

import numpy as np

from pul.arrays import FloatArray
from pul.neighbors import Neighbors, find_neighbors

_N_CELLS = 512
_N_PROBED = 16  # cells that are searched for an image: nine in ten of its neighbours lie there


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
