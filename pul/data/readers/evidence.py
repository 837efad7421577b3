"""What the folders of one level say of themselves: by their names, and by those of their files."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

from pul.data.readers import words
from pul.data.samples import ParsedName

Role = Literal["split", "person", "camera", "tracklet", "side", "recording", "date", "class", "-"]
Levels = tuple[Role, ...]
ROLES: tuple[Role, ...] = get_args(Role)

MOST = 0.9  # share of names that has to agree before names decide
NAMED: tuple[tuple[Role, Callable[[str], bool]], ...] = (  # what names alone say
    ("date", words.is_date),
    ("person", words.is_numbered_person),
    ("tracklet", words.is_tracklet),
    ("class", words.is_class),
    ("-", words.is_container),
    ("camera", words.is_camera),
    ("recording", words.is_recording),
)


@dataclass(frozen=True)
class File:
    """An image: the folders above it, from the outermost, and what its own name says."""

    folders: tuple[str, ...]
    name: ParsedName | None


@dataclass(frozen=True)
class Level:
    """The folders of one level, with the files below them."""

    depth: int
    files: tuple[File, ...]

    @cached_property
    def names(self) -> Counter[str]:
        """Folders by name, with how many images each holds; without those that mean nobody."""
        found = Counter(file.folders[self.depth] for file in self.files)
        kept = {name: n for name, n in found.items() if not is_special(name)}
        return Counter(kept or found)

    def all(self, fits: Callable[[str], bool]) -> bool:
        """Whether the name of each folder fits."""
        return bool(self.names) and all(map(fits, self.names))

    def values(self, of: Callable[[ParsedName], int]) -> dict[str, set[int]] | None:
        """What the names of files say, by folder; None where too few of them say anything."""
        parsed = [(file.folders[self.depth], file.name) for file in self.files if file.name]
        if len(parsed) < MOST * len(self.files):
            return None
        found: dict[str, set[int]] = {}
        for folder, name in parsed:
            found.setdefault(folder, set()).add(of(name))
        return {folder: numbers for folder, numbers in found.items() if folder in self.names}


def is_special(name: str) -> bool:
    """Whether the name of a person's folder means nobody, junk or distractors."""
    return words.is_nobody(name) or words.is_junk(name) or words.is_distractor(name)


def certain_role(level: Level) -> Role | None:
    """Return what names alone say that a level means; None where they do not say it."""
    by_files = _role_by_files(level)
    if holds_tracks(level):
        return "-"
    is_one = len(level.names) == 1
    for role, fits in NAMED:
        if role == "person" and is_one and not level.all(words.is_person_and_number):
            continue  # `VehicleID_V1.0`
        if level.all(fits) and not (by_files and role in ("person", "tracklet", "camera")):
            return role
    if len(level.names) > 1 and level.all(words.is_modality):
        return "camera"
    if by_files is not None:
        return by_files
    return "-" if len(level.names) == 1 else None


def holds_tracks(level: Level) -> bool:
    """Whether a level is one folder that is named after tracks and is none: `runs/track/exp`."""
    (name, *others) = level.names
    return not others and words.is_tracklet(name) and not any(map(str.isdigit, name))


def _role_by_files(level: Level) -> Role | None:
    """Return what the names of the files say that the folders mean; None where they do not."""
    people = level.values(lambda name: name.pid)
    cameras = level.values(lambda name: name.camid)
    if people is None or cameras is None or not people:
        return None
    if _is_one_each(people):
        return "person"
    if _is_one_each(cameras):
        return "camera"
    if (
        max(map(len, people.values())) > 1
    ):  # the files say who is who, and the folders something else
        return "-"
    return None


def _is_one_each(values: Mapping[str, set[int]]) -> bool:
    """Whether each folder has one number, and no other folder has it."""
    numbers = [number for found in values.values() for number in found]
    return len(numbers) == len(values) == len(set(numbers)) and len(values) > 1
