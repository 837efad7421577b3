"""K-means under must-links and cannot-links."""

import itertools

import numpy as np

from pul.arrays import (
    BoolArray,
    FloatArray,
    IntArray,
    check_features,
    group_means,
    row_blocks,
    rows_within,
)
from pul.cluster.clustering import Clustering
from pul.cluster.kmeans import cluster
from pul.cluster.links import Links
from pul.errors import ConfigError

_ITERATIONS = 100  # Lloyd from converged centroids settles in far fewer
_BLOCK_BYTES = 32 * 2**20  # distances of means to centroids, held at a time


def cluster_linked(
    features: FloatArray, links: Links, *, n_clusters: int, seed: int, n_init: int = 1
) -> Clustering:
    """Group images by k-means such that every link holds.

    N images in G groups that are one person each, D dimensions, K clusters. A group's mean weighs
    as much as it has images, so that Eq. 1 is minimised over all images under that rule: the
    squared distances of a group's images to a centroid are those to its mean, plus what no centroid
    can change.

    Args:
        features: Un-normalised features, shape (N, D).
        links: What is known of the images; identities count as any other group here.
        n_clusters: K, in [1, G]. Fewer clusters come out where one runs empty, and more where a
            group is apart from somebody in each cluster.
        seed: Seed of k-means on the means, which gives the start.
        n_init: Restarts of it.

    Returns:
        The clusters of all N images.

    Raises:
        ConfigError: K is outside [1, G].

    References:
        Eq. 1; the paper's conclusion: "frames within a tracklet can be viewed as belonging to the
        same ID, which can be used to initialize clustering and fine-tuning". Wagstaff et al. 2001,
        Constrained K-means clustering with background knowledge.
    """
    matrix = check_features(features)
    if not 1 <= n_clusters <= links.n_groups:
        raise ConfigError(
            f"K = {n_clusters} clusters of {links.n_groups} groups of images that are one person: "
            "K must be between 1 and their number; lower n_clusters or turn use_tracklets off."
        )
    means = group_means(matrix, links.groups)  # (G, D)
    found = cluster(means, n_clusters=n_clusters, seed=seed, n_init=n_init).clusters
    held = np.zeros(links.n_groups, dtype=np.bool_)
    return Clustering.from_labels(matrix, _run_lloyd(means, found, links, held)[links.groups])


def refine_linked(features: FloatArray, clusters: IntArray, links: Links) -> Clustering:
    """Run Lloyd's iterations over all images with the identities held in their clusters.

    N images, K clusters, L identities. A cluster that is really a known person joins that person.

    Args:
        features: Un-normalised features, shape (N, D).
        clusters: Cluster of each image to begin with, shape (N,): identity l is cluster l, and
            images of one group share a cluster.
        links: What is known of the images.

    Returns:
        The clusters: the identities first, by their rank; those that run empty are gone.
    """
    means = group_means(features, links.groups)  # (G, D)
    firsts = np.unique(links.groups, return_index=True)[1]
    found = _run_lloyd(means, clusters[firsts], links, links.identities >= 0)
    return Clustering.from_labels(features, found[links.groups])


def _run_lloyd(means: FloatArray, clusters: IntArray, links: Links, held: BoolArray) -> IntArray:
    """Run Lloyd's iterations on weighted means, shape (G, D); drop clusters that run empty."""
    others = _others(links)
    for _ in range(_ITERATIONS):
        centroids = group_means(means, clusters, weights=links.sizes)
        nearest = _assign(means, centroids, clusters, held, others)
        nearest = np.unique(nearest, return_inverse=True)[1].astype(np.int64)
        if (nearest == clusters).all():
            break
        clusters = nearest
    return clusters


def _assign(
    means: FloatArray,
    centroids: FloatArray,
    clusters: IntArray,
    held: BoolArray,
    others: dict[int, list[int]],
) -> IntArray:
    """Put each group into the nearest cluster without a group that it is apart from.

    Those that lie nearest to a centroid choose first. Where no cluster is left, a group gets one of
    its own.
    """
    nearest, distances = _nearest(means, centroids)
    nearest[held] = clusters[held]
    asked = np.array([group for group in others if not held[group]], dtype=np.int64)
    asked = asked[np.lexsort((asked, distances[asked]))]
    nearest[asked] = -1
    own = itertools.count(len(centroids))
    for group in asked.tolist():
        taken = {int(nearest[other]) for other in others[group]} - {-1}
        away = np.square(centroids - means[group]).sum(axis=1)
        away[[cluster for cluster in taken if cluster < len(away)]] = np.inf
        best = int(away.argmin())
        nearest[group] = best if np.isfinite(away[best]) else next(own)
    return nearest


def _nearest(means: FloatArray, centroids: FloatArray) -> tuple[IntArray, FloatArray]:
    """Return the nearest centroid of each mean, and its squared distance."""
    nearest = np.empty(len(means), dtype=np.int64)
    distances = np.empty(len(means), dtype=np.float32)
    lengths = np.square(centroids).sum(axis=1)
    for rows in row_blocks(len(means), rows_within(_BLOCK_BYTES, len(centroids))):
        table = lengths - 2 * (means[rows] @ centroids.T)  # (B, K)
        nearest[rows] = table.argmin(axis=1)
        distances[rows] = table.min(axis=1) + np.square(means[rows]).sum(axis=1)
    return nearest, distances


def _others(links: Links) -> dict[int, list[int]]:
    """Return, of each group that is apart from others, which they are."""
    others: dict[int, list[int]] = {}
    for left, right in links.apart.tolist():
        others.setdefault(left, []).append(right)
        others.setdefault(right, []).append(left)
    return others
