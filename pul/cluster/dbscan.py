"""Clusters without a K: DBSCAN on the Jaccard distance of k-reciprocal neighbourhoods."""

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from pul.arrays import BoolArray, FloatArray, IntArray, check_features
from pul.cluster.clustering import Clustering
from pul.cluster.jaccard import jaccard_distances
from pul.cluster.links import LinkedSets, Links, beside_identities
from pul.config import RunConfig
from pul.errors import ConfigError

OUTLIER = -1  # not a cluster of its own: its center would always be reliable, and train


def by_density(features: FloatArray, *, config: RunConfig, links: Links, **_: object) -> Clustering:
    """Run the method `dbscan` of `RunConfig.clustering`: it finds K itself, and needs no seed."""
    settings = config.dbscan
    if config.annotation_mode == "constrained":
        return cluster_by_density(features, links=links, **settings.model_dump())
    clusters = beside_identities(
        links,
        lambda free: _find_clusters(features[free], links.take(free), **settings.model_dump()),
    )
    _check_any(clusters, settings.eps, settings.min_samples)
    return Clustering.from_labels(features, clusters)


def cluster_by_density(
    features: FloatArray,
    *,
    links: Links | None = None,
    eps: float = 0.6,
    min_samples: int = 4,
    k1: int = 30,
    k2: int = 6,
) -> Clustering:
    """Group images that lie densely; those that do not belong anywhere stay alone.

    N images, D dimensions, K clusters, which are as many as are found. Distances are sparse: memory
    grows with the number of neighbours, never with N².

    Links hold: images of a group count as each other's neighbours, whatever their distance. What
    lies densely around an image of an identity joins that identity. Where density would join two
    groups that are apart, it is cut between them: the nearest join first, and what would join the
    two does not. A group without a core image joins the nearest core image that it may join.

    Args:
        features: Features, shape (N, D); they are l2-normalised for the distances.
        links: What is known of the images.
        eps: Jaccard distance below which two images are neighbours, in (0, 1).
        min_samples: Neighbours, itself included, that put an image into the core of a cluster.
        k1: Neighbours that must be mutual.
        k2: Neighbours whose neighbourhoods are averaged.

    Returns:
        The clusters, those of the L identities first; the others by their first image. `clusters`
        is -1 for an outlier, and the inertia is that of all others.

    Raises:
        ConfigError: No two images are dense enough to be a cluster, or a setting is outside what is
            allowed.
        FeatureError: Features are misshapen or not finite.

    References:
        Ester et al. 1996, A density-based algorithm for discovering clusters; Ruiz et al. 2007,
        C-DBSCAN, for the links. Zhong et al. 2017 for the distance. Together as in Ge et al. 2020
        (SpCL) and Dai et al. 2021 (Cluster Contrast), whose weights are exp(-d²), not scaled by the
        farthest image's. An image at the border of two clusters joins the one whose core image is
        nearest: sklearn's first one depends on the order of the images.
    """
    matrix = check_features(features)
    clusters = _find_clusters(matrix, links or Links.of(len(matrix)), eps, min_samples, k1, k2)
    _check_any(clusters, eps, min_samples)
    return Clustering.from_labels(matrix, clusters)


def _check_any(clusters: IntArray, eps: float, min_samples: int) -> None:
    if clusters.max(initial=OUTLIER) == OUTLIER:
        raise ConfigError(
            f"DBSCAN finds no cluster among {len(clusters)} images: no image has {min_samples} "
            f"neighbours nearer than {eps}. Raise dbscan.eps or lower dbscan.min_samples."
        )


def _find_clusters(
    features: FloatArray, links: Links, eps: float, min_samples: int, k1: int, k2: int
) -> IntArray:
    """Return the cluster of each image, shape (N,), the L identities first; -1 for an outlier."""
    table = jaccard_distances(features, k1=k1, k2=k2, max_distance=eps, scaled=False).tocoo()
    near = table.data <= eps
    rows, columns, distances = table.row[near], table.col[near], table.data[near]
    left, right = links.groups[rows], links.groups[columns]
    n_mates = np.bincount(rows[left == right], minlength=len(links))  # neighbours by distance too
    n_near = np.bincount(rows, minlength=len(links)) - n_mates + links.sizes[links.groups]
    is_core = n_near >= min_samples
    core_groups = np.bincount(links.groups, weights=is_core, minlength=links.n_groups) > 0
    sets = links.sets()
    joins = is_core[rows] & is_core[columns] & (left < right)
    _join_core(sets, links, *_by_distance(left[joins], right[joins], distances[joins]))
    border = ~core_groups[left] & is_core[columns]
    _join_border(sets, *_by_distance(left[border], right[border], distances[border]))
    return _number(sets.roots(), core_groups, links)


def _by_distance(
    left: IntArray, right: IntArray, distances: FloatArray
) -> tuple[IntArray, IntArray]:
    """Return pairs of groups, the nearest first; of equally near ones the lowest."""
    order = np.lexsort((right, left, distances))
    return left[order], right[order]


def _join_core(sets: LinkedSets, links: Links, left: IntArray, right: IntArray) -> None:
    """Join what is density-connected, but for what is apart."""
    n_groups = links.n_groups
    graph = sparse.coo_array((np.ones(len(left), np.int8), (left, right)), (n_groups, n_groups))
    components = connected_components(graph, directed=False)[1]
    is_contradictory = _contradictory(components, links)
    firsts = np.unique(components, return_index=True)[1]
    for group in np.flatnonzero(~is_contradictory[components]).tolist():
        sets.join(int(firsts[components[group]]), group)
    cut = is_contradictory[components[left]]
    for a, b in zip(left[cut].tolist(), right[cut].tolist(), strict=True):
        sets.join(a, b)


def _contradictory(components: IntArray, links: Links) -> BoolArray:
    """Mark the components that hold two identities, or two groups that are apart."""
    named = components[links.identities >= 0]
    is_contradictory = np.bincount(named, minlength=len(components)) > 1
    left, right = components[links.apart].T
    is_contradictory[left[left == right]] = True
    return is_contradictory


def _join_border(sets: LinkedSets, left: IntArray, right: IntArray) -> None:
    """Let each group without a core image join the nearest core image that it may join."""
    joined: set[int] = set()
    for a, b in zip(left.tolist(), right.tolist(), strict=True):
        if a not in joined and sets.join(a, b):
            joined.add(a)


def _number(roots: IntArray, core_groups: BoolArray, links: Links) -> IntArray:
    """Number the sets that have a core image or an identity: identities, then by first image."""
    _, sets = np.unique(roots, return_inverse=True)
    n_sets = int(sets.max(initial=-1)) + 1
    identities = np.full(n_sets, -1, dtype=np.int64)
    np.maximum.at(identities, sets, links.identities)
    dense = np.bincount(sets, weights=core_groups, minlength=n_sets) > 0
    numbers = identities.copy()
    others = np.flatnonzero(dense & (identities < 0))  # by their first group, so by first image
    numbers[others] = links.n_identities + np.arange(len(others))
    clusters: IntArray = numbers[sets][links.groups]
    return clusters
