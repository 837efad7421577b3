"""What people said, as a run takes it: annotations, left-out images, validation people."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
    """

    annotations: dict[int, int]
    validation: dict[int, int]
    left_out: frozenset[int]
    content_hash: str


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
    is_said = annotations or left_out
    return Guidance(annotations, validation, left_out, state.content_hash() if is_said else "")


def fixed_guidance(run_id: int, identities: Mapping[int, int]) -> dict[str, Any]:
    """Return the setting by which a run learns from these identities alone, whatever people say.

    It is for `Workspace.create_run`, so that no worker begins before it is there.

    Args:
        run_id: The run.
        identities: Number of an image → identity; empty for a run without labels.
    """
    return {_fixed_name(run_id): {str(image): identities[image] for image in sorted(identities)}}


def hash_identities(identities: Mapping[int, int] | Mapping[str, int]) -> str:
    """Return a name for identities of images; "" where there are none."""
    pairs = sorted((int(image), identity) for image, identity in identities.items())
    return hashlib.sha256(repr(pairs).encode()).hexdigest()[:16] if pairs else ""


def _fixed_name(run_id: int) -> str:
    return f"identities of run {run_id}"
