import numpy as np
import pytest
from sklearn.cluster import DBSCAN

from pul.cluster.dbscan import by_density, cluster_by_density
from pul.cluster.links import Links
from pul.config import RunConfig
from pul.errors import ConfigError
from tests.evaluation.test_reranking import reference_jaccard


@pytest.fixture
def crowd():
    """Features (75, 12) of 5 people with 14 images each, and 5 images of nobody else's kind."""
    rng = np.random.default_rng(4)
    means = 3 * rng.standard_normal((5, 12))
    people = np.repeat(means, 14, axis=0) + 0.7 * rng.standard_normal((70, 12))
    strangers = 3 * rng.standard_normal((5, 12))
    return np.concatenate([people, strangers]).astype(np.float32)


def partition(clusters):
    """Return the clusters as sets of images, outliers left out: numbers do not matter."""
    return {frozenset(np.flatnonzero(clusters == k)) for k in set(clusters.tolist()) - {-1}}


@pytest.mark.parametrize("eps", [0.4, 0.5, 0.6, 0.7])
def test_cluster_by_density__agrees_with_dense_distances(crowd, eps):
    dense, _ = reference_jaccard(crowd.astype(np.float64), 10, 3, is_scaled=False)
    expected = DBSCAN(eps=eps, min_samples=4, metric="precomputed").fit_predict(dense.clip(0))
    found = cluster_by_density(crowd, eps=eps, min_samples=4, k1=10, k2=3)
    assert partition(found.clusters) == partition(expected)
    assert (found.clusters == -1).tolist() == (expected == -1).tolist()
    assert (expected == -1).any()
    assert len(partition(expected)) > 1


def test_cluster_by_density__finds_k_and_describes_clusters(crowd):
    found = cluster_by_density(crowd, eps=0.6, min_samples=4, k1=10, k2=3)
    n_clusters = found.clusters.max() + 1
    assert n_clusters == 5
    assert len({tuple(found.clusters[i * 14 : i * 14 + 14]) for i in range(5)}) == 5
    assert found.centroids.shape == (5, 12)
    for k in range(5):
        members = np.flatnonzero(found.clusters == k)
        mean = crowd[members].mean(axis=0)
        np.testing.assert_allclose(found.centroids[k], mean, rtol=1e-5, atol=1e-5)
        distances = np.linalg.norm(crowd[members] - mean, axis=1)
        assert found.centers[k] == members[distances.argmin()]
    inside = found.clusters >= 0
    expected = np.square(crowd[inside] - found.centroids[found.clusters[inside]]).sum()
    assert found.inertia == pytest.approx(expected, rel=1e-5)


def test_cluster_by_density__identities_come_first(crowd):
    annotations = {0: 9, 1: 9, 2: 9, 14: 4, 74: 4}
    config = RunConfig(clustering="dbscan", dbscan={"k1": 10, "k2": 3})
    links = Links.of(75, annotations=annotations)
    found = by_density(crowd, config=config, links=links)
    assert found.clusters[[14, 74]].tolist() == [0, 0]  # identity 4, an outlier with it
    assert found.clusters[[0, 1, 2]].tolist() == [1, 1, 1]
    assert (found.clusters[3:14] >= 2).all()  # the paper's way: none joins by itself
    everything = {i: i // 14 for i in range(75)}
    links = Links.of(75, annotations=everything)
    for mode in ("append", "constrained"):
        found = by_density(crowd, config=config.replace(annotation_mode=mode), links=links)
        assert found.clusters.tolist() == list(everything.values())


def test_cluster_by_density__the_order_of_images_does_not_matter(crowd):
    order = np.random.default_rng(0).permutation(len(crowd))
    one = cluster_by_density(crowd, k1=10, k2=3).clusters
    other = cluster_by_density(crowd[order], k1=10, k2=3).clusters
    back = np.empty_like(other)
    back[order] = other
    assert partition(one) == partition(back)


def test_cluster_by_density__nothing_dense_says_what_to_change():
    scattered = np.eye(12, dtype=np.float32)
    with pytest.raises(ConfigError, match=r"Raise dbscan\.eps or lower dbscan\.min_samples"):
        cluster_by_density(scattered, eps=0.01, min_samples=4, k1=2, k2=1)
