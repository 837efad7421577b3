import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

from pul.algorithm.projection import (
    _neighborhood_graph,
    _principal_components,
    align_points,
    project,
)
from pul.cluster.neighbors import find_neighbors
from pul.errors import ConfigError, FeatureError


@pytest.fixture(scope="module")
def crowd():
    """Features of 300 images of 10 people, and who is on them."""
    rng = np.random.default_rng(1)
    pids = rng.integers(0, 10, 300)
    means = 3 * rng.standard_normal((10, 16))
    return (means[pids] + rng.standard_normal((300, 16))).astype(np.float32), pids


@pytest.fixture(scope="module")
def points(crowd):
    return project(crowd[0], seed=0)


def movement(points, target):
    """Return how far images moved on average, in radii (root mean square) of the target map."""
    radius = np.sqrt(np.square(target - target.mean(axis=0)).sum(axis=1).mean())
    return np.linalg.norm(points - target, axis=1).mean() / radius


def test_project__keeps_neighbours_together(crowd, points):
    features, pids = crowd
    assert points.shape == (300, 2)
    assert points.dtype == np.float32
    assert trustworthiness(features, points, n_neighbors=10) > 0.9
    nearest = find_neighbors(points, 6).indices[:, 1:]
    assert (pids[nearest] == pids[:, None]).mean() > 0.9


def test_project__same_seed_same_map(crowd, points):
    assert np.array_equal(project(crowd[0], seed=0), points)
    assert not np.array_equal(project(crowd[0], seed=1), points)


def test_project__next_map_stays_still(crowd, points):
    features, _ = crowd
    changed = features + 0.3 * np.random.default_rng(7).standard_normal(features.shape)
    following = project(changed, seed=5, previous_points=points)
    assert movement(following, points) < 0.3
    assert trustworthiness(changed, following, n_neighbors=10) > 0.9
    turned = points @ np.array([[0, 1], [-1, 0]], dtype=np.float32)  # as another seed might lie
    assert movement(turned, points) > 1


def test_project__large_sets_compare_components(crowd, points, monkeypatch):
    monkeypatch.setattr("pul.algorithm.projection._MANY_PRODUCTS", 0)
    # 16 dimensions have 16 components, at the same distances: the same neighbours, the same map
    by_components = project(crowd[0], seed=0)
    near, near_too = (find_neighbors(p, 6).indices[:, 1:] for p in (points, by_components))
    assert (crowd[1][near_too] == crowd[1][:, None]).mean() == pytest.approx(
        (crowd[1][near] == crowd[1][:, None]).mean(), abs=0.05
    )


def test_project__previous_map_without_points_is_none(crowd, points):
    empty = np.empty((0, 2), dtype=np.float32)
    assert np.array_equal(project(crowd[0], seed=0, previous_points=empty), points)


@pytest.mark.parametrize("n_images", [0, 1, 2, 3, 4, 5, 10])
def test_project__few_images(crowd, n_images):
    features = crowd[0][:n_images]
    points = project(features, seed=0)
    assert points.shape == (n_images, 2)
    assert np.isfinite(points).all()
    assert len(np.unique(points, axis=0)) == n_images
    again = project(features, seed=0, previous_points=points)
    assert again.shape == (n_images, 2)
    assert np.isfinite(again).all()


def test_project__two_images_by_hand():
    # on one line through their mean, as far from each other as they are: 5
    points = project([[0, 0, 0], [3, 4, 0]], seed=0)
    assert np.linalg.norm(points[0] - points[1]) == pytest.approx(5, rel=1e-5)
    np.testing.assert_allclose(points[:, 1], 0, atol=1e-5)


@pytest.mark.parametrize("value", [0, 7])
def test_project__all_images_alike(value):
    features = np.full((40, 8), value)
    points = project(features, seed=0)
    assert np.isfinite(points).all()
    assert np.isfinite(project(features, seed=0, previous_points=points)).all()


def test_project__one_dimension():
    points = project(np.arange(30)[:, None], seed=0)
    assert np.isfinite(points).all()


@pytest.mark.parametrize(
    ("features", "options", "error", "says"),
    [
        ([[0, 0], [np.nan, 0]], {}, FeatureError, "row 1"),
        ([[0, 0], [1, 0]], {"n_neighbors": 1}, ConfigError, "they are 1 and 0.1"),
        ([[0, 0], [1, 0]], {"min_dist": 1}, ConfigError, "they are 15 and 1"),
        ([[0], [1]], {"previous_points": np.zeros((3, 2))}, FeatureError, r"has shape \(3, 2\)"),
        ([[0]], {"previous_points": [[np.inf, 0]]}, FeatureError, "previous_points: 1 of 1"),
    ],
)
def test_project__bad_input_says_what_is_wrong(features, options, error, says):
    with pytest.raises(error, match=says):
        project(features, seed=0, **options)


def test_projection__loads_umap_only_when_it_lays_out():
    program = "import sys, pul.algorithm.projection; sys.exit('umap' in sys.modules)"
    root = Path(__file__).resolve().parents[2]
    assert subprocess.run([sys.executable, "-c", program], cwd=root, env=os.environ).returncode == 0


# The parts


@given(st.floats(0, 6.3), st.floats(0.1, 10), st.booleans())
def test_align_points__undoes_any_turn_and_size(angle, scale, is_mirrored):
    target = np.array([[0, 0], [4, 0], [0, 1], [2, 5]], dtype=np.float32)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = scale * (target * [1, -1 if is_mirrored else 1]) @ turn + [3, -8]
    np.testing.assert_allclose(align_points(moved, target), target, atol=1e-4)


@pytest.mark.slow  # umap-learn compiles its own version
def test_neighborhood_graph__agrees_with_umap_learn(crowd):
    from umap.umap_ import fuzzy_simplicial_set

    features = np.concatenate([crowd[0], crowd[0][:20]])  # with copies, at distance 0
    neighbors = find_neighbors(features, 15)
    distances = np.sqrt(neighbors.squared_distances)
    expected, _, _ = fuzzy_simplicial_set(
        features, 15, np.random.RandomState(0), "euclidean", {}, neighbors.indices, distances
    )
    graph = _neighborhood_graph(neighbors)
    np.testing.assert_allclose(graph.toarray(), expected.toarray(), atol=1e-4)


def test_principal_components__agree_with_sklearn(crowd):
    found = _principal_components(crowd[0], np.random.default_rng(0))
    expected = PCA(svd_solver="full").fit_transform(crowd[0])
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-3)


def test_principal_components__of_many_dimensions_keep_the_variance():
    rng = np.random.default_rng(0)
    spectrum = np.arange(1, 301) ** -0.7
    features = (rng.standard_normal((500, 300)) * spectrum).astype(np.float32)
    found = _principal_components(features, rng)
    best = PCA(128, svd_solver="full").fit(features).explained_variance_.sum()
    assert found.shape == (500, 128)
    assert found.var(axis=0, ddof=1).sum() > 0.98 * best
