"""The fold of acts against cases worked out by hand and against a naive model of the same rules."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pul.annotations import (
    JUNK,
    UNANSWERED,
    UNSURE,
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
    redo,
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
from pul.errors import ConfigError, DataError


@dataclass(frozen=True)
class Stored:
    event_id: int
    author: str
    kind: str
    payload: dict[str, Any]


def log(*acts: Act | tuple[str, Act]) -> list[Stored]:
    """Return acts as events 1, 2, ...; by ann, or by whoever comes with the act."""
    signed = [act if isinstance(act, tuple) else ("ann", act) for act in acts]
    return [
        Stored(number, author, act.kind, act.payload)
        for number, (author, act) in enumerate(signed, 1)
    ]


def members(state: Annotations) -> dict[int, tuple[int, ...]]:
    return {known.identity: known.images for known in state.identities}


def kinds(state: Annotations) -> list[tuple[str, tuple[int, ...]]]:
    return [(found.kind, found.images) for found in find_contradictions(state)]


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


# Undo and redo


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
    for name in ("owners", "names", "roles", "merged", "links", "apart", "refusals", "undecided"):
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


# Two at once


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


# A naive model: author by author, everything relabelled at once, links closed by repetition.


class NaiveModel:
    def __init__(self, events: Sequence[Stored]) -> None:
        self.said: dict[str, dict[int, tuple[int, int]]] = {}  # author -> image -> (when, who)
        self.person: dict[int, int] = {}  # identity -> the one it is called by now
        self.linked: list[set[int]] = []
        self.serial: list[int] = []
        for event in events:
            if event.kind in ("create", "split"):
                self.serial.append(event.event_id)
            if event.kind not in ("undo", "redo") and self._stands(event, events):
                getattr(self, event.kind, lambda *_: None)(event, event.payload)

    @staticmethod
    def _stands(event: Stored, events: Sequence[Stored]) -> bool:
        about = [
            x.kind
            for x in events
            if x.kind in ("undo", "redo")
            and x.payload["event"] == event.event_id
            and (x.kind == "redo" or x.event_id > event.event_id)
        ]
        return not about or about[-1] == "redo"

    def called(self, identity: int) -> int:
        return self.person.get(identity, identity)

    def _claim(self, event: Stored, images: list[int], identity: int) -> None:
        for image in images:
            self.said.setdefault(event.author, {})[image] = (event.event_id, identity)

    def create(self, event: Stored, payload: dict[str, Any]) -> None:
        self._claim(event, payload["images"], event.event_id)

    def add(self, event: Stored, payload: dict[str, Any]) -> None:
        self._claim(event, payload["images"], self.called(payload["identity"]))

    def unsure(self, event: Stored, payload: dict[str, Any]) -> None:
        self._claim(event, payload["images"], UNSURE)

    def junk(self, event: Stored, payload: dict[str, Any]) -> None:
        self._claim(event, payload["images"], JUNK)

    def remove(self, event: Stored, payload: dict[str, Any]) -> None:
        gone = self.called(payload["identity"])
        for claims in self.said.values():
            for image in payload["images"]:
                if image in claims and self.called(claims[image][1]) == gone:
                    del claims[image]

    def merge(self, event: Stored, payload: dict[str, Any]) -> None:
        into, *rest = [self.called(x) for x in payload["identities"]]
        named = {*self.person, *self.person.values(), *payload["identities"]}
        everyone = named | set(self.serial)
        moved = {x for x in everyone if self.called(x) in rest}
        self.person |= dict.fromkeys(moved, into)

    def split(self, event: Stored, payload: dict[str, Any]) -> None:
        old = self.called(payload["identity"])
        for image in payload["images"]:
            claims = [c for c in self.said.values() if image in c]
            if not claims:
                self._claim(event, [image], event.event_id)
            for claim in claims:
                if claim[image][1] > 0 and self.called(claim[image][1]) == old:
                    claim[image] = (event.event_id, event.event_id)

    def same(self, event: Stored, payload: dict[str, Any]) -> None:
        self.linked.append(set(payload["images"]))

    def groups(self) -> list[set[int]]:
        groups = [set(group) for group in self.linked]
        while touching := [(a, b) for a, b in combinations(groups, 2) if a & b]:
            one, other = touching[0]
            groups = [x for x in groups if x is not one and x is not other] + [one | other]
        return groups

    def owners(self, n_images: int) -> dict[int, int]:
        owners = {}
        for image in range(n_images):
            claims = sorted(c[image] for c in self.said.values() if image in c)
            certain = [who for _, who in claims if who != UNSURE]
            if claims:
                owners[image] = self.called(certain[-1]) if certain else UNSURE
        for group in self.groups():
            known = {owners[x] for x in group if owners.get(x, 0) > 0}
            if len(known) == 1:
                owners |= {x: min(known) for x in group if owners.get(x) in (None, UNSURE)}
        return owners

    def disputed(self, n_images: int) -> set[int]:
        people = {
            image: {
                self.called(c[image][1])
                for c in self.said.values()
                if image in c and c[image][1] > 0
            }
            for image in range(n_images)
        }
        return {image for image, claimed in people.items() if len(claimed) > 1}


N_IMAGES = 8
IMAGES = st.lists(st.integers(0, N_IMAGES - 1), min_size=1, max_size=4)


@st.composite
def histories(draw: st.DrawFn) -> list[Stored]:
    """Random acts of two people who pay no heed to each other."""
    events: list[Stored] = []
    for number in range(1, draw(st.integers(1, 24)) + 1):
        numbers = st.integers(1, max(1, number - 1))
        acts = [
            st.builds(create, IMAGES, refused=IMAGES),
            st.builds(add, numbers, IMAGES),
            st.builds(remove, numbers, IMAGES),
            st.builds(split, numbers, IMAGES),
            st.builds(unsure, IMAGES),
            st.builds(junk, IMAGES),
            st.builds(undo, st.integers(1, number + 1)),
            st.builds(redo, numbers),
            st.builds(lambda x: same([*x, (x[0] + 1) % N_IMAGES]), IMAGES),
        ]
        if number > 2:
            several = st.lists(numbers, min_size=2, max_size=4, unique=True)
            acts.append(st.builds(merge, several))
        act = draw(st.one_of(acts))
        events.append(Stored(number, draw(st.sampled_from("ab")), act.kind, act.payload))
    return events


@given(histories())
def test_fold__agrees_with_a_naive_model(events: list[Stored]) -> None:
    state, naive = fold(events), NaiveModel(events)
    assert state.owners == naive.owners(N_IMAGES)
    assert {frozenset(group) for group in state.groups} == set(map(frozenset, naive.groups()))
    assert state.numbers == {event_id: n for n, event_id in enumerate(naive.serial, 1)}
    both = {x for f in find_contradictions(state) if f.kind == "two_identities" for x in f.images}
    assert both == naive.disputed(N_IMAGES)


@given(histories(), st.randoms(use_true_random=False))
def test_fold__comes_to_the_same_in_pieces_and_in_any_order(
    events: list[Stored], random: Random
) -> None:
    at_once, state = fold(events), None
    arriving = list(events)
    if random.random() < 0.5:
        random.shuffle(arriving)
    while arriving:
        n_taken = random.randint(1, len(arriving))
        state = fold(arriving[:n_taken], state)
        arriving = arriving[n_taken:]
    assert state == at_once
    assert fold(events, state) is state


@given(histories())
def test_undo__of_all_leaves_nothing_and_redo_brings_all_back(events: list[Stored]) -> None:
    acts = [event for event in events if event.kind not in ("undo", "redo")]
    n_acts = len(events)
    undone = [
        Stored(n_acts + i, "a", "undo", undo(e.event_id).payload) for i, e in enumerate(acts, 1)
    ]
    nothing = fold([*acts, *undone])
    assert (nothing.owners, nothing.groups, nothing.apart, nothing.refusals) == ({}, (), [], [])
    last = n_acts + len(acts)
    redone = [
        Stored(last + i, "a", "redo", redo(e.event_id).payload) for i, e in enumerate(acts, 1)
    ]
    assert fold([*acts, *undone, *redone]).owners == fold(acts).owners


def test_fold__is_quick() -> None:
    random = Random(0)
    events = []
    for number in range(1, 5001):
        images = [random.randrange(13_000) for _ in range(10)]
        act = create(images) if number % 5 == 1 else add(number - number % 5 + 1, images)
        events.append(Stored(number, random.choice("ab"), act.kind, act.payload))
    seconds = []
    for _ in range(5):
        started = time.process_time()
        fold(events)
        seconds.append(time.process_time() - started)
    assert min(seconds) < 0.1
