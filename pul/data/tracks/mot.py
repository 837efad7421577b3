"""MOTChallenge's text files: ground truth, and the results that trackers write in the same form."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pul.data.tracks.boxes import SkippedBox, TrackBox, TrackFile, order_boxes
from pul.errors import DatasetError

_N_COLUMNS = 6  # frame, id, left, top, width, height; then confidence, class, visibility
_PIXEL_1 = 1.0  # MOTChallenge calls the first pixel of a line 1
_MAX_NUMBER = 10**12

# Classes of MOT16, MOT17 and MOT20.
_MOT_CLASSES = (
    *("", "pedestrian", "person on vehicle", "car", "bicycle", "motorbike"),
    *("non motorized vehicle", "static person", "distractor", "occluder"),
    *("occluder on the ground", "occluder full", "reflection", "crowd"),
)
_COCO_PERSON = {0: "person"}  # trackers that write classes of COCO count them from 0


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    values: tuple[float, ...]

    def get(self, column: int) -> float | None:
        """Return a value; -1 stands for none in the columns that trackers do not fill."""
        value = self.values[column] if column < len(self.values) else -1.0
        return None if value == -1 else value


def is_mot(text: str) -> bool:
    """Whether a text begins with a row of numbers in the manner of MOTChallenge."""
    lines = (line for line in text.splitlines() if line.strip())
    rows = [_numbers(line) for line in islice(lines, 2)]
    return any(row is not None and len(row) >= _N_COLUMNS for row in rows)


def read_mot(path: Path, text: str) -> TrackFile:
    """Read tracks in MOTChallenge's form.

    A row is `frame, id, left, top, width, height, confidence, class, visibility`, parted by commas,
    semicolons or blanks; the first six are needed. Frames and pixels count from 1. In ground truth,
    where confidence is 0 or 1 throughout, 0 marks what is not to be considered.

    Args:
        path: The file, for messages; `labels.txt` beside it names the classes (CVAT writes it).
        text: What it holds.

    Raises:
        DatasetError: A row is not of this form, or no row has the number of a track.
    """
    rows = list(_rows(path, text))
    is_truth = _is_truth(rows)
    names = _class_names(path, rows, is_truth=is_truth)
    boxes: list[TrackBox] = []
    skipped: list[SkippedBox] = []
    for row in rows:
        reason = _reason(row, is_truth=is_truth)
        if reason is None:
            boxes.append(_box(row, names, is_truth=is_truth))
        else:
            skipped.append(SkippedBox(f"{path.name}, line {row.line}", reason))
    if rows and all(row.values[1] < 0 for row in rows):
        raise DatasetError(
            f"{str(path)!r} holds detections, not tracks: the second column, the number of the "
            "track, is -1 throughout. Give the file that a tracker wrote."
        )
    counts_from_0 = any(row.values[0] == 0 for row in rows)
    notes = ["Frames are counted from 0, as there is a frame 0."] if counts_from_0 else []
    return TrackFile(
        path, "mot", order_boxes(boxes), 0 if counts_from_0 else 1, None, tuple(skipped),
        tuple(notes),
    )  # fmt: skip


def _numbers(line: str) -> tuple[float, ...] | None:
    words = line.replace(",", " ").replace(";", " ").split()
    try:
        return tuple(float(word) for word in words)
    except ValueError:
        return None


def _rows(path: Path, text: str) -> Iterator[_Row]:
    """Yield the rows of numbers; the first line may be a header."""
    is_first = True
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        values = _numbers(line)
        if values is None and is_first:
            is_first = False
            continue
        is_first = False
        _check(values, f"{path.name}, line {number}")
        yield _Row(number, values or ())


def _check(values: tuple[float, ...] | None, place: str) -> None:
    if values is None or len(values) < _N_COLUMNS:
        raise DatasetError(
            f"{place} is no row of MOTChallenge. Right: frame, id, left, top, width, height, and "
            "any of confidence, class and visibility, all of them numbers."
        )
    if not all(math.isfinite(value) and abs(value) <= _MAX_NUMBER for value in values):
        raise DatasetError(f"{place}: a number is infinite or not a number. Correct the row.")
    if values[0] < 0 or values[0] != int(values[0]) or values[1] != int(values[1]):
        raise DatasetError(
            f"{place}: frame is {values[0]:g} and id is {values[1]:g}. Right: whole numbers, "
            "frames from 0 or 1."
        )


def _is_truth(rows: list[_Row]) -> bool:
    confidences = {row.get(6) for row in rows}
    return 1.0 in confidences and confidences <= {0.0, 1.0}


def _reason(row: _Row, *, is_truth: bool) -> str | None:
    if row.values[1] < 0:
        return "has no number of a track (-1)"
    if is_truth and row.get(6) == 0:
        return "marked as not to be considered (confidence 0 in ground truth)"
    return None


def _class_names(path: Path, rows: list[_Row], *, is_truth: bool) -> dict[int, str]:
    """Return the names of classes; numbers without one stay numbers."""
    used = {int(value) for row in rows if (value := row.get(7)) is not None and value >= 0}
    listed = path.with_name("labels.txt")
    if listed != path and listed.is_file():
        lines = listed.read_text(encoding="utf-8", errors="replace").splitlines()
        return dict(enumerate((line.strip() for line in lines), start=1))
    if 0 in used:
        return dict(_COCO_PERSON)
    return dict(enumerate(_MOT_CLASSES)) if is_truth else {}


def _box(row: _Row, names: dict[int, str], *, is_truth: bool) -> TrackBox:
    frame, track, left, top, width, height = row.values[:_N_COLUMNS]
    number, visibility = row.get(7), row.get(8)
    is_class = number is not None and number >= 0 and number == int(number)
    is_share = visibility is not None and 0 <= visibility <= 1 and is_class
    return TrackBox(
        track=str(int(track)),
        frame=int(frame),
        left=left - _PIXEL_1,
        top=top - _PIXEL_1,
        width=width,
        height=height,
        label=names.get(int(number or 0), f"{number:g}") if is_class else "",
        confidence=None if is_truth else row.get(6),
        visibility=visibility if is_share else None,
    )
