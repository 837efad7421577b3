"""Suggestions on made-up people, whose order and likeness are known by construction."""

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pul.annotations import Act, Annotations, Side, add, create, fold, junk, not_same, same, unsure
from pul.arrays import l2_normalize
from pul.errors import FeatureError
from pul.suggestions import (
    Footage,
    build_index,
    card_of,
    card_of_images,
    next_cards,
    pair_questions,
    suggest_more,
)
from pul.suggestions.clocks import learn_clocks, unset_clocks
from pul.suggestions.colours import describe_colours
from pul.suggestions.footage import find_tracklets
from pul.suggestions.likeness import embed
from tests.events import log
from tests.people import make_people


def said(*acts: Act) -> Annotations:
    return fold(log(*acts))


# Footage and likeness


def test_find_tracklets__near_frames_and_alike() -> None:
    #          one person, near | one far in time | another person | another camera
    embedding = np.eye(2, dtype=np.float32)[[0, 0, 0, 1, 0]]
    footage = Footage.of(np.array([1, 1, 1, 1, 2]), frames=np.array([10, 20, 900, 15, 10]))
    assert find_tracklets(embedding, footage).tolist() == [0, 0, 1, 2, 3]


def test_find_tracklets__frames_of_two_recordings_do_not_compare() -> None:
    embedding = np.ones((2, 1), dtype=np.float32)
    cameras, frames = np.array([1, 1]), np.array([10, 20])
    assert find_tracklets(embedding, Footage.of(cameras, frames=frames)).tolist() == [0, 0]
    apart = Footage.of(cameras, frames=frames, recordings=np.array([1, 2]))
    assert find_tracklets(embedding, apart).tolist() == [0, 1]


def test_find_tracklets__those_that_the_data_names() -> None:
    embedding = np.eye(3, dtype=np.float32)
    footage = Footage.of(np.array([1, 1, 1]), tracklets=["a", "", "a"])
    assert find_tracklets(embedding, footage).tolist() == [0, 1, 0]


def test_footage__columns_of_different_length() -> None:
    with pytest.raises(FeatureError, match="one length"):
        Footage.of(np.array([1, 2]), frames=np.array([1]))


def test_embed__takes_off_what_a_camera_adds() -> None:
    people = make_people(noise=0.1)
    embedding = embed(people.features, people.camids)
    cosines = embedding @ embedding.T
    one_person = people.pids[:, None] == people.pids
    across = people.camids[:, None] != people.camids
    assert cosines[one_person & across].min() > cosines[~one_person & ~across].max()


