"""k-means on the un-normalised features: greedy k-means++, then Lloyd's iterations."""

import numpy as np
from numpy.typing import ArrayLike

from pul.arrays import FloatArray, IntArray, check_features
from pul.cluster.clustering import Clustering, nearest_members, squared_distances
from pul.cluster.lloyd import run_lloyd
from pul.cluster.seeding import seed_clusters
from pul.errors import ConfigError


def cluster(
    features: ArrayLike,
    *,
    n_clusters: int,
    seed: int,
    max_iterations: int = 300,
    n_init: int = 1,
    initial_centroids: FloatArray | None = None,
) -> Clustering:
    """Group images by k-means: greedy k-means++, then Lloyd's iterations on all images.

    N images, D feature dimensions, K clusters. Every cluster keeps at least one image: one that
    runs empty gets the image farthest from its centroid. Nothing is subsampled.

    Args:
        features: Un-normalised features, shape (N, D) ("l2 normalisation in clustering yields
            inferior results").
        n_clusters: K, in [1, N].
        seed: Seed of the draws; the same seed gives the same clusters on the same machine.
        max_iterations: Lloyd iterations at most. Paper: 300.
        n_init: Restarts; the one with the lowest inertia is kept.
        initial_centroids: Where to begin instead of k-means++, shape (K, D), such as the last
            iteration's centroids; then there is nothing random and one start is all.

    Returns:
        The clusters.

    Raises:
        ConfigError: K, the restarts, the iterations or the shape of the initial centroids are
            outside what is allowed.
        FeatureError: Features are misshapen or not finite.

    References:
        Eq. 1; Algorithm 1, lines 4-5.

    >>> found = cluster([[0, 0], [2, 0], [3, 0], [10, 0], [12, 0]], n_clusters=2, seed=0)
    >>> found.clusters.tolist(), found.centers.tolist()
    ([1, 1, 1, 0, 0], [3, 1])
    """
    matrix = check_features(features)
    _check_settings(matrix, n_clusters, max_iterations, n_init)
    if initial_centroids is not None:
        start = _check_centroids(initial_centroids, (n_clusters, matrix.shape[1]))
        return _run(matrix, start, max_iterations)
    attempts = []
    for rng in np.random.default_rng(seed).spawn(n_init):
        seeds, nearest = seed_clusters(matrix, n_clusters, rng)
        attempts.append(_run(matrix, matrix[seeds], max_iterations, nearest))
    return min(attempts, key=lambda clustering: clustering.inertia)


def _check_settings(features: FloatArray, n_clusters: int, iterations: int, n_init: int) -> None:
    if not 1 <= n_clusters <= len(features):
        raise ConfigError(
            f"K = {n_clusters} clusters of {len(features)} images: K must be between 1 and the "
            "number of images. The paper has about 17 images in a cluster."
        )
    if iterations < 1 or n_init < 1:
        raise ConfigError(
            f"max_iterations and n_init must be at least 1, but are {iterations} and {n_init}."
        )


def _check_centroids(centroids: FloatArray, shape: tuple[int, int]) -> FloatArray:
    start = check_features(centroids, name="initial_centroids")
    if start.shape != shape:
        raise ConfigError(f"initial_centroids must have shape {shape}, but has {start.shape}.")
    return start


def _run(
    features: FloatArray,
    centroids: FloatArray,
    max_iterations: int,
    clusters: IntArray | None = None,
) -> Clustering:
    clusters, centroids, n_iterations = run_lloyd(
        features, centroids, max_iterations=max_iterations, clusters=clusters
    )
    distances = squared_distances(features, clusters, centroids)
    centers = nearest_members(distances, clusters, len(centroids))
    inertia = float(distances.sum(dtype=np.float64))
    return Clustering(clusters, centroids, centers, inertia, n_iterations)
