import numpy as np
import pytest

from pul.algorithm.clustering import cluster_images, fit_n_clusters
from pul.cluster.kmeans import cluster
from pul.cluster.links import Links
from pul.config import RunConfig
from pul.errors import ConfigError

CONSTRAINED = RunConfig(annotation_mode="constrained", kmeans_n_init=1)

# Four tight groups of three on a line: 0, 10, 20, 30. Group 3 is two persons who look alike.
FEATURES = np.array(
    [[x + dx, dy] for x in (0, 10, 20, 30) for dx, dy in ((0, 0), (1, 0), (0, 1))],
    dtype=np.float32,
)


def labels(annotations):
    return Links.of(len(FEATURES), annotations=annotations)


def groups(clusters):
    return {frozenset(np.flatnonzero(clusters == c).tolist()) for c in set(clusters.tolist())}


def test_cluster_images__no_annotations_is_k_means():
    ours = cluster_images(FEATURES, n_clusters=4, seed=1)
    plain = cluster(FEATURES, n_clusters=4, seed=1)
    assert (ours.clusters == plain.clusters).all()
    assert ours.inertia == plain.inertia


def test_cluster_images__append_keeps_identities_apart_from_clusters():
    # People named images 0 and 1 (identity 7) and 9 (identity 3): identities are clusters 0 and 1
    # in the order of their numbers, the other 9 images form K - L = 4 clusters.
    found = cluster_images(FEATURES, n_clusters=6, seed=0, links=labels({0: 7, 1: 7, 9: 3}))
    assert found.clusters[[0, 1, 9]].tolist() == [1, 1, 0]
    assert not set(found.clusters[[2, 3, 4, 5, 6, 7, 8, 10, 11]]) & {0, 1}
    assert set(found.clusters) == set(range(6))
    expected = {frozenset({3, 4, 5}), frozenset({6, 7, 8}), frozenset({10, 11})}
    assert groups(found.clusters) >= expected
    assert found.centers[0] == 9
    np.testing.assert_allclose(found.centroids[1], [0.5, 0])
    # inertia by hand: {0,1}: 2·0.25; {3,4,5} and {6,7,8}: 4/3 each; {10,11}: 2·0.5
    assert found.inertia == pytest.approx(0.5 + 4 / 3 + 4 / 3 + 1.0, rel=1e-5)


def test_cluster_images__constrained_lets_images_join_the_person_they_are():
    annotations = {0: 5, 9: 6}
    found = cluster_images(
        FEATURES, n_clusters=6, seed=0, links=labels(annotations), config=CONSTRAINED
    )
    assert found.clusters[0] == 0
    assert found.clusters[9] == 1
    # Every image lies nearest to its own centroid, the annotated ones excepted.
    distances = np.square(FEATURES[:, None] - found.centroids[None]).sum(2)
    free = [i for i in range(12) if i not in annotations]
    assert (distances.argmin(1)[free] == found.clusters[free]).all()


def test_cluster_images__constrained_never_joins_two_persons():
    # Images 0 and 1 nearly coincide, but people said they are two persons.
    found = cluster_images(
        FEATURES, n_clusters=5, seed=0, links=labels({0: 1, 1: 2}), config=CONSTRAINED
    )
    assert found.clusters[0] != found.clusters[1]
    assert set(found.clusters) == set(range(len(found.centers)))


def test_cluster_images__everything_annotated_is_supervised():
    annotations = {i: i // 3 for i in range(12)}
    found = cluster_images(FEATURES, n_clusters=750, seed=0, links=labels(annotations))
    assert found.clusters.tolist() == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3
    assert len(found.centers) == 4


@pytest.mark.parametrize("n_clusters", [2, 1, 13])
def test_cluster_images__k_that_leaves_no_room_says_the_range(n_clusters):
    with pytest.raises(ConfigError, match=r"2 annotated identities.*\[3, 12\].*but is"):
        cluster_images(FEATURES, n_clusters=n_clusters, seed=0, links=labels({0: 1, 9: 2}))


@pytest.mark.parametrize(
    ("n_clusters", "n_people", "n_each", "expected"),
    [
        (6, 0, 0, 6),  # nobody is labelled
        (6, 2, 1, 6),  # K - L = 4 clusters are for the rest
        (6, 5, 2, 6),  # one
        (6, 6, 1, 6 + 3),  # none: half of the images are left, and so is half of K
        (6, 9, 1, 9 + 2),  # 6 / 12 of 3 images is 1.5, rounded to even
        (6, 11, 1, 11 + 1),  # never none
        (11, 2, 3, 2 + 6),  # as many as there are images left
        (6, 12, 1, 6),  # all are labelled: supervised learning, whatever K
        (13, 2, 1, 13),  # more than there are images: refused
    ],
)
def test_fit_n_clusters__by_hand(n_clusters, n_people, n_each, expected):
    annotations = {n: n // n_each for n in range(n_people * n_each)} if n_each else {}
    assert fit_n_clusters(n_clusters, labels(annotations)) == expected
    if expected <= 12:
        found = cluster_images(FEATURES, n_clusters=expected, seed=0, links=labels(annotations))
        assert len(found.centers) == (12 if n_people == 12 else expected)


def test_links__annotation_of_an_image_that_is_not_there():
    with pytest.raises(ConfigError, match="image 12, but there are 12"):
        labels({12: 1})
