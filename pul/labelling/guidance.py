"""What people said, as a run takes it: annotations, left-out images, validation people."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from pul.arrays import IntArray
from pul.labelling.annotations import Annotations, to_rows
from pul.labelling.log import read_annotations
from pul.store.workspace import Workspace

_Rows = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Guidance:
    """What an iteration of a run learns from people, by row of its training images.

    Attributes:
        annotations: Row → identity of those that train.
        validation: Row → identity of those held out to measure with.
        left_out: Rows that must not train: validation identities, and junk.
        content_hash: Names this state; "" where people said nothing about these images.
        together: Rows that people said are one person, whoever it is.
        apart: Two sides that people said are two people: each row of one from each of the other.
        last_act: The last act that counts; 0 where there is none, or the labels were fixed.
    """

    annotations: dict[int, int]
    validation: dict[int, int]
    left_out: frozenset[int]
    content_hash: str
    together: tuple[tuple[int, ...], ...] = ()
    apart: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = ()
    last_act: int = 0


def read_guidance(workspace: Workspace, run_id: int, iteration: int | None = None) -> Guidance:
    """Return what a run learns from people: what was fixed for it, else what they said by now.

    Args:
        workspace: Where the run is.
        run_id: The run.
        iteration: The iteration that asks; a run whose labels are pinned gets those of it. None
            for what people said by now.

    Raises:
        StoreError: There is no such run.
    """
    workspace.run(run_id)
    fixed = workspace.get_setting(_fixed_name(run_id))
    if fixed is not None:
        image_ids = workspace.run_cameras(run_id)[0]
        rows = to_rows({int(image): identity for image, identity in fixed.items()}, image_ids)
        return Guidance(rows, {}, frozenset(), hash_identities(fixed))
    pinned = pinned_labels(workspace, run_id) if iteration is not None else {}
    until = max(((at, act) for at, act in pinned.items() if at <= (iteration or 0)), default=None)
    state = read_annotations(workspace, until=until and until[1])
    if not state.events:  # then nobody waits for the numbers of all images
        return Guidance({}, {}, frozenset(), "")
    image_ids = workspace.run_cameras(run_id)[0]
    annotations = to_rows(state.training_mapping(), image_ids)
    validation = to_rows(state.validation_mapping(), image_ids)
    left_out = frozenset(to_rows(dict.fromkeys(state.held_out(), 0), image_ids))
    together, apart = _said_of_pairs(state, image_ids)
    is_said = annotations or left_out
    content_hash = state.content_hash() if is_said else ""
    if together or apart:
        content_hash = _hash((content_hash, together, apart))
    last_act = state.events[-1].event_id if state.events else 0
    return Guidance(annotations, validation, left_out, content_hash, together, apart, last_act)


def _said_of_pairs(
    state: Annotations, image_ids: IntArray
) -> tuple[tuple[_Rows, ...], tuple[tuple[_Rows, _Rows], ...]]:
    """Return `Guidance.together` and `Guidance.apart`."""
    unnamed, two_people = state.unnamed_groups(), state.two_people()
    said = set(chain(*unnamed, *chain.from_iterable(two_people)))
    rows = {
        image: row for row, image in to_rows({image: image for image in said}, image_ids).items()
    }
    groups = (_rows(images, rows) for images in unnamed)
    sides = ((_rows(left, rows), _rows(right, rows)) for left, right in two_people)
    together = tuple(group for group in groups if len(group) > 1)
    return together, tuple((left, right) for left, right in sides if left and right)


def fixed_guidance(run_id: int, identities: Mapping[int, int]) -> dict[str, Any]:
    """Return the setting by which a run learns from these identities alone, whatever people say.

    It is for `Workspace.create_run`, so that no worker begins before it is there.

    Args:
        run_id: The run.
        identities: Number of an image → identity; empty for a run without labels.
    """
    return {_fixed_name(run_id): {str(image): identities[image] for image in sorted(identities)}}


def is_fixed(workspace: Workspace, run_id: int) -> bool:
    """Whether a run learns from identities that an experiment gave it."""
    return workspace.get_setting(_fixed_name(run_id)) is not None


def pin_labels(workspace: Workspace, run_id: int, acts: Mapping[int, int]) -> None:
    """Let a run learn from labels as they stood after an act, whatever people say later.

    Args:
        workspace: Where the run is.
        run_id: A run that nothing has worked on yet.
        acts: Iteration → the last act that counts from it on; 0 for no labels.

    Raises:
        StoreError: The database refuses.
    """
    workspace.set_setting(_pinned_name(run_id), {str(at): act for at, act in acts.items()})


def pinned_labels(workspace: Workspace, run_id: int) -> dict[int, int]:
    """Return what `pin_labels` was given; empty where a run follows what people say."""
    return _acts(workspace, _pinned_name(run_id))


def note_labels(workspace: Workspace, run_id: int, iteration: int, last_act: int) -> None:
    """Note with which labels an iteration trains, so that the run can be repeated.

    Raises:
        StoreError: The database refuses.
    """
    used = labels_used(workspace, run_id) | {iteration: last_act}
    workspace.set_setting(_used_name(run_id), {str(at): act for at, act in used.items()})


def labels_used(workspace: Workspace, run_id: int) -> dict[int, int]:
    """Return the last act of labelling that each iteration of a run used; 0 for no labels."""
    return _acts(workspace, _used_name(run_id))


def _acts(workspace: Workspace, name: str) -> dict[int, int]:
    return {int(at): int(act) for at, act in (workspace.get_setting(name) or {}).items()}


def hash_identities(identities: Mapping[int, int] | Mapping[str, int]) -> str:
    """Return a name for identities of images; "" where there are none."""
    pairs = sorted((int(image), identity) for image, identity in identities.items())
    return _hash(pairs) if pairs else ""


def _hash(said: object) -> str:
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]


def _rows(images: Iterable[int], rows: Mapping[int, int]) -> tuple[int, ...]:
    """Return the rows of images; images of other runs have none."""
    return tuple(rows[image] for image in images if image in rows)


def _fixed_name(run_id: int) -> str:
    return f"identities of run {run_id}"


def _pinned_name(run_id: int) -> str:
    return f"labels pinned for run {run_id}"


def _used_name(run_id: int) -> str:
    return f"labels used by run {run_id}"
