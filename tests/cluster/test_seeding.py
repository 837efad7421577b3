import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pul.cluster.kmeans import cluster
from pul.cluster.seeding import seed_clusters


@given(st.integers(0, 2**32 - 1), st.integers(1, 8))
def test_seed_clusters__every_image_has_its_nearest_seed(seed, n_clusters):
    rng = np.random.default_rng(seed)
    features = rng.integers(-8, 9, (8, 2)).astype(np.float32)
    seeds, clusters = seed_clusters(features, n_clusters, rng)
    distances = np.square(features[:, None] - features[seeds]).sum(axis=2)
    own = distances[np.arange(8), clusters]
    np.testing.assert_allclose(own, distances.min(axis=1), atol=1e-3)


def test_seed_clusters__finds_what_is_far_apart():
    # four groups at the corners of a square of side 1000: D² draws one seed from each
    rng = np.random.default_rng(0)
    corners = np.repeat([[0, 0], [1000, 0], [0, 1000], [1000, 1000]], 50, axis=0)
    features = (corners + rng.standard_normal((200, 2))).astype(np.float32)
    for seed in range(20):
        seeds, _ = seed_clusters(features, 4, np.random.default_rng(seed))
        assert sorted(seeds // 50) == [0, 1, 2, 3]


def test_seed_clusters__draws_by_squared_distance():
    # after a first seed at 0 the other images have D² = 1, 4, 16; of the 2 + ln 2 = 2 trials the
    # better one is kept. Potentials after seed 1, 2, 4 (images 0, 1, 2, 4):
    #   at 1: 0 0 1 9 = 10, at 2: 0 1 0 4 = 5, at 4: 0 1 4 0 = 5 (argmin keeps the first trial)
    # P(1) = (1/21)², P(4) = P(4 first, then 4 or 2) + P(1 and 4 in any order)
    features = np.array([[0.0], [1], [2], [4]], dtype=np.float32)
    counts = np.zeros(4)
    total = 0
    for seed in range(4000):
        seeds, _ = seed_clusters(features, 2, np.random.default_rng(seed))
        if seeds[0] == 0:
            counts[seeds[1]] += 1
            total += 1
    p = np.array([0, 1, 4, 16]) / 21
    expected = [0, p[1] ** 2, p[2] * (p[2] + p[3] + 2 * p[1]), p[3] * (p[3] + p[2] + 2 * p[1])]
    np.testing.assert_allclose(counts / total, expected, atol=0.05)  # 3 deviations of 1000 draws


def test_seed_clusters__bfloat16_is_as_good(crowd, monkeypatch):
    plain = [cluster(crowd, n_clusters=40, seed=seed).inertia for seed in range(10)]
    monkeypatch.setattr("pul.cluster.seeding._MANY_PRODUCTS", 0)
    monkeypatch.setattr("pul.models.devices.has_bfloat16", lambda _: True)
    rounded = [cluster(crowd, n_clusters=40, seed=seed).inertia for seed in range(10)]
    assert np.mean(rounded) == pytest.approx(np.mean(plain), rel=0.01)


def test_seed_clusters__types(crowd):
    seeds, clusters = seed_clusters(crowd, 5, np.random.default_rng(0))
    assert (seeds.dtype, clusters.dtype) == (np.int64, np.int64)
