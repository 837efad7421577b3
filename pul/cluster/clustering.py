"""What clustering gives: the cluster of each image, means, and the image at each center."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from pul.arrays import FloatArray, IntArray, check_features, group_means, row_blocks, rows_within
from pul.errors import FeatureError

_BLOCK_BYTES = 32 * 2**20  # differences to centroids, held at a time


@dataclass(frozen=True, slots=True)
class Clustering:
    """N images in K clusters, none of them empty.

    Attributes:
        clusters: Cluster of each image, shape (N,), int64, values in [0, K); -1 for an outlier,
            which k-means has none of.
        centroids: Mean feature of each cluster, shape (K, D), float32.
        centers: Index of the member nearest to its cluster's centroid, shape (K,), int64.
        inertia: Sum of squared distances of the clustered images to their centroids (Eq. 1).
        n_iterations: Lloyd iterations of the restart that was taken; 0 where there were none.
    """

    clusters: IntArray
    centroids: FloatArray
    centers: IntArray
    inertia: float
    n_iterations: int

    @classmethod
    def from_labels(cls, features: ArrayLike, clusters: ArrayLike) -> Self:
        """Describe images whose clusters are known, however they were found.

        N images, D dimensions, K clusters.

        Args:
            features: Un-normalised features, shape (N, D).
            clusters: Cluster of each image, shape (N,), values in [0, K), none empty; -1 for an
                outlier, which counts for nothing.

        Returns:
            The clustering: means, the images nearest to them, and the inertia.

        Raises:
            FeatureError: Features are misshapen or not finite, or a cluster has no image.

        >>> found = Clustering.from_labels([[0], [2], [3], [9]], [0, 0, 1, -1])
        >>> found.centroids.ravel().tolist(), found.centers.tolist(), found.inertia
        ([1.0, 3.0], [0, 2], 2.0)
        """
        matrix = check_features(features)
        labels = np.asarray(clusters, dtype=np.int64)
        members = np.flatnonzero(labels >= 0)
        inside, groups = matrix[members], labels[members]
        _check_none_empty(groups)
        centroids = group_means(inside, groups)
        centers = members[find_centers(inside, groups, centroids)]
        inertia = float(np.square(inside - centroids[groups]).sum(dtype=np.float64))
        return cls(labels, centroids, centers, inertia, n_iterations=0)


def find_centers(features: ArrayLike, clusters: IntArray, centroids: FloatArray) -> IntArray:
    """Find the image nearest to each centroid among the members of its own cluster.

    Args:
        features: Features, shape (N, D).
        clusters: Cluster of each image, shape (N,), values in [0, K).
        centroids: Centroids, shape (K, D).

    Returns:
        Index of each cluster's center, shape (K,); of equally near members the lowest.

    Raises:
        FeatureError: A cluster has no member.

    References:
        Algorithm 1, line 5 ("the nearest feature to the corresponding centroid"), restricted to
        members as the constraint of Eq. 2 needs it.
    """
    matrix = check_features(features)
    distances = squared_distances(matrix, clusters, centroids)
    return nearest_members(distances, clusters, len(centroids))


def squared_distances(
    features: FloatArray, clusters: IntArray, centroids: FloatArray
) -> FloatArray:
    """Return the squared distance of each image to its own centroid.

    From differences: |x|² - 2x·c + |c|² loses precision where the image is near its centroid.

    Args:
        features: Features, shape (N, D).
        clusters: Cluster of each image, shape (N,), values in [0, K).
        centroids: Centroids, shape (K, D).

    Returns:
        Squared distances, shape (N,), float32.
    """
    distances = np.empty(len(features), dtype=np.float32)
    for rows in row_blocks(len(features), rows_within(_BLOCK_BYTES, features.shape[1])):
        difference = features[rows] - centroids[clusters[rows]]
        distances[rows] = np.einsum("nd,nd->n", difference, difference)
    return distances


def nearest_members(distances: FloatArray, clusters: IntArray, n_clusters: int) -> IntArray:
    """Return the member of each cluster with the lowest distance, shape (K,)."""
    _check_none_empty(clusters, n_clusters)
    order = np.lexsort((distances, clusters))  # stable: the lowest index comes first on ties
    return order[np.searchsorted(clusters[order], np.arange(n_clusters))]


def _check_none_empty(clusters: IntArray, n_clusters: int = 0) -> None:
    empty = np.flatnonzero(np.bincount(clusters, minlength=n_clusters) == 0)
    if len(empty):
        n_clusters = max(n_clusters, int(clusters.max(initial=-1)) + 1)
        raise FeatureError(
            f"{len(empty)} of {n_clusters} clusters have no image (first: cluster {empty[0]}); "
            "a center must be one of its cluster's own images."
        )
