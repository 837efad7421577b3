"""Clusters of an iteration's images, with what people and cameras know of them."""

from numpy.typing import ArrayLike

from pul.algorithm.events import LiveSettings
from pul.arrays import FloatArray, check_features
from pul.cluster.clustering import Clustering
from pul.cluster.kmeans import cluster
from pul.cluster.linked_kmeans import cluster_linked, refine_linked
from pul.cluster.links import Links, beside_identities
from pul.config import RunConfig
from pul.config.methods import CLUSTERINGS, load_method
from pul.data.footage import Footage, embed, find_moments, find_tracklets
from pul.errors import ConfigError


def find_links(
    features: FloatArray,
    settings: LiveSettings,
    *,
    config: RunConfig | None = None,
    footage: Footage | None = None,
) -> Links:
    """Put together what people said of the images, and what their cameras say of them.

    Args:
        features: Un-normalised features, shape (N, D): frames that are near in time are one
            tracklet where they look alike too.
        settings: What people said.
        config: Whether footage counts (`use_tracklets`).
        footage: Where and when the images were taken.

    Raises:
        ConfigError: People named an image that is not there.
    """
    tracklets = moments = None
    if config is not None and config.use_tracklets and footage is not None:
        tracklets = find_tracklets(embed(features, footage.camids), footage)
        moments = find_moments(footage)
    return Links.of(
        len(features),
        annotations=settings.annotations,
        together=settings.together,
        apart=settings.apart,
        tracklets=tracklets,
        moments=moments,
    )


def cluster_images(
    features: ArrayLike,
    *,
    n_clusters: int,
    seed: int,
    config: RunConfig | None = None,
    links: Links | None = None,
) -> Clustering:
    """Cluster images by the method of the settings, with or without what is known of them.

    N images, D dimensions, K clusters, L identities. Identities are the first L clusters, in
    ascending order of their number. Whatever the method: images of a group share a cluster, or are
    outliers together; two identities, and groups that are apart, never share one. With
    `annotation_mode` `append`, the paper's, an image that is in no identity's group never joins
    one; with `constrained` it does where the method would join it.

    Args:
        features: Un-normalised features, shape (N, D).
        n_clusters: K, the identities included; a method that finds K itself ignores it.
        seed: Seed of k-means.
        config: Which method, and its settings; the paper's by default.
        links: What is known of the images. Without identities this is plain PUL; with an identity
            for each image it is supervised learning.

    Returns:
        The clustering of all N images.

    Raises:
        ConfigError: K or another setting does not suit these images, or links are of other images.
        FeatureError: Features are misshapen or not finite.

    References:
        Algorithm 1, lines 4-5; Sec. III-C.
    """
    config, matrix = config or RunConfig(), check_features(features)
    links = links or Links.of(len(matrix))
    if len(links) != len(matrix):
        raise ConfigError(f"Links of {len(links)} images cannot steer {len(matrix)} images.")
    clustering: Clustering = load_method(CLUSTERINGS, config.clustering)(
        matrix, n_clusters=n_clusters, seed=seed, config=config, links=links
    )
    if not links.hold_in(clustering.clusters):
        raise ConfigError(
            f"The clustering method {config.clustering!r} does not keep what people and cameras "
            "said of the images; choose another one, or run without labels and tracklets."
        )
    return clustering


def by_kmeans(
    features: FloatArray, *, n_clusters: int, seed: int, config: RunConfig, links: Links
) -> Clustering:
    """Run the method `kmeans` of `RunConfig.clustering`, the paper's.

    With identities there are K - L other clusters, found among the images of no identity. In
    `constrained`, Lloyd's iterations follow over all images with the identities held.
    """
    if not links.n_identities:
        return _kmeans(features, n_clusters, seed, config, links)
    n_free = links.n_groups - links.n_identities
    if n_free:
        _check_n_clusters(n_clusters, links.n_identities, n_free)
    clusters = beside_identities(
        links,
        lambda free: (
            _kmeans(
                features[free], n_clusters - links.n_identities, seed, config, links.take(free)
            ).clusters
        ),
    )
    if config.annotation_mode == "constrained":
        return refine_linked(features, clusters, links)
    return Clustering.from_labels(features, clusters)


def _kmeans(
    features: FloatArray, n_clusters: int, seed: int, config: RunConfig, links: Links
) -> Clustering:
    if not links.says_nothing:
        return cluster_linked(
            features, links, n_clusters=n_clusters, seed=seed, n_init=config.kmeans_n_init
        )
    return cluster(
        features,
        n_clusters=n_clusters,
        seed=seed,
        max_iterations=config.kmeans_max_iterations,
        n_init=config.kmeans_n_init,
    )


def fit_n_clusters(n_clusters: int, links: Links) -> int:
    """Return the K that a run uses, given what is known of its images by now.

    N images, K clusters, L identities. It is K, the L identities included, where that leaves from
    one cluster to one for each group to the images of no identity. More people than K are known
    sooner than an iteration ends; a run must not fail for that, so the images of no identity get
    their share of K then: as many clusters to an image as K has.

    Args:
        n_clusters: K as asked for.
        links: What is known of the N images.

    References:
        Sec. III-C of the paper on K - L clusters.
    """
    n_images, n_identities = len(links), links.n_identities
    n_free = int((links.identity_of < 0).sum())
    if not n_identities or not n_free or n_clusters > n_images:  # the last is refused, as ever
        return n_clusters
    highest = links.n_groups
    if n_clusters > n_identities:
        return min(n_clusters, highest)
    return min(n_identities + max(1, round(n_clusters * n_free / n_images)), highest)


def _check_n_clusters(n_clusters: int, n_identities: int, n_free: int) -> None:
    if not n_identities < n_clusters <= n_identities + n_free:
        raise ConfigError(
            f"K counts the {n_identities} annotated identities and leaves the rest to the "
            f"{n_free} other images: it must be in [{n_identities + 1}, {n_identities + n_free}], "
            f"but is {n_clusters}."
        )
