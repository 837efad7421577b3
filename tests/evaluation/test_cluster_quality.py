import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import normalized_mutual_info_score

from pul.errors import EvaluationError
from pul.evaluation.cluster_quality import cluster_purities, cluster_quality

# cluster 0: identities a a b | cluster 1: b b | cluster 2: a and one unknown
CLUSTERS = np.array([0, 0, 0, 1, 1, 2, 2])
PIDS = np.array([1, 1, 2, 2, 2, 1, 0])


def test_cluster_quality__by_hand():
    reliable = np.array([True, False, True, True, True, False, True])
    quality = cluster_quality(CLUSTERS, PIDS, reliable, source="truth")
    assert quality.purity == pytest.approx(5 / 6)  # majorities 2 + 2 + 1 of 6 known images
    assert quality.reliable_purity == pytest.approx(3 / 4)  # 0: one of a, b; 1: b b
    assert (quality.n_images, quality.source) == (6, "truth")
    assert quality.nmi == pytest.approx(normalized_mutual_info_score(PIDS[:6], CLUSTERS[:6]))


def test_cluster_quality__nmi_by_hand():
    # two clusters of two, each half a and half b: they say nothing of each other
    quality = cluster_quality([0, 0, 1, 1], [1, 2, 1, 2], [True] * 4, source="truth")
    assert quality.nmi == pytest.approx(0)
    assert quality.purity == 1 / 2


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 4)), min_size=1, max_size=30))
def test_cluster_quality__nmi_agrees_with_sklearn(pairs):
    clusters, pids = np.array(pairs).T
    quality = cluster_quality(clusters, pids, np.ones(len(pids), bool), source="truth")
    assert quality.nmi == pytest.approx(normalized_mutual_info_score(pids, clusters), abs=1e-9)
    assert quality.purity == quality.reliable_purity


def test_cluster_quality__perfect_clusters():
    quality = cluster_quality([3, 3, 5], [1, 1, 2], [True] * 3, source="annotations")
    assert (quality.purity, quality.reliable_purity, quality.nmi) == (1, 1, pytest.approx(1))


def test_cluster_quality__nothing_known_or_nothing_reliable():
    assert cluster_quality([0, 1], [-2, 0], [True, True], source="truth") is None
    assert cluster_quality([0, 1], [1, 1], [False, False], source="truth").reliable_purity == 0


def test_cluster_quality__lengths_differ():
    with pytest.raises(EvaluationError, match=r"\(2,\), \(1,\) and \(2,\)"):
        cluster_quality([0, 1], [1], [True, True], source="truth")


def test_cluster_quality__nmi_of_a_perfect_match_is_not_above_one():
    clusters = np.repeat(np.arange(5), [2, 2, 1, 5, 1])  # the quotient rounds to 1 + 2e-16
    assert cluster_quality(clusters, clusters + 1, clusters >= 0, source="truth").nmi == 1


def test_cluster_quality__nmi_of_independent_groups_is_not_below_zero():
    clusters, pids = np.repeat(np.arange(3), 6), np.tile(np.arange(1, 7), 3)  # rounds to -8e-17
    assert cluster_quality(clusters, pids, clusters >= 0, source="truth").nmi == 0


@pytest.mark.parametrize(("clusters", "nmi"), [([4, 4], 1), ([0, 1], 0)])
def test_cluster_quality__nmi_of_one_person(clusters, nmi):
    assert cluster_quality(clusters, [9, 9], [True, True], source="truth").nmi == nmi


def test_cluster_quality__types():
    found = cluster_quality(CLUSTERS, PIDS, CLUSTERS == 0, source="truth")
    assert {type(value) for value in (found.purity, found.reliable_purity, found.nmi)} == {float}
    assert type(found.n_images) is int


def test_cluster_purities__by_hand():
    # 0: two of three are of 1; 1: both of 2; 2: one is known; 3: empty; an outlier is nowhere
    shares = cluster_purities([*CLUSTERS, -1], [*PIDS, 1], n_clusters=4)
    np.testing.assert_allclose(shares, [2 / 3, 1, 1, np.nan])


def test_cluster_purities__weighted_by_images_they_are_the_purity():
    quality = cluster_quality(CLUSTERS, PIDS, np.ones(7, bool), source="truth")
    shares = cluster_purities(CLUSTERS, PIDS, n_clusters=3)
    assert (shares * [3, 2, 1]).sum() / 6 == pytest.approx(quality.purity)


def test_cluster_purities__nobody_is_known():
    assert np.isnan(cluster_purities([0, 1], [0, -1], n_clusters=2)).all()


def test_cluster_purities__misshapen():
    with pytest.raises(EvaluationError, match="same shape"):
        cluster_purities([0, 1], [1], n_clusters=2)
