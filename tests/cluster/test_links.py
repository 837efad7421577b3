"""Links by hand, and random links against brute force."""

import itertools
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pul.algorithm.clustering import cluster_images
from pul.cluster.dbscan import cluster_by_density
from pul.cluster.links import Links
from pul.config import RunConfig
from pul.errors import ConfigError
from tests.evaluation.test_reranking import reference_jaccard

N = 12
IMAGES = st.integers(0, N - 1)
SOME = st.lists(IMAGES, min_size=1, max_size=3)


def test_links__groups_by_hand():
    links = Links.of(
        8,
        annotations={6: 20, 1: 20, 3: 10},
        together=[(0, 2), (2, 3)],
        apart=[((4,), (5, 0)), ((7,), (6,))],
    )
    # {0, 2, 3} is identity 10, {1, 6} is identity 20, and 4, 5, 7 are alone; by first image these
    # are groups 0, 1, and 2, 3, 4.
    assert links.groups.tolist() == [0, 1, 0, 0, 2, 3, 1, 4]
    assert links.identities.tolist() == [0, 1, -1, -1, -1]
    assert links.identity_of.tolist() == [0, 1, 0, 0, -1, -1, 1, -1]
    assert sorted(map(sorted, links.apart.tolist())) == [[0, 2], [1, 4], [2, 3]]
    assert links.sizes.tolist() == [3, 2, 1, 1, 1]


def test_links__what_people_say_comes_before_what_cameras_say():
    tracklets = np.array([0, 0, 0, 1, 1])
    links = Links.of(5, annotations={0: 1, 2: 2}, apart=[((3,), (4,))], tracklets=tracklets)
    assert links.groups.tolist() == [0, 0, 1, 2, 3]  # image 1 goes with the one before it
    # Two identities, and two that are apart, are no group whatever else says so.
    contradiction = Links.of(3, annotations={0: 1, 1: 2}, together=[(0, 1, 2)])
    assert contradiction.identities[contradiction.groups].tolist() == [0, 1, 1]


def test_links__two_crops_of_one_frame_are_two_people():
    tracklets = np.array([0, 1, 2, 0, 3])
    moments = np.array([5, 5, -1, 5, -1])  # 0 and 3 are one person who was boxed twice
    links = Links.of(5, tracklets=tracklets, moments=moments)
    assert links.groups.tolist() == [0, 1, 2, 0, 3]
    assert links.apart.tolist() == [[0, 1]]


def test_links__take_by_hand():
    links = Links.of(
        6, annotations={0: 1, 4: 2, 5: 2}, together=[(1, 3)], apart=[((2,), (1,)), ((3,), (0,))]
    )
    taken = links.take(np.array([1, 2, 3, 4]))
    assert taken.groups.tolist() == [0, 1, 0, 2]
    assert taken.identities.tolist() == [-1, -1, 0]
    assert sorted(map(sorted, taken.apart.tolist())) == [[0, 1]]
    assert links.take(links.identity_of < 0).groups.tolist() == [0, 1, 0]


def test_links__an_image_that_is_not_there():
    with pytest.raises(ConfigError, match="image 3, but there are 3"):
        Links.of(3, apart=[((0,), (3,))])


@st.composite
def sayings(draw):
    """What people say of 12 images, without a contradiction: people are drawn first."""
    people = draw(st.lists(st.integers(0, 4), min_size=N, max_size=N))
    named = draw(st.sets(IMAGES, max_size=5))
    pairs = draw(st.lists(st.tuples(IMAGES, IMAGES), max_size=8))
    return {
        "annotations": {image: 100 + people[image] for image in named},
        "together": [pair for pair in pairs if people[pair[0]] == people[pair[1]]],
        "apart": [((a,), (b,)) for a, b in pairs if people[a] != people[b]],
    }


def closure(said):
    """Return which images are surely one person, shape (N, N), by Warshall's algorithm."""
    one = np.eye(N, dtype=bool)
    named = said["annotations"]
    for a, b in (*said["together"], *itertools.combinations(named, 2)):
        one[a, b] |= named.get(a, -1) == named.get(b, -2) or (a, b) in said["together"]
        one[b, a] = one[a, b]
    for via in range(N):
        one |= one[:, [via]] & one[[via]]
    return one


