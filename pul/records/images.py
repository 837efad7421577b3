"""The images of a workspace as plain columns."""

from dataclasses import dataclass, fields
from itertools import compress
from typing import Any, Literal

from pul.arrays import BoolArray, IntArray

Split = Literal["train", "query", "gallery"]


@dataclass(frozen=True, slots=True)
class ImageTable:
    """The images of a workspace as columns; row i of every column is the same image.

    Attributes:
        image_ids: Number of each image in the store, shape (M,), ascending.
        paths: Absolute path of each image.
        pids: Ground-truth identity, shape (M,); -1 is junk, 0 a distractor, -2 not known.
        camids: Camera, shape (M,); -1 where it is not known.
        splits: `train`, `query` or `gallery` of each image.
        tracklets: Tracklet of each image; "" where there is none.
        frames: Frame number of each image, shape (M,); -1 where it is not known.
        sides: Side or orientation that each image shows; "" where it is not known.
    """

    image_ids: IntArray
    paths: tuple[str, ...]
    pids: IntArray
    camids: IntArray
    splits: tuple[str, ...]
    tracklets: tuple[str, ...]
    frames: IntArray
    sides: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.image_ids)

    def where(self, mask: BoolArray) -> "ImageTable":
        """Return the images that a mask marks, shape (M,)."""
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        kept: dict[str, Any] = {
            name: tuple(compress(column, mask)) if isinstance(column, tuple) else column[mask]
            for name, column in columns.items()
        }
        return ImageTable(**kept)
