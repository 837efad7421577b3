"""Step 2 of an iteration: every image's cluster, with or without identities that people gave."""

from collections.abc import Mapping
from typing import Literal

import numpy as np

from pul.algorithm.events import LiveSettings
from pul.arrays import FloatArray, IntArray, check_features
from pul.cluster.dbscan import cluster_by_density
from pul.cluster.kmeans import Clustering, cluster, find_centers
from pul.cluster.tracklets import cluster_tracklets
from pul.config import RunConfig
from pul.data.footage import Footage, embed, find_tracklets
from pul.errors import ConfigError

_CONSTRAINED_ITERATIONS = 30  # Lloyd from a converged start settles in far fewer


def assign(
    features: FloatArray,
    *,
    n_clusters: int,
    seed: int,
    annotations: Mapping[int, int] | None = None,
    mode: Literal["append", "constrained"] = "append",
    max_iterations: int = 300,
    n_init: int = 1,
    backend: Literal["exact", "faiss"] = "exact",
    tracklets: IntArray | None = None,
) -> Clustering:
    """Cluster images, keeping the identities that people gave as clusters of their own.

    N images, K clusters, L identities. Identities are the first L clusters in ascending order of
    their number; the K - L others are found by k-means on the images without an annotation.

    Args:
        features: Un-normalised features, shape (N, D).
        n_clusters: K, the identities included.
        seed: Seed of k-means.
        annotations: Image index → identity; empty is plain PUL, all images is supervised learning.
        mode: `append` (the paper): an image without an annotation never joins an identity.
            `constrained`: Lloyd goes on over all images with the annotated ones held, so that a
            cluster that is really a known person joins that person; two persons never share one.
        max_iterations: Lloyd iterations at most.
        n_init: Restarts of k-means.
        backend: See `pul.cluster.kmeans.cluster`.
        tracklets: Tracklet of each image, shape (N,): its images share a cluster, annotated ones
            and `constrained` refinement apart; None for no such rule.

    Returns:
        The clustering of all N images; its inertia is that of all of them.

    Raises:
        ConfigError: K leaves no cluster for the images without an annotation, or exceeds them.

    References:
        Algorithm 1, lines 4-5; Sec. III-C; METHOD §2 on K - L clusters.
    """

    def find(features: FloatArray, n_clusters: int, tracklets: IntArray | None) -> Clustering:
        if tracklets is not None:
            return cluster_tracklets(
                features, tracklets, n_clusters=n_clusters, seed=seed, n_init=n_init
            )
        return cluster(
            features,
            n_clusters=n_clusters,
            seed=seed,
            max_iterations=max_iterations,
            n_init=n_init,
            backend=backend,
        )

    if not annotations:
        return find(features, n_clusters, tracklets)
    features = check_features(features)
    clusters, n_identities = _identity_clusters(len(features), annotations)
    free = np.flatnonzero(clusters < 0)
    if len(free):
        _check_n_clusters(n_clusters, n_identities, len(free))
        of_free = None if tracklets is None else tracklets[free]
        found = find(features[free], n_clusters - n_identities, of_free)
        clusters[free] = found.clusters + n_identities
        if mode == "constrained":
            clusters = _refine(features, clusters, free)
    centroids = _means(features, clusters, int(clusters.max()) + 1)
    inertia = float(np.square(features - centroids[clusters]).sum(dtype=np.float64))
    centers = find_centers(features, clusters, centroids)
    return Clustering(clusters, centroids, centers, inertia, n_iterations=0)


