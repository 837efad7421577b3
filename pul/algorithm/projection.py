"""The 2-D map of an iteration: UMAP, laid out from the map before so that it stays still."""

import warnings

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from pul.arrays import DoubleArray, FloatArray, check_features
from pul.cluster.neighbors import Neighbors, find_likely_neighbors, find_neighbors
from pul.errors import ConfigError, FeatureError

_N_COMPONENTS = 128  # 50 would keep a good trustworthiness and lose the clusters
_MANY_PRODUCTS = 10**11  # multiplications from which neighbours are sought among components
# Above, comparing all pairs takes too long; the bound is a guess between the 36,000 and 130,000
# images that were timed. Not HNSW: its graph depends on the order of threads, not on the seed.
_MANY_IMAGES = 60_000
_FEW_IMAGES = 5  # below this there is no neighbourhood to keep
_RADIUS = 10.0  # of a fresh map's start, as umap's own
_BISECTIONS = 64
_MIN_WIDTH = 1e-3  # of the mean distance: neighbourhoods of copies keep a width
_EPSILON = 1e-12


def project(
    features: ArrayLike,
    *,
    seed: int,
    previous_points: FloatArray | None = None,
    n_neighbors: int = 15,
    min_dist: float = 0.1,
) -> FloatArray:
    """Lay images out in the plane so that neighbours stay together (UMAP).

    Neighbours are exact: by the features themselves, or by their first 128 principal components
    where comparing all pairs would take seconds (N² D > 10¹¹). Of more than 60,000 images nine in
    ten are found. A map that has one before it starts from there, moves little (100
    epochs at learning rate 0.3) and is laid onto it, so that people find images where they were.
    Fewer than 5 images are shown by their first two principal components.

    Args:
        features: Features, shape (N, D), any N.
        seed: Seed of the layout; the same seed gives the same map on the same CPU.
        previous_points: Map of the same images in the iteration before, shape (N, 2); None or
            shape (0, 2) where there is none.
        n_neighbors: Size of a neighbourhood, the image itself included, at least 2.
        min_dist: How close points may lie, in [0, 1).

    Returns:
        Points, shape (N, 2), float32, finite.

    Raises:
        ConfigError: `n_neighbors` or `min_dist` is outside what is allowed.
        FeatureError: Features or previous points are misshapen or not finite.

    References:
        McInnes et al. 2018. Departures from `umap.UMAP()`: those neighbours, and a start from
        principal components (none of its slow-to-compile parts is needed).
    """
    matrix = check_features(features)
    if n_neighbors < 2 or not 0 <= min_dist < 1:
        raise ConfigError(
            f"n_neighbors must be at least 2 and min_dist in [0, 1), but they are {n_neighbors} "
            f"and {min_dist}."
        )
    previous = _check_previous(previous_points, len(matrix))
    rng = np.random.default_rng(seed)
    components = _principal_components(matrix, rng)
    if len(matrix) < _FEW_IMAGES:
        return _first_two(components)
    is_large = matrix.size * len(matrix) > _MANY_PRODUCTS
    if len(matrix) > _MANY_IMAGES:
        neighbors = find_likely_neighbors(components, n_neighbors, seed=seed)
    else:
        compared = components if is_large else matrix - matrix.mean(axis=0)
        neighbors = find_neighbors(compared, n_neighbors)
    graph = _neighborhood_graph(neighbors)
    if previous is None:
        n_epochs = 500 if len(matrix) <= 10_000 else 200  # as umap's own
        start = _spread_out(_first_two(components), rng)
        return _lay_out(graph, start, rng, n_epochs=n_epochs, learning_rate=1.0, min_dist=min_dist)
    points = _lay_out(graph, previous, rng, n_epochs=100, learning_rate=0.3, min_dist=min_dist)
    return align_points(points, previous)


def align_points(points: FloatArray, target: FloatArray) -> FloatArray:
    """Turn, mirror, scale and shift a map so that it lies on another as well as it can.

    Args:
        points: The map to move, shape (N, 2).
        target: The map of the same images to lie on, shape (N, 2).

    Returns:
        The moved map, shape (N, 2), float32.

    References:
        Procrustes analysis: Schönemann 1966.
    """
    goal = target.mean(axis=0)
    centred, aim = points - points.mean(axis=0), target - goal
    left, stretch, right = np.linalg.svd(centred.T @ aim)
    scale = stretch.sum() / max(float(np.square(centred).sum()), _EPSILON)
    return np.asarray(scale * centred @ (left @ right) + goal, dtype=np.float32)


def _check_previous(points: FloatArray | None, n_images: int) -> FloatArray | None:
    if points is None or not len(points):
        return None
    previous = check_features(points, name="previous_points")
    if previous.shape != (n_images, 2):
        raise FeatureError(
            f"previous_points must have shape ({n_images}, 2), one for each image, but has shape "
            f"{previous.shape}."
        )
    return previous


