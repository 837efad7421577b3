"""Numbers for people and cameras that folders name in words."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pul.data.readers.numbers import (
    describe_nobody,
    describe_numbers,
    number_names,
    number_people,
)
from pul.data.readers.splits import PRID_OFFSET, is_prid, prid_person
from pul.data.samples import Sample
from pul.records import Split

_NUMBER = re.compile(r"\d{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Row:
    """What folders and name of one image say; people and cameras still by their names."""

    path: Path
    split: Split
    person: str | None = None
    camera: str | None = None
    tracklet: str | None = None
    frame: int | None = None
    side: str | None = None


def separate_prid(root: Path, rows: list[Row]) -> tuple[list[Row], list[str]]:
    """Give PRID's people above 200 new numbers on one camera: they are others than on the other."""
    people: dict[str, list[int]] = {}
    for row in rows:
        found = _NUMBER.findall(row.person or "")
        if row.camera is None or len(found) != 1:
            return rows, []
        people.setdefault(row.camera, []).append(int(found[0]))
    if not rows or not is_prid([root.name, *rows[0].path.relative_to(root).parts[:-1]], people):
        return rows, []
    separated = []
    for row in rows:
        number = int(_NUMBER.findall(row.person or "")[0])
        separated.append(replace(row, person=str(prid_person(number, row.camera or ""))))
    note = (
        "PRID: people above 200 are not the same on both cameras; those of the second are "
        f"numbered from {PRID_OFFSET + 201} here."
    )
    return separated, [note] if separated != rows else []


def number_samples(rows: Sequence[Row]) -> tuple[list[Sample], list[str]]:
    """Give people and cameras numbers: their own where these are safe, else by their place."""
    people = Counter(row.person for row in rows if row.person is not None)
    pids = number_people(people)
    cameras = number_names(row.camera for row in rows if row.camera is not None)
    samples = [
        Sample(
            row.path,
            pid=pids.get(row.person or ""),
            camid=None if row.camera is None else cameras[row.camera],
            split=row.split,
            tracklet=row.tracklet,
            frame=row.frame,
            side=row.side,
        )
        for row in rows
    ]
    notes = [
        *describe_numbers("Identities", pids),
        *describe_numbers("Cameras", cameras),
        *describe_nobody(people),
    ]
    if not people:
        notes.append("Identities are not known.")
    if any(row.camera is None for row in rows):
        notes.append(f"Cameras are not known{' of some images' if cameras else ''}.")
    return samples, notes
