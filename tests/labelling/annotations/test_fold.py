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


def test_fold__create_with_a_name() -> None:
    state = fold(log(create([1], name="guard"), create([2])))
    assert [known.name for known in state.identities] == ["guard", "ID_002"]


def test_fold__who_says_it_again_keeps_the_other_author() -> None:
    state = fold(log(create([7]), ("bob", create([7])), add(1, [7])))
    assert [(o.event_id, o.author, o.identity) for o in state.opinions[7]] == [
        (2, "bob", 2),
        (3, "ann", 1),
    ]
    assert members(state) == {1: (7,)}


def test_fold__split_moves_what_was_said_of_this_identity_only() -> None:
    state = fold(
        log(create([1, 2, 3]), ("bob", create([2])), ("bob", unsure([3])), split(1, [2, 3]))
    )
    said = {image: [(o.author, o.identity) for o in state.opinions[image]] for image in (1, 2, 3)}
    assert said == {
        1: [("ann", 1)],
        2: [("ann", 4), ("bob", 2)],
        3: [("ann", 4), ("bob", UNSURE)],
    }


def test_fold__split_of_an_image_that_a_must_link_brought() -> None:
    state = fold(log(create([1]), same([1, 2]), ("bob", split(1, [2]))))
    assert [(o.event_id, o.author, o.identity) for o in state.opinions[2]] == [(3, "bob", 3)]


# In pieces


def test_fold__late_events_and_undo_go_through_again() -> None:
    events = log(create([1]), create([2]), add(1, [2]), undo(3), create([5]))
    at_once = fold(events)
    late = fold(events[:1], fold(events[1:3]))
    assert members(late) == {1: (1, 2)}
    assert late.numbers == {1: 1, 2: 2}
    for n_first in (3, 4):
        assert fold(events[n_first:], fold(events[:n_first])) == at_once
    assert members(at_once) == {1: (1,), 2: (2,), 5: (5,)}
    gap = log(create([1]), create([2]), create([9]), add(1, [2]), add(2, [2]))
    assert fold(gap[3:4], fold([*gap[:3], gap[4]])) == fold(gap)  # the last but one comes last
    only_undo = fold(events[3:4], fold(events[:3]))
    assert only_undo == fold(events[:4])
    assert members(only_undo) == {1: (1,), 2: (2,)}


def test_fold__an_undo_of_itself_takes_nothing_back() -> None:
    assert fold(log(undo(1))).undone == frozenset()


# Damaged and lost events


def lost(was: str | None) -> Stored:
    return Stored(2, "ann", "lost", {} if was is None else {"was": was})


@pytest.mark.parametrize(
    ("was", "third"),
    [("create", 3), ("split", 3), ("dance", 3), (None, 3), ("add", 2), ("undo", 2)],
)
def test_fold__a_lost_event_that_may_have_made_an_identity_keeps_its_number(
    was: str | None, third: int
) -> None:
    first, _, last = log(create([1]), create([2]), create([3]))
    state = fold([first, lost(was), last])
    assert state.numbers[3] == third
    assert members(state) == {1: (1,), 3: (3,)}


@pytest.mark.parametrize(
    ("kind", "payload"),
    [("create", {}), ("add", {"identity": 1}), ("undo", {"event": "1"}), ("redo", []), ("junk", 3)],
)
def test_fold__a_damaged_event_is_named(kind: str, payload: Any) -> None:
    with pytest.raises(DataError, match=f"Event 9 of the labels, '{kind}', is damaged"):
        fold([*log(create([1])), Stored(9, "ann", kind, payload)])


# Closure


def test_owners__must_links_carry_an_identity_on() -> None:
    state = fold(log(same([1, 2]), same([2, 3]), junk([3]), create([1])))
    assert state.groups == ((1, 2, 3),)
    assert state.owners == {1: 4, 2: 4, 3: JUNK}


