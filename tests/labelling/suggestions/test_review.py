"""A review finds wrong joins again, asks nothing twice, and an answer does what it says."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from pul.labelling.annotations import (
    Annotations,
    Side,
    add,
    answer_pair,
    create,
    fold,
    merge,
    not_same,
    remove,
    same,
    undecided,
)
from pul.labelling.oracle import Oracle
from pul.labelling.suggestions import review_questions
from tests.support.events import Log, Stored, said
from tests.support.people import People, make_people


def own(people: People, pid: int, camid: int | None = None) -> list[int]:
    mask = people.pids == pid
    return people.image_ids[mask if camid is None else mask & (people.camids == camid)].tolist()


def go_on(state: Annotations, *acts: object) -> Annotations:
    for act in acts:
        event = Stored(len(state.events) + 1, "ann", act.kind, act.payload)  # type: ignore[attr-defined]
        state = fold([event], state)
    return state


def test_review__asks_about_a_stranger_first_and_takes_out_by_no() -> None:
    people = make_people(noise=0.3)
    stranger = own(people, 2, 1)
    state = said(create(own(people, 1) + stranger), create(own(people, 3)))
    question = review_questions(people.index(), state)[0]
    assert question.left == Side(identity=1)
    assert sorted(question.right.images) == sorted(stranger)
    assert set(question.left_images) <= set(own(people, 1))
    act = answer_pair(state, question.left, question.right, is_same=False)
    assert act == remove(1, stranger)
    state = go_on(state, act)
    assert state.identity(1).images == tuple(sorted(own(people, 1)))


@pytest.mark.parametrize("answer", ["yes", "cannot tell"])
def test_review__asks_nothing_twice(answer: str) -> None:
    people = make_people(noise=0.3)
    index = people.index()
    state = said(create(own(people, 1) + own(people, 2, 1)), create(own(people, 3)))
    question = review_questions(index, state)[0]
    sides = question.left, question.right
    yes = answer_pair(state, *sides, is_same=True)
    after = go_on(state, yes if answer == "yes" else undecided(*sides))
    assert sides not in [(each.left, each.right) for each in review_questions(index, after)]
    assert after.identity(1).images == state.identity(1).images


def test_review__asks_again_about_what_was_taken_out_and_put_back() -> None:
    people = make_people(noise=0.3)
    index, stranger = people.index(), own(people, 2, 1)
    state = said(create(own(people, 1) + stranger), add(1, stranger))
    assert review_questions(index, state) == []
    state = go_on(state, remove(1, stranger), add(1, stranger))
    assert [sorted(each.right.images) for each in review_questions(index, state)] == [stranger]


def test_review__asks_about_two_identities_of_one_person() -> None:
    people = make_people(noise=0.3)
    index = people.index()
    first, rest = own(people, 1)[:6], own(people, 1)[6:]
    state = said(create(first), create(rest), create(own(people, 2)))
    assert [(q.left, q.right) for q in review_questions(index, state)] == [(Side(1), Side(2))]
    assert answer_pair(state, Side(1), Side(2), is_same=True) == merge([1, 2])
    assert review_questions(index, go_on(state, not_same(Side(1), Side(2)))) == []
    assert len(review_questions(index, state, n=0)) == 0


def test_review__of_nothing() -> None:
    people = make_people(2)
    assert review_questions(people.index(), Annotations()) == []
    elsewhere = said(create([1, 2]), create([3, 4]))
    assert review_questions(people.index(), elsewhere) == []


def wrong_images(state: Annotations, truth: dict[int, int]) -> set[int]:
    """Return the images in an identity that most of its images do not show."""
    wrong = set()
    for known in state.identities:
        pids = [truth[image] for image in known.images]
        most = Counter(pids).most_common(1)[0][0]
        wrong |= {image for image in known.images if truth[image] != most}
    return wrong


def test_review__finds_most_wrong_joins_in_a_minute() -> None:
    people = make_people(60, n_cameras=4, n_images=3, noise=0.8, seed=1)
    people = replace(people, clusters=people.pids * 10 + people.camids // 2)
    index, truth, log = people.index(), people.truth(), Log()
    Oracle(index, truth, log, Annotations(), error_rate=0.1, seed=3).label(40)
    before = wrong_images(log.state, truth)
    assert len(before) >= 8
    questions = review_questions(index, log.state)
    assert len(questions) * (1.35 + 0.2) <= 60
    for question in questions:
        pids = [
            Counter(truth[image] for image in images).most_common(1)[0][0]
            for images in (question.left_images, question.right_images)
        ]
        sides = question.left, question.right
        log(answer_pair(log.state, *sides, is_same=pids[0] == pids[1]))
    found = before - wrong_images(log.state, truth)
    assert len(found) >= 0.8 * len(before)


# What an answer comes to


@pytest.mark.parametrize(
    ("sides", "act"),
    [
        ([Side(1), Side(2)], merge([1, 2])),
        ([Side(images=(5,)), Side(images=(6, 7))], same([5, 6, 7])),
    ],
)
def test_answer_pair__yes_and_no(sides: list[Side], act: object) -> None:
    state = said(create([1]), create([2]))
    assert answer_pair(state, *sides, is_same=True) == act
    assert answer_pair(state, *sides, is_same=False) == not_same(*sides)


@pytest.mark.parametrize("is_turned", [False, True])
def test_answer_pair__an_identity_and_images(is_turned: bool) -> None:
    state = said(create([1, 2, 3]))
    one, other, inside = Side(1), Side(images=(5, 6)), Side(images=(2, 3))
    for images, is_same, act in (
        (other, True, add(1, [5, 6])),
        (other, False, not_same(one, other)),
        (inside, True, add(1, [2, 3])),
        (inside, False, remove(1, [2, 3])),
    ):
        sides = (images, one) if is_turned else (one, images)
        assert answer_pair(state, *sides, is_same=is_same) == act


def test_was_confirmed__by_who_says_it_again() -> None:
    acts = [("ann", create([1, 2, 3])), ("bob", add(1, [2]))]
    state = said(*acts)
    assert state.was_confirmed(1, [2])
    assert not state.was_confirmed(1, [2, 3])
    assert not said(*acts, remove(1, [2]), add(1, [2])).was_confirmed(1, [2])
    merged = said(*acts, create([9]), merge([3, 1]))
    assert merged.was_confirmed(3, [2])
    assert np.array_equal(merged.owner_of([2]), [3])
