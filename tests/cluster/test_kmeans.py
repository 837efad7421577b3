import numpy as np
import pytest
from sklearn.cluster import KMeans

from pul.cluster.clustering import find_centers, squared_distances
from pul.cluster.kmeans import cluster
from pul.errors import ConfigError, FeatureError

# Two squares of side 2 around (1, 1) and (11, 1), by hand: every corner is √2 from its centroid,
# so the inertia is 8 · 2 = 16, and all corners are equally near: the lowest index is the center.
SQUARES = np.array(
    [[0, 0], [2, 0], [0, 2], [2, 2], [10, 0], [12, 0], [10, 2], [12, 2]], dtype=np.float32
)


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
    assert type(result.inertia) is float  # not numpy's subclass of it
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


def test_squared_distances__by_hand():
    distances = squared_distances(SQUARES[:2], np.array([1, 0]), SQUARES[[3, 7]])
    assert distances.tolist() == [12**2 + 2**2, 2**2]


@pytest.mark.parametrize("block_bytes", [1, 4 * 24 * 7])  # one image at a time, and seven
def test_squared_distances__blocks_of_images_change_nothing(crowd, monkeypatch, block_bytes):
    monkeypatch.setattr("pul.cluster.clustering._BLOCK_BYTES", block_bytes)
    clusters = np.arange(len(crowd)) % 3
    expected = np.square(crowd - crowd[:3][clusters]).sum(axis=1)
    found = squared_distances(crowd, clusters, crowd[:3])
    np.testing.assert_allclose(found, expected, rtol=1e-5)