def passers_by(
    n_people: int, late: int, *, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return means, cameras and times: everyone passes camera 1, and `late` frames on camera 2."""
    random = np.random.default_rng(seed)
    looks = random.normal(size=(n_people, 16))
    means = np.concatenate([looks, looks]) + 0.5 * random.normal(size=(2 * n_people, 16))
    times = random.uniform(0, 500_000, n_people)
    cameras = np.repeat([1, 2], n_people)
    return l2_normalize(means), cameras, np.concatenate([times, times + late])


def bonuses_between(means: np.ndarray, cameras: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Return the bonus of each person's two tracklets, and of each with the next person's."""
    clocks = unset_clocks(cameras, np.zeros_like(cameras), times)
    clocks = learn_clocks(clocks, means, cameras)
    n_people = len(times) // 2
    table = clocks.bonus(np.arange(n_people), np.arange(n_people, 2 * n_people))
    assert np.array_equal(
        table, clocks.bonus(np.arange(n_people, 2 * n_people), np.arange(n_people)).T
    )
    return np.stack([np.diag(table), np.diag(np.roll(table, -1, axis=1))])


@pytest.mark.parametrize("late", [0, 30_000, -12_000])
def test_clocks__learn_how_much_later_one_camera_is(late: int) -> None:
    own, others = bonuses_between(*passers_by(300, late))
    assert own.min() > 0.05
    assert np.median(others) <= 0


def test_clocks__say_nothing_where_they_do_not_agree() -> None:
    means, cameras, times = passers_by(300, 0)
    times[300:] = np.random.default_rng(1).permutation(times[300:])
    own, _ = bonuses_between(means, cameras, times)
    agreeing, _ = bonuses_between(*passers_by(300, 0))
    assert own.mean() < agreeing.mean() / 5


def test_clocks__unknown_times_and_cameras_add_nothing() -> None:
    means, cameras, times = passers_by(50, 0)
    times[:10], cameras[50:60] = np.nan, -1
    clocks = unset_clocks(cameras, np.zeros_like(cameras), times)
    clocks = learn_clocks(clocks, means, cameras)
    assert not clocks.bonus(np.arange(10), np.arange(100)).any()
    assert not clocks.bonus(np.arange(100), np.arange(50, 60)).any()
    nobody = unset_clocks(cameras, cameras, np.full(100, np.nan))
    assert not learn_clocks(nobody, means, cameras).bonus(np.arange(100), np.arange(100)).any()


def test_clocks__two_recordings_tell_only_how_often_people_come_back() -> None:
    means, cameras, times = passers_by(300, 0)
    recordings = np.tile(np.arange(300) % 2, 2)  # everyone is in one of two recordings
    clocks = learn_clocks(unset_clocks(cameras, recordings, times), means, cameras)
    across = clocks.bonus(np.array([0]), 300 + np.arange(1, 300, 2))
    assert len(np.unique(across)) == 1
    assert across[0, 0] < 0


def test_affinities__are_cosine_and_bonus() -> None:
    tracklets = make_people(40).index().tracklets
    left, right = np.array([0, 1]), np.array([2, 3, 4])
    cosines = tracklets.means[left] @ tracklets.means[right].T
    expected = cosines + tracklets.clocks.bonus(left, right)
    assert np.allclose(tracklets.affinities(left, right), expected)


def test_describe_colours__strips_from_head_to_foot() -> None:
    image = np.zeros((64, 32, 3), np.uint8)
    image[:32] = [255, 0, 0]  # red above, blue below
    image[32:] = [0, 0, 255]
    mirrored, other = image[:, ::-1], image[::-1]
    described = describe_colours(np.stack([image, mirrored, other]))
    strips = described.reshape(3, 8, -1)
    assert np.allclose((strips**2).sum(axis=2), 1)
    assert np.array_equal(described[0], described[1])
    assert np.allclose(strips[0], strips[2, ::-1])
    assert (strips[0, 0] @ strips[0, 7], strips[0, 0] @ strips[0, 2]) == (0, 1)
    assert 0 < strips[0, 3] @ strips[0, 4] < 1  # each takes in half of the other


def test_build_index__colours_tell_apart_whom_features_do_not() -> None:
    people = make_people(12)
    plain = np.random.default_rng(0).normal(size=people.features.shape).astype(np.float32)
    colours = np.abs(people.features)
    own = people.image_ids[people.pids == 4]
    given = own[people.camids[people.pids == 4] == 1]

    def n_found(colours: np.ndarray | None) -> int:
        similarities = np.full(len(plain), 0.9, np.float32)
        footage = Footage.of(people.camids)
        index = build_index(
            plain, people.clusters, similarities, people.image_ids, footage, colours=colours
        )
        row = suggest_more(index, Annotations(), given)
        return len({image for other in row for image in other.images.tolist()} & set(own.tolist()))

    assert n_found(colours) > n_found(None)


def test_build_index__refuses_arrays_of_different_length() -> None:
    people = make_people()
    with pytest.raises(FeatureError, match="one length"):
        build_index(
            people.features,
            people.clusters[1:],
            np.ones(len(people.pids), np.float32),
            people.image_ids,
            people.footage(),
        )


# Cards


def test_next_cards__are_one_person_each_and_different() -> None:
    people = make_people()
    cards = next_cards(people.index(), Annotations(), n=5)
    found = [people.pids_of(card.images[card.chosen]) for card in cards]
    assert [len(pids) for pids in found] == [1] * 5
    assert len(set.union(*found)) == 5
    assert cards[0].reason == "dense, 3 cameras, cluster of 12 images"


def test_next_cards__the_cluster_is_counted_as_the_card_shows_it() -> None:
    people = make_people()  # a tracklet is of one cluster, k-means put one of its images elsewhere
    clusters = people.clusters.copy()
    clusters[np.flatnonzero(people.pids == 1)[0]] = people.clusters[people.pids == 2][0]
    cards = next_cards(replace(people, clusters=clusters).index(), Annotations(), n=9)
    assert len(cards) == 9
    for card in cards:
        assert card.reason.endswith(f"cluster of {len(card.images)} images")


def test_next_cards__small_ones_come_where_no_others_are_left() -> None:
    people = make_people(4, n_images=1, noise=0.1)
    large = make_people(4, n_images=4, noise=0.1)
    [first, *others] = next_cards(people.index(), Annotations(), n=4)
    assert len(first.images) == 3
    assert len(others) == 3
    # People 1 and 2 have four images, others twelve.
    large = large.keep((large.pids > 2) | (large.camids == 1))
    assert {len(card.images) for card in next_cards(large.index(), Annotations(), n=9)} == {12}


def test_next_cards__an_intruder_of_the_cluster_is_shown_unchosen() -> None:
    people = make_people(12, noise=0.3)
    clusters = np.where(people.pids == 2, 0, people.clusters)  # two people in one cluster
    index = replace(people, clusters=clusters).index()
    card = next(c for c in next_cards(index, Annotations(), n=11) if len(c.images) == 24)
    assert len(people.pids_of(card.images[card.chosen])) == 1
    assert people.pids_of(card.images) == {1, 2}
    assert card.chosen.sum() == 12


def test_next_cards__a_card_that_joins_many_images_comes_first() -> None:
    people = make_people(12, noise=0.3)
    people = people.keep((people.pids <= 4) | (people.frames % 500 < 20))  # others lose half
    cards = next_cards(people.index(), Annotations(), n=8)
    assert [int(card.chosen.sum()) for card in cards] == [12] * 4 + [6] * 4


def test_next_cards__of_equal_ones_that_of_more_cameras_comes_first() -> None:
    index = make_people(8, noise=0.3).index()
    alike = replace(index, cohesion=np.ones_like(index.cohesion))
    for key in (2, 5):
        n_cameras = np.where(np.arange(len(index.means)) == key, 4, 3)
        [card] = next_cards(replace(alike, n_cameras=n_cameras), Annotations())
        assert card.key == key


def test_next_cards__order_is_by_camera_from_center_to_far_with_tracklets_together() -> None:
    people = make_people()
    index = people.index()
    [card] = next_cards(index, Annotations())
    rows = index.rows_of(card.images[card.chosen])
    for column in (index.footage.camids[rows], index.tracklets.groups.of[rows]):
        n_changes = int((np.diff(column) != 0).sum())
        assert n_changes == len(set(column.tolist())) - 1  # equal ones lie together
    closeness = index.embedding[rows] @ index.means[card.key]
    for camera in set(card.camids[card.chosen].tolist()):
        mask = index.footage.camids[rows] == camera
        assert (np.diff(closeness[mask]) <= 1e-6).all()
    assert closeness[0] == closeness.max()


@pytest.mark.parametrize("answer", [create, unsure, junk])
def test_next_cards__what_was_answered_never_comes_again(answer: Any) -> None:
    people = make_people(6, noise=0.1)
    index, acts, seen = people.index(), [], set()
    while cards := next_cards(index, said(*acts)):
        images = set(cards[0].images[cards[0].chosen].tolist())
        assert not images & seen
        seen |= images
        acts.append(answer(images))
    assert len(acts) == 6


def test_next_cards__skipped_ones_stay_away() -> None:
    people = make_people(6, noise=0.1)
    index, skipped = people.index(), set()
    while cards := next_cards(index, Annotations(), skipped=skipped):
        assert cards[0].key not in skipped
        skipped.add(cards[0].key)
    assert len(skipped) == 6


def test_next_cards__far_from_what_is_known() -> None:
    people = make_people(12)
    features = people.features.copy()
    twin = people.pids == 2
    source = np.array(
        [np.flatnonzero((people.pids == 1) & (people.camids == c))[0] for c in people.camids[twin]]
    )
    features[twin] = people.features[source] + 0.01  # person 2 looks like person 1
    people = replace(people, features=features)
    index = people.index()
    state = said(create(people.image_ids[people.pids == 1].tolist()))
    order = [people.pids_of(c.images[c.chosen]) for c in next_cards(index, state, n=11)]
    assert order[-1] == {2}
    card = card_of(index, state, next_cards(index, state, n=11)[-1].key)
    assert "close to one of your 1 IDs" in card.reason


def test_next_cards__later_ones_name_a_doubt() -> None:
    people = make_people(40)
    acts = [create(people.image_ids[people.pids == pid].tolist()) for pid in range(1, 26)]
    index = people.index()
    [card] = next_cards(index, said(*acts))
    assert card.reason.split(", ")[-1] in index.doubts
    assert "25 IDs" in card.reason


def test_card_of_images__all_chosen() -> None:
    people = make_people()
    card = card_of_images(people.index(), people.image_ids[:5], reason="lasso")
    assert sorted(card.images.tolist()) == people.image_ids[:5].tolist()
    assert (card.key, card.cluster, card.reason, card.chosen.all()) == (-1, -1, "lasso", True)


def test_doubts__second_clustering() -> None:
    people = make_people(12)
    second = people.clusters.copy()
    halved = np.flatnonzero(people.pids == 3)[::2]
    second[halved] = 99
    index = build_index(
        people.features,
        people.clusters,
        np.full(len(second), 0.9, np.float32),
        people.image_ids,
        people.footage(),
        second_clusters=second,
    )
    bundle = int(index.doubts["two clusterings disagree"].argmax())
    assert people.pids_of(index.image_ids[index.images.members(bundle)]) == {3}


# More of this person


def test_suggest_more__finds_the_rest_first_and_nothing_known() -> None:
    people = make_people()
    own = people.image_ids[people.pids == 4]
    given = own[people.camids[people.pids == 4] == 1].tolist()
    row = suggest_more(people.index(), Annotations(), given)
    assert 0 < len(row) <= 12
    assert people.pids_of(row[0].images) == {4}
    assert not set(given) & {image for other in row for image in other.images.tolist()}


def test_suggest_more__is_ranked_anew_with_what_was_accepted() -> None:
    people = make_people(noise=1.0)
    index = people.index()
    accepted = set(people.image_ids[people.pids == 4][:2].tolist())
    for _ in range(12):
        row = suggest_more(index, Annotations(), accepted)
        place = next((c for c in row if people.pids_of(c.images) == {4}), None)
        if place is None:
            break
        accepted |= set(place.images.tolist())
    assert len(accepted) >= 11  # of 12


def test_suggest_more__never_what_was_answered() -> None:
    people = make_people()
    index = people.index()
    own = people.image_ids[people.pids == 4]
    acts = [create(own[:2]), junk(own[2:4]), unsure(own[4:5]), create(own[5:7])]
    acts += [add(1, [], refused=own[7:8]), not_same(Side(1), Side(images=tuple(own[8:9])))]
    row = suggest_more(index, said(*acts), [], identity=1, refused=own[9:10].tolist())
    offered = {image for other in row for image in other.images.tolist()}
    assert offered & set(own.tolist()) == set(own[10:].tolist())


def test_suggest_more__same_camera_and_frame_is_someone_else() -> None:
    people = make_people(2, n_cameras=2, n_images=2)
    first = np.flatnonzero((people.pids == 1) & (people.camids == 1))
    second = np.flatnonzero((people.pids == 2) & (people.camids == 1))
    frames = people.frames.copy()
    given = people.image_ids[first].tolist()

    def offered(frames: np.ndarray) -> set[int]:
        index = replace(people, frames=frames).index()
        return {
            image for c in suggest_more(index, Annotations(), given) for image in c.images.tolist()
        }

    others = set(people.image_ids[second].tolist())
    assert others <= offered(frames)
    frames[second] = frames[first]
    assert not others & offered(frames)


def test_suggest_more__of_images_that_the_run_does_not_have() -> None:
    assert suggest_more(make_people().index(), Annotations(), [1, 2]) == []


# Pairs


def test_pair_questions__nothing_answered_comes_again() -> None:
    people = make_people(6)
    index = people.index()
    own = people.image_ids[people.pids == 1]
    acts: list[Act] = [create(own[:6]), create(own[6:])]
    asked = set()
    for _ in range(30):
        questions = pair_questions(index, said(*acts), n=1)
        if not questions:
            break
        [question] = questions
        pair = (question.left, question.right)
        assert pair not in asked
        asked.add(pair)
        if question.left.identity is None and len(acts) % 2:
            acts.append(same([*question.left.images, *question.right.images]))
        else:
            acts.append(not_same(question.left, question.right))
    assert (Side(1), Side(2)) in asked


def test_pair_questions__of_nothing() -> None:
    people = make_people(2)
    assert pair_questions(people.index(), said(junk(people.image_ids)), n=3) == []
    assert pair_questions(people.index(), Annotations(), n=0) == []


# The order of files tells who is who; suggestions must not lean on it.


def test_suggestions__do_not_depend_on_the_order_of_images() -> None:
    people = make_people(12, seed=3)
    order = np.random.default_rng(5).permutation(len(people.pids))
    moved = replace(
        people,
        features=people.features[order],
        pids=people.pids[order],
        camids=people.camids[order],
        frames=people.frames[order],
        clusters=people.clusters[order],
    )
    found = [
        [p.pids_of(card.images[card.chosen]) for card in next_cards(p.index(), Annotations(), n=6)]
        for p in (people, moved)
    ]
    assert found[0] == found[1]


def test_suggestions__are_quick() -> None:
    people = make_people(750, n_cameras=4, n_images=4, noise=1.0)
    index = people.index()
    acts = [create(people.image_ids[people.pids == pid]) for pid in range(1, 21)]
    state = said(*acts)
    seconds = []
    for _ in range(5):
        started = time.process_time()
        [card] = next_cards(index, state)
        suggest_more(index, state, card.images[card.chosen].tolist())
        seconds.append(time.process_time() - started)
    assert min(seconds) < 0.05


def test_build_index__an_outlier_belongs_with_no_other():
    features = np.ones((6, 4), dtype=np.float32)
    clusters = np.array([0, 0, -1, 0, -1, 1])
    footage = Footage.of(np.arange(6))
    index = build_index(features, clusters, np.ones(6, np.float32), np.arange(6), footage)
    assert index.cluster_of.tolist() == [0, 0, 2, 0, 3, 1]
