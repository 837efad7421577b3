"""What is known of images, at its limits: image, group and identity 0, one cluster, ties."""

import numpy as np
import pytest

from pul.cluster.dbscan import _join_border, by_density
from pul.cluster.linked_kmeans import cluster_linked, refine_linked
from pul.cluster.links import LinkedSets, Links
from pul.config import RunConfig
from pul.errors import ConfigError


def test_sets__say_whether_two_are_one_and_whether_they_are_apart():
    sets = LinkedSets(np.array([-1, -1, -1, -1]), np.empty((0, 2), dtype=np.int64))
    assert sets.part(0, 1) is True
    assert sets.join(1, 2) is True
    assert sets.join(0, 2) is False  # 2 is one with 1, which is apart from 0
    assert sets.join(2, 1) is True  # already one
    assert sets.part(1, 2) is False
    assert sets.roots().tolist() == [0, 1, 1, 3]


def test_hold_in__two_that_are_apart_share_cluster_0():
    links = Links.of(2, apart=[([0], [1])])
    assert not links.hold_in(np.array([0, 0]))
    assert links.hold_in(np.array([0, 1]))
    assert links.hold_in(np.array([-1, -1]))  # both are outliers


def test_links__two_identities_need_no_pair_to_be_apart():
    links = Links.of(3, annotations={0: 5, 1: 9}, apart=[([0], [1]), ([1], [2])])
    assert links.identities.tolist() == [0, 1, -1]
    assert links.apart.tolist() == [[1, 2]]


def test_links__frame_0_is_a_frame():
    links = Links.of(3, tracklets=np.array([0, 1, 2]), moments=np.array([0, 0, -1]))
    assert links.apart.tolist() == [[0, 1]]


def test_take__identities_are_numbered_anew_from_0():
    links = Links.of(4, annotations={0: 3, 1: 4, 2: 5})
    assert links.identities.tolist() == [0, 1, 2, -1]
    assert links.take(np.array([0, 2, 3])).identities.tolist() == [0, 1, -1]


def test_join_border__joins_the_nearest_that_it_may_and_no_second_one():
    def joined(apart):
        sets = LinkedSets(np.full(3, -1), np.array(apart, dtype=np.int64).reshape(-1, 2))
        _join_border(sets, np.array([2, 2]), np.array([0, 1]))  # 2 is nearer to 0 than to 1
        return sets.roots().tolist()

    assert joined([]) == [0, 1, 0]  # 0 and 1 are not one through it
    assert joined([(0, 2)]) == [0, 1, 1]
    assert joined([(0, 2), (1, 2)]) == [0, 1, 2]


@pytest.mark.parametrize("mode", ["append", "constrained"])
def test_by_density__nothing_dense_is_said_in_both_modes(mode):
    config = RunConfig(clustering="dbscan", annotation_mode=mode).replace(
        **{"dbscan.k1": 2, "dbscan.k2": 1, "dbscan.min_samples": 9}
    )
    with pytest.raises(ConfigError, match="min_samples"):
        by_density(np.eye(6, dtype=np.float32), config=config, links=Links.of(6))


def test_cluster_linked__one_cluster_of_all():
    features = np.array([[0], [2], [4]], dtype=np.float32)
    found = cluster_linked(features, links=Links.of(3), n_clusters=1, seed=0, n_init=1)
    assert found.clusters.tolist() == [0, 0, 0]
    assert found.inertia == pytest.approx(8)


def test_refine_linked__three_that_are_apart_from_each_other_and_one_cluster():
    features = np.array([[0], [1], [3]], dtype=np.float32)
    links = Links.of(3, apart=[([0], [1]), ([0], [2]), ([1], [2])])
    found = refine_linked(features, np.zeros(3, dtype=np.int64), links)
    assert sorted(found.clusters.tolist()) == [0, 1, 2]
    assert found.inertia == 0
