"""What each level of folders means: person, camera, split, ..., or which readings are left."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import mean
from typing import Literal, get_args

from pul.data.readers import words
from pul.data.samples import ParsedName
from pul.errors import ConfigError

Role = Literal["split", "person", "camera", "tracklet", "recording", "date", "class", "-"]
Levels = tuple[Role, ...]
ROLES: tuple[Role, ...] = get_args(Role)

_MOST = 0.9  # share of names that has to agree before names decide
_MANY_PEOPLE = 30  # folders that are too many to be cameras
_SOME_PEOPLE = 10  # folders that may be people or cameras ...
_IMAGES_OF_SOME = 50  # ... and are people where they hold fewer images than this
_IMAGES_OF_FEW = 15  # a camera gives more than this, so a few small folders are people
_REPEATED = 0.5  # share of names below several folders: `1/0001`, `2/0001`


@dataclass(frozen=True)
class File:
    """An image: the folders above it, from the outermost, and what its own name says."""

    folders: tuple[str, ...]
    name: ParsedName | None


@dataclass(frozen=True, slots=True)
class Understanding:
    """What the levels of folders mean.

    Attributes:
        of_split: Roles by the name of the split's folder; by "" where there are no splits.
        readings: The readings that fit, the likeliest first; more than one where evidence does
            not decide.
    """

    of_split: Mapping[str, Levels]
    readings: tuple[Levels, ...]


def parse_levels(text: str) -> Levels:
    """Read levels as people write them: `camera/person`, `split/-/person`.

    Raises:
        ConfigError: A word is none of the roles, or one that can be there once is there twice.
    """
    roles: list[Role] = []
    for word in text.strip("/").split("/"):
        role = next((role for role in ROLES if role == word.strip().lower()), None)
        if role is None:
            raise ConfigError(
                f"Levels are {', '.join(ROLES)} (- means nothing), divided by /, as in "
                f"camera/person; {word!r} in {text!r} is none of them."
            )
        if role in ("split", "person", "camera") and role in roles:
            raise ConfigError(f"{role!r} can be one level only, but is two in {text!r}.")
        roles.append(role)
    return tuple(roles)


def understand(files: Sequence[File]) -> Understanding:
    """Find out what each level of folders means, from the names of folders and files.

    Evidence decides: words in the names of folders; whether the names of files carry ids or
    cameras, and whether they agree with the folders; how many folders there are, with how many
    images; whether the same name is below several folders.
    """
    depth = _split_level(files)
    if depth is None:
        readings = _infer(files, 0)
        return Understanding({"": readings[0]}, readings)
    above = _infer([File(file.folders[:depth], file.name) for file in files], 0)[0]
    by_split: dict[str, list[File]] = {}
    for file in files:
        if len(file.folders) > depth and words.split_word(file.folders[depth]):
            by_split.setdefault(file.folders[depth], []).append(file)
    of_split, readings = _infer_splits(by_split, above, depth + 1)
    return Understanding(of_split, readings)


def _infer_splits(
    by_split: Mapping[str, Sequence[File]], above: Levels, depth: int
) -> tuple[dict[str, Levels], tuple[Levels, ...]]:
    """Infer the levels below splits: together where they are alike, else each for itself."""
    shapes = {name: _kinds(files, depth) for name, files in by_split.items()}
    of_split: dict[str, Levels] = {}
    readings: tuple[Levels, ...] = ()
    for shape in dict.fromkeys(shapes.values()):
        names = [name for name in by_split if shapes[name] == shape]
        found = _infer([file for name in names for file in by_split[name]], depth)
        of_split |= dict.fromkeys(names, (*above, "split", *found[0]))
        if len(found) > max(1, len(readings)) or not readings:
            readings = tuple((*above, "split", *levels) for levels in found)
    return of_split, readings


def _kinds(files: Sequence[File], depth: int) -> tuple[tuple[str, ...], ...]:
    """Tell trees of different build apart: depth, and the kind of the names at each level."""
    deepest = max(len(file.folders) for file in files)
    return tuple(
        tuple(sorted({_kind(file.folders[level]) for file in files if len(file.folders) > level}))
        for level in range(depth, deepest)
    )


def _kind(name: str) -> str:
    return "number" if name.strip().lstrip("-").isdigit() else "word"


def _split_level(files: Sequence[File]) -> int | None:
    """Return the outermost level where folders are named after splits."""
    deepest = max((len(file.folders) for file in files), default=0)
    for depth in range(deepest):
        names = {file.folders[depth] for file in files if len(file.folders) > depth}
        splits = {words.split_word(name) for name in names} - {None, "pooled", "validation"}
        n_named = sum(words.split_word(name) is not None for name in names)
        if len(splits) > 1 or (splits and n_named == len(names)):
            return depth
    return None


@dataclass(frozen=True)
class _Level:
    """The folders of one level, with the files below them."""

    depth: int
    files: tuple[File, ...]

    @cached_property
    def names(self) -> Counter[str]:
        """Folders by name, with how many images each holds; without those that mean nobody."""
        found = Counter(file.folders[self.depth] for file in self.files)
        kept = {name: n for name, n in found.items() if not _is_special(name)}
        return Counter(kept or found)

    def all(self, fits: Callable[[str], bool]) -> bool:
        return bool(self.names) and all(map(fits, self.names))

    def values(self, of: Callable[[ParsedName], int]) -> dict[str, set[int]] | None:
        """What the names of files say, by folder; None where too few of them say anything."""
        parsed = [(file.folders[self.depth], file.name) for file in self.files if file.name]
        if len(parsed) < _MOST * len(self.files):
            return None
        found: dict[str, set[int]] = {}
        for folder, name in parsed:
            found.setdefault(folder, set()).add(of(name))
        return {folder: numbers for folder, numbers in found.items() if folder in self.names}


def _is_special(name: str) -> bool:
    return words.is_nobody(name) or words.is_junk(name) or words.is_distractor(name)


def _infer(files: Sequence[File], depth: int) -> tuple[Levels, ...]:
    """Return the readings of all levels from a depth on, the likeliest first."""
    deepest = max((len(file.folders) for file in files), default=0)
    levels = [
        _Level(level, tuple(file for file in files if len(file.folders) > level))
        for level in range(depth, deepest)
    ]
    roles = [_certain_role(level) for level in levels]
    for role in ("person", "camera"):  # `NVR/ch2`: one level is theirs, that of most folders
        named = [i for i, found in enumerate(roles) if found == role]
        best = max(named, key=lambda i: len(levels[i].names), default=None)
        roles = ["-" if i in named and i != best else found for i, found in enumerate(roles)]
    free = [level for level, role in zip(levels, roles, strict=True) if role is None]
    choices = _choices(free, has_person="person" in roles, has_camera="camera" in roles)
    readings = []
    for choice in choices:
        left = iter(choice)
        readings.append(tuple(role if role is not None else next(left) for role in roles))
    return tuple(readings)


def _certain_role(level: _Level) -> Role | None:
    """Return what names alone say that a level means; None where they do not say it."""
    named: tuple[tuple[Role, Callable[[str], bool]], ...] = (
        ("date", words.is_date),
        ("person", words.is_numbered_person),
        ("tracklet", words.is_tracklet),
        ("class", words.is_class),
        ("-", words.is_container),
        ("camera", words.is_camera),
        ("recording", words.is_recording),
    )
    by_files = _role_by_files(level)
    for role, fits in named:
        if level.all(fits) and not (by_files and role in ("person", "tracklet", "camera")):
            return role
    if len(level.names) > 1 and level.all(words.is_modality):
        return "camera"
    if by_files is not None:
        return by_files
    return "-" if len(level.names) == 1 else None


def _role_by_files(level: _Level) -> Role | None:
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


def _choices(levels: Sequence[_Level], *, has_person: bool, has_camera: bool) -> list[Levels]:
    """Return the roles that fit the levels of which words say nothing, the likeliest first."""
    if not levels:
        return [()]
    if has_person:
        return _beside_people(levels, has_camera=has_camera)
    if len(levels) == 1:
        return _one_level(levels[0], has_camera=has_camera)
    return _two_levels(levels, has_camera=has_camera)


def _beside_people(levels: Sequence[_Level], *, has_camera: bool) -> list[Levels]:
    rest = _nothing(len(levels) - 1)
    roles: tuple[Role, ...] = ("tracklet", "-") if has_camera else ("camera", "tracklet", "-")
    return [(role, *rest) for role in roles]


def _nothing(n_levels: int) -> Levels:
    roles: list[Role] = ["-"] * n_levels
    return tuple(roles)


def _one_level(level: _Level, *, has_camera: bool) -> list[Levels]:
    n_folders, n_images = len(level.names), mean(level.names.values())
    if has_camera or n_folders >= _MANY_PEOPLE or _is_padded(level.names):
        return [("person",)]
    if n_folders >= _SOME_PEOPLE and n_images <= _IMAGES_OF_SOME:
        return [("person",)]
    if n_images <= _IMAGES_OF_FEW:
        return [("person",)]
    return [("person",), ("camera",), ("-",)]


def _is_padded(names: Counter[str]) -> bool:
    """Whether folders are numbered as people are: 0001, 0002, ..."""
    return all(name.isdigit() and len(name) >= 4 for name in names)


def _two_levels(levels: Sequence[_Level], *, has_camera: bool) -> list[Levels]:
    """Choose which of two levels or more is that of the people, by how often names repeat."""
    rest = _nothing(len(levels) - 2)
    outer, inner = levels[:2]
    if has_camera:
        return [("person", "tracklet", *rest), ("-", "person", *rest)]
    below: dict[str, set[str]] = {}
    for file in inner.files:
        below.setdefault(file.folders[inner.depth], set()).add(file.folders[outer.depth])
    repeated = mean(len(folders) > 1 for folders in below.values())
    n_outer, n_inner = len(outer.names), len(inner.names)
    if repeated >= _REPEATED and n_inner >= max(3 * n_outer, _SOME_PEOPLE):
        return [("camera", "person", *rest)]
    if repeated >= _REPEATED and n_outer >= max(3 * n_inner, _SOME_PEOPLE):
        return [("person", "camera", *rest)]
    if repeated < _REPEATED and n_outer >= _MANY_PEOPLE:
        return [("person", "tracklet", *rest)]
    readings: list[Levels] = [("camera", "person"), ("person", "camera"), ("person", "tracklet")]
    if n_outer > n_inner:
        readings = [*readings[1:], readings[0]]
    return [(*reading, *rest) for reading in (*readings, ("-", "person"))]
