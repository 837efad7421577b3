"""The fold of random histories against a naive model of the same rules, and its pace."""

import time
from collections.abc import Sequence
from itertools import combinations
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pul.labelling.annotations import (
    JUNK,
    UNSURE,
    add,
    create,
    find_contradictions,
    fold,
    junk,
    merge,
    redo,
    remove,
    same,
    split,
    undo,
    unsure,
)
from tests.support.events import Stored

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
    """Random acts of two people who ignore each other."""
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
    assert (nothing.owners, nothing.groups, nothing.cannot_links, nothing.refusals) == (
        {},
        (),
        [],
        [],
    )
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
