"""Finding images again that were moved: by their content, and among copies by their path's end."""

import hashlib
import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from stat import S_ISREG

from pul.errors import ConfigError

Progress = Callable[[int, int], None]
Parts = tuple[str, ...]
_Pair = tuple[tuple[int, int], int, str]  # common end, image, file

_SEPARATORS = re.compile(r"[/\\]")
_IS_WINDOWS = re.compile(r"(?:[A-Za-z]:|\\)\\")
_N_THREADS = 4
_BATCH = 256
_MAX_PAIRS = 100_000


@dataclass(frozen=True, slots=True)
class KnownImage:
    """An image as it was imported.

    Attributes:
        image_id: Its number.
        path: Where it was; a path of Windows too.
        n_bytes: Its size.
        content_hash: What `hash_content` gave.
    """

    image_id: int
    path: str
    n_bytes: int
    content_hash: str


@dataclass(frozen=True, slots=True)
class FoundImages:
    """Where images are now.

    Attributes:
        places: The file of each image that was found, by its number.
        ambiguous: The files that an image may be, where nothing decides, by its number.
        changed: The file at an image's place whose content is another, by the image's number.
        closed: Folders that may not be listed.
    """

    places: dict[int, str]
    ambiguous: dict[int, tuple[str, ...]]
    changed: dict[int, str]
    closed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    n_bytes: int
    parts: Parts  # from the name upward, whatever their case and accents are made of

    @property
    def name(self) -> str:
        return self.parts[0]


