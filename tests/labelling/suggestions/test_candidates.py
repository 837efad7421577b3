"""More of a person, and pairs to ask about, of made-up people whose likeness is known."""

import time
from dataclasses import replace

import numpy as np

from pul.labelling.annotations import (
    Act,
    Annotations,
    Side,
    add,
    create,
    junk,
    not_same,
    same,
    unsure,
)
from pul.labelling.suggestions import (
    Footage,
    build_index,
    next_cards,
    pair_questions,
    suggest_more,
)
from tests.support.events import said
from tests.support.people import make_people

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