def two_people(said, one):
    """Return which images are surely two people, shape (N, N)."""
    two = np.zeros((N, N), dtype=bool)
    named = said["annotations"]
    known = [(a, b) for a, b in itertools.combinations(named, 2) if named[a] != named[b]]
    for a, b in (*known, *((left[0], right[0]) for left, right in said["apart"])):
        two[np.ix_(one[a], one[b])] = True
        two[np.ix_(one[b], one[a])] = True
    return two


@settings(max_examples=60, deadline=None)
@given(sayings())
def test_links__random_ones_against_brute_force(said):
    links = Links.of(N, **said)
    one = closure(said)
    assert (one == (links.groups[:, None] == links.groups)).all()
    two = two_people(said, one)
    pairs = {frozenset(pair) for pair in links.apart.tolist()}
    ranks = links.identity_of
    ours = [
        [
            frozenset((links.groups[a], links.groups[b])) in pairs
            or (ranks[a] >= 0 and ranks[b] >= 0 and ranks[a] != ranks[b])
            for b in range(N)
        ]
        for a in range(N)
    ]
    assert (two == np.array(ours)).all()


def is_scattered(features, links, config):
    """Whether no image has two neighbours, itself included."""
    table = reference_jaccard(features.astype(np.float64), 3, 2, is_scaled=False)[0]
    near = (np.array(table) <= config.dbscan.eps) | (links.groups[:, None] == links.groups)
    np.fill_diagonal(near, True)
    return not (near.sum(axis=1) >= 2).any()


@settings(max_examples=40, deadline=None)
@given(sayings(), st.integers(0, 9), st.sampled_from(["append", "constrained"]), st.booleans())
def test_cluster_images__random_links_hold(said, seed, mode, dense):
    features = np.random.default_rng(seed).standard_normal((N, 3)).astype(np.float32)
    links = Links.of(N, **said)
    config = RunConfig(annotation_mode=mode)
    if dense:
        config = config.replace(
            clustering="dbscan", dbscan={"k1": 3, "k2": 2, "min_samples": 2, "eps": 0.7}
        )
    n_clusters = min(links.n_identities + 4, links.n_groups)
    cluster = partial(cluster_images, features, n_clusters=n_clusters, seed=seed, links=links)
    if dense and not links.n_identities and is_scattered(features, links, config):
        with pytest.raises(ConfigError, match="DBSCAN finds no cluster"):
            cluster(config=config)
        return
    found = cluster(config=config).clusters
    one = closure(said)
    shared = found[:, None] == found
    assert shared[one].all()
    assert not (shared & (found >= 0))[two_people(said, one)].any()
    named = links.identity_of >= 0
    assert (found[named] == links.identity_of[named]).all()
    assert set(found.tolist()) - {-1} == set(range(found.max() + 1))
    if mode == "append":
        assert (found[~named] < 0).sum() + (found[~named] >= links.n_identities).sum() == (
            ~named
        ).sum()


@settings(max_examples=40, deadline=None)
@given(sayings(), st.integers(0, 9))
def test_cluster_by_density__without_contradiction_it_is_density_reachability(said, seed):
    """Core images that are near, and images of a group, are joined: nothing else is."""
    rng = np.random.default_rng(seed)
    features = (np.repeat(np.eye(4), 3, axis=0) + 0.3 * rng.standard_normal((N, 4))).astype("f4")
    links = Links.of(N, together=said["together"])
    distances = np.array(reference_jaccard(features.astype(np.float64), 4, 2, is_scaled=False)[0])
    one = closure({"annotations": {}, "together": said["together"]})
    near = (distances <= 0.6) | one
    np.fill_diagonal(near, True)
    core = near.sum(axis=1) >= 3
    reach = (near & core[:, None] & core) | one
    for via in range(N):
        reach |= reach[:, [via]] & reach[[via]]
    dense = np.array([(reach[i] & core).any() for i in range(N)])
    if not dense.any():
        return
    found = cluster_by_density(features, links=links, eps=0.6, min_samples=3, k1=4, k2=2).clusters
    inside = np.ix_(dense, dense)
    assert ((found[:, None] == found)[inside] == reach[inside]).all()
    for i in np.flatnonzero(~dense):
        group = one[i]
        borders = near[group][:, core]
        assert (found[i] >= 0) == borders.any()
        if borders.any():
            cores = np.flatnonzero(core)
            table = np.where(borders, distances[group][:, core], np.inf)
            nearest = cores[np.flatnonzero(np.isclose(table.min(axis=0), table.min(), atol=1e-5))]
            assert found[i] in found[nearest]


