"""Labels as tables; what a spreadsheet would read as a formula is not one here."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pul.data.file_names import to_text
from pul.data.readers.columns import Kind, find_columns
from pul.data.readers.image_rows import no_column
from pul.data.readers.table_files import Row, read_table
from pul.errors import DatasetError
from pul.exchange.addresses import file_behind
from pul.exchange.labels import LABEL_ROLES, Label, Labels, Problem, as_role
from pul.exchange.snapshot import Shot, Snapshot

_COLUMNS = ("path", "identity", "camid", "role")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_QUOTE = "'"


def write_csv(snapshot: Snapshot, path: Path) -> None:
    """Write one row for each image that people judged: path, identity, camid, role.

    Junk and unsure images have no identity. The file begins with a byte order mark, without which
    spreadsheets do not see that it is UTF-8.
    """
    rows = ((to_text(shot.path), name, shot.camid, role) for shot, name, role in _rows(snapshot))
    write_rows(path, _COLUMNS, rows)


def write_rows(
    path: Path, columns: Sequence[str], rows: Iterable[Sequence[str | int | None]]
) -> None:
    """Write a table for spreadsheets; a text that they would take for a formula gets a `'`."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in rows:
            writer.writerow([_neutral(cell) if isinstance(cell, str) else cell for cell in row])


def plain_cell(text: str) -> str:
    """Return the text of a cell as it was before `write_rows`."""
    is_quoted = text.startswith(_QUOTE) and text[1:].startswith((*_FORMULA, _QUOTE))
    return text[1:] if is_quoted else text


def read_label_table(path: Path) -> Labels:
    """Read labels from a CSV or Parquet file with a column of images and one of people.

    Columns are known by their usual names, as in a table of images; where there are no people, the
    tracks count.

    Raises:
        DatasetError: The file cannot be read, or lacks one of the columns.
    """
    table = read_table(path)
    columns, notes = find_columns(table)
    if "path" not in columns:
        raise DatasetError(no_column(table, "images", "path, image, filename or img_path"))
    if "pid" not in columns and "tracklet" not in columns:
        more = f" {notes[-1]}" if notes else ""
        raise DatasetError(no_column(table, "people", "identity, pid or person") + more)
    found = [_label(row, columns, f"{path.name}, row {row.number}") for row in table.rows]
    problems = [Problem(f"{path.name}, row {bad.number}", bad.reason) for bad in table.bad]
    return Labels(
        tuple(label for label in found if isinstance(label, Label)),
        (*problems, *(problem for problem in found if isinstance(problem, Problem))),
        notes=(*table.notes, *notes),
        format="a table",
    )


def _rows(snapshot: Snapshot) -> Iterator[tuple[Shot, str, str]]:
    for person in snapshot.people:
        yield from ((shot, person.name, person.role) for shot in person.shots)
    yield from ((shot, "", "junk") for shot in snapshot.junk)
    yield from ((shot, "", "unsure") for shot in snapshot.unsure)


def _neutral(text: str) -> str:
    """Make a spreadsheet take it for text; `plain_cell` gives back the same."""
    return _QUOTE + text if text.startswith((*_FORMULA, _QUOTE)) else text


def _label(row: Row, columns: Mapping[Kind, str], place: str) -> Label | Problem:
    of = {kind: row.cells[column] for kind, column in columns.items()}
    path, role = file_behind(plain_cell(of["path"])), of.get("role", "")
    if role and as_role(role) is None:
        return Problem(place, f"role is {role!r}; right: {', '.join(LABEL_ROLES)}, or nothing")
    if not path:
        return Problem(place, "names no image")
    if role in ("junk", "unsure"):
        return Label(place, path, "", as_role(role))
    # A table of images to be labelled has rows without an identity yet, whatever its roles.
    identity = of["pid"] if "pid" in of else of["tracklet"].removeprefix("-1")
    return Label(place, path, plain_cell(identity), as_role(role) if identity else None)
