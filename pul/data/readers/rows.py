"""Numbers for people and cameras that folders name in words."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pul.data.readers import words
from pul.data.readers.splits import PRID_OFFSET, is_prid, prid_person
from pul.data.samples import Sample
from pul.records import Split

_N_SHOWN = 12
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


def separate_prid(root: Path, rows: list[Row]) -> tuple[list[Row], list[str]]:
    """Number PRID's people above 200 anew on one camera: they are others than on the other."""
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
    people = {row.person for row in rows if row.person is not None}
    nobody = {name for name in people if words.is_nobody(name)}
    pids = {name: -1 for name in people if words.is_junk(name)}
    pids |= {name: 0 for name in people if words.is_distractor(name)}
    pids |= _number(people - nobody - pids.keys())
    cameras = _number({row.camera for row in rows if row.camera is not None})
    samples = [
        Sample(
            row.path,
            pid=pids.get(row.person or ""),
            camid=None if row.camera is None else cameras[row.camera],
            split=row.split,
            tracklet=row.tracklet,
            frame=row.frame,
        )
        for row in rows
    ]
    notes = [*_number_notes("Identities", pids), *_number_notes("Cameras", cameras)]
    for name in sorted(nobody):
        n_images = sum(row.person == name for row in rows)
        notes.append(f"{name!r} is nobody: {n_images:,} images of whom nobody knows who they show.")
    if not people:
        notes.append("Identities are not known.")
    if any(row.camera is None for row in rows):
        notes.append(f"Cameras are not known{' of some images' if cameras else ''}.")
    return samples, notes


def _number(names: Iterable[str]) -> dict[str, int]:
    """Number names: by the one number in each where these differ, else in sorted order from 1."""
    ordered = sorted(names)
    numbers = [_NUMBER.findall(name) for name in ordered]
    if all(len(found) == 1 for found in numbers):
        own = [int(found[0]) for found in numbers]
        if len(set(own)) == len(own):
            return dict(zip(ordered, own, strict=True))
    return {name: place for place, name in enumerate(ordered, start=1)}


def _number_notes(what: str, numbers: Mapping[str, int]) -> list[str]:
    renamed = {name: n for name, n in numbers.items() if n > 0 and name.lstrip("0") != str(n)}
    if not renamed or all(str(n) in name for name, n in renamed.items()):
        return []
    shown = ", ".join(f"{n} {name}" for name, n in list(renamed.items())[:_N_SHOWN])
    more = f" and {len(renamed) - _N_SHOWN:,} more" if len(renamed) > _N_SHOWN else ""
    return [f"{what} are numbered in sorted order: {shown}{more}."]
