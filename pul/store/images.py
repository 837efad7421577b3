"""The images of a workspace: where they lie, and what is known of them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import chain

import numpy as np
from sqlalchemy import ColumnElement, Connection, and_, case, func, select

from pul.arrays import IntArray, row_blocks
from pul.data.datasets import SplitSummary
from pul.data.file_names import from_text
from pul.data.grey import GreyRanges
from pul.data.samples import UNKNOWN_CAMID, UNKNOWN_PID, asks_for_somebody, can_be_found
from pul.errors import StoreError
from pul.records import ImageTable, Split
from pul.store.named_values import read_value
from pul.store.schema import images, runs, skipped_files
from pul.store.section import Section

UNKNOWN_FRAME = -1
_N_ASKED = 500  # numbers in a query: databases bound them
GREY_RANGES, NEARLY_ONE_COLOUR = "grey_ranges", "nearly_one_colour"  # settings
MERGED_IMAGES = "merged_images"  # the setting: the number that stays of each that went
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
        conditions = [images.c.image_id <= self._last_image_id(run_id)]
        if split is not None:
            conditions.append(images.c.split == split)
        return self._image_table(*conditions)

    def run_cameras(self, run_id: int) -> tuple[IntArray, IntArray]:
        """Return the number and the camera of each training image of a run, shapes (N,) and (N,).

        In the order of `run_images`, in a fraction of its time and memory.

        Raises:
            StoreError: There is no such run.
        """
        is_of_run = (images.c.split == "train", images.c.image_id <= self._last_image_id(run_id))
        camid = func.coalesce(images.c.camid, UNKNOWN_CAMID)
        query = select(images.c.image_id, camid).where(*is_of_run).order_by(images.c.image_id)
        with self._database.read() as connection:
            # The driver's own tuples: rows of SQLAlchemy take four times as long.
            cursor = connection.execute(query).cursor
            rows = cursor.fetchall() if cursor is not None else ()
        flat = np.fromiter(chain.from_iterable(rows), dtype=np.int64)
        numbers, camids = flat.reshape(-1, 2).T.copy()
        return numbers, camids

    def image_paths(self, first: int, last: int) -> dict[int, str]:
        """Return the files of the images from one number to another, the last included."""
        query = select(images.c.image_id, images.c.path)
        with self._database.read() as connection:
            root = self._image_root(connection)
            rows = connection.execute(query.where(images.c.image_id.between(first, last))).all()
        return {image_id: self._absolute(path, root) for image_id, path in rows}

    def unknown_images(self, image_ids: Collection[int]) -> list[int]:
        """Return which of some numbers are no images, ascending; one that was merged is known."""
        wanted = sorted(set(image_ids))
        known: set[int] = set()
        with self._database.read() as connection:
            for rows in row_blocks(len(wanted), _N_ASKED):
                some = images.c.image_id.in_(wanted[rows])
                known.update(connection.execute(select(images.c.image_id).where(some)).scalars())
            if len(known) < len(wanted):
                known.update(map(int, read_value(connection, MERGED_IMAGES, {})))
        return [image_id for image_id in wanted if image_id not in known]

    def _last_image_id(self, run_id: int) -> int:
        query = select(runs.c.last_image_id).where(runs.c.run_id == run_id)
        with self._database.read() as connection:
            last: int | None = connection.execute(query).scalar()
        if last is None:
            raise StoreError(f"There is no run {run_id} in this workspace.")
        return last

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
        """Return path and reason of every file that was left out, by path as it is stored."""
        query = select(skipped_files.c.path, skipped_files.c.reason).order_by(skipped_files.c.path)
        with self._database.read() as connection:
            return [(from_text(row.path), row.reason) for row in connection.execute(query)]

    def grey_ranges(self) -> GreyRanges:
        """Return what grey values of more than 8 bits are stretched by: the first import set it.

        Raises:
            StoreError: The database refuses.
        """
        with self._database.read() as connection:
            return self._grey_ranges(connection)

    def nearly_one_colour(self) -> ImageTable:
        """Return the images that are nearly one colour, as their import found.

        Raises:
            StoreError: The database refuses.
        """
        with self._database.read() as connection:
            numbers = read_value(connection, NEARLY_ONE_COLOUR, [])
            table = self._read_images(connection)
        return table.where(np.isin(table.image_ids, numbers))

    def _grey_ranges(self, connection: Connection) -> GreyRanges:
        return GreyRanges.from_plain(read_value(connection, GREY_RANGES, {}))

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
        with self._database.read() as connection:
            return self._read_images(connection, *conditions)

    def _read_images(self, connection: Connection, *conditions: ColumnElement[bool]) -> ImageTable:
        query = select(*_COLUMNS).where(and_(True, *conditions)).order_by(images.c.image_id)
        root = self._image_root(connection)
        rows = connection.execute(query).all()
        columns = zip(*rows, strict=True) if rows else ((),) * len(_COLUMNS)
        image_ids, paths, pids, camids, splits, tracklets, frames, sides = columns
        return ImageTable(
            image_ids=np.array(image_ids, dtype=np.int64),
            paths=tuple(self._absolute(path, root) for path in paths),
            pids=_codes(pids, UNKNOWN_PID),
            camids=_codes(camids, UNKNOWN_CAMID),
            splits=tuple(splits),
            tracklets=tuple(name or "" for name in tracklets),
            frames=_codes(frames, UNKNOWN_FRAME),
            sides=tuple(side or "" for side in sides),
        )


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
