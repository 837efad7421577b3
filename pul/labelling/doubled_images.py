"""Images that are there twice, as far as people said the same of both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pul.labelling.annotations import UNSURE, Annotations, Event, find_contradictions, fold
from pul.store.annotations import named_images, renumber_images
from pul.store.doubled_images import LABELLED_APART, DoubledImages
from pul.store.workspace import Workspace


@dataclass(frozen=True, slots=True)
class _Renumbered:
    """An act that names other images."""

    event_id: int
    created_at: str
    author: str
    kind: str
    payload: dict[str, Any]


def find_doubled(workspace: Workspace, old: str | Path, new: str | Path) -> DoubledImages:
    """Return the pictures that can be merged without a change of who is who.

    Args:
        workspace: Where they are.
        old: One folder that they were imported from.
        new: The other one.

    Raises:
        ConfigError: The two are one folder, or no image is below one of them.
        DataError: An act is damaged.
        StoreError: The database refuses.
    """
    found = workspace.find_doubled(old, new)
    events = [e for e in workspace.annotation_events() if e.event_id <= found.last_event_id]
    apart = labelled_apart(events, found.numbers())
    if not apart:
        return found
    paths = workspace.image_paths(min(apart), max(apart))
    return replace(
        found,
        twins=tuple(pair for pair in found.twins if pair.doubled_id not in apart),
        kept=(*found.kept, *((paths[number], LABELLED_APART) for number in sorted(apart))),
    )


def labelled_apart(events: Sequence[Event], numbers: Mapping[int, int]) -> frozenset[int]:
    """Return which images people said something else of than of their twins.

    Args:
        events: All acts.
        numbers: Of each image that would go, the one that would stay.

    Returns:
        Those that must not go; with the others, each identity keeps its images and its name, and
        no contradiction arises.

    Raises:
        DataError: An act is damaged.
    """
    before = fold(events)
    apart = frozenset(
        gone for gone, stays in numbers.items() if _differ(before.owners, gone, stays)
    )
    while True:
        left = {gone: stays for gone, stays in numbers.items() if gone not in apart}
        changed = _changed(before, events, left)
        if not changed:
            return apart
        apart |= changed


def _differ(owners: Mapping[int, int], one: int, other: int) -> bool:
    said = {owners.get(one, UNSURE), owners.get(other, UNSURE)} - {UNSURE}
    return len(said) > 1


def _changed(
    before: Annotations, events: Sequence[Event], numbers: Mapping[int, int]
) -> frozenset[int]:
    """Return the images whose going would change who is who, or contradict something."""
    after = fold([_renumber(event, numbers) for event in events])
    known = {(c.kind, c.events) for c in find_contradictions(before)}
    new = [c for c in find_contradictions(after) if (c.kind, c.events) not in known]
    contradicted = {image for contradiction in new for image in contradiction.images}
    for pair in after.cannot_links:
        contradicted |= set(pair.left.images) & set(pair.right.images)
    owners = before.owners
    return frozenset(
        gone
        for gone, stays in numbers.items()
        if stays in contradicted
        or after.owners.get(stays) != _joined(owners.get(stays), owners.get(gone))
    )


def _joined(one: int | None, other: int | None) -> int | None:
    """Return whom two images show together: being unsure gives way to any other opinion."""
    known = [owner for owner in (one, other) if owner is not None]
    return next((owner for owner in known if owner != UNSURE), known[0] if known else None)


def _renumber(event: Event, numbers: Mapping[int, int]) -> Event:
    if numbers.keys().isdisjoint(named_images(event.payload)):
        return event
    payload = renumber_images(event.payload, numbers)
    return _Renumbered(event.event_id, event.created_at, event.author, event.kind, payload)
