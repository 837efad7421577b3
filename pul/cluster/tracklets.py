"""K-means under the rule that all images of a tracklet share a cluster."""

import numpy as np

from pul.arrays import FloatArray, IntArray, check_features, group_means
from pul.cluster.clustering import Clustering
from pul.cluster.kmeans import cluster
from pul.errors import ConfigError

_ITERATIONS = 100  # Lloyd from converged centroids settles in far fewer


def cluster_tracklets(
    features: FloatArray, tracklets: IntArray, *, n_clusters: int, seed: int, n_init: int = 1
) -> Clustering:
    """Group images by k-means with each tracklet held together.

    N images in T tracklets, D dimensions, K clusters. A tracklet's mean weighs as much as it has
    images, so that Eq. 1 is minimised over all images under that rule: the squared distances of a
    tracklet's images to a centroid are those to its mean, plus what no centroid can change.

    Args:
        features: Un-normalised features, shape (N, D).
        tracklets: Tracklet of each image, shape (N,); an image alone is a tracklet of its own.
        n_clusters: K, in [1, T]; fewer clusters come out where one runs empty.
        seed: Seed of k-means on the means, which gives the start.
        n_init: Restarts of it.

    Returns:
        The clusters of all N images.

    Raises:
        ConfigError: K is outside [1, T].

    References:
        Eq. 1; the paper's conclusion: "frames within a tracklet can be viewed as belonging to the
        same ID, which can be used to initialize clustering and fine-tuning".
    """
    matrix = check_features(features)
    _, of = np.unique(tracklets, return_inverse=True)
    sizes = np.bincount(of)
    if not 1 <= n_clusters <= len(sizes):
        raise ConfigError(
            f"K = {n_clusters} clusters of {len(sizes)} tracklets: K must be between 1 and the "
            "number of tracklets; lower n_clusters or turn use_tracklets off."
        )
    means = group_means(matrix, of)  # (T, D)
    found = cluster(means, n_clusters=n_clusters, seed=seed, n_init=n_init).clusters
    return Clustering.from_labels(matrix, _run_weighted_lloyd(means, sizes, found)[of])


def _run_weighted_lloyd(means: FloatArray, sizes: IntArray, clusters: IntArray) -> IntArray:
    """Run Lloyd's iterations on weighted means; drop clusters that run empty."""
    for _ in range(_ITERATIONS):
        centroids = group_means(means, clusters, weights=sizes)
        distances = np.square(centroids).sum(axis=1) - 2 * (means @ centroids.T)
        nearest = np.unique(distances.argmin(axis=1), return_inverse=True)[1].astype(np.int64)
        if (nearest == clusters).all():
            break
        clusters = nearest
    return clusters
