"""What the names of people and cameras come to in numbers."""

import re
from collections.abc import Iterable, Mapping
from typing import Literal

from pul.data.readers import words

Meaning = Literal["person", "junk", "distractor", "nobody"]

_NUMBER = re.compile(r"\d{1,9}", re.ASCII)
_N_SHOWN = 12


def meaning_of(name: str) -> Meaning:
    """Return what the name of a person means: a person, or one of those that are none."""
    if words.is_junk(name):
        return "junk"
    if words.is_distractor(name):
        return "distractor"
    return "nobody" if words.is_nobody(name) else "person"


def counts_from_0(*, has_0: bool, has_junk: bool) -> bool:
    """Whether a data set counts its people from 0, so that 0 is one of them.

    Args:
        has_0: Whether 0 occurs where somebody is meant.
        has_junk: Whether junk (-1) occurs. A set that has it counts as Market-1501 does: 0 is a
            distractor there.
    """
    return has_0 and not has_junk


def number_people(names: Iterable[str]) -> dict[str, int | None]:
    """Number people by their names: -1 is junk, 0 a distractor, None nobody known.

    Their own numbers are kept where each name has one and they differ; otherwise they are numbered
    in sorted order from 1.
    """
    meanings = {name: meaning_of(name) for name in sorted(set(names))}
    fixed: dict[str, int | None] = {
        name: {"junk": -1, "distractor": 0, "nobody": None}[meaning]
        for name, meaning in meanings.items()
        if meaning != "person"
    }
    return {**fixed, **number_names(meanings.keys() - fixed.keys())}


def number_names(names: Iterable[str]) -> dict[str, int]:
    """Number names: by the one number in each where these differ, else in sorted order from 1."""
    ordered = sorted(set(names))
    numbers = [_NUMBER.findall(name) for name in ordered]
    if all(len(found) == 1 for found in numbers):
        own = [int(found[0]) for found in numbers]
        if len(set(own)) == len(own):
            return dict(zip(ordered, own, strict=True))
    return {name: place for place, name in enumerate(ordered, start=1)}


def describe_numbers(what: str, numbers: Mapping[str, int | None]) -> list[str]:
    """Say which numbers names were given, where they do not show them."""
    renamed = {name: n for name, n in numbers.items() if n and n > 0 and name.lstrip("0") != str(n)}
    if not renamed or all(str(n) in name for name, n in renamed.items()):
        return []
    in_order = sorted(renamed.items(), key=lambda item: item[1])
    shown = ", ".join(f"{n} {name}" for name, n in in_order[:_N_SHOWN])
    more = f" and {len(renamed) - _N_SHOWN:,} more" if len(renamed) > _N_SHOWN else ""
    return [f"{what} are numbered in sorted order: {shown}{more}."]


def describe_nobody(counts: Mapping[str, int]) -> list[str]:
    """Say which names mean nobody, and of how many images.

    Args:
        counts: Images by the name of their person, without those of people.
    """
    return [
        f"{name!r} is nobody: {n:,} images of whom nobody knows who they show."
        for name, n in sorted(counts.items())
        if meaning_of(name) == "nobody"
    ]
