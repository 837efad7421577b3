"""Array types, and what every function on features shares: checks, blocks of rows, group means."""

import mmap
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pul.errors import FeatureError

FloatArray = NDArray[np.float32]
DoubleArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
IndexArray = NDArray[np.int32]  # what the store and the browser hold
BoolArray = NDArray[np.bool_]
ByteArray = NDArray[np.uint8]

_BLOCK_BYTES = 32 << 20
_EPSILON = 1e-12  # a feature that is all zeros stays all zeros instead of becoming NaN


def check_features(features: ArrayLike, *, name: str = "features") -> FloatArray:
    """Return features as a contiguous float32 matrix, or say what is wrong with them.

    Args:
        features: Anything numpy reads as a matrix, shape (N, D).
        name: What the message calls them.

    Returns:
        Features, shape (N, D), float32, C-contiguous; a view where the input already was.

    Raises:
        FeatureError: Not two-dimensional, or NaN or infinite values.
    """
    array = np.ascontiguousarray(features, dtype=np.float32)
    if array.ndim != 2:
        raise FeatureError(f"{name} must have shape (N, D), but has shape {array.shape}.")
    finite = np.empty(len(array), dtype=np.bool_)
    for block in row_blocks(len(array), rows_within(_BLOCK_BYTES, array.shape[1])):
        finite[block] = np.isfinite(array[block]).all(axis=1)
        drop_pages(array)
    if not finite.all():
        rows = np.flatnonzero(~finite)
        raise FeatureError(
            f"{name}: {len(rows)} of {len(array)} rows hold NaN or infinite values "
            f"(first: row {rows[0]}). The network diverged or the image is broken; "
            "lower the learning rate or leave the image out."
        )
    return array


def l2_normalize(features: ArrayLike) -> FloatArray:
    """Scale every row to unit length; rows of zeros stay zeros.

    Args:
        features: Features, shape (N, D).

    Returns:
        Unit-length features, shape (N, D), float32.

    References:
        Algorithm 1, line 6.
    """
    array = np.asarray(features, dtype=np.float32)
    norms = np.linalg.norm(array, axis=-1, keepdims=True)
    return np.asarray(array / np.maximum(norms, _EPSILON), dtype=np.float32)


def rows_within(n_bytes: int, n_columns: int) -> int:
    """Return how many rows of float32 fit into a number of bytes; one at least."""
    return max(1, n_bytes // (4 * max(1, n_columns)))


def row_blocks(n_rows: int, size: int) -> Iterator[slice]:
    """Cut rows into blocks of a size, the last one as it comes, so that memory stays bounded.

    >>> list(row_blocks(5, 2))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    return (slice(start, min(start + size, n_rows)) for start in range(0, n_rows, size))


def drop_pages(*arrays: NDArray[Any]) -> None:
    """Let go of the memory of arrays that are mapped from disk; they are read again when used.

    What was read of a mapped file counts as memory of the process until then.
    """
    for array in arrays:
        base: object = array
        while isinstance(base, np.ndarray):
            base = base.base
        if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
            base.madvise(mmap.MADV_DONTNEED)


def group_means(
    features: FloatArray, groups: IntArray, *, weights: IntArray | None = None
) -> FloatArray:
    """Return the mean feature of each group.

    Args:
        features: Features, shape (N, D).
        groups: Group of each, shape (N,), values in [0, G), no group empty.
        weights: How often each counts, shape (N,); once where not given.

    Returns:
        Means, shape (G, D), float32, summed in float64.
    """
    counts = np.bincount(groups, weights=weights)
    if weights is not None:
        features = features * weights[:, None].astype(np.float32)
    sums = np.zeros((len(counts), features.shape[1]), dtype=np.float64)
    np.add.at(sums, groups, features)
    return np.asarray(sums / counts[:, None], dtype=np.float32)
