"""Splits that no folder is named after: in the names of files, or seen in who is below what."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pul.data.readers import words
from pul.data.readers.evidence import File
from pul.data.readers.words import SplitWord

_MOST = 0.9  # share of names that has to agree before names decide
_FEWEST = 3  # people of each folder, before they tell anything
_SHARED = 0.5  # share of the smaller folder's people whom query and gallery have in common
_FIRST = re.compile(r"([^\W\d_]+)[-_. ]+(.+)")
_LAST = re.compile(r"(.+)[-_. ]+([^\W\d_]+)(\.\w+)")
_PRID_SHARED = 200  # people up to this number are the same on both cameras
_PRID_PEOPLE = [385, 749]  # of cam_a and cam_b
_PRID_WORDS = frozenset({"prid", "prid2011", "multishot", "singleshot"})
PRID_OFFSET = 1000


def split_names(names: Sequence[str]) -> list[tuple[str, str]] | None:
    """Take the word of a split off the names of files: `query_0001_c1.jpg`, `0001_c1-test.jpg`.

    Args:
        names: Names of files without their folders.

    Returns:
        For each name the word and the name without it; None where the names hold no splits.
    """
    for take in (_take_first, _take_last):
        taken = [take(name) for name in names]
        found = [words.split_word(word) for word, _ in taken]
        kinds = set(found) - {None, "pooled"}
        is_whole = {"query", "gallery"} <= kinds or ("train" in kinds and len(kinds) > 1)
        if is_whole and sum(kind is not None for kind in found) >= _MOST * len(names):
            return taken
    return None


def _take_first(name: str) -> tuple[str, str]:
    match = _FIRST.fullmatch(name)
    return (match[1], match[2]) if match else ("", name)


def _take_last(name: str) -> tuple[str, str]:
    match = _LAST.fullmatch(name)
    return (match[2], match[1] + match[3]) if match else ("", name)


def split_level(files: Sequence[File]) -> int | None:
    """Return the outermost level where folders are named after splits; None where none are."""
    deepest = max((len(file.folders) for file in files), default=0)
    for depth in range(deepest):
        names = {file.folders[depth] for file in files if len(file.folders) > depth}
        splits = {words.split_word(name) for name in names} - {None, "pooled", "validation"}
        n_named = sum(words.split_word(name) is not None for name in names)
        if len(splits) > 1 or (splits and n_named == len(names)):
            return depth
    return None


def join_splits(files: Sequence[File]) -> list[File]:
    """Let splits below a split be one level with it: `test/query` and `test/gallery`."""
    depth = split_level(files)
    if depth is None:
        return list(files)
    below: dict[str, set[str]] = {}
    for file in files:
        if len(file.folders) > depth + 1:
            below.setdefault(file.folders[depth], set()).add(file.folders[depth + 1])
    parted = {
        name
        for name, lower in below.items()
        if words.split_word(name) and {"query", "gallery"} <= set(map(words.split_word, lower))
    }
    return [
        replace(file, folders=_joined(file.folders, depth))
        if len(file.folders) > depth + 1 and file.folders[depth] in parted
        else file
        for file in files
    ]


def _joined(folders: tuple[str, ...], depth: int) -> tuple[str, ...]:
    return (*folders[:depth], " ".join(folders[depth : depth + 2]), *folders[depth + 2 :])


def splits_of_validation(names: Sequence[str]) -> dict[str, SplitWord]:
    """Return which split the queries and gallery of validation are, where there are no others."""
    read = {name: words.split_word(name) for name in names}
    if {"query", "gallery"} & set(read.values()):
        return {}
    test = {name: words.split_word(name, validates=False) for name in names}
    return {name: word for name, word in test.items() if word and word != read[name]}


def guess_splits(
    people: Mapping[str, frozenset[object]], n_images: Mapping[str, int]
) -> dict[str, SplitWord]:
    """Guess which folder is which split, from who is below it.

    Queries and gallery show the same people; who is there to train is in neither. Of two folders
    of different people the one with fewer images may be the gallery.

    Args:
        people: Whom the images below each folder show.
        n_images: How many images each holds.

    Returns:
        The split of each folder; empty where the people do not look like splits.
    """
    if not 2 <= len(people) <= 4 or min(map(len, people.values())) < _FEWEST:
        return {}
    if len(people) == 2:
        return _guess_two(people, n_images)
    alone = [
        name
        for name, shown in people.items()
        if all(shown.isdisjoint(others) for other, others in people.items() if other != name)
    ]
    pair = sorted(people.keys() - set(alone), key=lambda name: (n_images[name], name))
    if not alone or len(pair) != 2:
        return {}
    shown = [people[name] for name in pair]
    if len(shown[0] & shown[1]) < _SHARED * min(map(len, shown)):
        return {}
    alone.sort(key=lambda name: (-n_images[name], name))
    guessed: dict[str, SplitWord] = {pair[0]: "query", pair[1]: "gallery"}
    return {**dict.fromkeys(alone, "validation"), alone[0]: "train", **guessed}


def _guess_two(
    people: Mapping[str, frozenset[object]], n_images: Mapping[str, int]
) -> dict[str, SplitWord]:
    larger, smaller = sorted(people, key=lambda name: (-n_images[name], name))
    if people[larger] & people[smaller]:
        return {}
    return {larger: "train", smaller: "gallery"}


def is_prid(folders: Sequence[str], people: Mapping[str, Sequence[int]]) -> bool:
    """Whether this is PRID 2011, whose people above 200 are others on each camera.

    Args:
        folders: Names of the folders on the way to the images.
        people: The number of each person by camera.
    """
    if sorted(map(words.fold, people)) not in (["a", "b"], ["cam_a", "cam_b"]):
        return False
    joined = {"".join(words.tokens(name)) for name in folders}
    is_named = any(word in name for name in joined for word in _PRID_WORDS)
    return is_named or sorted(len(set(numbers)) for numbers in people.values()) == _PRID_PEOPLE


def prid_person(number: int, camera: str) -> int:
    """Return a number of PRID's that is of one person only."""
    is_another = number > _PRID_SHARED and words.fold(camera).endswith("b")
    return number + PRID_OFFSET if is_another else number
