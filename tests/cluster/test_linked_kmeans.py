import itertools

import numpy as np
import pytest

from pul.algorithm.clustering import cluster_images, find_links
from pul.algorithm.events import LiveSettings
from pul.cluster.linked_kmeans import cluster_linked
from pul.cluster.links import Links
from pul.config import RunConfig
from pul.data.footage import Footage
from pul.errors import ConfigError


def tracklets(*numbers):
    return Links.of(len(numbers), tracklets=np.array(numbers))


def column(*values):
    return np.array(values, dtype=np.float32)[:, None]


def test_cluster_linked__weights_by_hand():
    # Tracklet 0 is 0, 0, 0, 4 with mean 1 and weight 4; the others are alone at 6 and at 10. Of the
    # two ways to make neighbours, {0, 6} costs 4·1² + ... = 20 more in means, {6, 10} costs 8.
    found = cluster_linked(
        column(0, 0, 0, 4, 6, 10), tracklets(0, 0, 0, 0, 1, 2), n_clusters=2, seed=0
    )
    assert len({*found.clusters[:4].tolist()}) == 1
    assert found.clusters[4] == found.clusters[5] != found.clusters[0]
    assert sorted(found.centroids[:, 0].tolist()) == [1, 8]
    assert found.inertia == pytest.approx(3 * 1 + 9 + 4 + 4)
    # The center of a cluster is one of its images, the nearest to 1: the first of the three at 0.
    assert found.centers[found.clusters[0]] == 0


def test_cluster_linked__a_tracklet_weighs_as_many_as_it_has_images():
    # Means 10, 4, 6, 1, 7 of 7, 7, 7, 1, 1 equal images. {10, 7} | {4, 6, 1} is where k-means on
    # the means alone ends: centroids (70 + 7) / 8 = 9.625 and 71 / 15; inertia 36.81. Weighted, 7
    # is nearer to 71 / 15 than to 9.625, and {10} | {4, 6, 1, 7} has its mean at 78 / 16 = 4.875:
    # 7 (0.875² + 1.125²) + 3.875² + 2.125² = 33.75.
    sizes = [7, 7, 7, 1, 1]
    features = column(*np.repeat([10.0, 4, 6, 1, 7], sizes))
    links = tracklets(*np.repeat(np.arange(5), sizes))
    found = {
        round(cluster_linked(features, links, n_clusters=2, seed=seed).inertia, 2)
        for seed in range(14)
    }
    assert min(found) == 33.75
    assert 36.81 not in found  # where the means alone would settle


def _best_inertia(features, tracklets, k):
    """Return the least inertia of all ways to put whole tracklets into k clusters."""
    names = np.unique(tracklets)
    best = np.inf
    for way in itertools.product(range(k), repeat=len(names)):
        if len(set(way)) < k:
            continue
        clusters = np.array(way)[np.searchsorted(names, tracklets)]
        groups = [features[clusters == j] for j in range(k)]
        best = min(best, sum(np.square(g - g.mean(axis=0)).sum() for g in groups))
    return best


def test_cluster_linked__reaches_the_least_inertia_of_all():
    rng = np.random.default_rng(1)
    of = np.array([0, 0, 1, 2, 2, 2, 3, 4, 5, 5])
    features = (4 * rng.standard_normal((6, 3)))[of] + rng.standard_normal((10, 3))
    found = cluster_linked(features, tracklets(*of), n_clusters=3, seed=0, n_init=10)
    assert found.inertia == pytest.approx(_best_inertia(features, of, 3), rel=1e-5)
    for name in range(6):
        assert len(set(found.clusters[of == name].tolist())) == 1


def test_cluster_linked__more_clusters_than_tracklets():
    with pytest.raises(ConfigError, match="3 clusters of 2 groups"):
        cluster_linked(column(0, 1, 5), tracklets(0, 0, 1), n_clusters=3, seed=0)


@pytest.mark.parametrize("mode", ["append", "constrained"])
def test_cluster_images__tracklets_beside_annotations(mode):
    features = column(0, 1, 2, 20, 21, 22, 40)
    footage = Footage.of(np.zeros(7, dtype=np.int64), tracklets=list("aaabbbc"))
    config = RunConfig(use_tracklets=True, annotation_mode=mode)
    settings = LiveSettings(None, 3, annotations={0: 5})
    links = find_links(features, settings, config=config, footage=footage)
    found = cluster_images(features, n_clusters=3, seed=0, config=config, links=links)
    # The tracklet of the image that people named is that person, too.
    assert found.clusters[:3].tolist() == [0, 0, 0]
    assert len(set(found.clusters[3:6].tolist())) == 1
    assert found.clusters[6] not in found.clusters[:6]
