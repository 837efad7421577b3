import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from pul.cluster.clustering import find_centers, squared_distances
from pul.cluster.kmeans import cluster
from pul.cluster.lloyd import run_lloyd
from pul.cluster.seeding import seed_clusters
from pul.errors import ConfigError, FeatureError

# Two squares of side 2 around (1, 1) and (11, 1), by hand: every corner is √2 from its centroid,
# so the inertia is 8 · 2 = 16, and all corners are equally near: the lowest index is the center.
SQUARES = np.array(
    [[0, 0], [2, 0], [0, 2], [2, 2], [10, 0], [12, 0], [10, 2], [12, 2]], dtype=np.float32
)


@pytest.fixture(scope="module")
def crowd():
    """Features of 600 images of 40 people in 24 dimensions, as a network's: ≥ 0, with a mean."""
    rng = np.random.default_rng(3)
    means = rng.standard_normal((40, 24))
    noisy = means[rng.integers(0, 40, 600)] + 1.6 * rng.standard_normal((600, 24))
    return np.maximum(noisy + 0.5, 0).astype(np.float32)


def test_cluster__by_hand():
    result = cluster(SQUARES, n_clusters=2, seed=0)
    left = result.clusters[0]
    assert result.clusters.tolist() == [left] * 4 + [1 - left] * 4
    assert result.centroids[[left, 1 - left]].tolist() == [[1, 1], [11, 1]]
    assert result.centers[[left, 1 - left]].tolist() == [0, 4]
    assert result.inertia == pytest.approx(16)


def test_cluster__types(crowd):
    result = cluster(crowd.astype(np.float64), n_clusters=7, seed=0)
    assert result.clusters.dtype == result.centers.dtype == np.int64
    assert result.centroids.dtype == np.float32
    assert isinstance(result.inertia, float)
    assert result.centroids.shape == (7, 24)


def test_cluster__one_cluster_is_the_mean():
    result = cluster(SQUARES, n_clusters=1, seed=0)
    assert result.centroids.tolist() == [[6, 1]]
    # x: four at 6 ± 6 and four at 6 ± 4; y: all at 1 ± 1
    assert result.inertia == pytest.approx(4 * 36 + 4 * 16 + 8)


def test_cluster__as_many_clusters_as_images():
    result = cluster(SQUARES, n_clusters=8, seed=0)
    assert sorted(result.clusters) == list(range(8))
    assert result.inertia == 0
    assert result.clusters[result.centers].tolist() == list(range(8))


@pytest.mark.parametrize("n_clusters", [3, 5, 12])
def test_cluster__fewer_distinct_images_than_clusters(n_clusters):
    features = np.repeat(SQUARES[[0, 3, 5]], 4, axis=0)
    result = cluster(features, n_clusters=n_clusters, seed=0)
    assert set(result.clusters) == set(range(n_clusters))  # every cluster keeps an image
    assert result.inertia == 0


def test_cluster__all_images_alike():
    result = cluster(np.ones((5, 3)), n_clusters=3, seed=0)
    assert set(result.clusters) == {0, 1, 2}
    assert result.inertia == 0


def test_cluster__ends_where_lloyd_stands_still(crowd):
    result = cluster(crowd, n_clusters=40, seed=0)
    distances = np.square(crowd[:, None] - result.centroids).sum(axis=2)  # (N, K), from differences
    assert np.array_equal(distances.argmin(axis=1), result.clusters)
    means = [crowd[result.clusters == k].mean(axis=0) for k in range(40)]
    np.testing.assert_allclose(result.centroids, means, atol=1e-5)
    assert result.inertia == pytest.approx(distances.min(axis=1).sum(), rel=1e-5)
    members = [np.flatnonzero(result.clusters == k) for k in range(40)]
    nearest = [m[distances[m, k].argmin()] for k, m in enumerate(members)]
    assert result.centers.tolist() == nearest