def _principal_components(features: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return the coordinates on the first principal components, shape (N, ≤ 128).

    By one step of subspace iteration on a random start (Halko et al. 2011): a fifth of the time
    of an exact decomposition at D = 2048, and 99.5 % of its variance.
    """
    n_images, n_dims = features.shape
    if not n_images or not n_dims:
        return np.zeros((n_images, 2), dtype=np.float32)
    mean = features.mean(axis=0, dtype=np.float64).astype(np.float32)
    basis = rng.standard_normal((n_dims, min(n_dims, _N_COMPONENTS + 16)), dtype=np.float32)
    for _ in range(2):
        sketch = features @ basis - mean @ basis
        basis = np.linalg.qr(features.T @ sketch - np.outer(mean, sketch.sum(axis=0)))[0]
    sketch = features @ basis - mean @ basis
    axes = np.linalg.svd(sketch.T @ sketch)[0][:, :_N_COMPONENTS]
    components = sketch @ axes
    extremes = components[np.abs(components).argmax(axis=0), np.arange(components.shape[1])]
    components *= np.where(extremes < 0, -1, 1)  # an axis has no sign of its own
    return np.asarray(components, dtype=np.float32)


def _first_two(components: FloatArray) -> FloatArray:
    points = np.zeros((len(components), 2), dtype=np.float32)
    points[:, : components.shape[1]] = components[:, :2]
    return points


def _spread_out(points: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Scale a start to the radius that layouts have, and part points that coincide."""
    radius = max(float(np.abs(points).max()), _EPSILON)
    noise = rng.normal(scale=1e-5 * _RADIUS, size=points.shape)
    return np.asarray(points * (_RADIUS / radius) + noise, dtype=np.float32)


def _neighborhood_graph(neighbors: Neighbors) -> sparse.coo_array:
    """Return UMAP's graph of fuzzy neighbourhoods, shape (N, N), symmetric, weights in (0, 1].

    As `umap.umap_.fuzzy_simplicial_set`, whose compiling takes longer than this takes to run.
    """
    n_images, k = neighbors.indices.shape
    distances = np.sqrt(neighbors.squared_distances, dtype=np.float64)  # (N, k)
    beyond, widths = _neighborhood_widths(distances)
    weights = np.exp(-beyond / widths[:, None])
    weights[neighbors.indices == np.arange(n_images)[:, None]] = 0
    starts = np.arange(0, n_images * k + 1, k)
    table = (weights.ravel(), neighbors.indices.ravel(), starts)
    directed = sparse.csr_array(table, shape=(n_images, n_images))
    either = directed + directed.T - directed.multiply(directed.T)  # a + b - ab
    graph = either.tocoo()
    graph.eliminate_zeros()
    return graph


def _neighborhood_widths(distances: DoubleArray) -> tuple[DoubleArray, DoubleArray]:
    """Return distances beyond the nearest other image, (N, k), and the width σ of each row, (N,).

    σ is found by bisection such that the weights exp(-beyond / σ) of a row sum to log2 k.
    """
    others = np.where(distances > 0, distances, np.inf).min(axis=1)
    nearest = np.where(np.isfinite(others), others, 0)
    beyond = np.maximum(distances - nearest[:, None], 0)
    low, high = np.zeros(len(distances)), np.full(len(distances), np.inf)
    widths = np.ones(len(distances))
    for _ in range(_BISECTIONS):
        sums = np.exp(-beyond[:, 1:] / np.maximum(widths, _EPSILON)[:, None]).sum(axis=1)
        too_wide = sums > np.log2(distances.shape[1])
        high = np.where(too_wide, widths, high)
        low = np.where(too_wide, low, widths)
        widths = np.where(np.isfinite(high), (low + high) / 2, 2 * widths)
    means = np.where(nearest > 0, distances.mean(axis=1), distances.mean())
    return beyond, np.maximum(widths, np.maximum(_MIN_WIDTH * means, _EPSILON))


def _lay_out(
    graph: sparse.coo_array,
    start: FloatArray,
    rng: np.random.Generator,
    *,
    n_epochs: int,
    learning_rate: float,
    min_dist: float,
) -> FloatArray:
    """Move points from their start by umap-learn's stochastic gradient descent."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImportWarning)  # umap misses TensorFlow, which we do not
        from umap.layouts import optimize_layout_euclidean
        from umap.umap_ import find_ab_params, make_epochs_per_sample

    is_used = graph.data >= graph.data.max() / n_epochs  # lighter edges would never be drawn
    a, b = find_ab_params(1.0, min_dist)
    points = np.array(start, dtype=np.float32)
    moved = optimize_layout_euclidean(
        points,
        points,
        graph.row[is_used].astype(np.int32),
        graph.col[is_used].astype(np.int32),
        n_epochs,
        len(points),
        make_epochs_per_sample(graph.data[is_used], n_epochs),
        a,
        b,
        rng.integers(-(2**31), 2**31 - 1, 3),
        initial_alpha=learning_rate,
        parallel=False,  # parallel threads would race, and no seed could repeat the map
        move_other=True,
    )
    return np.asarray(moved, dtype=np.float32)
