import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from pul.cluster.neighbors import find_neighbors


def test_find_neighbors__by_hand():
    # on a line: 0, 1, 3, 7
    found = find_neighbors(np.array([[0], [1], [3], [7]], dtype=np.float32), 3)
    assert found.indices.tolist() == [[0, 1, 2], [1, 0, 2], [2, 1, 0], [3, 2, 1]]
    assert found.squared_distances.tolist() == [[0, 1, 9], [0, 1, 4], [0, 4, 9], [0, 16, 36]]
    assert found.farthest.tolist() == [49, 36, 16, 49]


@pytest.mark.parametrize("n_neighbors", [1, 6, 500])
def test_find_neighbors__agrees_with_sklearn(n_neighbors, monkeypatch):
    monkeypatch.setattr("pul.cluster.neighbors._BLOCK", 32)  # 4 blocks, the last one not full
    features = np.random.default_rng(0).standard_normal((100, 6)).astype(np.float32)
    found = find_neighbors(features, n_neighbors)
    search = NearestNeighbors(n_neighbors=min(n_neighbors, 100), algorithm="brute").fit(features)
    distances, indices = search.kneighbors(features)
    assert np.array_equal(found.indices, indices)
    np.testing.assert_allclose(found.squared_distances, distances**2, atol=1e-4)


def test_find_neighbors__an_image_comes_before_its_copies():
    found = find_neighbors(np.full((7, 3), 0.1, dtype=np.float32), 3)
    assert found.indices[:, 0].tolist() == list(range(7))
    assert found.squared_distances.max() < 1e-6


def test_find_neighbors__many_neighbours_of_many_images(monkeypatch):
    monkeypatch.setattr("pul.cluster.neighbors._BLOCK", 128)  # what is kept is merged five times
    features = np.random.default_rng(1).standard_normal((600, 12)).astype(np.float32)
    found = find_neighbors(features, 300)  # more than a processor sorts at once
    search = NearestNeighbors(n_neighbors=300, algorithm="brute").fit(features)
    distances = search.kneighbors(features)[0]
    np.testing.assert_allclose(found.squared_distances, distances**2, atol=1e-4)
