"""Tables as people save them: CSV of any encoding and separator, and Parquet."""

import codecs
import csv
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pul.data.readers.listing import suffix_reason
from pul.errors import DatasetError

TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
PARQUET_SUFFIXES = (".parquet", ".pq")

_DELIMITERS = (",", ";", "\t", "|")
_SEPARATOR_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE)  # Excel reads it and hides it
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as UTF-16's does
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WESTERN = "cp1252"
_WHOLE_FLOAT = re.compile(r"(-?\d+)\.0+", re.ASCII)  # pandas, where another cell is empty
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_N_SNIFFED = 1024  # bytes


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table.

    Attributes:
        number: Line in the file on which it ends, from 1; in Parquet its place from 1.
        cells: Its values by the name of the column, as written but without blanks around them; ""
            where there is none. A whole number that was written as 12.0 is 12.
    """

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be read: where it is, and why."""

    number: int
    reason: str


@dataclass(frozen=True)
class Table:
    """What a table holds.

    Attributes:
        path: The file.
        columns: Names of the columns that have one, in order, as written.
        rows: The rows that are not empty.
        bad: Rows that have too many values, or too few.
        encoding: Of a text file; "" of Parquet.
        separator: What stands between its values.
        notes: Remarks for people.
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    bad: tuple[BadRow, ...] = ()
    encoding: str = ""
    notes: tuple[str, ...] = ()
    separator: str = ","


def read_table(path: Path) -> Table:
    """Read a CSV or Parquet file.

    Text may be UTF-8, UTF-16 or UTF-32; what is none of these is read as Windows-1252, which is
    said. Its separator is a comma, a semicolon, a tab or a bar, as its header has them, or what a
    line `sep=;` above it says; in a file called .txt blanks too.

    Raises:
        DatasetError: It cannot be read, or its first line is no header.
    """
    table = _parquet(path) if path.suffix.lower() in PARQUET_SUFFIXES else _csv(path)
    _check_header(table)
    return table


def _csv(path: Path) -> Table:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"{str(path)!r} cannot be read: {error.strerror or error}.") from error
    text, encoding = _decode(content, path)
    n_above, delimiter, text = _begin(text)
    if path.suffix.lower() == ".txt" and _is_parted_by_blanks(text):
        delimiter = " "
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        strict=True,
        skipinitialspace=delimiter == " ",
    )
    try:
        columns = _trim(next(reader, []))
        parsed = [(reader.line_num + n_above, fields) for fields in reader]
    except csv.Error as error:
        raise DatasetError(
            f"{str(path)!r} cannot be read as CSV, line {reader.line_num + n_above}: {error}. Save "
            "it as CSV again."
        ) from error
    read = list(_csv_rows(parsed, columns, delimiter))
    notes = []
    if encoding == _WESTERN:
        notes.append(
            f"{path.name} is not UTF-8: it is read as Windows-1252. If letters look wrong, save it "
            "as CSV UTF-8."
        )
    return Table(
        path,
        tuple(name for name in columns if name),
        tuple(row for row in read if isinstance(row, Row)),
        tuple(row for row in read if isinstance(row, BadRow)),
        encoding,
        tuple(notes),
        delimiter,
    )


def _decode(content: bytes, path: Path) -> tuple[str, str]:
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if content.startswith(mark)), "")
    if not encoding and b"\0" in content[:_N_SNIFFED]:
        encoding = _without_mark(content[:_N_SNIFFED])
    try:
        return content.decode(encoding or "utf-8"), encoding or "utf-8"
    except UnicodeDecodeError as error:
        if encoding:
            raise DatasetError(
                f"{str(path)!r} cannot be read as {encoding.upper()}: {error.reason}. Save it as "
                "CSV UTF-8."
            ) from error
    # Five bytes have no letter in Windows-1252; in Latin-1 each byte has one.
    return content.decode(_WESTERN, errors="replace"), _WESTERN


def _without_mark(head: bytes) -> str:
    """Tell UTF-16 without a mark by where the zeros of its plain letters are."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    most = 0.4 * len(head) / 2
    if odd > most and odd > 4 * even:
        return "utf-16-le"
    return "utf-16-be" if even > most and even > 4 * odd else ""


