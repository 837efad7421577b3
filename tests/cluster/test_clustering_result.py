"""A clustering described from labels alone."""

import numpy as np
import pytest

from pul.cluster.clustering import Clustering
from pul.cluster.kmeans import cluster
from pul.errors import FeatureError


def test_from_labels__by_hand_with_an_outlier():
    features = np.array([[0, 0], [4, 0], [1, 0], [10, 10], [99, 99]], dtype=np.float32)
    found = Clustering.from_labels(features, np.array([1, 1, 1, 0, -1]))
    np.testing.assert_allclose(found.centroids, [[10, 10], [5 / 3, 0]], rtol=1e-6)
    assert found.centers.tolist() == [3, 2]  # 1 is nearest to 5/3
    # (5/3)² + (7/3)² + (2/3)² = 78/9; the outlier counts for nothing
    assert found.inertia == pytest.approx(78 / 9)
    assert (found.centroids.dtype, found.centers.dtype) == (np.float32, np.int64)


def test_from_labels__agrees_with_k_means():
    features = np.random.default_rng(0).standard_normal((60, 5)).astype(np.float32)
    found = cluster(features, n_clusters=7, seed=0)
    again = Clustering.from_labels(features, found.clusters)
    np.testing.assert_allclose(again.centroids, found.centroids, atol=1e-6)
    assert again.centers.tolist() == found.centers.tolist()
    assert again.inertia == pytest.approx(found.inertia, rel=1e-6)


def test_from_labels__an_empty_cluster_is_refused():
    with pytest.raises(FeatureError, match=r"1 of 3 clusters have no image \(first: cluster 1\)"):
        Clustering.from_labels(np.eye(3), np.array([0, 2, 2]))


@pytest.mark.parametrize("labels", [[0, 0, 1], np.array([0, 0, 1], dtype=np.int32)])
def test_from_labels__types(labels):
    found = Clustering.from_labels(np.eye(3), labels)
    assert (found.clusters.dtype, found.centers.dtype) == (np.int64, np.int64)
    assert found.centroids.dtype == np.float32
    assert type(found.inertia) is float
