"""Adding images to a workspace, each picture once unless somebody wants it twice."""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from os.path import commonpath
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, delete, insert, select

from pul.data.datasets import Dataset
from pul.data.file_names import printable, to_text
from pul.data.moved_images import hash_content
from pul.data.numbering import continue_numbering
from pul.data.samples import UNKNOWN_CAMID, UNKNOWN_PID, Sample
from pul.errors import ConfigError, DuplicateImagesError
from pul.records import ImageTable
from pul.store.images import GREY_RANGES, NEARLY_ONE_COLOUR, ImageSection
from pul.store.named_values import read_value, write_value
from pul.store.schema import images, skipped_files
from pul.store.sums import with_sum

Duplicates = Literal["refuse", "skip", "add"]
DUPLICATES: tuple[Duplicates, ...] = ("refuse", "skip", "add")
_TWICE = "the same picture as an image of the workspace"


@dataclass(frozen=True, slots=True)
class _File:
    """A file to add: its sample, how its path is stored, its size and the hash of its content."""

    sample: Sample
    path: str
    n_bytes: int
    content_hash: str


class AdditionSection(ImageSection):
    """The part of a workspace that takes images in."""

    def add_dataset(
        self,
        dataset: Dataset,
        *,
        is_same_place: bool = False,
        duplicates: Duplicates = "refuse",
    ) -> int:
        """Add a dataset's images and the list of what was skipped, all of it or nothing.

        Images get their numbers in the order of their paths. One that is there already stays as it
        is; one that cannot be read joins the skipped files.

        Args:
            dataset: What was read.
            is_same_place: Whether its people and cameras are those of the images that are there,
                by the same numbers. Otherwise they get numbers that do not collide; a dataset that
                is there in part keeps the numbers it was given first.
            duplicates: What to do where the same pictures are in the workspace already, from other
                files: `refuse`, `skip` them, or `add` them as new images.

        Returns:
            How many images were new.

        Raises:
            DuplicateImagesError: The same pictures are there already, from other files.
            ConfigError: `duplicates` is none of these.
            StoreError: The database refuses.
        """
        if duplicates not in DUPLICATES:
            raise ConfigError(
                f"duplicates must be one of {', '.join(DUPLICATES)}, but is {duplicates!r}."
            )
        files, unreadable = _read_files(dataset.samples)
        twice: dict[str, str] = {}
        with self._database.write() as connection:
            if duplicates != "add":
                twice = self._find_twice(connection, files)
            if not twice or duplicates == "skip":
                return self._add(connection, dataset, files, unreadable, twice, is_same_place)
        raise self._refusal(twice, len(files))

    def find_duplicates(self, dataset: Dataset) -> DuplicateImagesError | None:
        """Return what `add_dataset` would refuse a dataset for; None where nothing is there twice.

        Every file is read that has the size of an image that is there.

        Raises:
            StoreError: The database refuses.
        """
        with self._database.read() as connection:
            sizes = set(connection.execute(select(images.c.n_bytes).distinct()).scalars())
        files, _ = _read_files(s for s in dataset.samples if _size(s.path) in sizes)
        with self._database.read() as connection:
            twice = self._find_twice(connection, files)
        return self._refusal(twice, len(dataset.samples)) if twice else None

    def _find_twice(self, connection: Connection, files: Sequence[_File]) -> dict[str, str]:
        """Return the files whose picture another file of the workspace has, and that file."""
        root = self._image_root(connection)
        paths: set[str] = set()
        holders: dict[str, str] = {}
        for path, content_hash in connection.execute(_CONTENTS):
            paths.add(self._absolute(path, root))
            holders.setdefault(content_hash, self._absolute(path, root))
        return {
            file.path: holders[file.content_hash]
            for file in files
            if file.content_hash in holders and file.path not in paths
        }

    def _add(
        self,
        connection: Connection,
        dataset: Dataset,
        files: Sequence[_File],
        unreadable: dict[str, str],
        twice: dict[str, str],
        is_same_place: bool,
    ) -> int:
        there, root = self._read_images(connection), self._image_root(connection)
        samples: Sequence[Sample] = [file.sample for file in files]
        if not is_same_place:
            samples = continue_numbering(samples, _samples(there, twice))
        known = {*there.paths, *twice}
        rows = {
            file.path: _row(file, sample, self._portable(file.path, root))
            for file, sample in zip(files, samples, strict=True)
            if file.path not in known
        }
        if rows:
            new = [with_sum(images, rows[path]) for path in sorted(rows)]
            connection.execute(insert(images), new)
        if dataset.ranges is not None:
            ranges = self._grey_ranges(connection).completed_by(dataset.ranges)
            write_value(connection, GREY_RANGES, ranges.to_plain())
        empty = {str(path) for path in dataset.nearly_one_colour}
        self._note_empty(connection, empty & rows.keys())
        skipped = {str(item.path): item.reason for item in dataset.skipped} | unreadable
        skipped |= dict.fromkeys(twice, _TWICE)
        _update_skipped(connection, {file.path for file in files} - twice.keys(), skipped)
        return len(rows)

    def _note_empty(self, connection: Connection, empty: set[str]) -> None:
        """Keep the numbers of new images that are nearly one colour."""
        if empty:
            table = self._read_images(connection)
            numbers = zip(table.image_ids.tolist(), table.paths, strict=True)
            known = read_value(connection, NEARLY_ONE_COLOUR, [])
            found = [image_id for image_id, path in numbers if path in empty]
            write_value(connection, NEARLY_ONE_COLOUR, sorted({*known, *found}))

    def _refusal(self, twice: dict[str, str], n_files: int) -> DuplicateImagesError:
        return DuplicateImagesError(
            workspace=shlex.quote(self.url),
            folder=shlex.quote(commonpath([str(Path(path).parent) for path in twice])),
            example=(printable(next(iter(twice))), printable(next(iter(twice.values())))),
            n_images=len(twice),
            n_gone=sum(not Path(path).is_file() for path in twice.values()),
            n_files=n_files,
        )


