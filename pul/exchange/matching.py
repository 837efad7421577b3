"""Which image of a workspace a written path means."""

from collections.abc import Iterable, Sequence
from os.path import commonpath, normpath
from pathlib import Path, PurePosixPath, PureWindowsPath

from pul.data.file_names import from_text

Parts = tuple[str, ...]


class PathIndex:
    """Finds paths by their end: a file name, or a name below some folders.

    Args:
        paths: Absolute paths, all different.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self._parts = [_parts(path) for path in paths]
        self._by_length: dict[int, dict[Parts, list[int]]] = {}

    def find(self, ending: Parts) -> list[int]:
        """Return the rows of all paths with this end; of one that is whole, just that."""
        rows = self._endings(len(ending)).get(ending, [])
        whole = [row for row in rows if len(self._parts[row]) == len(ending)]
        return whole or rows

    def shortest(self, path: str) -> Parts:
        """Return the shortest end of a path that no other one has."""
        parts = _parts(path)
        for length in range(1, len(parts)):
            if len(self.find(parts[-length:])) == 1:
                return parts[-length:]
        return parts

    def _endings(self, length: int) -> dict[Parts, list[int]]:
        if length not in self._by_length:
            endings: dict[Parts, list[int]] = {}
            for row, parts in enumerate(self._parts):
                if 0 < length <= len(parts):
                    endings.setdefault(parts[-length:], []).append(row)
            self._by_length[length] = endings
        return self._by_length[length]


def find_all(written: Sequence[str], paths: Sequence[str], folder: Path) -> list[list[int]]:
    """Return the rows of the images that each written path may mean.

    A path is taken as it stands; else from the folder of the file that names it; else, where it
    is relative, as the end of a path. Absolute paths of another machine count from the folder
    that they have in common.

    Args:
        written: Paths as written, N of them.
        paths: Absolute paths of the images.
        folder: Folder of the file of labels.

    Returns:
        N lists: empty where there is no such image, longer than one where it is not clear.
    """
    index = PathIndex(paths)
    exact = {_parts(path): row for row, path in enumerate(paths)}
    found: list[list[int]] = []
    strange: list[int] = []
    for place, text in enumerate(map(from_text, written)):
        parts = _parts(text)
        row = exact.get(parts, exact.get(_parts(normpath(folder.joinpath(*parts)))))
        is_foreign = row is None and _is_absolute(text)
        if is_foreign:
            strange.append(place)
        found.append([row] if row is not None else [] if is_foreign else index.find(parts))
    foreign = [_parts(from_text(written[place])) for place in strange]
    shared = _n_shared(foreign)
    for place, parts in zip(strange, foreign, strict=True):
        found[place] = index.find(parts[shared:])
    return found


def _parts(path: str) -> Parts:
    pure = PureWindowsPath(path) if "\\" in path and "/" not in path else PurePosixPath(path)
    return tuple(part for part in pure.parts if part not in (pure.anchor, "."))


def _is_absolute(path: str) -> bool:
    return PurePosixPath(path).is_absolute() or bool(PureWindowsPath(path).drive)


def _n_shared(paths: Sequence[Parts]) -> int:
    """Return how many folders all of these paths begin with."""
    if not paths:
        return 0
    folders = ["/" + "/".join(parts[:-1]) for parts in paths]
    return len(_parts(commonpath(folders)))
