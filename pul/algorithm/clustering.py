"""Clusters of an iteration's images, with or without identities that people gave."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from pul.arrays import FloatArray, IntArray, check_features, group_means
from pul.cluster.clustering import Clustering
from pul.cluster.kmeans import cluster
from pul.cluster.tracklets import cluster_tracklets
from pul.config import RunConfig
from pul.config.methods import CLUSTERINGS, load_method
from pul.data.footage import Footage, embed, find_tracklets
from pul.errors import ConfigError

_CONSTRAINED_ITERATIONS = 30  # Lloyd from a converged start settles in far fewer


def cluster_images(
    features: ArrayLike,
    *,
    n_clusters: int,
    seed: int,
    config: RunConfig | None = None,
    annotations: Mapping[int, int] | None = None,
    footage: Footage | None = None,
) -> Clustering:
    """Cluster images by the method of the settings, with or without identities that people gave.

    N images, D dimensions, K clusters, L identities. Identities are the first L clusters, in
    ascending order of their number.

    Args:
        features: Un-normalised features, shape (N, D).
        n_clusters: K, the identities included; a method that finds K itself ignores it.
        seed: Seed of k-means.
        config: Which method, and its settings; the paper's by default.
        annotations: Image index → identity; empty is plain PUL, all images is supervised learning.
        footage: Where and when the images were taken, for `use_tracklets`.

    Returns:
        The clustering of all N images.

    Raises:
        ConfigError: K or another setting does not suit these images.
        FeatureError: Features are misshapen or not finite.

    References:
        Algorithm 1, lines 4-5; Sec. III-C.
    """
    config = config or RunConfig()
    clustering: Clustering = load_method(CLUSTERINGS, config.clustering)(
        check_features(features),
        n_clusters=n_clusters,
        seed=seed,
        config=config,
        annotations=annotations or {},
        footage=footage,
    )
    return clustering


def by_kmeans(
    features: FloatArray,
    *,
    n_clusters: int,
    seed: int,
    config: RunConfig,
    annotations: Mapping[int, int],
    footage: Footage | None,
) -> Clustering:
    """Run the method `kmeans` of `RunConfig.clustering`, the paper's."""
    tracklets = None
    if config.use_tracklets and footage is not None:
        tracklets = find_tracklets(embed(features, footage.camids), footage)
    if not annotations:
        return _kmeans(features, n_clusters, seed, config, tracklets)
    return _kmeans_around_people(features, n_clusters, seed, config, tracklets, annotations)


def _kmeans(
    features: FloatArray, n_clusters: int, seed: int, config: RunConfig, tracklets: IntArray | None
) -> Clustering:
    if tracklets is not None:
        return cluster_tracklets(
            features, tracklets, n_clusters=n_clusters, seed=seed, n_init=config.kmeans_n_init
        )
    return cluster(
        features,
        n_clusters=n_clusters,
        seed=seed,
        max_iterations=config.kmeans_max_iterations,
        n_init=config.kmeans_n_init,
    )


def _kmeans_around_people(
    features: FloatArray,
    n_clusters: int,
    seed: int,
    config: RunConfig,
    tracklets: IntArray | None,
    annotations: Mapping[int, int],
) -> Clustering:
    """Cluster into L identities and K - L others, found among the images without an annotation.

    `append` (the paper): an image without an annotation never joins an identity. `constrained`:
    Lloyd's iterations follow over all images with the annotated ones held, so that a cluster that
    is really a known person joins that person; two persons never share one.
    """
    clusters, n_identities = _identity_clusters(len(features), annotations)
    free = np.flatnonzero(clusters < 0)
    if len(free):
        _check_n_clusters(n_clusters, n_identities, len(free))
        of_free = None if tracklets is None else tracklets[free]
        found = _kmeans(features[free], n_clusters - n_identities, seed, config, of_free)
        clusters[free] = found.clusters + n_identities
        if config.annotation_mode == "constrained":
            clusters = _refine(features, clusters, free)
    return Clustering.from_labels(features, clusters)


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
        Sec. III-C of the paper on K - L clusters.
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
        centroids = group_means(features, clusters)
        distances = np.square(centroids).sum(axis=1) - 2 * (features[free] @ centroids.T)
        nearest = distances.argmin(axis=1)
        if (nearest == clusters[free]).all():
            break
        clusters[free] = nearest
        clusters = np.unique(clusters, return_inverse=True)[1].astype(np.int64)
    return clusters
