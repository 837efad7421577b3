"""What people said, as a run takes it: annotations, left-out images, validation people."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pul.labelling.annotations import to_rows
from pul.labelling.log import read_annotations
from pul.store.workspace import Workspace


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
    """

    annotations: dict[int, int]
    validation: dict[int, int]
    left_out: frozenset[int]
    content_hash: str
    together: tuple[tuple[int, ...], ...] = ()
    apart: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = ()


def read_guidance(workspace: Workspace, run_id: int) -> Guidance:
    """Return what a run learns from people: what was fixed for it, else what they said by now.

    Raises:
        StoreError: There is no such run.
    """
    image_ids = workspace.run_images(run_id, "train").image_ids
    fixed = workspace.get_setting(_fixed_name(run_id))
    if fixed is not None:
        rows = to_rows({int(image): identity for image, identity in fixed.items()}, image_ids)
        return Guidance(rows, {}, frozenset(), hash_identities(fixed))
    state = read_annotations(workspace)
    annotations = to_rows(state.training_mapping(), image_ids)
    validation = to_rows(state.validation_mapping(), image_ids)
    left_out = frozenset(to_rows(dict.fromkeys(state.held_out(), 0), image_ids))
    rows = {int(image): row for row, image in enumerate(image_ids)}
    groups = (_rows(images, rows) for images in state.unnamed_groups())
    together = tuple(group for group in groups if len(group) > 1)
    sides = ((_rows(left, rows), _rows(right, rows)) for left, right in state.two_people())
    apart = tuple((left, right) for left, right in sides if left and right)
    is_said = annotations or left_out
    content_hash = state.content_hash() if is_said else ""
    if together or apart:
        content_hash = _hash((content_hash, together, apart))
    return Guidance(annotations, validation, left_out, content_hash, together, apart)


def fix_guidance(workspace: Workspace, run_id: int, identities: Mapping[int, int]) -> None:
    """Let a run learn from these identities alone, whatever people say: an experiment's run.

    Args:
        workspace: Where the run is.
        run_id: A run that nothing has worked on yet.
        identities: Number of an image → identity; empty for a run without labels.

    Raises:
        StoreError: The database refuses.
    """
    plain = {str(image): identities[image] for image in sorted(identities)}
    workspace.set_setting(_fixed_name(run_id), plain)


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
