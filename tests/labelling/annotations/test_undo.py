"""Undo and redo of any act, and whose act is next."""

import pytest

from pul.labelling.annotations import (
    Act,
    Side,
    add,
    create,
    fold,
    junk,
    merge,
    not_same,
    redo,
    remove,
    rename,
    same,
    set_role,
    split,
    undecided,
    undo,
    unsure,
)
from tests.support.events import log, members

# What an act may change.
PARTS = ("owners", "names", "roles", "merged", "links", "cannot_links", "refusals", "undecided")


@pytest.mark.parametrize(
    "act",
    [
        create([8]),
        add(1, [7]),
        remove(1, [1]),
        merge([1, 2]),
        split(1, [1]),
        same([1, 9]),
        not_same(Side(identity=1), Side(images=(7,))),
        undecided(Side(identity=1), Side(identity=2)),
        unsure([6]),
        junk([1]),
        rename(1, "x"),
        set_role(1, "validation"),
    ],
    ids=lambda act: act.kind,
)
def test_undo__takes_back_any_act_and_redo_brings_it_back(act: Act) -> None:
    before = [create([1, 2]), create([3, 4])]
    plain, done = fold(log(*before)), fold(log(*before, act))
    undone, redone = fold(log(*before, act, undo(3))), fold(log(*before, act, undo(3), redo(3)))
    assert any(getattr(done, name) != getattr(plain, name) for name in PARTS)
    for name in PARTS:
        assert getattr(undone, name) == getattr(plain, name)
        assert getattr(redone, name) == getattr(done, name)
    assert undone.content_hash() == plain.content_hash()


def test_undo__of_the_act_that_made_an_identity_keeps_what_others_put_in() -> None:
    state = fold(log(create([1, 2]), ("bob", add(1, [3])), undo(1)))
    assert members(state) == {1: (3,)}
    assert state.identities[0].name == "ID_001"


def test_undo__of_an_act_that_is_not_there_yet_does_nothing() -> None:
    assert members(fold(log(undo(2), create([1])))) == {2: (1,)}


def test_undoable__is_the_authors_own_last_act() -> None:
    acts = [create([1]), ("bob", create([2])), add(1, [3])]
    state = fold(log(*acts))
    assert (state.undoable("ann"), state.undoable("bob"), state.undoable("eve")) == (3, 2, None)
    state = fold(log(*acts, undo(3)))
    assert (state.undoable("ann"), state.redoable("ann"), state.redoable("bob")) == (1, 3, None)
    state = fold(log(*acts, undo(3), undo(1), redo(1)))
    assert (state.undoable("ann"), state.redoable("ann")) == (1, 3)
    state = fold(log(*acts, undo(3), create([9])))
    assert (state.undoable("ann"), state.redoable("ann")) == (5, None)


def test_redoable__is_the_last_that_was_taken_back() -> None:
    state = fold(log(create([1]), create([2]), undo(2), undo(1)))
    assert (state.undoable("ann"), state.redoable("ann")) == (None, 1)


def test_undoable__what_somebody_else_took_back_is_not_ones_own_next_undo() -> None:
    acts = [create([1]), create([2])]
    state = fold(log(*acts, ("bob", undo(2))))
    assert (state.undoable("ann"), state.redoable("ann")) == (1, None)
    assert (state.undoable("bob"), state.redoable("bob")) == (None, None)


def test_redoable__what_somebody_else_brought_back_is_not_ones_own_next_redo() -> None:
    state = fold(log(create([1]), undo(1), ("bob", redo(1))))
    assert (state.undoable("ann"), state.redoable("ann")) == (None, None)
    assert members(state) == {1: (1,)}
