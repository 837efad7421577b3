"""Counting people by pairs: what is asked, what labels answer already, and what it comes to."""

import numpy as np
import pytest

from pul.labelling.annotations import Annotations, create, fold, not_same, same, undecided
from pul.labelling.suggestions import count_plan, count_questions, read_count
from tests.support.events import Stored, said
from tests.support.people import make_people


def answer_all(people, index, plan, state=None):
    truth, state = people.truth(), state or Annotations()
    n_asked = 0
    while questions := count_questions(index, state, plan, n=5):
        assert len(questions) <= 5
        left, right = questions[0].left, questions[0].right
        is_same = truth[left.images[0]] == truth[right.images[0]]
        act = same([*left.images, *right.images]) if is_same else not_same(left, right)
        event = Stored(len(state.events) + 1, "ann", act.kind, act.payload)
        state = fold([event], state)
        n_asked += 1
    return state, n_asked


def test_count__of_clear_people_is_right_and_asks_each_pair_once() -> None:
    people = make_people(40, noise=0.3)
    index = people.index()
    plan = count_plan(index)
    assert read_count(index, Annotations(), plan) == (None, 0, plan.others.size)
    state, n_asked = answer_all(people, index, plan)
    counted = read_count(index, state, plan)
    assert counted.n_answered == counted.n_questions == plan.others.size
    assert n_asked <= plan.others.size
    assert counted.population is not None
    assert counted.population.n_people == pytest.approx(40)


def test_count__answers_are_labels() -> None:
    people = make_people(10, noise=1.0)
    index = people.index()
    state, _ = answer_all(people, index, count_plan(index))
    assert state.groups
    assert state.cannot_links
    truth = people.truth()
    assert all(len({truth[image] for image in group}) == 1 for group in state.groups)


def test_count__needs_no_answer_where_labels_say_it() -> None:
    people = make_people(10, noise=0.3)
    index = people.index()
    plan = count_plan(index)
    state = said(*(create(people.image_ids[people.pids == pid]) for pid in range(1, 11)))
    assert count_questions(index, state, plan, n=99) == []
    counted = read_count(index, state, plan)
    assert counted.population is not None
    assert counted.population.n_units == 8


def test_count__goes_on_after_what_cannot_be_told() -> None:
    people = make_people(10, noise=0.3)
    index = people.index()
    plan = count_plan(index)
    (first,) = count_questions(index, Annotations(), plan, n=1)
    state = said(undecided(first.left, first.right))
    (second,) = count_questions(index, state, plan, n=1)
    assert (second.left, second.right) != (first.left, first.right)
    done, _ = answer_all(people, index, plan, state)
    assert read_count(index, done, plan).population is not None


def test_count_plan__is_the_same_whatever_is_known() -> None:
    people = make_people(10, noise=0.3)
    first, second = (count_plan(people.index()) for _ in range(2))
    assert all(np.array_equal(*columns) for columns in zip(first, second, strict=True))
