"""A CSV or Parquet file that lists images, with whatever is known of them."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pul.data.readers.listing import suffix_reason
from pul.data.readers.reading import Reader, Reading
from pul.data.samples import Sample, Skipped
from pul.errors import DatasetError
from pul.records import Split

_SUFFIXES = (".csv", ".tsv", ".parquet", ".pq")
_COLUMNS = ("path", "pid", "camid", "split", "tracklet", "frame")
_SIDES = ("side", "orientation", "viewpoint", "flank", "position")  # as other data sets call it
_SPLITS: dict[str, Split] = {"train": "train", "query": "query", "gallery": "gallery"}
_DELIMITERS = (",", ";", "\t")

Row = Mapping[str, Any]


def _is_table(root: Path) -> bool:
    return _table_in(root) is not None


def _read_table(root: Path) -> Reading:
    table = _table_in(root)
    if table is None:
        raise DatasetError(f"{str(root)!r} is no CSV or Parquet file and holds no single one.")
    samples: dict[Path, Sample] = {}
    skipped: list[Skipped] = []
    for number, row in _rows(table):
        sample = _sample(row, f"{table.name}, row {number}", table.parent)
        reason = _reason(sample.path, samples)
        if reason is None:
            samples[sample.path] = sample
        else:
            skipped.append(Skipped(sample.path, f"row {number}: {reason}"))
    order = list(_SPLITS)
    ordered = sorted(samples.values(), key=lambda s: (order.index(s.split), s.path))
    return Reading(table.stem, tuple(ordered), tuple(skipped))


def _table_in(root: Path) -> Path | None:
    """The file itself, or the only table in a folder if it has a column of paths."""
    if root.is_file():
        return root if root.suffix.lower() in _SUFFIXES else None
    tables = [path for path in root.glob("*") if path.suffix.lower() in _SUFFIXES]
    if len(tables) != 1 or not tables[0].is_file():
        return None
    try:
        next(_rows(tables[0]), None)
    except DatasetError:
        return None
    return tables[0]


def _rows(table: Path) -> Iterator[tuple[int, Row]]:
    is_parquet = table.suffix.lower() in (".parquet", ".pq")
    return _parquet_rows(table) if is_parquet else _csv_rows(table)


def _csv_rows(table: Path) -> Iterator[tuple[int, Row]]:
    """Yield (number of the row's last line, row); the header is line 1."""
    try:
        with table.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            header = file.readline()
            file.seek(0)
            delimiter = max(_DELIMITERS, key=header.count)
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            columns = _check_columns(next(reader, []), table)
            for fields in reader:
                if len(fields) not in (0, len(columns)):
                    raise DatasetError(
                        f"{table.name}, row {reader.line_num}: {len(fields)} values for "
                        f"{len(columns)} columns. Quote values that contain {delimiter!r}."
                    )
                if fields:
                    yield reader.line_num, dict(zip(columns, fields, strict=True))
    except (OSError, csv.Error) as error:
        raise DatasetError(f"{str(table)!r} cannot be read as CSV: {error}.") from error


def _parquet_rows(table: Path) -> Iterator[tuple[int, Row]]:
    from pyarrow import ArrowException, parquet  # slow to load, and CSV needs none of it

    try:
        content = parquet.read_table(table)
    except (OSError, ArrowException) as error:
        raise DatasetError(f"{str(table)!r} cannot be read as Parquet: {error}.") from error
    columns = _check_columns(content.column_names, table)
    for number, row in enumerate(content.to_pylist(), start=1):
        yield number, dict(zip(columns, row.values(), strict=True))


def _check_columns(names: list[str], table: Path) -> list[str]:
    columns = [name.strip().lower() for name in names]
    if "path" not in columns:
        raise DatasetError(
            f"{str(table)!r} has no column 'path'; its columns are: {', '.join(columns) or 'none'}."
            f" Right: path, and any of {', '.join(_COLUMNS[1:])}."
        )
    doubled = sorted({name for name in columns if columns.count(name) > 1})
    sides = [name for name in _SIDES if name in columns]
    if len(sides) > 1:
        raise DatasetError(
            f"{str(table)!r} says the side in the columns {' and '.join(sides)}; leave one of them."
        )
    if doubled:
        raise DatasetError(f"{str(table)!r} has the column {doubled[0]!r} more than once.")
    return columns


def _sample(row: Row, place: str, folder: Path) -> Sample:
    path = _text(row, "path")
    if path is None or "\0" in path:
        raise DatasetError(f"{place}: the path is {row['path']!r}. Give the path of an image.")
    split = (_text(row, "split") or "train").strip().lower()
    if split not in _SPLITS:
        raise DatasetError(f"{place}: split is {split!r}. Right: train, query or gallery.")
    return Sample(
        Path((folder / Path(path).expanduser()).absolute()),
        pid=_integer(row, "pid", place, lowest=-1),
        camid=_integer(row, "camid", place, lowest=0),
        split=_SPLITS[split],
        tracklet=_text(row, "tracklet"),
        frame=_integer(row, "frame", place, lowest=0),
        side=_side(row),
    )


def _side(row: Row) -> str | None:
    text = next((_text(row, name) for name in _SIDES if name in row), None)
    plain = (text or "").strip().lower()
    return None if plain in ("", "nan", "none", "null", "unknown") else plain


def _text(row: Row, column: str) -> str | None:
    value = row.get(column)
    return None if value is None or value == "" else str(value)


def _integer(row: Row, column: str, place: str, *, lowest: int) -> int | None:
    text = (_text(row, column) or "").strip()
    if text.lower() in ("", "nan", "none", "null"):
        return None
    try:
        # A table written by pandas holds 12.0 where another row of the column is empty.
        number = int(text.removesuffix(".0"))
    except ValueError:
        number = lowest - 1
    if not lowest <= number < 2**31:
        raise DatasetError(
            f"{place}: {column} is {text!r}. Right: a whole number from {lowest}, "
            "or nothing if it is not known."
        )
    return number


def _reason(path: Path, earlier: Mapping[Path, Sample]) -> str | None:
    if path in earlier:
        return "the path stands in an earlier row too"
    if not path.exists():
        return "there is no such file"
    return suffix_reason(path.name) or (None if path.is_file() else "not a regular file")


TABLE = Reader(
    "table",
    f"a CSV or Parquet file with the columns {', '.join(name + '?' for name in _COLUMNS)}, side?, "
    "of which only path is needed; relative paths start at the file".replace("path?", "path"),
    _is_table,
    _read_table,
)