def test_cluster_by_density__a_cluster_is_cut_between_two_people():
    # 10 images on a quarter of a circle are one chain of density. The two ends are named: each
    # image between goes with the end that lies nearer along the chain.
    angles = np.linspace(0, np.pi / 2, 10)
    angles[5:] += 0.05  # the widest gap is between images 4 and 5
    features = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    settings = {"eps": 0.95, "min_samples": 2, "k1": 3, "k2": 1}
    whole = cluster_by_density(features, **settings)
    assert set(whole.clusters.tolist()) == {0}
    links = Links.of(10, annotations={0: 1, 9: 2})
    cut = cluster_by_density(features, links=links, **settings).clusters
    assert set(cut.tolist()) == {0, 1}
    assert (np.diff(cut) >= 0).all()
    assert (cut[0], cut[9]) == (0, 1)


def test_cluster_images__what_is_not_labelled_of_a_person_joins_the_person():
    # The fault of `append`: 10 of 20 images of a person are labelled, the other 10 become a second
    # cluster, which the training then pushes away from the person.
    rng = np.random.default_rng(2)
    people = np.repeat(np.eye(6), 20, axis=0) + 0.05 * rng.standard_normal((120, 6))
    links = Links.of(120, annotations=dict.fromkeys(range(10), 1))
    config = RunConfig(clustering="dbscan", dbscan={"k1": 12, "k2": 3})
    features = people.astype(np.float32)
    counts = {
        mode: int(
            cluster_images(
                features,
                n_clusters=6,
                seed=0,
                config=config.replace(annotation_mode=mode),
                links=links,
            ).clusters.max()
            + 1
        )
        for mode in ("append", "constrained")
    }
    assert counts == {"append": 7, "constrained": 6}


def least_inertia(features, links, k):
    """Return the least inertia of all ways to put N images into k clusters such that links hold."""
    best = np.inf
    for way in itertools.product(range(k), repeat=links.n_groups):
        clusters = np.array(way)[links.groups]
        if len(set(way)) < k or any(way[a] == way[b] for a, b in links.apart.tolist()):
            continue
        parts = [features[clusters == j] for j in range(k)]
        best = min(best, sum(np.square(part - part.mean(axis=0)).sum() for part in parts))
    return best


def test_cluster_images__k_means_with_cannot_links_reaches_the_least_inertia():
    # 0 and 1 are two people, and so are 10 and 11: with three clusters the best way is {0},
    # {1, 10}, {11}, of inertia 9² / 2 = 40.5.
    features = np.array([[0], [1], [10], [11], [11.5]], dtype=np.float32)
    links = Links.of(5, apart=[((0,), (1,)), ((2,), (3,))], together=[(3, 4)])
    found = cluster_images(features, n_clusters=3, seed=0, links=links)
    best = least_inertia(features, links, 3)
    assert best == pytest.approx(40.5 + 0.125)
    assert found.inertia == pytest.approx(best, rel=1e-5)
    assert groups_of(found.clusters) == {(0,), (1, 2), (3, 4)}


def groups_of(clusters):
    return {tuple(np.flatnonzero(clusters == k).tolist()) for k in set(clusters.tolist())}


def test_cluster_images__a_group_that_is_apart_from_all_gets_a_cluster_of_its_own():
    features = np.array([[0], [1], [2], [10]], dtype=np.float32)
    links = Links.of(4, apart=[((0,), (1, 2)), ((1,), (2,))])
    found = cluster_images(features, n_clusters=2, seed=0, links=links).clusters
    assert len({*found[:3].tolist()}) == 3