def _begin(text: str) -> tuple[int, str, str]:
    """Return how many lines are above the header, the separator, and the text from the header."""
    n_above = 0
    given = ""
    while text:
        line, end, rest = text.partition("\n")
        found = _SEPARATOR_LINE.fullmatch(line) if not given else None
        if line.strip() and not found:
            break
        given = found[1] if found else given
        text, n_above = rest if end else "", n_above + 1
    header = re.sub(r'"[^"]*"', "", text.partition("\n")[0])
    return n_above, given or max(_DELIMITERS, key=header.count), text


def _is_parted_by_blanks(text: str) -> bool:
    """Whether there is no other separator, and the first lines have equally many words."""
    lines = [line.split() for line in text.splitlines()[:20] if line.strip()]
    has_other = any(sign in text.partition("\n")[0] for sign in _DELIMITERS)
    return not has_other and len(lines) > 1 and len(lines[0]) > 1 and len(set(map(len, lines))) == 1


def _csv_rows(
    parsed: Sequence[tuple[int, list[str]]], columns: Sequence[str], delimiter: str
) -> Iterator[Row | BadRow]:
    for number, fields in parsed:
        cells = _trim(fields)
        if not any(cells):
            continue
        while len(cells) > len(columns) and not cells[-1]:
            cells.pop()
        n_cells = len(cells)
        if n_cells != len(columns):
            values = "1 value" if n_cells == 1 else f"{n_cells} values"
            quote = f"; quote values that contain {delimiter!r}" if n_cells > len(columns) else ""
            yield BadRow(number, f"{values} for {len(columns)} columns{quote}")
        elif any("\0" in cell for cell in cells):
            yield BadRow(number, "a NUL byte in it: the file is damaged there")
        else:
            yield Row(number, {n: c for n, c in zip(columns, cells, strict=True) if n})


def _trim(fields: Sequence[str]) -> list[str]:
    return [_WHOLE_FLOAT.sub(_whole, field.strip().strip("\ufeff")) for field in fields]


def _whole(match: re.Match[str]) -> str:
    is_all = match.start() == 0 and match.end() == len(match.string)
    return match[1] if is_all else match[0]


def _parquet(path: Path) -> Table:
    from pyarrow import ArrowException, parquet  # slow to load, and CSV needs none of it

    try:
        content = parquet.read_table(path)
        rows = content.to_pylist()
    except (OSError, ArrowException) as error:
        raise DatasetError(f"{str(path)!r} cannot be read as Parquet: {error}.") from error
    columns = tuple(name.strip() for name in content.column_names)
    return Table(
        path,
        columns,
        tuple(
            Row(number, dict(zip(columns, map(_text, row.values()), strict=False)))
            for number, row in enumerate(rows, start=1)
        ),
    )


def _text(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return _trim([str(value)])[0]


def _check_header(table: Table) -> None:
    names = [name.lower() for name in table.columns]
    image = next((name for name in table.columns if suffix_reason(name) is None), None)
    line = table.separator.join(("path", "pid", "camid"))
    if image is not None:
        raise DatasetError(
            f"The first line of {str(table.path)!r} is no header: {image!r} is a file. Put a line "
            f"above it that names the columns, such as {line!r}."
        )
    if table.columns and all(_NUMBER.fullmatch(name) for name in table.columns):
        raise DatasetError(
            f"The first line of {str(table.path)!r} is no header, but numbers. If these are "
            f"tracks, name their video: `python -m pul import VIDEO --tracks {table.path.name}`; "
            f"else put a line above it that names the columns, such as {line!r}."
        )
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise DatasetError(
            f"{str(table.path)!r} has the column {doubled[0]!r} more than once. Rename one of them."
        )
