"""Which format a file of tracks has, by what it holds, and reading it."""

import json
from pathlib import Path
from typing import Literal

from pul.data.tracks.boxes import TrackFile
from pul.data.tracks.coco import is_coco, read_coco_tracks
from pul.data.tracks.cvat import read_cvat
from pul.data.tracks.mot import is_mot, read_mot
from pul.errors import DatasetError

TrackFormat = Literal["mot", "coco", "cvat"]
TRACK_FORMATS: tuple[TrackFormat, ...] = ("mot", "coco", "cvat")

_SNIFFED_BYTES = 4096
_READ = (
    "MOTChallenge (rows of frame, id, left, top, width, height, ...), COCO with track_id, or CVAT "
    "for video 1.1"
)


def detect_track_format(path: Path) -> TrackFormat | None:
    """Tell the format of a file of tracks by how it begins; None where it is none of them.

    Raises:
        DatasetError: There is no such file, or it may not be read.
    """
    head = _read_bytes(path, _SNIFFED_BYTES)
    text = _decode(head).lstrip()
    if text.startswith("<"):
        return "cvat" if "<annotations" in text else None
    if text.startswith("{"):
        return "coco"
    return "mot" if is_mot(text.rpartition("\n")[0] or text) else None


def read_tracks(path: str | Path) -> TrackFile:
    """Read the tracks in a file: MOTChallenge, COCO or CVAT, told by what it holds.

    Args:
        path: The file.

    Returns:
        Every box of every track, with what was left out and why.

    Raises:
        DatasetError: It cannot be read, or is of none of these formats.
    """
    path = Path(path)
    kind = detect_track_format(path)
    if kind == "mot":
        tracks = read_mot(path, _decode(_read_bytes(path)))
    elif kind == "coco":
        tracks = read_coco_tracks(path, _read_json(path))
    elif kind == "cvat":
        tracks = read_cvat(path)
    else:
        raise DatasetError(f"{str(path)!r} is no file of tracks that we read. Right: {_READ}.")
    if not tracks.boxes:
        raise DatasetError(
            f"{str(path)!r} holds no box of a track"
            + (f"; the first: {tracks.skipped[0].reason}." if tracks.skipped else ".")
        )
    return tracks


def _read_bytes(path: Path, most: int = -1) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(most)
    except OSError as error:
        raise DatasetError(
            f"The file of tracks {str(path)!r} cannot be read: {error.strerror or error}."
        ) from error


def _decode(content: bytes) -> str:
    is_utf16 = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    return content.decode("utf-16" if is_utf16 else "utf-8-sig", errors="replace")


def _read_json(path: Path) -> object:
    try:
        content = json.loads(_decode(_read_bytes(path)))
    except ValueError as error:
        raise DatasetError(f"{str(path)!r} cannot be read as JSON: {error}.") from error
    if not is_coco(content):
        raise DatasetError(
            f"{str(path)!r} is JSON, but no file of tracks: images and annotations are missing. "
            f"Right: {_READ}."
        )
    return content
