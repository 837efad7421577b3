import numpy as np
import pytest

from pul.algorithm.selection import threshold
from pul.errors import ConfigError
from pul.evaluation.cluster_quality import cluster_quality
from pul.evaluation.lambda_curves import SelectionCurves, trace_selection


def trace(*args, **kwargs) -> SelectionCurves:
    similarities, clusters, centers = args
    people = kwargs.pop("people", None)
    return trace_selection(
        np.array(similarities, np.float32),
        np.array(clusters),
        np.array(centers),
        people=None if people is None else np.array(people),
        **kwargs,
    )


# Cluster 0: center 0 and images 1, 2, 3; cluster 1: center 4 and image 5.
SIMILARITIES = [1.0, 0.9, 0.6, 0.3, 1.0, 0.5]
CLUSTERS, CENTERS = [0, 0, 0, 0, 1, 1], [0, 4]
PEOPLE = [7, 7, 8, 8, 8, 8]
LAMBDAS = np.array([0.0, 0.4, 0.55, 0.7, 0.95])


def test_trace_selection__by_hand():
    curves = trace(SIMILARITIES, CLUSTERS, CENTERS, people=PEOPLE, lambdas=LAMBDAS)
    # Reliable: all; all but image 3; but 5 too; but 2 too; the centers alone.
    np.testing.assert_allclose(curves.reliable_shares, np.array([6, 5, 4, 3, 2]) / 6)
    assert curves.n_kept_clusters.tolist() == [2, 2, 1, 1, 0]
    # Cluster 0 holds 7 7 8 8, then 7 7 8, 7 7 8, 7 7, 7; cluster 1 holds 8 8, 8 8, 8, 8, 8.
    np.testing.assert_allclose(curves.purities, [4 / 6, 4 / 5, 3 / 4, 3 / 3, 2 / 2])
    # Person 7 has most in cluster 0: 2 2 2 2 1; person 8 in either: 2 2 1 1 1.
    np.testing.assert_allclose(curves.recalls, np.array([4, 4, 3, 3, 2]) / 6)
    assert curves.n_known == 6


def test_trace_selection__who_is_not_known_does_not_count():
    curves = trace(
        [*SIMILARITIES, 0.99], [*CLUSTERS, 1], CENTERS, people=[*PEOPLE[:5], 0, -1], lambdas=LAMBDAS
    )
    np.testing.assert_allclose(curves.reliable_shares, np.array([7, 6, 5, 4, 3]) / 7)
    np.testing.assert_allclose(curves.purities, [3 / 5, 3 / 4, 3 / 4, 3 / 3, 2 / 2])
    np.testing.assert_allclose(curves.recalls, np.array([4, 3, 3, 3, 2]) / 5)
    assert curves.n_known == 5


def test_trace_selection__nobody_is_known():
    curves = trace(SIMILARITIES, CLUSTERS, CENTERS, people=[0, -1, -2, 0, 0, 0])
    assert (curves.purities, curves.recalls, curves.n_known) == (None, None, 0)
    assert len(curves.lambdas) == len(curves.reliable_shares) == 101


def test_trace_selection__no_known_image_is_reliable():
    curves = trace(SIMILARITIES, CLUSTERS, CENTERS, people=[0, 0, 0, 8, 0, 0], lambdas=LAMBDAS)
    assert np.isnan(curves.purities).tolist() == [False, True, True, True, True]
    assert curves.recalls.tolist() == [1, 0, 0, 0, 0]


def test_trace_selection__a_perfect_clustering():
    curves = trace([1, 0.5, 1, 0.5], [0, 0, 1, 1], [0, 2], people=[3, 3, 4, 4], lambdas=LAMBDAS)
    assert curves.purities.tolist() == [1] * 5
    assert curves.recalls.tolist() == [1, 1, 0.5, 0.5, 0.5]


@pytest.mark.parametrize("lambdas", [[0.5, 0.4], [-0.1, 0.5], [0.5, 1.1]])
def test_trace_selection__lambdas_that_make_no_curve(lambdas):
    with pytest.raises(ConfigError, match="must ascend within"):
        trace(SIMILARITIES, CLUSTERS, CENTERS, lambdas=np.array(lambdas))


def _reference_point(similarities, clusters, centers, people, lambda_):
    """One λ at a time, by counting in dictionaries."""
    reliable = threshold(similarities, centers, lambda_=lambda_)
    cells: dict[tuple[int, int], int] = {}
    for cluster, person in zip(clusters[reliable], people[reliable], strict=True):
        if person > 0:
            cells[cluster, person] = cells.get((cluster, person), 0) + 1
    found = 0
    for person in set(people[people > 0].tolist()):
        found += max((n for (_, who), n in cells.items() if who == person), default=0)
    sizes = [int((reliable & (clusters == k)).sum()) for k in range(len(centers))]
    quality = cluster_quality(clusters, people, reliable, source="truth")
    return (
        float(reliable.mean()),
        sum(size >= 2 for size in sizes),
        quality.reliable_purity if cells else float("nan"),
        found / int((people > 0).sum()),
    )


@pytest.mark.parametrize("seed", range(5))
def test_trace_selection__as_one_lambda_at_a_time(seed):
    rng = np.random.default_rng(seed)
    n_images, n_clusters = 300, 20
    clusters = np.concatenate(
        [np.arange(n_clusters), rng.integers(0, n_clusters, n_images - n_clusters)]
    )
    centers = np.arange(n_clusters)
    # Ties, values at the steps themselves, and negative cosines.
    similarities = (np.round(rng.uniform(-0.2, 1, n_images), 2)).astype(np.float32)
    similarities[centers] = 1
    people = rng.integers(-1, 12, n_images)
    order = rng.permutation(n_images)
    clusters, similarities, people = clusters[order], similarities[order], people[order]
    centers = np.argsort(order)[centers]
    curves = trace_selection(similarities, clusters, centers, people=people)
    expected = [
        _reference_point(similarities, clusters, centers, people, float(lambda_))
        for lambda_ in curves.lambdas
    ]
    shares, kept, purities, recalls = zip(*expected, strict=True)
    np.testing.assert_allclose(curves.reliable_shares, shares)
    assert curves.n_kept_clusters.tolist() == list(kept)
    np.testing.assert_allclose(curves.purities, purities)
    np.testing.assert_allclose(curves.recalls, recalls)


def test_trace_selection__recall_and_kept_clusters_never_rise():
    rng = np.random.default_rng(9)
    curves = trace(rng.random(200), rng.integers(0, 9, 200), [7], people=rng.integers(1, 30, 200))
    assert (np.diff(curves.recalls) <= 0).all()
    assert (np.diff(curves.n_kept_clusters) <= 0).all()
    assert (np.diff(curves.reliable_shares) <= 0).all()


def test_trace_selection__an_outlier_is_never_reliable():
    clusters = np.array([0, 0, -1, 1, -1])
    similarities = np.array([1, 0.5, -1, 1, -1], dtype=np.float32)
    people = np.array([1, 1, 2, 3, 3])
    curves = trace_selection(
        similarities, clusters, np.array([0, 3]), people=people, lambdas=np.array([0, 0.4, 0.6])
    )
    np.testing.assert_allclose(curves.reliable_shares, [3 / 5, 3 / 5, 2 / 5])
    assert curves.n_kept_clusters.tolist() == [1, 1, 0]
    np.testing.assert_allclose(curves.purities, [1, 1, 1])
    np.testing.assert_allclose(curves.recalls, [3 / 5, 3 / 5, 2 / 5])  # two of 1, one of 3