def hash_content(content: bytes) -> str:
    """Return what tells the content of a file from any other: BLAKE2b of 128 bits, as hex."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def hash_file(path: Path) -> str:
    """Return `hash_content` of a file; "" where it cannot be read."""
    try:
        return hash_content(path.read_bytes())
    except OSError:
        return ""


def find_moved_images(
    images: Sequence[KnownImage],
    folder: Path,
    *,
    taken: Collection[str] = (),
    on_progress: Progress | None = None,
) -> FoundImages:
    """Look below a folder for images that were somewhere else.

    A file is an image's if it has its content: no name is trusted alone. Among files of the same
    content, the one whose path has the longest end in common with the image's is taken; where two
    are equally good, or two images want one file, none is. Only files of the right size are read,
    those of the right name first.

    Args:
        images: What to look for.
        folder: Where to look, in all folders below it too.
        taken: Files that other images have.
        on_progress: Called with (files read, files to read).

    Raises:
        ConfigError: There is no such folder.
    """
    files, closed = _list_files(folder, frozenset(taken))
    wanted = [(image, _parts(image.path)) for image in images]
    sizes = {image.n_bytes for image in images}
    named = {(image.n_bytes, parts[0]) for image, parts in wanted}
    right = [file for file in files if (file.n_bytes, file.name) in named]
    others = [
        file for file in files if file.n_bytes in sizes and (file.n_bytes, file.name) not in named
    ]
    search, copies = _Search(), defaultdict[str, list[_File]](list)
    _read(right, copies, on_progress)
    search.assign(wanted, copies, is_renamed=False)
    left = search.open(wanted)
    if left:
        sizes = {image.n_bytes for image, _ in left}
        _read([file for file in others if file.n_bytes in sizes], copies, on_progress)
        search.assign(left, copies, is_renamed=True)
    changed = _changed(search.open(wanted), files, set(search.places.values()))
    return FoundImages(search.places, search.ambiguous, changed, closed)


class _Search:
    """What was found so far."""

    def __init__(self) -> None:
        self.places: dict[int, str] = {}
        self.ambiguous: dict[int, tuple[str, ...]] = {}

    def open(self, wanted: Iterable[tuple[KnownImage, Parts]]) -> list[tuple[KnownImage, Parts]]:
        """Return the images without any file yet."""
        return [
            (image, parts)
            for image, parts in wanted
            if image.image_id not in self.places and image.image_id not in self.ambiguous
        ]

    def assign(
        self,
        wanted: Iterable[tuple[KnownImage, Parts]],
        copies: dict[str, list[_File]],
        *,
        is_renamed: bool,
    ) -> None:
        """Give each image its file, from the longest common end to the shortest.

        Args:
            wanted: Images without a file.
            copies: The files by the hash of their content.
            is_renamed: Whether a file of another name will do.
        """
        groups: dict[str, list[tuple[KnownImage, Parts]]] = defaultdict(list)
        for image, parts in wanted:
            if image.content_hash in copies:
                groups[image.content_hash].append((image, parts))
        used = set(self.places.values())
        for content_hash, group in groups.items():
            files = [file for file in copies[content_hash] if file.path not in used]
            self._assign_copies(_pairs(group, files, is_renamed=is_renamed))

    def _assign_copies(self, pairs: Iterable["_Pair"]) -> None:
        used: set[str] = set()
        for _, level in groupby(sorted(pairs, reverse=True), key=lambda pair: pair[0]):
            fitting: dict[int, list[str]] = defaultdict(list)
            claims: dict[str, int] = defaultdict(int)
            for _, image_id, path in level:
                is_open = image_id not in self.places and image_id not in self.ambiguous
                if is_open and path not in used:
                    fitting[image_id].append(path)
                    claims[path] += 1
            for image_id, paths in fitting.items():
                if len(paths) == 1 and claims[paths[0]] == 1:
                    self.places[image_id] = paths[0]
                else:
                    self.ambiguous[image_id] = tuple(sorted(paths))
                used.update(paths)


def _pairs(
    group: list[tuple[KnownImage, Parts]], files: list[_File], *, is_renamed: bool
) -> Iterator[_Pair]:
    """Yield every image and file of one content with the length of their common end.

    Thousands of copies, as of a black image, are paired by their names only.
    """
    by_name: dict[str, list[_File]] = defaultdict(list)
    for file in files:
        by_name[file.name].append(file)
    all_others = files if len(group) * len(files) <= _MAX_PAIRS else files[:2]
    for image, parts in group:
        for file in by_name.get(parts[0], all_others if is_renamed else ()):
            yield _common_end(image.path, parts, file), image.image_id, file.path


def _common_end(path: str, parts: Parts, file: _File) -> tuple[int, int]:
    """Return how many parts agree from the name upward, and how many of them to the letter."""
    alike = _n_equal(parts, file.parts)
    return alike, _n_equal(_split(path), _split(file.path)) if alike else 0


def _n_equal(one: Parts, other: Parts) -> int:
    n_equal = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        n_equal += 1
    return n_equal


def _parts(path: str) -> Parts:
    # macOS takes accents apart, and Windows does not tell cases apart.
    return tuple(unicodedata.normalize("NFC", part).casefold() for part in _split(path))


def _split(path: str) -> Parts:
    """Return the parts of a path, of this system or of Windows, from the name upward."""
    is_windows = _IS_WINDOWS.match(path.rpartition("/")[2] if "/" in path else path)
    parts = _SEPARATORS.split(path) if is_windows else path.split("/")
    return tuple(part for part in reversed(parts) if part)


def _list_files(folder: Path, taken: frozenset[str]) -> tuple[list[_File], tuple[str, ...]]:
    if not folder.is_dir():
        raise ConfigError(
            f"{str(folder)!r} is not a folder. Give the folder that the images are in now, or any "
            "above it."
        )
    files: list[_File] = []
    closed: list[str] = []
    for place, folders, names in os.walk(folder, onerror=lambda e: closed.append(str(e.filename))):
        folders.sort()
        above = _parts(place)
        for name in sorted(names):
            path = f"{place}/{name}"
            if path not in taken:
                try:
                    status = Path(path).stat()
                except OSError:  # a link that leads nowhere
                    continue
                if S_ISREG(status.st_mode):
                    files.append(_File(path, status.st_size, (*_parts(name), *above)))
    return files, tuple(sorted(closed))


def _read(files: list[_File], copies: dict[str, list[_File]], on_progress: Progress | None) -> None:
    """Read files and sort them by the hash of their content."""
    with ThreadPoolExecutor(_N_THREADS) as pool:
        for start in range(0, len(files), _BATCH):
            batch = files[start : start + _BATCH]
            paths = [Path(file.path) for file in batch]
            for file, content_hash in zip(batch, pool.map(hash_file, paths), strict=True):
                if content_hash:
                    copies[content_hash].append(file)
            if on_progress is not None:
                on_progress(start + len(batch), len(files))


def _changed(
    wanted: Iterable[tuple[KnownImage, Parts]], files: Iterable[_File], used: set[str]
) -> dict[int, str]:
    """Return files of an image's name with another content, the longest common end first."""
    by_name: dict[str, list[_File]] = defaultdict(list)
    for file in files:
        if file.path not in used:
            by_name[file.name].append(file)
    return {
        image.image_id: max(
            by_name[parts[0]], key=lambda file: _common_end(image.path, parts, file)
        ).path
        for image, parts in wanted
        if parts[0] in by_name
    }
