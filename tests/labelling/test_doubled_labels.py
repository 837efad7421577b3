"""Which doubled images may be merged: no identity loses an image, and none disappears."""

import random
from pathlib import Path

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
    remove,
    same,
    split,
    undo,
    unsure,
)
from pul.labelling.doubled_images import find_doubled, labelled_apart
from pul.labelling.log import append_act, read_annotations
from pul.store.annotations import AnnotationEvent, renumber_images
from pul.store.doubled_images import LABELLED_APART
from pul.store.workspace import Workspace
from tests.store.test_relocation import crops

TWINS = {11: 1, 12: 2, 13: 3, 14: 4}


def events(*acts: Act, authors: str = "") -> list[AnnotationEvent]:
    who = authors or "a" * len(acts)
    return [
        AnnotationEvent(n, "2026-01-01", name, act.kind, act.payload)
        for n, (act, name) in enumerate(zip(acts, who, strict=True), start=1)
    ]


@pytest.mark.parametrize(
    ("acts", "apart"),
    [
        ([create([1, 2])], set()),
        ([create([11, 12])], set()),
        ([create([1, 2, 11]), create([3, 13])], set()),
        ([create([1, 2]), create([11, 12])], {11, 12}),
        ([create([1, 2]), create([11, 12]), merge([1, 2])], set()),
        ([create([1, 2]), create([11, 12]), undo(2)], set()),
        ([junk([1]), create([11])], {11}),
        ([junk([1]), junk([11])], set()),
        ([unsure([1]), create([11, 3])], set()),
        ([create([1, 2], refused=[11])], {11}),
        ([create([1, 2]), remove(1, [2]), add(1, [12])], set()),  # a change of mind
        ([create([1, 2]), add(1, [12]), remove(1, [2])], {12}),
        ([not_same(Side(images=(1,)), Side(images=(11,)))], {11}),
        ([not_same(Side(images=(1, 2)), Side(images=(13,)))], set()),
        ([same([1, 11]), same([2, 3])], set()),
        ([create([1, 2, 11, 12]), split(1, [12])], {12}),
    ],
)
def test_labelled_apart__only_where_the_labels_differ(acts: list[Act], apart: set[int]) -> None:
    assert labelled_apart(events(*acts), TWINS) == apart


def test_labelled_apart__two_people_who_disagree() -> None:
    acts = [create([1, 2]), create([11, 3]), create([4])]
    assert labelled_apart(events(*acts, authors="abb"), TWINS) == {11}


def draw_act(draw: random.Random, n_before: int) -> Act:
    numbers = [1, 2, 3, 4, 5, 11, 12, 13, 14]
    some = draw.sample(numbers, draw.randint(1, 3))
    person = draw.randint(1, max(1, n_before))
    kinds = [
        lambda: create(some),
        lambda: create(some[:1], refused=some[1:]),
        lambda: add(person, some),
        lambda: remove(person, some),
        lambda: junk(some[:1]),
        lambda: unsure(some[:1]),
        lambda: same([*some, draw.choice(numbers)]) if len(some) > 1 else junk(some),
        lambda: not_same(Side(images=tuple(some)), Side(images=(draw.choice(numbers),))),
        lambda: undo(person),
    ]
    return draw.choice(kinds)()


@pytest.mark.parametrize("seed", range(200))
def test_labelled_apart__each_identity_keeps_its_pictures(seed: int) -> None:
    draw = random.Random(seed)
    acts = [draw_act(draw, n) for n in range(draw.randint(1, 8))]
    log = events(*acts, authors="".join(draw.choice("ab") for _ in acts))
    left = {gone: stays for gone, stays in TWINS.items() if gone not in labelled_apart(log, TWINS)}
    before = fold(log)
    after = fold(
        AnnotationEvent(
            e.event_id, e.created_at, e.author, e.kind, renumber_images(e.payload, left)
        )
        for e in log
    )
    people = {known.identity: set(known.images) for known in after.identities}
    for known in before.identities:
        assert {left.get(image, image) for image in known.images} <= people[known.identity]
    assert people.keys() == {known.identity for known in before.identities}


def test_find_doubled__labels_of_both_are_together_afterwards(tmp_path: Path) -> None:
    with Workspace.create(tmp_path / "w") as workspace:
        workspace.add_dataset(crops(tmp_path / "a", "1.png", "2.png", "3.png", "4.png"))
        data = crops(tmp_path / "b", "1.png", "2.png", "3.png", "4.png")
        workspace.add_dataset(data, duplicates="add")
        for act in (create([1, 2], name="Ada"), add(1, [7]), create([8, 3]), junk([4])):
            append_act(workspace, act, read_annotations(workspace), author="ann")
        found = find_doubled(workspace, tmp_path / "a", tmp_path / "b")
        reasons = [(reason, Path(path).name) for path, reason in found.kept]
        assert reasons == [(LABELLED_APART, "3.png"), (LABELLED_APART, "4.png")]
        assert workspace.merge_doubled(found) == 2
        people = {p.name: p.images for p in read_annotations(workspace).identities}
        assert people == {"Ada": (1, 2, 7), "ID_002": (3, 8)}
