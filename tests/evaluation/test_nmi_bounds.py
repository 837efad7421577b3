import numpy as np
import pytest

from pul.evaluation.cluster_quality import cluster_quality


def test_cluster_quality__nmi_of_a_perfect_match_is_not_above_one():
    clusters = np.repeat(np.arange(5), [2, 2, 1, 5, 1])  # the quotient rounds to 1 + 2e-16
    assert cluster_quality(clusters, clusters + 1, clusters >= 0, source="truth").nmi == 1


def test_cluster_quality__nmi_of_independent_groups_is_not_below_zero():
    clusters, pids = np.repeat(np.arange(3), 6), np.tile(np.arange(1, 7), 3)  # rounds to -8e-17
    assert cluster_quality(clusters, pids, clusters >= 0, source="truth").nmi == 0


@pytest.mark.parametrize(("clusters", "nmi"), [([4, 4], 1), ([0, 1], 0)])
def test_cluster_quality__nmi_of_one_person(clusters, nmi):
    assert cluster_quality(clusters, [9, 9], [True, True], source="truth").nmi == nmi
