import sys

import numpy as np
import pytest

from pul.algorithm.projection import project
from pul.cluster.neighbors import find_likely_neighbors, find_neighbors


@pytest.fixture(scope="module")
def crowd():
    """40 people of 15 images each in 16 dimensions, 600 in all."""
    random = np.random.default_rng(0)
    pids = np.repeat(np.arange(40), 15)
    means = random.standard_normal((40, 16))
    features = means[pids] + 0.4 * random.standard_normal((600, 16))
    return features.astype(np.float32), pids


def test_find_likely_neighbors__finds_nearly_all(crowd):
    features = crowd[0]
    likely = find_likely_neighbors(features, 10, seed=0, n_cells=32)
    exact = find_neighbors(features, 10)
    pairs = zip(likely.indices, exact.indices, strict=True)
    recall = np.mean([len(np.intersect1d(a, b)) / 10 for a, b in pairs])
    assert 0.9 < recall <= 1
    assert np.array_equal(likely.indices[:, 0], np.arange(len(features)))
    assert (np.diff(likely.squared_distances, axis=1) >= 0).all()
    apart = features[:, None] - features[likely.indices]
    np.testing.assert_allclose(likely.squared_distances, (apart**2).sum(-1), rtol=1e-3, atol=1e-3)
    again = find_likely_neighbors(features, 10, seed=0, n_cells=32)
    assert np.array_equal(likely.indices, again.indices)


def test_find_likely_neighbors__an_image_comes_before_its_copies():
    # 40 copies of one image and 10 of another, in more cells than there are images to fill
    features = np.repeat(np.eye(2, 4, dtype=np.float32), [40, 10], axis=0)
    found = find_likely_neighbors(features, 12, seed=0, n_cells=2)
    assert np.array_equal(found.indices[:, 0], np.arange(50))
    assert all(len(set(row)) == 12 for row in found.indices.tolist())
    assert found.squared_distances[:40].max() == 0
    assert found.squared_distances[40:, 10:].min() == 2  # no tenth copy: two of the other


def test_find_likely_neighbors__without_faiss(crowd, monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    features = crowd[0][:50]
    found = find_likely_neighbors(features, 5, seed=0)
    assert np.array_equal(found.indices, find_neighbors(features, 5).indices)


def test_project__of_many_images_by_likely_neighbors(crowd, monkeypatch):
    features, pids = crowd
    monkeypatch.setattr("pul.algorithm.projection._MANY_IMAGES", 500)
    points = project(features, seed=0)
    assert np.array_equal(points, project(features, seed=0))
    nearest = find_neighbors(points, 6).indices[:, 1:]
    assert (pids[nearest] == pids[:, None]).mean() > 0.5
