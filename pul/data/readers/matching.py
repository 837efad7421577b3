"""Which of the images that are there a written path means."""

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from os.path import commonpath, normpath
from pathlib import Path, PurePosixPath, PureWindowsPath

from pul.data.file_names import from_text
from pul.data.readers import words
from pul.data.readers.listing import suffix_reason

Parts = tuple[str, ...]

_N_SHOWN = 3  # folders that a remark names


class PathIndex:
    """Finds paths by their end: a file name, or a name below some folders.

    Args:
        paths: Absolute paths, all different.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self._parts = [split_path(path) for path in paths]
        self._spellings: dict[Callable[[str], str], tuple[list[Parts], dict[str, list[int]]]] = {}

    def find(self, written: Parts) -> list[int]:
        """Return the rows of the paths that have the longest end in common with a written one.

        Letters in another case, composed in another way, or a name without its suffix count where
        nothing else fits. Folders that tell one image from another are never taken off: a path in
        `cam9` is none in `cam1`.
        """
        rows: list[int] = []
        for spell in (_composed, _in_lower_case):
            rows = rows or self._longest(written, spell)
        if not rows and written and suffix_reason(written[-1]) is not None:
            rows = self._longest(written, _stem)
        return rows

    def shortest(self, path: str) -> Parts:
        """Return the shortest end of a path that no other one has."""
        parts = split_path(path)
        for length in range(1, len(parts)):
            ends = (self._parts[row][-length:] for row in self._named(parts, str))
            if sum(end == parts[-length:] for end in ends) == 1:
                return parts[-length:]
        return parts

    def start(self, row: int, n_common: int) -> str:
        """Return the folders of a path before an end that has so many parts."""
        return "/" + "/".join(self._parts[row][:-n_common])

    def n_common(self, row: int, written: Parts) -> int:
        """Return how many parts the ends of a path and of a written one have in common."""
        return _n_common(_spell(self._parts[row], _stem), _spell(written, _stem))

    def _longest(self, written: Parts, spell: Callable[[str], str]) -> list[int]:
        wanted = _spell(written, spell)
        parts, _ = self._spelled(spell)
        best: list[int] = []
        most = 0
        for row in self._named(wanted, spell):
            n_common = _n_common(parts[row], wanted)
            if n_common >= max(most, 1) and not _are_apart(parts[row], wanted, n_common):
                best = [*best, row] if n_common == most else [row]
                most = n_common
        whole = [row for row in best if len(parts[row]) == most == len(wanted)]
        return whole or best

    def _named(self, written: Parts, spell: Callable[[str], str]) -> list[int]:
        return self._spelled(spell)[1].get(written[-1], []) if written else []

    def _spelled(self, spell: Callable[[str], str]) -> tuple[list[Parts], dict[str, list[int]]]:
        if spell not in self._spellings:
            parts = [_spell(path, spell) for path in self._parts]
            by_name: dict[str, list[int]] = {}
            for row, path in enumerate(parts):
                by_name.setdefault(path[-1], []).append(row)
            self._spellings[spell] = parts, by_name
        return self._spellings[spell]


def find_all(
    written: Sequence[str], paths: Sequence[str], folder: Path
) -> tuple[list[int | str], tuple[str, ...]]:
    """Return the row of the image that each written path means, or why there is none.

    A path is taken as it stands; else from the folder of the file that names it, or from the one
    that all images have in common; else by the longest end that it has in common with an image's
    path. Nothing is guessed: where several images fit equally, or several written paths fit one
    image, none is taken.

    Args:
        written: Paths as written, N of them.
        paths: Absolute paths of the images.
        folder: Folder of the file that names them.

    Returns:
        N rows or reasons, and remarks for people.
    """
    index = PathIndex(paths)
    exact = {split_path(path): row for row, path in enumerate(paths)}
    starts = ((), split_path(str(folder)), split_path(shared_folder(paths)))
    found: dict[str, int | str] = {}
    by_end: dict[int, list[str]] = {}
    for text in dict.fromkeys(written):
        parts = split_path(from_text(text))
        whole = (split_path(normpath("/" + "/".join((*start, *parts)))) for start in starts)
        row = next((exact[path] for path in whole if path in exact), None)
        if row is not None:
            found[text] = row
            continue
        rows = index.find(parts)
        if len(rows) == 1:
            by_end.setdefault(rows[0], []).append(text)
        else:
            found[text] = _why_not(text, len(rows))
    taken = {row for row in found.values() if isinstance(row, int)}
    for row, texts in by_end.items():
        found |= _best(row, [] if row in taken else texts, index) or {}
        found |= {text: _why_not(text, 0) for text in texts if text not in found}
    moved = {text: row for row, texts in by_end.items() for text in texts if found[text] == row}
    return [found[text] for text in written], _moved_notes(moved, index)


def shared_folder(paths: Sequence[str]) -> str:
    """Return the innermost folder that all paths are in; "/" where there is none."""
    return commonpath([str(Path(path).parent) for path in paths]) if paths else "/"


def split_path(path: str) -> Parts:
    """Return the folders and the name in a path of any system, without drive, root and `.`."""
    is_windows = ("\\" in path and "/" not in path) or re.match(r"[A-Za-z]:[\\/]", path)
    pure = PureWindowsPath(path) if is_windows else PurePosixPath(path)
    return tuple(part for part in pure.parts if part not in (pure.anchor, "."))


def _best(row: int, texts: Sequence[str], index: PathIndex) -> dict[str, int | str]:
    """Say which of the written paths that fit an image means it: the one that fits best."""
    ends = {text: index.n_common(row, split_path(text)) for text in texts}
    best = [text for text in texts if ends[text] == max(ends.values())]
    if len({split_path(text) for text in best}) > 1:
        both = " and ".join(best[:2])
        return dict.fromkeys(best, f"{both} fit one image equally; write more of their paths")
    return dict.fromkeys(best, row)


def _why_not(text: str, n_rows: int) -> str:
    if n_rows == 0:
        return f"there is no image {text} here"
    return f"{text} may be any of {n_rows} images; write more of its path"


def _moved_notes(moved: Mapping[str, int], index: PathIndex) -> tuple[str, ...]:
    """Say which folders were taken for which."""
    places = Counter[tuple[str, str]]()
    for text, row in moved.items():
        parts = split_path(text)
        n_common = index.n_common(row, parts)
        if n_common < len(parts):
            places[text[: _start(text, n_common)] or "/", index.start(row, n_common)] += 1
    shown = [f"{old} is {new} ({n:,})" for (old, new), n in places.most_common(_N_SHOWN)]
    more = f" and {len(places) - _N_SHOWN:,} more" if len(places) > _N_SHOWN else ""
    return (f"Paths are matched by their ends: {'; '.join(shown)}{more}.",) if shown else ()


def _start(text: str, n_parts: int) -> int:
    """Return where the last parts of a path begin in its text."""
    signs = [match.start() + 1 for match in re.finditer(r"[\\/]+", text)]
    return signs[-n_parts] if n_parts <= len(signs) else 0


def _n_common(one: Parts, other: Parts) -> int:
    pairs = zip(reversed(one), reversed(other), strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def _are_apart(path: Parts, written: Parts, n_common: int) -> bool:
    """Whether the folders before a common end tell one image from another."""
    if n_common >= min(len(path), len(written)):
        return False
    here, there = path[-n_common - 1], written[-n_common - 1]
    if n_common == 1 and Path(path[-1]).stem.isdigit():  # one such name in each folder
        return not (words.is_container(here) or words.is_container(there))
    if words.split_word(here) and words.split_word(there):
        return True
    return re.sub(r"\d+", "#", here) == re.sub(r"\d+", "#", there) and any(
        tells(here) for tells in _TELLING
    )


def _spell(parts: Parts, spell: Callable[[str], str]) -> Parts:
    return tuple(map(spell, parts))


def _composed(part: str) -> str:
    return unicodedata.normalize("NFC", part)  # macOS writes é as two signs


def _in_lower_case(part: str) -> str:
    return _composed(part).casefold()


def _stem(part: str) -> str:
    is_image = suffix_reason(part) is None
    return _in_lower_case(part.rpartition(".")[0] if is_image else part)


_TELLING: tuple[Callable[[str], bool], ...] = (
    str.isdigit,
    words.is_camera,
    words.is_numbered_person,
    words.is_tracklet,
    words.is_date,
)
