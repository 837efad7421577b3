"""k-means by faiss, for more images than exactness is worth waiting for."""

import numpy as np

from pul.arrays import FloatArray
from pul.errors import ConfigError

_EARLY_STOP = 1e-3  # relative fall of the inertia below which more iterations hardly matter


def train_centroids(
    features: FloatArray, n_clusters: int, seed: int, max_iterations: int, n_init: int
) -> FloatArray:
    """Return the centroids that faiss finds on all images.

    Its defaults are not the paper's: it begins at random images, runs 25 iterations, and keeps at
    most 256 images for each centroid. Here it begins by k-means++ and leaves no image out.

    Args:
        features: Features, shape (N, D), float32, contiguous.
        n_clusters: K.
        seed: Seed of the draws.
        max_iterations: Lloyd iterations at most.
        n_init: Restarts.

    Returns:
        Centroids, shape (K, D), float32.

    Raises:
        ConfigError: faiss is not installed.
    """
    try:
        import faiss
    except ImportError as error:
        raise ConfigError(
            "kmeans_backend 'faiss' needs a package: `pip install faiss-cpu`; or use 'exact'."
        ) from error
    kmeans = faiss.Kmeans(
        features.shape[1],
        n_clusters,
        niter=max_iterations,
        nredo=n_init,
        seed=seed,
        init_method=faiss.ClusteringInitMethod_KMEANS_PLUS_PLUS,
        early_stop_threshold=_EARLY_STOP,
        min_points_per_centroid=1,
        max_points_per_centroid=len(features),
    )
    kmeans.train(features)
    return np.asarray(kmeans.centroids, dtype=np.float32)
