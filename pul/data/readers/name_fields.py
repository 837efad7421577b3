"""What the parts of file names mean, where folders do not say who is who: `0012_3_007.jpg`."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from pul.data.readers import words
from pul.data.readers.rows import Row
from pul.errors import ConfigError
from pul.records import Split

NameRole = Literal["person", "camera", "tracklet", "-"]
NAME_ROLES: tuple[NameRole, ...] = get_args(NameRole)

_MOST = 0.9  # share that has to agree before it decides
_FEWEST = 2  # people of queries who are in the gallery, where those of train are others
_FEWEST_ALONE = 10  # ... and where nothing but that speaks for them: more than most cameras
_REPEATS = 2  # images of a person, at least, on average
_FEW_ON_CAMERAS = 3  # images of a person, each on another camera; if more all differ, they count
_SIGNS = re.compile(r"[_\-. ()\[\]#]+")
_NUMBERED = re.compile(r"([^\W\d_]{0,8})(-?\d{1,9})")
_PERSON_PREFIXES = frozenset({"", "p"})


@dataclass(frozen=True)
class _Column:
    """One part of all names: its number in each; None where it has none."""

    place: int
    numbers: tuple[int | None, ...]
    prefix: str

    def of(self, rows: Sequence[Row], *splits: Split) -> list[int]:
        """Return the numbers of the images of some splits, without those that mean nobody."""
        pairs = zip(self.numbers, rows, strict=True)
        return [n for n, row in pairs if n is not None and n > 0 and row.split in splits]


def parse_name_roles(text: str) -> tuple[NameRole, ...]:
    """Read what the parts of names mean, as people write it: `person_camera_-`.

    Raises:
        ConfigError: A word is none of the roles, or one of them is there twice.
    """
    roles: list[NameRole] = []
    for word in text.split("_"):
        role = next((role for role in NAME_ROLES if role == word.strip().lower()), None)
        if role is None or (role != "-" and role in roles):
            raise ConfigError(
                f"The parts of file names are {', '.join(NAME_ROLES)} (- means nothing), each once "
                f"and joined by _, as in person_camera_-; {word!r} in {text!r} does not fit."
            )
        roles.append(role)
    return tuple(roles)


def name_fields(name: str) -> tuple[str, ...]:
    """Return the parts of a file name between its signs: `-1_c2 (7).jpg` is -1, c2 and 7."""
    stem = name.rpartition(".")[0] or name
    minus = "-" if re.match(r"-\d", stem) else ""
    fields = [field for field in _SIGNS.split(stem) if field]
    return (minus + fields[0], *fields[1:]) if fields else ()


def name_several(folders: Collection[str]) -> bool:
    """Whether names of folders have two numbers, of which several share the first: `001_02`."""
    fields = [list(filter(_NUMBERED.fullmatch, name_fields(name))) for name in folders]
    firsts = [found[0] for found in fields if len(found) > 1]
    return len(firsts) >= _MOST * len(fields) and _repeat_often(firsts)


def _repeat_often(values: Sequence[object]) -> bool:
    return len(set(values)) > 1 and 2 * len(values) >= 3 * len(set(values))


def find_name_roles(rows: Sequence[Row], *, by_folders: bool) -> tuple[NameRole, ...]:
    """Tell which parts of names are people and cameras, by the folders and splits of the images.

    Where some images are in folders of people, a part that names the same people names the others
    too (`gallery/0012/0012_1.jpg` beside `query/0012_7.jpg`). Where none is, a part is people if
    those of the queries are in the gallery, and either none of them is there to train, or there are
    too many for anything else and each is there several times. A camera stands beside it: most
    queries show people whom the gallery has with another number, and it does not merely count the
    images of each person.

    Args:
        rows: Images, with people by folders if by any.
        by_folders: Whether people have folders.

    Returns:
        The role of each part up to the last one that has any; () where evidence does not decide.
    """
    columns = _columns(rows)
    if len(columns) < 2:
        return ()
    person = _named_as_folders(columns, rows) if by_folders else _asked_and_found(columns, rows)
    if person is None:
        return ()
    camera = None if by_folders else _camera_beside(person, columns, rows)
    last = max(person.place, 1, camera.place if camera else 0)
    roles: list[NameRole] = ["-"] * (last + 1)
    roles[person.place] = "person"
    if camera is not None:
        roles[camera.place] = "camera"
    return tuple(roles)


def may_name_people(rows: Sequence[Row]) -> bool:
    """Whether names of which nothing is known have a number that several images share."""
    columns = [column for column in _columns(rows) if column.prefix in _PERSON_PREFIXES]
    numbers = [column.of(rows, "train", "query", "gallery") for column in columns]
    return len(columns) > 1 and any(map(_repeat_often, numbers))


def _columns(rows: Sequence[Row]) -> list[_Column]:
    """Return the parts that are numbers in most names, with the letters before them."""
    named = [name_fields(row.path.name) for row in rows]
    columns = []
    for place in range(max(map(len, named), default=0)):
        found = [
            _NUMBERED.fullmatch(fields[place]) if len(fields) > place else None for fields in named
        ]
        ((prefix, n_named), *_) = Counter(m[1].lower() for m in found if m).most_common(1) or [
            ("", 0)
        ]
        if n_named >= _MOST * len(rows):
            numbers = tuple(int(m[2]) if m and m[1].lower() == prefix else None for m in found)
            columns.append(_Column(place, numbers, prefix))
    return columns


def _named_as_folders(columns: Sequence[_Column], rows: Sequence[Row]) -> _Column | None:
    """Return the part that names the people whom folders name, where some are in no such folder."""
    known = [
        (i, int(row.person))
        for i, row in enumerate(rows)
        if row.person is not None and row.person.isdecimal()
    ]
    n_named = sum(row.person is not None for row in rows)
    if n_named == len(rows) or len(known) < _MOST * n_named:
        return None
    return next(
        (
            column
            for column in columns
            if sum(column.numbers[i] == number for i, number in known) >= _MOST * len(known)
        ),
        None,
    )


def _asked_and_found(columns: Sequence[_Column], rows: Sequence[Row]) -> _Column | None:
    """Return the part that names those whom queries ask for and the gallery holds."""
    likely: list[tuple[int, _Column]] = []
    for column in columns:
        asked = set(column.of(rows, "query"))
        test = column.of(rows, "query", "gallery")
        train = column.of(rows, "train")
        is_person = column.prefix in _PERSON_PREFIXES or words.is_numbered_person(
            f"{column.prefix}1"
        )
        are_found = len(asked & set(column.of(rows, "gallery"))) >= _MOST * len(asked)
        if not is_person or not are_found or len(asked) < _FEWEST:
            continue
        if len(set(train)) >= _FEWEST and set(train).isdisjoint(test):
            return column
        is_likely = _repeat(train) if train else column.place == 0
        if len(asked) >= _FEWEST_ALONE and _repeat(test) and is_likely:
            likely.append((len(asked), column))
    return max(likely, key=lambda item: item[0])[1] if likely else None


def _repeat(numbers: Sequence[int]) -> bool:
    return len(numbers) >= _REPEATS * len(set(numbers))


def _camera_beside(
    person: _Column, columns: Sequence[_Column], rows: Sequence[Row]
) -> _Column | None:
    """Return the part after the person's, or before, if it may be a camera."""
    by_place = {column.place: column for column in columns}
    beside = by_place.get(person.place + 1) or by_place.get(person.place - 1)
    if beside is None:
        return None
    seen: dict[tuple[Split, int], list[int]] = defaultdict(list)
    for who, where, row in zip(person.numbers, beside.numbers, rows, strict=True):
        if who is not None and who > 0 and where is not None:
            seen[row.split, who].append(where)
    asked = [(who, where) for (split, who), at in seen.items() if split == "query" for where in at]
    elsewhere = [set(seen.get(("gallery", who), ())) - {where} for who, where in asked]
    if sum(map(bool, elsewhere)) < _MOST * len(asked):
        return None
    is_apart = set(beside.of(rows, "query")).isdisjoint(beside.of(rows, "gallery"))
    return beside if is_apart or not _count_images(seen) else None


def _count_images(seen: dict[tuple[Split, int], list[int]]) -> bool:
    """Whether the numbers beside most people count their images: 1, 2, 3, ..."""
    by_person: dict[tuple[bool, int], list[int]] = defaultdict(list)
    for (split, who), numbers in seen.items():
        by_person[split == "train", who] += numbers
    differ = [numbers for numbers in by_person.values() if len(set(numbers)) == len(numbers)]
    are_many = sum(map(len, by_person.values())) > _FEW_ON_CAMERAS * len(by_person)
    counts = differ if are_many else [numbers for numbers in differ if min(numbers) < 2]
    return len(counts) >= _MOST * len(by_person)
