"""Contradictions between what people said of the same images."""

import pytest

from pul.labelling.annotations import (
    Act,
    Annotations,
    Side,
    add,
    create,
    find_contradictions,
    fold,
    junk,
    merge,
    not_same,
    remove,
    same,
)
from tests.support.events import log, members


def kinds(state: Annotations) -> list[tuple[str, tuple[int, ...]]]:
    return [(found.kind, found.images) for found in find_contradictions(state)]


def test_contradictions__image_in_two_identities_by_two_people() -> None:
    acts = [("ann", create([1, 2])), ("bob", create([2, 3]))]
    state = fold(log(*acts))
    found = find_contradictions(state)
    assert [(x.kind, x.images, x.identities, x.events) for x in found] == [
        ("two_identities", (2,), (1, 2), (1, 2))
    ]
    assert members(state) == {1: (1,), 2: (2, 3)}  # the last act counts
    settled = fold(log(*acts, remove(2, [2])))
    assert members(settled) == {1: (1, 2), 2: (3,)}  # and ann's is not lost
    assert find_contradictions(settled) == ()


def test_contradictions__merging_settles_two_identities() -> None:
    state = fold(log(("ann", create([1, 2])), ("bob", create([2])), merge([1, 2])))
    assert find_contradictions(state) == ()


def test_contradictions__cannot_link_within_an_identity() -> None:
    pair = not_same(Side(images=(1,)), Side(images=(7, 8)))
    state = fold(log(pair, create([1, 2, 7])))
    assert kinds(state) == [("not_same", (1, 7))]
    state = fold(log(create([1]), create([2]), not_same(Side(1), Side(2)), merge([1, 2])))
    assert kinds(state) == [("not_same", (1, 2))]


def test_contradictions__refused_by_another() -> None:
    assert kinds(fold(log(create([1], refused=[2]), ("bob", add(1, [2]))))) == [("refused", (2,))]


def test_contradictions__junk_of_another() -> None:
    assert kinds(fold(log(create([1]), ("bob", junk([1]))))) == [("junk", (1,))]


def test_contradictions__must_link_across_two_identities() -> None:
    state = fold(log(create([1]), create([2]), same([1, 2])))
    assert kinds(state) == [("same", (1, 2))]
    assert members(state) == {1: (1,), 2: (2,)}


def test_contradictions__must_link_over_images_that_nobody_named() -> None:
    state = fold(log(create([1]), create([2]), same([1, 2, 3])))
    assert kinds(state) == [("same", (1, 2, 3))]
    assert find_contradictions(fold(log(create([1, 2]), same([1, 2])))) == ()


def test_contradictions__cannot_link_concerns_those_who_are_together_only() -> None:
    pair = not_same(Side(images=(1, 3)), Side(images=(7, 8)))
    state = fold(log(pair, create([1, 7]), create([3])))
    assert kinds(state) == [("not_same", (1, 7))]  # 3 is another person, 8 nobody
    assert find_contradictions(fold(log(pair, create([1]), create([7])))) == ()


MESSAGES = [
    (
        [create([1, 2]), ("bob", create([1, 2]))],
        "2 images in both ID_001 and ID_002: the last act counts. Remove them from one.",
        (1, 2),
        (1, 2),
    ),
    (
        [create([1]), ("bob", junk([1]))],
        "1 image in ID_001 and in the junk: the last act counts. Undo one.",
        (1,),
        (1, 2),
    ),
    (
        [create([1]), create([2], refused=[3]), ("bob", add(2, [3]))],
        "1 image in ID_002, but also said not to show this person. Remove or undo.",
        (2,),
        (2, 3),
    ),
    (
        [create([1, 7]), not_same(Side(images=(1,)), Side(images=(7,)))],
        "2 images of different people are together in ID_001. Split it, or undo.",
        (1,),
        (2,),
    ),
    (
        [create([9]), same([1, 2]), not_same(Side(images=(1,)), Side(images=(2,)))],
        "2 images of different people are together in one group. Split it, or undo.",
        (),
        (3,),
    ),
    (
        [create([1]), create([2]), same([1, 2])],
        "2 images of one person lie in ID_001 and ID_002. Merge them, or undo.",
        (1, 2),
        (3,),
    ),
]


@pytest.mark.parametrize(("acts", "message", "identities", "events"), MESSAGES)
def test_contradictions__say_where_and_by_which_acts(
    acts: list[Act | tuple[str, Act]],
    message: str,
    identities: tuple[int, ...],
    events: tuple[int, ...],
) -> None:
    (found,) = find_contradictions(fold(log(*acts)))
    assert (found.message, found.identities, found.events) == (message, identities, events)


def test_refused_images__the_newer_of_yes_and_no_counts() -> None:
    refuse, agree = add(1, [9], refused=[5]), add(1, [5])
    older_yes = fold(log(create([1, 2]), agree, refuse))
    newer_yes = fold(log(create([1, 2]), refuse, agree))
    assert older_yes.refused_images(older_yes.refusals[0]) == {5}
    assert newer_yes.refused_images(newer_yes.refusals[0]) == frozenset()


def test_refused_images__the_yes_of_another_takes_back_no_refusal() -> None:
    state = fold(log(create([1, 2]), add(1, [9], refused=[5]), ("bob", add(1, [5]))))
    assert state.refused_images(state.refusals[0]) == {5}


def test_refused_images__a_yes_in_the_act_of_the_refusal_is_not_newer() -> None:
    state = fold(log(create([1]), add(1, [5], refused=[5])))
    assert state.refused_images(state.refusals[0]) == {5}
    (found,) = find_contradictions(state)
    assert (found.kind, found.images, found.events) == ("refused", (5,), (2,))
