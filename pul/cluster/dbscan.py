"""Clusters without a K: DBSCAN on the Jaccard distance of k-reciprocal neighbourhoods."""

from collections.abc import Mapping

import numpy as np

from pul.arrays import FloatArray, IntArray, check_features
from pul.cluster.clustering import Clustering
from pul.cluster.jaccard import jaccard_distances
from pul.config import RunConfig
from pul.errors import ConfigError

OUTLIER = -1  # not a cluster of its own: its center would always be reliable, and train


def by_density(
    features: FloatArray, *, config: RunConfig, annotations: Mapping[int, int], **_: object
) -> Clustering:
    """Run the method `dbscan` of `RunConfig.clustering`: it finds K itself, and needs no seed."""
    return cluster_by_density(features, annotations=annotations, **config.dbscan.model_dump())


def cluster_by_density(
    features: FloatArray,
    *,
    annotations: Mapping[int, int] | None = None,
    eps: float = 0.6,
    min_samples: int = 4,
    k1: int = 30,
    k2: int = 6,
) -> Clustering:
    """Group images that lie densely; those that do not belong anywhere stay alone.

    N images, D dimensions, K clusters, which are as many as are found. Distances are sparse: memory
    grows with the number of neighbours, never with N².

    Args:
        features: Features, shape (N, D); they are l2-normalised for the distances.
        annotations: Image index → identity. Identities are the first L clusters, in ascending order
            of their number; the others are found among the images without an annotation.
        eps: Jaccard distance below which two images are neighbours, in (0, 1).
        min_samples: Neighbours, itself included, that put an image into the core of a cluster.
        k1: Neighbours that must be mutual.
        k2: Neighbours whose neighbourhoods are averaged.

    Returns:
        The clusters; `clusters` is -1 for an outlier, and the inertia is that of all others.

    Raises:
        ConfigError: No two images are dense enough to be a cluster, or a setting is outside what is
            allowed.
        FeatureError: Features are misshapen or not finite.

    References:
        Ester et al. 1996, A density-based algorithm for discovering clusters. Zhong et al. 2017 for
        the distance. Together as in Ge et al. 2020 (SpCL) and Dai et al. 2021 (Cluster Contrast),
        whose weights are exp(-d²), not scaled by the farthest image's.
    """
    matrix = check_features(features)
    clusters = np.full(len(matrix), OUTLIER, dtype=np.int64)
    given = dict(annotations or {})
    identities, ranks = np.unique(list(given.values()), return_inverse=True)
    clusters[list(given)] = ranks
    free = np.flatnonzero(clusters == OUTLIER)
    if len(free):
        found = _dbscan(matrix[free], eps, min_samples, k1, k2)
        clusters[free] = np.where(found == OUTLIER, OUTLIER, found + len(identities))
    if clusters.max(initial=OUTLIER) == OUTLIER:
        raise ConfigError(
            f"DBSCAN finds no cluster among {len(matrix)} images: no image has {min_samples} "
            f"neighbours nearer than {eps}. Raise dbscan.eps or lower dbscan.min_samples."
        )
    return Clustering.from_labels(matrix, clusters)


def _dbscan(features: FloatArray, eps: float, min_samples: int, k1: int, k2: int) -> IntArray:
    from sklearn.cluster import DBSCAN  # slow to load

    distances = jaccard_distances(features, k1=k1, k2=k2, max_distance=eps, scaled=False)
    search = DBSCAN(eps=eps, min_samples=min_samples, metric="precomputed")
    labels: IntArray = search.fit_predict(distances).astype(np.int64)
    return labels
