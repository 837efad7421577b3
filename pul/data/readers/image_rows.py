"""The rows of a table of images, each with its file, wherever the table was written."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pul.data.readers.box_columns import BoxColumns, find_box_columns
from pul.data.readers.columns import Kind, find_columns
from pul.data.readers.listing import list_images, suffix_reason
from pul.data.readers.matching import find_all, split_path
from pul.data.readers.table_files import Row, Table, read_table
from pul.data.samples import Skipped
from pul.errors import DatasetError


@dataclass(frozen=True, slots=True)
class ImageRow:
    """What a row says of an image; people and cameras still by their names.

    Attributes:
        place: Where it stands, for people: `row 3`.
        written: The path as written.
        cells: All cells of the row by the names of their columns.
        of: Text of each column whose meaning is known, by its kind; `bbox` is there as written,
            its four numbers with blanks between if they are in four columns.
        path: The file; None until it is found.
    """

    place: str
    written: str
    cells: Mapping[str, str]
    of: Mapping[Kind, str]
    path: Path | None = None


@dataclass(frozen=True)
class ImageRows:
    """What a table of images says: its rows with a file, what was left out, and remarks."""

    columns: Mapping[Kind, str]
    boxes: BoxColumns | None
    rows: tuple[ImageRow, ...]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]


def read_image_rows(table: Path) -> ImageRows:
    """Read a table of images and find their files.

    Raises:
        DatasetError: It cannot be read, or has no column of images.
    """
    content = read_table(table)
    columns, notes = find_columns(content)
    if "path" not in columns:
        raise DatasetError(no_column(content, "images", "path, image, filename or img_path"))
    boxes = find_box_columns(content.columns, columns.get("bbox"))
    rows = [_image_row(row, columns, boxes) for row in content.rows]
    skipped = [Skipped(table, f"row {bad.number}: {bad.reason}") for bad in content.bad]
    found, path_notes = _find_files(rows, content)
    kept: dict[str, ImageRow] = {}
    for row, path in zip(rows, found, strict=True):
        reason = path if isinstance(path, str) else _reason(path, row, kept)
        if isinstance(path, Path) and reason is None:
            kept[_key(path, row)] = replace(row, path=path)
        else:
            where = path if isinstance(path, Path) else _as_path(table.parent, row.written)
            where = where if row.written else table
            skipped.append(Skipped(where, f"{row.place}: {reason}"))
    return ImageRows(
        columns,
        boxes,
        tuple(kept.values()),
        tuple(skipped),
        (*content.notes, *notes, *path_notes),
    )


def no_column(table: Table, what: str, right: str) -> str:
    """Word that a table lacks a column."""
    return (
        f"{str(table.path)!r} has no column of {what}; its columns are: "
        f"{', '.join(table.columns) or 'none'}. Call one of them {right}."
    )


def _image_row(row: Row, columns: Mapping[Kind, str], boxes: BoxColumns | None) -> ImageRow:
    of = {kind: row.cells[column] for kind, column in columns.items()}
    if boxes is not None:
        of["bbox"] = boxes.text(row.cells)
    return ImageRow(f"row {row.number}", of["path"], row.cells, of)


def _find_files(rows: Sequence[ImageRow], table: Table) -> tuple[list[Path | str], tuple[str, ...]]:
    """Return the file of each row, as written or below the table's folder, or why there is none."""
    folder = table.path.parent
    found: list[Path | str] = [_as_written(row.written, folder, table.encoding) for row in rows]
    lost = [place for place, path in enumerate(found) if isinstance(path, str) and not path]
    if not lost:
        return found, ()
    root = folder.resolve()
    paths = [str(path) for path in list_images(root, root=root, recursive=True).images]
    matched, notes = find_all([rows[place].written for place in lost], paths, folder)
    for place, row in zip(lost, matched, strict=True):
        if isinstance(row, int):
            found[place] = Path(paths[row])
        else:
            is_missing = row.startswith("there is no image")
            found[place] = _missing(rows[place].written) if is_missing else row
    return found, notes


def _as_written(written: str, folder: Path, encoding: str) -> Path | str:
    """Return the file, a reason, or "" where it has to be looked for."""
    if not written:
        return "names no image"
    name = re.split(r"[\\/]", written)[-1]
    reason = suffix_reason(name) if Path(name).suffix else None  # names may lack theirs
    path = _as_path(folder, written)
    if _exists(path) or reason:
        return path if _exists(path) else reason or ""
    try:  # a name whose bytes are no UTF-8 stands in the table as it is on the disk
        raw = _as_path(folder, os.fsdecode(written.encode(encoding or "utf-8")))
    except (UnicodeError, ValueError):
        return ""
    return raw if _exists(raw) else ""


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that this disk cannot have
        return False


def _as_path(folder: Path, written: str) -> Path:
    try:
        return (folder / Path(written).expanduser()).absolute()
    except RuntimeError:  # ~name of nobody
        return (folder / written).absolute()


def _missing(written: str) -> str:
    ends = "that ends so" if len(split_path(written)) > 1 else "of this name"
    return f"there is no such file, nor one {ends} below the folder of the table"


def _reason(path: Path, row: ImageRow, kept: Mapping[str, ImageRow]) -> str | None:
    if _key(path, row) in kept:
        return f"the image stands in {kept[_key(path, row)].place} too"
    return suffix_reason(path.name) or (None if path.is_file() else "not a regular file")


def _key(path: Path, row: ImageRow) -> str:
    """Name an image, or a box in it: whole pictures stand in a table once for each box."""
    return f"{path}\n{row.of.get('bbox', '')}"
