"""What each level of folders means: person, camera, split, ..., or which readings are left."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import mean

from pul.data.readers import words
from pul.data.readers.evidence import (
    MOST,
    NAMED,
    ROLES,
    File,
    Level,
    Levels,
    Role,
    certain_role,
    holds_tracks,
    is_special,
)
from pul.data.readers.name_fields import NameRole, name_several, parse_name_roles
from pul.data.readers.splits import guess_splits, split_level, splits_of_validation
from pul.data.readers.words import SplitWord
from pul.errors import ConfigError

_MANY_PEOPLE = 30  # folders that are too many to be cameras
_SOME_PEOPLE = 10  # folders that may be people or cameras ...
_IMAGES_OF_SOME = 50  # ... and are people where they hold fewer images than this
_IMAGES_OF_FEW = 15  # a camera gives more than this, so a few small folders are people
_REPEATED = 0.5  # share of names below several folders: `1/0001`, `2/0001`


@dataclass(frozen=True, slots=True)
class Understanding:
    """What the levels of folders mean.

    Attributes:
        of_split: Roles by the name of the split's folder; by "" where there are no splits.
        readings: The readings that fit, the likeliest first; more than one where evidence does
            not decide.
        splits: Which split a folder is, where its name does not say it.
        names: What the parts of the names of files mean; () where folders say all.
    """

    of_split: Mapping[str, Levels]
    readings: tuple[Levels, ...]
    splits: Mapping[str, SplitWord] = field(default_factory=dict)
    names: tuple[NameRole, ...] = ()

    def split(self, folder: str) -> SplitWord | None:
        """Return which split a folder is; None where it is none."""
        return self.splits.get(folder) or words.split_word(folder)

    def text(self, levels: Levels) -> str:
        """Return a reading as `parse_levels` takes it."""
        named = ",".join(f"{folder}={split}" for folder, split in sorted(self.splits.items()))
        shown = [f"split:{named}" if role == "split" and named else role for role in levels]
        return "/".join([*shown, "_".join(self.names)] if self.names else shown)


def parse_levels(text: str) -> Understanding:
    """Read levels as people write them: `camera/person`, `split/-/person`.

    A level of splits may say which folder is which: `split:a=train,b=query,c=gallery/person`.
    The last one may be that of the files, whose names have parts: `split/person_camera_-`.

    Raises:
        ConfigError: A word is none of the roles or splits, or one that can be there once is there
            twice.
    """
    roles: list[Role] = []
    splits: dict[str, SplitWord] = {}
    parts = text.strip("/").split("/")
    names = parse_name_roles(parts.pop()) if "_" in parts[-1] and ":" not in parts[-1] else ()
    for part in parts:
        word, _, named = part.partition(":")
        role = next((role for role in ROLES if role == word.strip().lower()), None)
        if role is None or (named and role != "split"):
            raise ConfigError(
                f"Levels are {', '.join(ROLES)} (- means nothing), divided by /, as in "
                f"camera/person or split/person_camera; {part!r} in {text!r} is none of them."
            )
        if role in ("split", "person", "camera", "side") and role in roles:
            raise ConfigError(f"{role!r} can be one level only, but is two in {text!r}.")
        roles.append(role)
        splits |= _parse_splits(named) if named else {}
    return Understanding({}, (tuple(roles),), splits, names)


def _parse_splits(text: str) -> dict[str, SplitWord]:
    splits: dict[str, SplitWord] = {}
    for pair in text.split(","):
        folder, _, word = pair.rpartition("=")
        split = words.split_word(word)
        if not folder or split is None or split == "pooled":
            raise ConfigError(
                "Say which folder is which split as in split:a=train,b=query,c=gallery; "
                f"{pair!r} does not."
            )
        splits[folder] = split
    return splits


def understand(files: Sequence[File]) -> Understanding:
    """Find out what each level of folders means, from the names of folders and files.

    Evidence decides: words in the names of folders; whether the names of files carry ids or
    cameras, and whether they agree with the folders; how many folders there are, with how many
    images; whether the same name is below several folders.
    """
    depth = split_level(files)
    if depth is None:
        readings = _infer(files, 0)
        guessed = _guess_splits(files)
        if guessed is not None:
            level, splits = guessed
            return Understanding({}, (_with_split(readings[0], level), *readings), splits)
        return Understanding({"": readings[0]}, readings)
    inferred = _infer([File(file.folders[:depth], file.name) for file in files], 0)[0]
    above = tuple("-" if role in ("person", "tracklet") else role for role in inferred)
    by_split: dict[str, list[File]] = {}
    for file in files:
        if len(file.folders) > depth and words.split_word(file.folders[depth]):
            by_split.setdefault(file.folders[depth], []).append(file)
    of_split, readings = _infer_splits(by_split, above, depth + 1)
    return Understanding(of_split, readings, splits_of_validation(list(by_split)))


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


def _with_split(levels: Levels, depth: int) -> Levels:
    """Return a reading whose level at a depth is that of the splits."""
    below: list[Role] = ["-" if role == "camera" else role for role in levels[depth + 1 :]]
    is_named = "person" in below or not below
    rest = below if is_named else ["person", *below[1:]]
    return (*levels[:depth], "split", *rest)


def _guess_splits(files: Sequence[File]) -> tuple[int, dict[str, SplitWord]] | None:
    """Return the level whose folders look like splits by who is below them, and their splits."""
    deepest = min((len(file.folders) for file in files), default=0)
    are_named = sum(file.name is not None for file in files) >= MOST * len(files)
    for depth in range(deepest):
        level = Level(depth, tuple(files))
        if any(level.all(fits) for _, fits in NAMED) or not (are_named or depth + 1 < deepest):
            continue
        people: dict[str, set[object]] = {}
        for file in files:
            who = _person_of(file, depth, by_name=are_named)
            if who is not None:
                people.setdefault(file.folders[depth], set()).add(who)
        shown = {name: frozenset(people.get(name, ())) for name in level.names}
        splits = guess_splits(shown, level.names)
        splits = _as_named(splits)
        if splits:
            return depth, splits
    return None


def _as_named(splits: dict[str, SplitWord]) -> dict[str, SplitWord]:
    """Exchange query and gallery where the name of either says that it is the other."""
    exchanged: dict[SplitWord, SplitWord] = {"query": "gallery", "gallery": "query"}
    if any(
        words.split_word(name) == exchanged.get(split, "pooled") for name, split in splits.items()
    ):
        return {name: exchanged.get(split, split) for name, split in splits.items()}
    return splits


def _person_of(file: File, depth: int, *, by_name: bool) -> object:
    """Return whom an image shows, by its own name or by the folder below a depth."""
    if by_name:
        return file.name.pid if file.name is not None and file.name.pid > 0 else None
    name = file.folders[depth + 1]
    return None if is_special(name) else name


def _infer(files: Sequence[File], depth: int) -> tuple[Levels, ...]:
    """Return the readings of all levels from a depth on, the likeliest first."""
    deepest = max((len(file.folders) for file in files), default=0)
    levels = [
        Level(level, tuple(file for file in files if len(file.folders) > level))
        for level in range(depth, deepest)
    ]
    roles = [
        "-" if depth and _is_one_each_split(level, depth - 1) else certain_role(level)
        for level in levels
    ]
    roles = _with_calendar(levels, roles)
    for role in ("person", "camera"):  # `NVR/ch2`: one level is theirs, that of most folders
        named = [i for i, found in enumerate(roles) if found == role]
        best = max(named, key=lambda i: len(levels[i].names), default=None)
        roles = ["-" if i in named and i != best else found for i, found in enumerate(roles)]
    roles = _below_tracks(levels, _below_plurals(levels, roles))
    free = [level for level, role in zip(levels, roles, strict=True) if role is None]
    choices = _choices(free, has_person="person" in roles, has_camera="camera" in roles)
    if choices == [("person",)] and _may_be_sites(free[0], levels, roles):
        choices = [("person",), ("-",)]
    elif choices == [("person",)] and _may_be_recorders(free[0], levels, roles):
        choices = [("camera",), ("person",), ("-",)]
    readings = []
    for choice in choices:
        left = iter(choice)
        readings.append(tuple(role if role is not None else next(left) for role in roles))
    if any(map(_may_be_hours, free)):
        timed = [_role_of_hours(level, role) for level, role in zip(levels, roles, strict=True)]
        rest = [level for level, role in zip(levels, timed, strict=True) if role is None]
        left = iter(_choices(rest, has_person="person" in timed, has_camera="camera" in timed)[0])
        readings.insert(0, tuple(next(left) if role is None else role for role in timed))
    with_sides = [told for reading in readings for told in _sides(levels, reading)]
    return tuple(dict.fromkeys(with_sides))


def _sides(levels: Sequence[Level], reading: Levels) -> list[Levels]:
    """Let `left` and `right` below a person be sides, or cameras."""
    person = reading.index("person") if "person" in reading else len(reading)
    told: Levels = tuple(
        "side" if i > person and role == "camera" and levels[i].all(words.is_side) else role
        for i, role in enumerate(reading)
    )
    return [told, reading]


def _below_plurals(levels: Sequence[Level], roles: Sequence[Role | None]) -> list[Role | None]:
    """Let a folder that says what it holds, such as `tracks`, name the level below it."""
    told = list(roles)
    for place in range(len(levels) - 1):
        names = levels[place].names
        held = words.holds(next(iter(names))) if len(names) == 1 else ""
        role = next((role for role in ROLES if role == held), None)
        if role is not None and told[place + 1] in (None, role):
            told[place], told[place + 1] = "-", role
    return told


def _below_tracks(levels: Sequence[Level], roles: Sequence[Role | None]) -> list[Role | None]:
    """Let numbered folders somewhere below one called `track` be tracklets."""
    told = list(roles)
    above = next((i for i, level in enumerate(levels) if holds_tracks(level)), len(levels))
    free = [i for i in range(above + 1, len(levels)) if told[i] is None]
    if free and levels[free[-1]].all(str.isdigit) and "tracklet" not in told:
        told[free[-1]] = "tracklet"
    return told


def _is_one_each_split(level: Level, of_split: int) -> bool:
    """Whether each split has a single folder at a level, by another name: `test_all/test_set`."""
    below: dict[str, set[str]] = {}
    for file in level.files:
        below.setdefault(file.folders[of_split], set()).add(file.folders[level.depth])
    names = [name for found in below.values() for name in found]
    return len(names) == len(below) == len(set(names)) > 1


def _with_calendar(levels: Sequence[Level], roles: Sequence[Role | None]) -> list[Role | None]:
    """Let years, months and days of three levels, one below the other, be dates."""
    told = list(roles)
    fits = (words.is_year, words.is_month_number, words.is_day_number)
    for place in range(len(levels) - 2):
        three = levels[place : place + 3]
        if all(level.all(fit) for level, fit in zip(three, fits, strict=True)):
            told[place : place + 3] = ["date"] * 3
    return told


def _may_be_sites(level: Level, levels: Sequence[Level], roles: Sequence[Role | None]) -> bool:
    """Whether the folder of a person may be a place with cameras of its own: `P1/cam2`."""
    are_few = len(level.names) < _SOME_PEOPLE and mean(level.names.values()) > _IMAGES_OF_SOME
    return are_few and "camera" in roles[levels.index(level) :]


def _may_be_recorders(level: Level, levels: Sequence[Level], roles: Sequence[Role | None]) -> bool:
    """Whether the folder of a person may be a camera with its days below: `ACCC8E01/2024-05-03`."""
    below = roles[levels.index(level) :]
    are_numbered = _is_padded(level.names) or len(level.names) >= _MANY_PEOPLE
    return not are_numbered and "camera" not in roles and "date" in below


def _may_be_hours(level: Level) -> bool:
    """Whether folders may be the hours of a day: 00 to 23 below a folder with a date in it."""
    above = {name for file in level.files for name in file.folders[: level.depth]}
    return level.all(words.is_clock_number) and any(map(words.has_date, above))


def _role_of_hours(level: Level, role: Role | None) -> Role | None:
    return "date" if role is None and _may_be_hours(level) else role


def _choices(levels: Sequence[Level], *, has_person: bool, has_camera: bool) -> list[Levels]:
    """Return the roles that fit the levels of which words say nothing, the likeliest first."""
    if not levels:
        return [()]
    if has_person:
        return _beside_people(levels, has_camera=has_camera)
    if len(levels) == 1:
        return _one_level(levels[0], has_camera=has_camera)
    return _two_levels(levels, has_camera=has_camera)


def _beside_people(levels: Sequence[Level], *, has_camera: bool) -> list[Levels]:
    rest = _nothing(len(levels) - 1)
    roles: tuple[Role, ...] = ("tracklet", "-") if has_camera else ("camera", "tracklet", "-")
    return [(role, *rest) for role in roles]


def _nothing(n_levels: int) -> Levels:
    roles: list[Role] = ["-"] * n_levels
    return tuple(roles)


def _one_level(level: Level, *, has_camera: bool) -> list[Levels]:
    n_folders, n_images = len(level.names), mean(level.names.values())
    if name_several(level.names):
        return [("person",), ("tracklet",), ("-",)]
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


def _two_levels(levels: Sequence[Level], *, has_camera: bool) -> list[Levels]:
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