def test_owners__must_links_carry_the_very_first_identity_on() -> None:
    assert fold(log(create([1]), same([1, 2]))).owners == {1: 1, 2: 1}


def test_owner_of__any_row_of_images() -> None:
    state = fold(log(create([3]), junk([5])))
    expected = [JUNK, UNANSWERED, 1]
    for images in ([5, 4, 3], np.array([5, 4, 3]), (x for x in (5, 4, 3))):
        assert state.owner_of(images).tolist() == expected
    assert fold([]).owner_of([1, 2]).tolist() == [UNANSWERED, UNANSWERED]


@pytest.mark.parametrize("flipped", [False, True])
def test_refused_by__one_image_of_a_side_in_the_identity_is_enough(flipped: bool) -> None:
    one, other = Side(images=(1, 2)), Side(images=(8, 9))
    pair = not_same(other, one) if flipped else not_same(one, other)
    assert fold(log(create([1]), pair)).refused_by(1) == {8, 9}


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
    assert state.was_asked({3}, {1})  # the person is on the right
    assert not state.was_asked({6}, {1})


def test_two_people__sides_that_show_somebody_else() -> None:
    acts = [
        create([1, 2], refused=[3, 4]),
        junk([4]),
        create([5], refused=[1]),  # an image of another identity is not listed
        not_same(Side(images=(9, 7)), Side(images=(8,))),
        not_same(Side(images=(6,)), Side(images=(5,))),  # listed with identity 3
        create([20]),  # refuses nobody
    ]
    assert fold(log(*acts)).two_people() == (
        ((1, 2), (3, 4)),
        ((5,), (6,)),
        ((7, 9), (8,)),
    )


def test_unnamed_groups__are_of_no_identity() -> None:
    state = fold(log(same([1, 2]), same([7, 8]), same([5, 8]), create([2])))
    assert state.unnamed_groups() == ((5, 7, 8),)


# What a run sees


def test_training_mapping__leaves_validation_out() -> None:
    state = fold(log(create([1, 2]), create([3], role="validation"), junk([9])))
    assert state.training_mapping() == {1: 1, 2: 1}
    assert state.validation_mapping() == {3: 2}
    assert state.held_out() == {3, 9}


def test_to_rows__names_rows_of_the_run() -> None:
    assert to_rows({20: 1, 30: 2, 99: 2}, np.array([10, 20, 30])) == {1: 1, 2: 2}
    assert list(to_rows({30: 2, 5: 1, 15: 1, 10: 3}, np.array([10, 20, 30])).items()) == [
        (2, 2),
        (0, 3),
    ]  # in the order of the mapping
    assert to_rows({}, np.array([10])) == to_rows({-1: 4, 10: 1}, np.array([], np.int64)) == {}


def test_content_hash__names_the_content_not_the_history() -> None:
    one = fold(log(create([1, 2]), rename(1, "x")))
    other = fold(log(create([1]), add(1, [2, 3]), undo(2), add(1, [2])))
    assert one.content_hash() == other.content_hash() != ""
    assert one.content_hash() != fold(log(create([1, 3]))).content_hash()
    assert one.content_hash() != fold(log(create([1, 2], role="validation"))).content_hash()
    assert fold([]).content_hash() == fold(log(create([1]), undo(1))).content_hash() == ""


def test_content_hash__reads_junk_and_not_what_is_unsure() -> None:
    plain = fold(log(create([1]))).content_hash()
    assert len(plain) == 16
    assert fold(log(create([1]), unsure([9]))).content_hash() == plain
    assert fold(log(create([1]), junk([9]))).content_hash() != plain


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
    with pytest.raises(DataError, match="of kind 'dance', which this version does not know"):
        fold([Stored(1, "ann", "dance", {})])


def test_identity__that_is_gone() -> None:
    with pytest.raises(DataError, match="no identity 1"):
        fold(log(create([1]), undo(1))).identity(1)
