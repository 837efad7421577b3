import numpy as np
import pytest

from pul.cluster.lloyd import run_lloyd


@pytest.fixture(params=[True, False], ids=["all scores", "lowest scores"])
def keeps_scores(request, monkeypatch):
    """Both ways to update the assignment: from all scores, or from each image's lowest alone."""
    if not request.param:
        monkeypatch.setattr("pul.cluster.lloyd._SCORES_BYTES", 0)
        monkeypatch.setattr("pul.cluster.lloyd._BLOCK_BYTES", 4 * 25 * 70)  # 70 images at a time
    return request.param


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


@pytest.mark.usefixtures("keeps_scores")
@pytest.mark.parametrize("max_iterations", [1, 3, 300])
def test_run_lloyd__agrees_with_the_reference(crowd, max_iterations):
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


# Images on a line in three clusters, so that an image comes to lie just between two centroids. The
# features' mean is a multiple of 1/4 and so are the centroids that tie: no rounding decides.


def lloyd_on_a_line(features, starts):
    """Return the clusters of images on a line, as groups of their positions, in cluster order."""
    column, start = (np.array(values, dtype=np.float32)[:, None] for values in (features, starts))
    clusters, _, _ = run_lloyd(column, start, max_iterations=10)
    return [[x for x, k in zip(features, clusters, strict=True) if k == i] for i in range(3)]


@pytest.mark.usefixtures("keeps_scores")
def test_run_lloyd__an_image_between_its_centroid_and_one_that_moved_takes_the_lower_index():
    # 1st: {-2, 0, 0} {2, 8, 8} {10, 14}, means -2/3, 6, 12. 2nd: 2 goes left, means 0, 8, 12.
    # The centroid of 10 is at 12 and stayed; the one at 8 moved and is as near.
    features = [-2, 0, 0, 2, 8, 8, 10, 14]
    assert lloyd_on_a_line(features, [-3, 6, 13]) == [[-2, 0, 0, 2], [8, 8, 10], [14]]
    assert lloyd_on_a_line(features, [13, 6, -3]) == [[10, 14], [8, 8], [-2, 0, 0, 2]]


@pytest.mark.usefixtures("keeps_scores")
def test_run_lloyd__an_image_whose_centroid_moved_away_takes_the_lower_index():
    # 1st: {-15, 3} {8, 10} {12, 13, 13, 14}, means -6, 9, 13. 2nd: 3 goes right, means -15, 7, 13.
    # The centroid of 10 moved to 7; the one at 13 stayed and is as near.
    features = [-15, 3, 8, 10, 12, 13, 13, 14]
    assert lloyd_on_a_line(features, [-2, 9, 13]) == [[-15], [3, 8, 10], [12, 13, 13, 14]]
    assert lloyd_on_a_line(features, [13, 9, -2]) == [[10, 12, 13, 13, 14], [3, 8], [-15]]


def test_run_lloyd__types(crowd):
    clusters, centroids, n_iterations = run_lloyd(crowd, crowd[:5], max_iterations=2)
    assert (clusters.dtype, centroids.dtype, type(n_iterations)) == (np.int64, np.float32, int)
