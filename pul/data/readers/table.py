"""A CSV or Parquet file that lists images, with whatever is known of them."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pul.data.crops import Corners
from pul.data.readers import words
from pul.data.readers.box_columns import BOX_FORMS, NO_BOXES, parse_box, read_corners
from pul.data.readers.columns import find_columns
from pul.data.readers.image_rows import ImageRow, ImageRows, read_image_rows
from pul.data.readers.listing import suffix_reason
from pul.data.readers.numbers import (
    describe_nobody,
    describe_numbers,
    number_names,
    number_people,
)
from pul.data.readers.reading import Reader, Reading
from pul.data.readers.table_files import PARQUET_SUFFIXES, TEXT_SUFFIXES, read_table
from pul.data.samples import Sample, Skipped
from pul.errors import ConfigError, DatasetError
from pul.records import Split

_SUFFIXES = (".csv", ".tsv", *PARQUET_SUFFIXES)
_ORDER: dict[Split, int] = {"train": 0, "query": 1, "gallery": 2}
_GALLERY_WORDS = ("database", "reference", "enrolled")  # a table's, and no names of folders
_BBOX = ("auto", *BOX_FORMS, NO_BOXES)
_UNKNOWN = ("", "-1", "nan", "none", "null", "na", "<na>", "?")
_N_SHOWN = 6


def _is_table(root: Path) -> bool:
    return _table_in(root) is not None


def _read_table(root: Path, *, bbox: str = "auto") -> Reading:
    if bbox not in _BBOX:
        raise ConfigError(f"bbox must be one of {', '.join(_BBOX)}, but is {bbox!r}.")
    table = _table_in(root)
    if table is None:
        raise DatasetError(f"{str(root)!r} is no CSV or Parquet file and holds no single one.")
    content = read_image_rows(table)
    rows, boxes, unreadable, box_notes = _read_boxes(content, bbox)
    samples, notes = _samples(rows, table)
    notes += box_notes
    samples = [replace(s, box=box) for s, box in zip(samples, boxes, strict=True)]
    ordered = sorted(samples, key=lambda s: (_ORDER[s.split], s.path, s.box or ()))
    if root != table:
        notes = [
            f"The table {table.name} says what is read. Its folders: --format folders.",
            *notes,
        ]
    return Reading(
        table.stem, tuple(ordered), (*content.skipped, *unreadable), (*content.notes, *notes)
    )


def _read_boxes(
    content: ImageRows, bbox: str
) -> tuple[list[ImageRow], list[Corners | None], list[Skipped], tuple[str, ...]]:
    """Return the rows, the box of each that has one, what was left out, and remarks."""
    if content.boxes is None:
        if bbox != "auto":
            raise DatasetError(f"The table has no column of boxes, and --bbox is {bbox!r}.")
        return list(content.rows), [None] * len(content.rows), [], ()
    rows: list[ImageRow] = []
    boxes: list[Corners | None] = []
    skipped: list[Skipped] = []
    for row in content.rows:
        try:
            box = parse_box(row.of["bbox"])
        except DatasetError as error:
            skipped.append(Skipped(row.path or Path(), f"{row.place}: {error}"))
        else:
            rows.append(row)
            boxes.append(box)
    known = [(box, row.path or Path()) for box, row in zip(boxes, rows, strict=True) if box]
    if not known:
        return rows, boxes, skipped, ()
    corners, notes = read_corners(
        [box for box, _ in known], [path for _, path in known], named=content.boxes.form, asked=bbox
    )
    if not corners:
        several, rows = _one_box_each(rows)
        return rows, [None] * len(rows), [*skipped, *several], notes
    in_turn = iter(corners)
    return rows, [box and next(in_turn) for box in boxes], skipped, notes


def _one_box_each(rows: Sequence[ImageRow]) -> tuple[list[Skipped], list[ImageRow]]:
    """Leave out pictures of which several boxes are listed and none is cut."""
    n_boxes = Counter(row.path for row in rows)
    several = [
        Skipped(
            row.path or Path(),
            f"{row.place}: the table has {n_boxes[row.path]} boxes of this picture",
        )
        for row in rows
        if n_boxes[row.path] > 1
    ]
    return several, [row for row in rows if n_boxes[row.path] == 1]


def _table_in(root: Path) -> Path | None:
    """The file itself, or the only table in a folder if it has a column of paths."""
    if root.is_file():
        return root if root.suffix.lower() in (*_SUFFIXES, *TEXT_SUFFIXES) else None
    tables = [path for path in root.glob("*") if path.suffix.lower() in _SUFFIXES]
    if len(tables) != 1 or not tables[0].is_file():
        return None
    try:
        columns, _ = find_columns(read_table(tables[0]))
    except DatasetError:
        return None
    says_more = {"pid", "camid", "split", "tracklet"} & columns.keys()
    return tables[0] if "path" in columns and (says_more or columns["path"] == "path") else None


def _samples(rows: Sequence[ImageRow], table: Path) -> tuple[list[Sample], list[str]]:
    """Give people and cameras numbers: their own where these are safe, else by their place."""
    people = Counter(row.of["pid"] for row in rows if row.of.get("pid"))
    pids = _own_numbers(people) or number_people(people)
    named = {row.of.get("camid", "") for row in rows}
    cameras = number_names(name for name in named if name.lower() not in _UNKNOWN)
    splits = {text: _split(text) for text in {row.of.get("split", "") for row in rows}}
    _check_splits(splits, table)
    frames = _frames(rows, table)
    samples = [
        Sample(
            row.path or Path(),
            pid=pids.get(row.of.get("pid", "")),
            camid=cameras.get(row.of.get("camid", "")),
            split=splits[row.of.get("split", "")] or "train",
            tracklet=row.of.get("tracklet") or None,
            frame=frame,
            side=_side(row),
        )
        for row, frame in zip(rows, frames, strict=True)
    ]
    notes = [
        *describe_numbers("Identities", pids),
        *describe_numbers("Cameras", cameras),
        *describe_nobody(people),
        *_gaps(samples, rows),
    ]
    return _part_tracklets(samples, rows), notes


def _own_numbers(names: Iterable[str]) -> dict[str, int | None]:
    """Take plain numbers as they are; {} where a name is none, or too large to keep."""
    numbers = {name: int(name) for name in names if re.fullmatch(r"-?\d{1,9}", name, re.ASCII)}
    is_all = len(numbers) == len(set(names)) and len(set(numbers.values())) == len(numbers)
    return dict(numbers) if is_all else {}


def _split(text: str) -> Split | None:
    if not text:
        return "train"
    if any(word in _GALLERY_WORDS for word in words.tokens(text)):
        return "gallery"
    word = words.split_word(text)
    return None if word is None or word == "pooled" else words.to_split(word)


def _side(row: ImageRow) -> str | None:
    """Return the side that an image shows; None where it is not known."""
    text = row.of.get("orientation", "").strip().lower()
    return None if text in _UNKNOWN or words.is_nobody(text) else text


def _check_splits(splits: Mapping[str, Split | None], table: Path) -> None:
    unknown = sorted(text for text, split in splits.items() if split is None)
    if unknown:
        shown = ", ".join(map(repr, unknown[:_N_SHOWN]))
        raise DatasetError(
            f"{table.name}: the column of splits has {shown}, which name no split. Right: train, "
            "query or gallery (val trains, test is the gallery), or nothing. Change them, or give "
            "the column another name."
        )


def _frames(rows: Sequence[ImageRow], table: Path) -> list[int | None]:
    """Return the numbers of frames; none where there are several recordings: they restart."""
    recordings = {(row.of.get("date", ""), row.of.get("video", "")) for row in rows}
    return [_frame(row, table) if len(recordings) < 2 else None for row in rows]


def _frame(row: ImageRow, table: Path) -> int | None:
    text = row.of.get("frame", "")
    if text.lower() in _UNKNOWN:
        return None
    numbers = re.findall(r"\d+", text, re.ASCII) if suffix_reason(text) is None else [text]
    number = int(numbers[-1]) if numbers and re.fullmatch(r"\d{1,18}", numbers[-1], re.A) else None
    if number is None:
        raise DatasetError(
            f"{table.name}, {row.place}: frame is {text!r}. Right: a whole number from 0, or "
            "nothing if it is not known."
        )
    return number


def _part_tracklets(samples: Sequence[Sample], rows: Sequence[ImageRow]) -> list[Sample]:
    """Tell tracklets apart whose numbers restart in each recording, or on each camera."""
    cameras: dict[str | None, set[int | None]] = {}
    for sample in samples:
        cameras.setdefault(sample.tracklet, set()).add(sample.camid)
    parted = []
    for sample, row in zip(samples, rows, strict=True):
        before = [row.of.get("date", ""), row.of.get("video", "")]
        before += [f"camera {sample.camid}"] if len(cameras[sample.tracklet]) > 1 else []
        name = "/".join(text for text in (*before, sample.tracklet) if text)
        parted.append(replace(sample, tracklet=name) if sample.tracklet else sample)
    return parted


def _gaps(samples: Sequence[Sample], rows: Sequence[ImageRow]) -> list[str]:
    """Say of how many images the table has a column, but does not tell."""
    n_pids = sum("pid" in row.of and not row.of["pid"] for row in rows)
    n_camids = sum(
        "camid" in row.of and sample.camid is None
        for sample, row in zip(samples, rows, strict=True)
    )
    notes = [f"{n_pids:,} images have no identity in the table."] if n_pids else []
    return [*notes, f"{n_camids:,} images have no camera in the table."] if n_camids else notes


TABLE = Reader(
    "table",
    "a CSV or Parquet file with a column of images (path, image, filename ...), and any of pid, "
    "camid, split, tracklet, frame and side, by these or other usual names; relative paths start "
    "at the file",
    _is_table,
    _read_table,
)
