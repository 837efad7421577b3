"""Where k-means begins: greedy k-means++ in blocks, so that its distances are matrix products."""

from collections.abc import Callable

import numpy as np

from pul.arrays import DoubleArray, FloatArray, IntArray, row_blocks, rows_within

_BLOCK_BYTES = 64 * 2**20  # distances of candidates to all images, held at a time
_MAX_CANDIDATES = 256
_MANY_PRODUCTS = 10**11  # multiplications that make up for loading torch

InnerProducts = Callable[[IntArray], FloatArray]


def seed_clusters(
    features: FloatArray, n_clusters: int, rng: np.random.Generator
) -> tuple[IntArray, IntArray]:
    """Choose images as first centroids by greedy k-means++.

    Each seed is the best of 2 + ln K trials, and each trial is an exact draw by the D² law: with
    probability proportional to D², the squared distance to the nearest seed so far. Candidates are
    drawn in blocks by the law as it stood at the block's start, so that the distances of a whole
    block are one matrix product. Accepting a candidate with probability D²_now / D²_then makes it
    a draw by the law of now, since D² only ever falls.

    Args:
        features: Features of N images, shape (N, D), N ≥ K.
        n_clusters: K.
        rng: Source of the draws.

    Returns:
        Images that are the seeds, shape (K,), and the seed nearest to each image, shape (N,),
        values in [0, K). Where there are fewer than K distinct images, some seeds have no images.

    References:
        Arthur & Vassilvitskii 2007: k-means++, and its greedy variant, as scikit-learn has it.
    """
    n_trials = 2 + int(np.log(n_clusters))
    table = _DistanceTable(features, n_trials * n_clusters)
    seeds = np.empty(n_clusters, dtype=np.int64)
    seeds[0] = rng.integers(len(features))
    clusters = np.zeros(len(features), dtype=np.int64)
    nearest = table.of(seeds[:1])[0]  # (N,)
    candidates = _Candidates(table, nearest, rng)
    for k in range(1, n_clusters):
        images, distances = candidates.draw(nearest, n_trials)  # (T,), (T, N)
        best = int(np.minimum(distances, nearest).sum(axis=1).argmin())
        clusters[distances[best] < nearest] = k
        nearest = np.minimum(distances[best], nearest)
        seeds[k] = images[best]
    return seeds, clusters


class _DistanceTable:
    """Squared distances of images to each other, less |x|² of the image they are measured at.

    |x - c|² - |x|² = |c|² - 2 x·c costs less, and serves any comparison at the same image x.
    """

    def __init__(self, features: FloatArray, n_candidates: int) -> None:
        from pul.models.devices import has_bfloat16  # torch takes seconds to load

        mean = features.mean(axis=0, dtype=np.float64).astype(np.float32)
        if features.size * n_candidates > _MANY_PRODUCTS and has_bfloat16("cpu"):
            self.squares, self._inner_products = _bfloat16_products(features, mean)
        else:
            self.squares, self._inner_products = _float32_products(features, mean)

    def of(self, images: IntArray) -> FloatArray:
        """Return |x - c|² - |x|² of candidates c to all images x, shape (C, N)."""
        table = self._inner_products(images)
        table *= -2
        table += self.squares[images, None]
        table[np.arange(len(images)), images] = -self.squares[images]  # exactly 0 from itself
        return table


def _float32_products(features: FloatArray, mean: FloatArray) -> tuple[FloatArray, InnerProducts]:
    squares = np.empty(len(features), dtype=np.float32)
    for rows in row_blocks(len(features), rows_within(_BLOCK_BYTES, features.shape[1])):
        centred = features[rows] - mean
        squares[rows] = np.einsum("nd,nd->n", centred, centred)

    def inner_products(images: IntArray) -> FloatArray:
        candidates = features[images] - mean
        table = candidates @ features.T  # centring one side needs no copy of the other
        table -= (candidates @ mean)[:, None]
        return np.asarray(table, dtype=np.float32)

    return squares, inner_products


def _bfloat16_products(features: FloatArray, mean: FloatArray) -> tuple[FloatArray, InnerProducts]:
    """Products three times as fast, good enough to choose seeds by; Lloyd's are in float32."""
    import torch

    rounded = torch.empty(features.shape, dtype=torch.bfloat16)
    squares = np.empty(len(features), dtype=np.float32)
    for rows in row_blocks(len(features), rows_within(_BLOCK_BYTES, features.shape[1])):
        rounded[rows] = torch.from_numpy(features[rows] - mean)
        squares[rows] = rounded[rows].float().square().sum(dim=1).numpy()

    def inner_products(images: IntArray) -> FloatArray:
        table = rounded[torch.from_numpy(images)] @ rounded.T
        return np.asarray(table.float().numpy(), dtype=np.float32)

    return squares, inner_products


class _Candidates:
    """A stream of draws by the D² law, refilled in blocks."""

    def __init__(
        self, table: _DistanceTable, nearest: FloatArray, rng: np.random.Generator
    ) -> None:
        self._table = table
        self._rng = rng
        self._next = 0
        self._size = int(np.clip(_BLOCK_BYTES // (4 * len(nearest)), 8, _MAX_CANDIDATES))
        self._refill(nearest)

    def draw(self, nearest: FloatArray, n_trials: int) -> tuple[IntArray, FloatArray]:
        """Return independent draws by the law of `nearest`: images (T,), distances (T, N)."""
        images: list[int] = []
        rows: list[FloatArray] = []
        while len(images) < n_trials:
            if self._next == len(self._images):
                self._refill(nearest)
            i, self._next = self._next, self._next + 1
            image = self._images[i]
            if nearest[image] + self._table.squares[image] >= self._thresholds[i]:
                images.append(int(image))
                rows.append(self._distances[i])
        return np.array(images), np.stack(rows)

    def _refill(self, nearest: FloatArray) -> None:
        self._next = 0
        weights = np.maximum(nearest + self._table.squares, 0)  # D², (N,)
        law: DoubleArray = np.cumsum(weights, dtype=np.float64)
        places, shares = self._rng.random((2, self._size))
        if law[-1] > 0:
            images = np.searchsorted(law, places * law[-1], side="right")
            self._images = np.minimum(images, len(law) - 1)  # rounding may pass the end
            self._thresholds = shares * weights[self._images]
        else:  # every image is a copy of a seed: any will do
            self._images = (places * len(law)).astype(np.int64)
            self._thresholds = np.full(self._size, -np.inf)
        self._distances = self._table.of(self._images)
