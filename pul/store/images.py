"""The images of a workspace: where they lie, and what is known of them."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, and_, case, delete, func, insert, select

from pul.arrays import IntArray
from pul.data.datasets import Dataset, SplitSummary
from pul.data.numbering import continue_numbering
from pul.data.samples import (
    UNKNOWN_CAMID,
    UNKNOWN_PID,
    Sample,
    asks_for_somebody,
    can_be_found,
)
from pul.errors import StoreError
from pul.records import ImageTable, Split
from pul.store.schema import images, runs, skipped_files
from pul.store.section import Section

UNKNOWN_FRAME = -1
_SPLITS = ("train", "query", "gallery")


@dataclass(frozen=True, slots=True)
class CameraSummary:
    """Images of one camera in one split; camid -1 where the camera is not known."""

    split: Split
    camid: int
    n_images: int


@dataclass(frozen=True, slots=True)
class WorkspaceSummary:
    """What a workspace holds, per split and per camera."""

    splits: tuple[SplitSummary, ...]
    cameras: tuple[CameraSummary, ...]
    n_skipped: int


class ImageSection(Section):
    """The part of a workspace that knows the images."""

    def add_dataset(self, dataset: Dataset, *, is_same_place: bool = False) -> int:
        """Add a dataset's images and the list of what was skipped, all of it or nothing.

        Images get their numbers in the order of their paths. One that is there already stays as it
        is; one that cannot be read joins the skipped files.

        Args:
            dataset: What was read.
            is_same_place: Whether its people and cameras are those of the images that are there,
                by the same numbers. Otherwise they get numbers that do not collide; a dataset that
                is there in part keeps the numbers it was given first.

        Returns:
            How many images were new.

        Raises:
            StoreError: The database refuses.
        """
        samples = dataset.samples
        if not is_same_place:
            samples = continue_numbering(samples, _samples(self.images()))
        rows, unreadable = self._describe(samples)
        skipped = {_printable(item.path): item.reason for item in dataset.skipped} | unreadable
        with self._database.write() as connection:
            known = set(connection.execute(select(images.c.path)).scalars())
            new = [row for row in rows if row["path"] not in known]
            if new:
                connection.execute(insert(images), new)
            _update_skipped(connection, {self._absolute(row["path"]) for row in rows}, skipped)
        return len(new)

    def images(self, split: Split | None = None) -> ImageTable:
        """Return the images of a split, or all, in the order of their numbers.

        Raises:
            StoreError: The database refuses.
        """
        return self._image_table() if split is None else self._image_table(images.c.split == split)

    def run_images(self, run_id: int, split: Split | None = None) -> ImageTable:
        """Return the images that a run works on: those that were there when it was made.

        Row i of `run_images(run_id, "train")` is row i of every array of the run.

        Raises:
            StoreError: There is no such run.
        """
        with self._database.read() as connection:
            query = select(runs.c.last_image_id).where(runs.c.run_id == run_id)
            last = connection.execute(query).scalar()
        if last is None:
            raise StoreError(f"There is no run {run_id} in this workspace.")
        conditions = [images.c.image_id <= last]
        if split is not None:
            conditions.append(images.c.split == split)
        return self._image_table(*conditions)

    def test_images(self, run_id: int) -> tuple[ImageTable, ImageTable]:
        """Return the queries and the gallery that a run is measured on.

        Only queries with an identity count, and gallery images of which it is known who they show,
        or that they show nobody.

        Raises:
            StoreError: There is no such run.
        """
        query, gallery = self.run_images(run_id, "query"), self.run_images(run_id, "gallery")
        return (
            query.where(asks_for_somebody(query.pids)),
            gallery.where(can_be_found(gallery.pids)),
        )

    def skipped(self) -> list[tuple[str, str]]:
        """Return path and reason of every file that was left out, by path."""
        query = select(skipped_files.c.path, skipped_files.c.reason).order_by(skipped_files.c.path)
        with self._database.read() as connection:
            return [(row.path, row.reason) for row in connection.execute(query)]

    def n_images(self) -> int:
        """Return how many images there are, of all splits."""
        with self._database.read() as connection:
            return connection.execute(select(func.count()).select_from(images)).scalar_one()

    def summary(self) -> WorkspaceSummary:
        """Count images, identities and cameras per split, and images per camera."""
        with self._database.read() as connection:
            cameras = [
                CameraSummary(row.split, UNKNOWN_CAMID if row.camid is None else row.camid, row.n)
                for row in connection.execute(_COUNT_CAMERAS)
            ]
            splits = [SplitSummary(*row) for row in connection.execute(_COUNT_SPLITS)]
            n_skipped = connection.execute(
                select(func.count()).select_from(skipped_files)
            ).scalar_one()
        return WorkspaceSummary(
            splits=tuple(sorted(splits, key=lambda row: _SPLITS.index(row.split))),
            cameras=tuple(sorted(cameras, key=lambda row: (_SPLITS.index(row.split), row.camid))),
            n_skipped=n_skipped,
        )

    def _image_table(self, *conditions: ColumnElement[bool]) -> ImageTable:
        query = select(*_COLUMNS).where(and_(True, *conditions)).order_by(images.c.image_id)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        columns = zip(*rows, strict=True) if rows else ((),) * len(_COLUMNS)
        image_ids, paths, pids, camids, splits, tracklets, frames, sides = columns
        return ImageTable(
            image_ids=np.array(image_ids, dtype=np.int64),
            paths=tuple(map(self._absolute, paths)),
            pids=_codes(pids, UNKNOWN_PID),
            camids=_codes(camids, UNKNOWN_CAMID),
            splits=tuple(splits),
            tracklets=tuple(name or "" for name in tracklets),
            frames=_codes(frames, UNKNOWN_FRAME),
            sides=tuple(side or "" for side in sides),
        )

    def _describe(self, samples: Iterable[Sample]) -> tuple[list[dict[str, Any]], dict[str, str]]:
        rows, unreadable = {}, {}
        for sample in samples:
            try:
                row = _describe_file(sample.path)
                row["path"] = self._portable(sample.path)
                row["path"].encode()
            except UnicodeEncodeError:
                unreadable[_printable(sample.path)] = "its name is not valid UTF-8; rename it"
            except OSError as error:
                unreadable[_printable(sample.path)] = f"cannot be read: {error.strerror or error}"
            else:
                rows[row["path"]] = row | {
                    "pid": sample.pid,
                    "camid": sample.camid,
                    "split": sample.split,
                    "tracklet": sample.tracklet,
                    "frame": sample.frame,
                    "side": sample.side,
                }
        return [rows[path] for path in sorted(rows)], unreadable


def _samples(table: ImageTable) -> list[Sample]:
    return [
        Sample(
            Path(path),
            pid=None if pid == UNKNOWN_PID else int(pid),
            camid=None if camid == UNKNOWN_CAMID else int(camid),
            tracklet=tracklet or None,
        )
        for path, pid, camid, tracklet in zip(
            table.paths, table.pids, table.camids, table.tracklets, strict=True
        )
    ]


def _describe_file(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    digest = hashlib.blake2b(content, digest_size=16).hexdigest()
    return {"content_hash": digest, "n_bytes": len(content)}


def _printable(path: Path) -> str:
    return str(path).encode("utf-8", "backslashreplace").decode()


def _update_skipped(connection: Connection, added: set[str], skipped: dict[str, str]) -> None:
    known = set(connection.execute(select(skipped_files.c.path)).scalars())
    for path in known & (skipped.keys() | added):
        connection.execute(delete(skipped_files).where(skipped_files.c.path == path))
    rows = [{"path": path, "reason": reason} for path, reason in sorted(skipped.items())]
    if rows:
        connection.execute(insert(skipped_files), rows)


def _codes(values: Iterable[int | None], unknown: int) -> IntArray:
    return np.array([unknown if value is None else value for value in values], dtype=np.int64)


_COLUMNS = (
    images.c.image_id,
    images.c.path,
    images.c.pid,
    images.c.camid,
    images.c.split,
    images.c.tracklet,
    images.c.frame,
    images.c.side,
)
_COUNT_CAMERAS = select(images.c.split, images.c.camid, func.count().label("n")).group_by(
    images.c.split, images.c.camid
)
_COUNT_SPLITS = select(
    images.c.split,
    func.count(),
    func.count(func.distinct(case((images.c.pid > 0, images.c.pid)))),
    func.count(func.distinct(images.c.camid)),
    func.count(case((images.c.pid == -1, 1))),
    func.count(case((images.c.pid == 0, 1))),
).group_by(images.c.split)