def _read_files(samples: Iterable[Sample]) -> tuple[list[_File], dict[str, str]]:
    """Return the files, each once, and path and reason of those that cannot be read."""
    files, unreadable = {}, {}
    for sample in samples:
        path = str(sample.path.absolute())
        try:
            content = sample.path.read_bytes()
        except OSError as error:
            unreadable[path] = f"cannot be read: {error.strerror or error}"
        else:
            files[path] = _File(sample, path, len(content), hash_content(content))
    return list(files.values()), unreadable


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _row(file: _File, sample: Sample, path: str) -> dict[str, Any]:
    return {
        "path": path,
        "content_hash": file.content_hash,
        "n_bytes": file.n_bytes,
        "pid": sample.pid,
        "camid": sample.camid,
        "split": sample.split,
        "tracklet": sample.tracklet,
        "frame": sample.frame,
        "side": sample.side,
    }


def _samples(table: ImageTable, twice: dict[str, str]) -> list[Sample]:
    """Return what is known of images; one that is there twice is known by its new path too."""
    known = {
        path: Sample(
            Path(path),
            pid=None if pid == UNKNOWN_PID else int(pid),
            camid=None if camid == UNKNOWN_CAMID else int(camid),
            tracklet=tracklet or None,
        )
        for path, pid, camid, tracklet in zip(
            table.paths, table.pids, table.camids, table.tracklets, strict=True
        )
    }
    copies = [replace(known[old], path=Path(new)) for new, old in twice.items()]
    return [*known.values(), *copies]


def _update_skipped(connection: Connection, added: set[str], skipped: dict[str, str]) -> None:
    reasons = {to_text(path): reason for path, reason in skipped.items()}
    known = set(connection.execute(select(skipped_files.c.path)).scalars())
    for path in known & (reasons.keys() | {to_text(path) for path in added}):
        connection.execute(delete(skipped_files).where(skipped_files.c.path == path))
    rows = [{"path": path, "reason": reason} for path, reason in sorted(reasons.items())]
    if rows:
        connection.execute(insert(skipped_files), rows)


_CONTENTS = select(images.c.path, images.c.content_hash).order_by(images.c.image_id)
