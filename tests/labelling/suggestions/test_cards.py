"""Which card comes next and what is on it, of made-up people whose likeness is known."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pul.labelling.annotations import Annotations, create, junk, unsure
from pul.labelling.suggestions import (
    build_index,
    card_of,
    card_of_images,
    next_cards,
)
from tests.support.events import said
from tests.support.people import make_people


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
    assert "like somebody labelled already" in card.reason


@pytest.mark.parametrize(("n_known", "is_doubtful"), [(9, False), (10, True)])
def test_next_cards__later_ones_name_a_doubt(n_known: int, is_doubtful: bool) -> None:
    people = make_people(40)
    known = range(1, n_known + 1)
    acts = [create(people.image_ids[people.pids == pid].tolist()) for pid in known]
    index = people.index()
    [card] = next_cards(index, said(*acts))
    assert (card.reason.split(", ")[-1] in index.doubts) is is_doubtful
    assert "unlike anyone labelled so far" in card.reason


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
