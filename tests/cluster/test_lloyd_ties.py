import numpy as np
import pytest

from pul.cluster.kmeans import cluster
from pul.cluster.lloyd import _Assignment, run_lloyd

LINE = np.array([[-4], [0], [4]], dtype=np.float32)  # its mean is 0, so that scores are exact


@pytest.fixture(params=["all scores", "lowest score"])
def memory(request, monkeypatch):
    """Run a test with all scores stored, and with the lowest one of each image."""
    if request.param == "lowest score":
        monkeypatch.setattr("pul.cluster.lloyd._SCORES_BYTES", 0)
    monkeypatch.setattr("pul.cluster.lloyd._BLOCK_BYTES", 4 * 5 * 2)  # two images of five scores


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize(
    ("before", "after", "moved"),
    [([-1, 9], [-1, 1], [1]), ([-9, 1], [-1, 1], [0]), ([-9, 9], [-1, 1], [0, 1])],
)
def test_update__of_equally_near_centroids_the_first_one(before, after, moved):
    assignment = _Assignment(LINE, 2)
    assignment.update(np.array(before, dtype=np.float32)[:, None], np.arange(2))
    nearest = assignment.update(np.array(after, dtype=np.float32)[:, None], np.array(moved))
    assert nearest.tolist() == [0, 0, 1]


@pytest.mark.usefixtures("memory")
def test_update__an_image_that_loses_its_centroid_goes_to_one_that_stayed():
    assignment = _Assignment(LINE, 3)
    centroids = np.array([[-4], [1], [4]], dtype=np.float32)
    assert assignment.update(centroids, np.arange(3)).tolist() == [0, 1, 2]
    centroids[1] = 99
    # (0) is 4 from both that stayed: the first
    assert assignment.update(centroids, np.array([1])).tolist() == [0, 0, 2]


@pytest.mark.usefixtures("memory")
def test_run_lloyd__one_cluster():
    clusters, centroids, n_iterations = run_lloyd(LINE, LINE[:1], max_iterations=10)
    assert (clusters.tolist(), centroids.tolist(), n_iterations) == ([0, 0, 0], [[0]], 2)


def _reference(features, centroids, max_iterations):
    """Return clusters by all distances in double precision; None where a cluster runs empty."""
    clusters = None
    for _ in range(max_iterations):
        nearest = np.square(features[:, None] - centroids).sum(axis=2).argmin(axis=1)
        if len(set(nearest.tolist())) < len(centroids):
            return None
        if clusters is not None and np.array_equal(nearest, clusters):
            break
        clusters = nearest
        centroids = np.array([features[clusters == k].mean(axis=0) for k in range(len(centroids))])
    return clusters


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize("n_clusters", [2, 5, 9])
def test_run_lloyd__small_sets_agree_with_the_reference(n_clusters):
    n_compared = 0
    for seed in range(60):
        features = np.random.default_rng(seed).standard_normal((30, 2)).astype(np.float32)
        start = features[:n_clusters]
        expected = _reference(features.astype(np.float64), start, 50)
        if expected is not None:
            n_compared += 1
            assert run_lloyd(features, start, max_iterations=50)[0].tolist() == expected.tolist()
    assert n_compared > 30


@pytest.mark.parametrize(("n_images", "n_iterations"), [(1000, 2), (158, 3)])
def test_run_lloyd__stops_where_the_shift_is_below_the_tolerance(n_images, n_iterations):
    # n images at (0, 0), n at (10, 0), and one at (5.05, 0) that goes from the first to the second
    # cluster in iteration 2. Each mean moves by 5 / n: 2 · (5 / n)² is 0.00005 or 0.0020 in all.
    # The tolerance is 1e-4 of the mean variance (25 + 0) / 2: 0.00125.
    features = np.zeros((2 * n_images + 1, 2), dtype=np.float32)
    features[n_images:-1, 0], features[-1, 0] = 10, 5.05
    start = np.array([[0, 0], [10.2, 0]], dtype=np.float32)
    clusters, _, found = run_lloyd(features, start, max_iterations=10)
    assert clusters[-1] == 1
    assert found == n_iterations


def test_cluster__copies_stop_at_once():
    assert cluster(np.ones((5, 3)), n_clusters=2, seed=0, max_iterations=50).n_iterations == 2