def test_cluster__same_seed_same_clusters(crowd):
    one, again, other = (cluster(crowd, n_clusters=40, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one.clusters, again.clusters)
    assert np.array_equal(one.centroids, again.centroids)
    assert not np.array_equal(one.clusters, other.clusters)


def test_cluster__as_good_as_sklearn(crowd):
    ours = [cluster(crowd, n_clusters=40, seed=seed).inertia for seed in range(10)]
    theirs = [KMeans(40, n_init=1, random_state=seed).fit(crowd).inertia_ for seed in range(10)]
    assert np.mean(ours) <= 1.01 * np.mean(theirs)  # 1.005 at the paper's size: benchmarks


def test_cluster__restarts_keep_the_best(crowd):
    single = cluster(crowd, n_clusters=40, seed=4).inertia
    many = cluster(crowd, n_clusters=40, seed=4, n_init=5).inertia
    assert many <= single  # the first restart is the single one
    assert many < single + 1e-6


def test_cluster__order_of_the_images_changes_nothing_but_noise(crowd):
    order = np.random.default_rng(0).permutation(len(crowd))
    plain = [cluster(crowd, n_clusters=40, seed=seed).inertia for seed in range(8)]
    shuffled = [cluster(crowd[order], n_clusters=40, seed=seed).inertia for seed in range(8)]
    assert np.mean(shuffled) == pytest.approx(np.mean(plain), rel=0.01)


def test_cluster__warm_start_order_of_the_images_changes_nothing(crowd):
    start = cluster(crowd, n_clusters=40, seed=0, max_iterations=1).centroids
    order = np.random.default_rng(0).permutation(len(crowd))
    plain, shuffled = (
        cluster(rows, n_clusters=40, seed=0, initial_centroids=start)
        for rows in (crowd, crowd[order])
    )
    assert np.array_equal(plain.clusters[order], shuffled.clusters)


def test_cluster__warm_start_at_the_end_stays_there(crowd):
    first = cluster(crowd, n_clusters=40, seed=0)
    again = cluster(crowd, n_clusters=40, seed=9, initial_centroids=first.centroids)
    assert np.array_equal(again.clusters, first.clusters)
    assert again.n_iterations == 2  # one to assign, one to see that nothing moves
    assert first.n_iterations > 2


def test_cluster__warm_start_leaves_its_input_alone(crowd):
    start = crowd[:40].copy()
    cluster(crowd, n_clusters=40, seed=0, initial_centroids=start)
    assert np.array_equal(start, crowd[:40])


def test_cluster__max_iterations_is_kept(crowd):
    assert cluster(crowd, n_clusters=40, seed=0, max_iterations=2).n_iterations == 2


def test_cluster__far_from_the_origin(crowd):
    near = cluster(crowd, n_clusters=40, seed=0)
    shifted = np.round(crowd * 64) / 64 + 4096  # whole 64ths: no rounding in float32
    far = cluster(shifted, n_clusters=40, seed=0, initial_centroids=near.centroids + 4096)
    exact = cluster(shifted - 4096, n_clusters=40, seed=0, initial_centroids=near.centroids)
    assert np.array_equal(far.clusters, exact.clusters)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"n_clusters": 9}, "K = 9 clusters of 8 images"),
        ({"n_clusters": 0}, "K = 0 clusters of 8 images"),
        ({"n_clusters": 2, "n_init": 0}, "but are 300 and 0"),
        ({"n_clusters": 2, "max_iterations": 0}, "but are 0 and 1"),
        ({"n_clusters": 2, "initial_centroids": SQUARES[:3]}, r"shape \(2, 2\), but has \(3, 2\)"),
    ],
)
def test_cluster__bad_settings_say_the_value(options, says):
    with pytest.raises(ConfigError, match=says):
        cluster(SQUARES, seed=0, **options)


def test_cluster__nan_names_the_row():
    with pytest.raises(FeatureError, match="row 1"):
        cluster([[0, 0], [np.nan, 0], [1, 1]], n_clusters=2, seed=0)


# Centers


def test_find_centers__are_members_even_where_another_cluster_is_nearer():
    # the centroid given for cluster 1 is image 0, which belongs to cluster 0
    centers = find_centers(SQUARES[:3], np.array([0, 1, 1]), SQUARES[[0, 0]])
    assert centers.tolist() == [0, 1]  # 1 and 2 are equally near: the lower index


def test_find_centers__cluster_without_images():
    with pytest.raises(FeatureError, match=r"1 of 3 clusters have no image .*cluster 1"):
        find_centers(SQUARES[:2], np.array([0, 2]), SQUARES[:3])


# Lloyd: both ways of keeping the assignment up to date, against a plain one


def _reference_lloyd(features, centroids, max_iterations):
    """Lloyd's iterations in double precision, with all N × K distances; no cluster runs empty."""
    features, clusters = features.astype(np.float64), None
    for _ in range(max_iterations):
        distances = np.square(features[:, None] - centroids).sum(axis=2)
        if clusters is not None and np.array_equal(distances.argmin(axis=1), clusters):
            break
        clusters = distances.argmin(axis=1)
        centroids = np.array([features[clusters == k].mean(axis=0) for k in range(len(centroids))])
    return clusters, centroids


@pytest.mark.parametrize("keeps_scores", [True, False])
@pytest.mark.parametrize("max_iterations", [1, 3, 300])
def test_run_lloyd__agrees_with_the_reference(crowd, monkeypatch, keeps_scores, max_iterations):
    if not keeps_scores:
        monkeypatch.setattr("pul.cluster.lloyd._SCORES_BYTES", 0)
        monkeypatch.setattr("pul.cluster.lloyd._BLOCK_BYTES", 4 * 25 * 70)  # 70 images at a time
    start = crowd[::24]  # 25 images
    expected, means = _reference_lloyd(crowd, start, max_iterations)
    clusters, centroids, n_iterations = run_lloyd(crowd, start, max_iterations=max_iterations)
    assert np.array_equal(clusters, expected)
    np.testing.assert_allclose(centroids, means, atol=1e-5)
    assert n_iterations <= max_iterations


def test_run_lloyd__empty_cluster_gets_the_farthest_image():
    # the third start is far from everything: it gets (9, 0), the farthest from its centroid
    features = np.array([[0, 0], [1, 0], [5, 0], [6, 0], [9, 0]], dtype=np.float32)
    start = np.array([[0, 0], [5, 0], [-99, 0]], dtype=np.float32)
    clusters, centroids, _ = run_lloyd(features, start, max_iterations=10)
    assert clusters.tolist() == [0, 0, 1, 1, 2]
    assert centroids[:, 0].tolist() == [0.5, 5.5, 9]


def test_squared_distances__by_hand():
    distances = squared_distances(SQUARES[:2], np.array([1, 0]), SQUARES[[3, 7]])
    assert distances.tolist() == [12**2 + 2**2, 2**2]


# Seeding


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
