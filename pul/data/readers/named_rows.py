"""Rows of images whose people and cameras stand in the names of their files."""

import re
from collections.abc import Sequence
from dataclasses import replace

from pul.data.readers.levels import Understanding
from pul.data.readers.name_fields import (
    NameRole,
    find_name_roles,
    may_name_people,
    name_fields,
)
from pul.data.readers.rows import Row

_MEANS: dict[NameRole, str] = {"person": "a person", "camera": "a camera", "tracklet": "a tracklet"}


def with_names(
    found: Understanding, rows: Sequence[Row], *, is_given: bool
) -> tuple[Understanding, list[Row], list[str]]:
    """Add what the names of files say of people, where folders do not say it of all."""
    by_folders = any("person" in roles for roles in (found.readings[0], *found.of_split.values()))
    is_silent = not any(row.person for row in rows)
    roles = found.names
    if not is_given and (is_silent or (by_folders and not all(row.person for row in rows))):
        roles = find_name_roles(rows, by_folders=by_folders)
    if not roles or not rows:
        is_asked = not is_given and is_silent and not any(row.tracklet for row in rows)
        return found, list(rows), _name_hint(found, rows) if is_asked else []
    named, shift = part_train_from_test(take_names(rows, roles))
    example = f"Names are read as {'_'.join(roles)}: in {rows[0].path.name!r}"
    parts = zip(name_fields(rows[0].path.name), roles, strict=False)
    said = ", ".join(f"{field!r} is {_MEANS[role]}" for field, role in parts if role != "-")
    notes = [f"{example} {said}. The folders alone: --levels {'/'.join(found.readings[0]) or '-'}."]
    if shift:
        notes.append(
            f"The test has people of its own with numbers that train has too: {shift:,} is added "
            "to theirs."
        )
    return replace(found, names=roles), named, notes


def _name_hint(found: Understanding, rows: Sequence[Row]) -> list[str]:
    """Say how to tell people by the names of files, where these may say who is who."""
    if not may_name_people(rows):
        return []
    asked = "/".join([*found.readings[0], "person_-"])
    return [
        f"If the names of files say who is who, as {rows[0].path.name!r} may: --levels {asked}, or "
        "with person, camera, tracklet or - for each part."
    ]


def take_names(rows: Sequence[Row], roles: Sequence[NameRole]) -> list[Row]:
    """Add what the parts of names say, where no folder says it."""
    return [_take(row, roles) for row in rows]


def _take(row: Row, roles: Sequence[NameRole]) -> Row:
    fields = name_fields(row.path.name)
    said = {
        role: plain_number(field) for role, field in zip(roles, fields, strict=False) if role != "-"
    }
    tracklet = said.get("tracklet")
    return replace(
        row,
        person=row.person or said.get("person"),
        camera=row.camera or said.get("camera"),
        tracklet=row.tracklet or (tracklet and f"{row.path.parent}/{tracklet}"),
    )


def plain_number(text: str) -> str:
    """Return a number without leading zeros, other text as it is: 0012 and 12 are one person."""
    return str(int(text)) if re.fullmatch(r"\d{1,9}", text, re.ASCII) else text


def part_train_from_test(rows: Sequence[Row]) -> tuple[list[Row], int]:
    """Give people of the test other numbers than those of train, where both count from 1.

    Returns:
        The rows, and what was added to the numbers of the test; 0 for nothing.
    """
    numbers = {split: _whole_numbers(rows, split) for split in ("train", "query", "gallery")}
    shift = max(numbers["train"], default=0)
    if not numbers["train"] & (numbers["query"] | numbers["gallery"]):
        return list(rows), 0
    parted = [
        replace(row, person=str(int(row.person) + shift))
        if row.split != "train" and row.person and row.person.isdecimal() and int(row.person)
        else row
        for row in rows
    ]
    return parted, shift


def _whole_numbers(rows: Sequence[Row], split: str) -> set[int]:
    people = {row.person for row in rows if row.split == split and row.person}
    return {int(name) for name in people if name.isdecimal()} - {0}