def fit_n_clusters(n_clusters: int, n_images: int, annotations: Mapping[int, int]) -> int:
    """Return the K that a run uses, given what people have labelled by now.

    N images, K clusters, L identities. It is K, the L identities included, where that leaves from
    one cluster to one for each image to those that nobody labelled. More people than K are known
    sooner than an iteration ends; a run must not fail for that, so the images without a label get
    their share of K then: as many clusters to an image as K has.

    Args:
        n_clusters: K as asked for.
        n_images: N.
        annotations: Image index → identity.

    References:
        METHOD §2 on K - L clusters; docs/decisions/0051.
    """
    n_identities, n_free = len(set(annotations.values())), n_images - len(annotations)
    if not n_identities or not n_free or n_clusters > n_images:  # the last is refused, as ever
        return n_clusters
    if n_clusters > n_identities:
        return min(n_clusters, n_identities + n_free)
    return n_identities + max(1, round(n_clusters * n_free / n_images))


def _identity_clusters(n_images: int, annotations: Mapping[int, int]) -> tuple[IntArray, int]:
    images = np.fromiter(annotations.keys(), dtype=np.int64, count=len(annotations))
    identities = np.fromiter(annotations.values(), dtype=np.int64, count=len(annotations))
    if images.min() < 0 or images.max() >= n_images:
        raise ConfigError(
            f"Annotations name image {images.max()}, but there are {n_images} images, from 0."
        )
    known, ranks = np.unique(identities, return_inverse=True)
    clusters = np.full(n_images, -1, dtype=np.int64)
    clusters[images] = ranks
    return clusters, len(known)


def _check_n_clusters(n_clusters: int, n_identities: int, n_free: int) -> None:
    if not n_identities < n_clusters <= n_identities + n_free:
        raise ConfigError(
            f"K counts the {n_identities} annotated identities and leaves the rest to the "
            f"{n_free} other images: it must be in [{n_identities + 1}, {n_identities + n_free}], "
            f"but is {n_clusters}."
        )


def _refine(features: FloatArray, clusters: IntArray, free: IntArray) -> IntArray:
    """Run Lloyd over all images with the annotated ones held; drop clusters that end up empty."""
    clusters = clusters.copy()
    for _ in range(_CONSTRAINED_ITERATIONS):
        centroids = _means(features, clusters, int(clusters.max()) + 1)
        distances = np.square(centroids).sum(axis=1) - 2 * (features[free] @ centroids.T)
        nearest = distances.argmin(axis=1)
        if (nearest == clusters[free]).all():
            break
        clusters[free] = nearest
        clusters = np.unique(clusters, return_inverse=True)[1].astype(np.int64)
    return clusters


def _means(features: FloatArray, clusters: IntArray, n_clusters: int) -> FloatArray:
    sums = np.zeros((n_clusters, features.shape[1]), dtype=np.float64)
    np.add.at(sums, clusters, features)
    counts = np.bincount(clusters, minlength=n_clusters)
    return np.asarray(sums / counts[:, None], dtype=np.float32)


def group_images(
    features: FloatArray,
    settings: LiveSettings,
    config: RunConfig,
    *,
    seed: int,
    footage: Footage | None = None,
) -> Clustering:
    """Cluster the images: lines 4-5 of Algorithm 1.

    Args:
        features: Un-normalised features, shape (N, D).
        settings: K and the annotations.
        config: Which clustering, and its settings.
        seed: Seed of k-means.
        footage: Where and when the images were taken, which tells tracklets.

    Returns:
        The clusters; annotated identities are the first L of them.

    Raises:
        ConfigError: K or another setting does not suit these images.
    """
    if config.clustering == "dbscan":
        return cluster_by_density(
            features, annotations=settings.annotations, **config.dbscan.model_dump()
        )
    return assign(
        features,
        n_clusters=fit_n_clusters(settings.n_clusters, len(features), settings.annotations),
        seed=seed,
        annotations=settings.annotations,
        mode=config.annotation_mode,
        max_iterations=config.kmeans_max_iterations,
        n_init=config.kmeans_n_init,
        backend=config.kmeans_backend,
        tracklets=_tracklets(features, footage) if config.use_tracklets else None,
    )


def _tracklets(features: FloatArray, footage: Footage | None) -> IntArray | None:
    """Return the tracklet of each image, by its name, or by near frames that look alike."""
    if footage is None:
        return None
    return find_tracklets(embed(features, footage.camids), footage)
