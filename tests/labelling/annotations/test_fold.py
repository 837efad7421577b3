"""The fold of acts against cases worked out by hand, and what is read off it."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest

from pul.errors import ConfigError, DataError
from pul.labelling.annotations import (
    JUNK,
    UNANSWERED,
    UNSURE,
    Side,
    add,
    create,
    find_contradictions,
    fold,
    junk,
    merge,
    not_same,
    remove,
    rename,
    same,
    set_role,
    split,
    to_rows,
    undecided,
    undo,
    unsure,
)
from tests.support.events import Stored, log, members

# Identities


def test_fold__create_names_and_colours_in_order() -> None:
    state = fold(log(create([5, 3]), create([8]), rename(2, "guard"), create([9])))
    found = [(x.identity, x.name, x.colour, x.images) for x in state.identities]
    assert found == [(1, "ID_001", 0, (3, 5)), (2, "guard", 1, (8,)), (4, "ID_003", 2, (9,))]


def test_fold__add_and_remove() -> None:
    state = fold(log(create([1, 2]), add(1, [3, 4], refused=[9]), remove(1, [2])))
    assert members(state) == {1: (1, 3, 4)}
    assert state.refused_by(1) == {2, 9}


def test_fold__own_later_act_moves_an_image() -> None:
    state = fold(log(create([1, 2]), create([3]), add(2, [2])))
    assert members(state) == {1: (1,), 2: (2, 3)}
    assert find_contradictions(state) == ()


def test_fold__adding_what_was_refused_takes_the_refusal_back() -> None:
    state = fold(log(create([1], refused=[2]), add(1, [2])))
    assert state.refused_by(1) == frozenset()
    assert find_contradictions(state) == ()


def test_fold__merge_of_many_keeps_the_first() -> None:
    acts = [create([1]), create([2]), create([3], role="validation"), create([4])]
    state = fold(log(*acts, merge([3, 1, 4]), add(1, [5])))
    assert members(state) == {2: (2,), 3: (1, 3, 4, 5)}
    assert state.identity(4).role == "validation"
    assert state.find(1) == 3


def test_fold__undone_merge_parts_them_again() -> None:
    state = fold(log(create([1]), create([2]), merge([1, 2]), add(1, [3]), undo(3)))
    assert members(state) == {1: (1, 3), 2: (2,)}


def test_fold__two_merges_at_once_join_all() -> None:
    acts = [create([1]), create([2]), create([3])]
    state = fold(log(*acts, ("ann", merge([1, 2])), ("bob", merge([2, 3]))))
    assert members(state) == {1: (1, 2, 3)}


def test_fold__split_makes_a_different_person() -> None:
    state = fold(log(create([1, 2, 3]), split(1, [2, 3])))
    assert members(state) == {1: (1,), 2: (2, 3)}
    assert state.refused_by(1) == {2, 3}
    assert state.refused_by(2) == {1}
    assert [x.name for x in state.identities] == ["ID_001", "ID_002"]


def test_fold__unsure_gives_way_and_junk_does_not() -> None:
    state = fold(log(create([1]), ("bob", unsure([1, 2])), junk([3]), unsure([3])))
    assert state.owner_of([1, 2, 3, 4]).tolist() == [1, UNSURE, UNSURE, UNANSWERED]
    assert fold(log(("bob", junk([3])), unsure([3]))).owners == {3: JUNK}


# Closure


def test_owners__must_links_carry_an_identity_on() -> None:
    state = fold(log(same([1, 2]), same([2, 3]), junk([3]), create([1])))
    assert state.groups == ((1, 2, 3),)
    assert state.owners == {1: 4, 2: 4, 3: JUNK}


def test_refused_by__is_closed_under_must_links_and_merges() -> None:
    acts = [create([1]), create([2]), same([8, 9])]
    state = fold(log(*acts, not_same(Side(2), Side(images=(8,))), merge([1, 2])))
    assert state.refused_by(1) == state.refused_by(2) == {8, 9}


def test_was_asked__never_again_what_is_answered() -> None:
    state = fold(
        log(
            create([1, 2], refused=[3]),
            same([4, 5]),
            not_same(Side(images=(6,)), Side(images=(7,))),
            undecided(Side(images=(8,)), Side(images=(9,))),
        )
    )
    answered = [(1, 2), (1, 3), (2, 3), (4, 5), (6, 7), (8, 9)]
    asked = [x for x in combinations(range(1, 10), 2) if state.was_asked({x[0]}, {x[1]})]
    assert asked == answered
    assert state.was_asked({7}, {6})


# What a run sees


def test_training_mapping__leaves_validation_out() -> None:
    state = fold(log(create([1, 2]), create([3], role="validation"), junk([9])))
    assert state.training_mapping() == {1: 1, 2: 1}
    assert state.held_out() == {3, 9}


def test_to_rows__names_rows_of_the_run() -> None:
    assert to_rows({20: 1, 30: 2, 99: 2}, np.array([10, 20, 30])) == {1: 1, 2: 2}


def test_content_hash__names_the_content_not_the_history() -> None:
    one = fold(log(create([1, 2]), rename(1, "x")))
    other = fold(log(create([1]), add(1, [2, 3]), undo(2), add(1, [2])))
    assert one.content_hash() == other.content_hash() != ""
    assert one.content_hash() != fold(log(create([1, 3]))).content_hash()
    assert one.content_hash() != fold(log(create([1, 2], role="validation"))).content_hash()
    assert fold([]).content_hash() == fold(log(create([1]), undo(1))).content_hash() == ""


# What is refused


@pytest.mark.parametrize(
    "make",
    [
        lambda: create([]),
        lambda: add(1, []),
        lambda: merge([4, 4]),
        lambda: same([1]),
        lambda: set_role(1, "test"),  # type: ignore[arg-type]
        lambda: not_same(Side(), Side(1)),
        lambda: not_same(Side(1, (2,)), Side(1)),
    ],
)
def test_acts__refuse_what_means_nothing(make: Any) -> None:
    with pytest.raises(ConfigError):
        make()


def test_fold__unknown_kind() -> None:
    with pytest.raises(DataError, match="'dance'"):
        fold([Stored(1, "ann", "dance", {})])


def test_identity__that_is_gone() -> None:
    with pytest.raises(DataError, match="no identity 1"):
        fold(log(create([1]), undo(1))).identity(1)
