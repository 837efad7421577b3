"""Labels as CSV, for spreadsheets: what would be read as a formula there is not one here."""

import csv
from collections.abc import Iterator
from pathlib import Path

from pul.data.file_names import to_text
from pul.errors import DatasetError
from pul.exchange.labels import LABEL_ROLES, Label, LabelRole, Labels, Problem
from pul.exchange.snapshot import Shot, Snapshot

_COLUMNS = ("path", "identity", "camid", "role")
_PATH_COLUMNS = ("path", "file", "filename", "file_name", "image")
_IDENTITY_COLUMNS = ("identity", "pid", "person")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_QUOTE = "'"
_DELIMITERS = (",", ";", "\t")
_JUNK = "-1"


def write_csv(snapshot: Snapshot, path: Path) -> None:
    """Write one row for each image that people judged: path, identity, camid, role.

    Junk and unsure images have no identity. The file begins with a byte order mark, without which
    spreadsheets do not see that it is UTF-8.
    """
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for shot, identity, role in _rows(snapshot):
            camid = "" if shot.camid is None else shot.camid
            writer.writerow([_neutral(to_text(shot.path)), _neutral(identity), camid, role])


def read_csv(path: Path) -> Labels:
    """Read labels from a table with a column of images and one of identities.

    Raises:
        DatasetError: The file cannot be read, or lacks one of the columns.
    """
    labels: list[Label] = []
    problems: list[Problem] = []
    for number, row in _read_rows(path):
        found = _label(row, f"{path.name}, row {number}")
        if isinstance(found, Label):
            labels.append(found)
        elif found is not None:
            problems.append(found)
    return Labels(tuple(labels), tuple(problems))


def _rows(snapshot: Snapshot) -> Iterator[tuple[Shot, str, str]]:
    for person in snapshot.people:
        yield from ((shot, person.name, person.role) for shot in person.shots)
    yield from ((shot, "", "junk") for shot in snapshot.junk)
    yield from ((shot, "", "unsure") for shot in snapshot.unsure)


def _neutral(text: str) -> str:
    """Make a spreadsheet take it for text; `_plain` gives back the same."""
    return _QUOTE + text if text.startswith((*_FORMULA, _QUOTE)) else text


def _plain(text: str) -> str:
    is_quoted = text.startswith(_QUOTE) and text[1:].startswith((*_FORMULA, _QUOTE))
    return text[1:] if is_quoted else text


def _read_rows(path: Path) -> Iterator[tuple[int, dict[str, str] | None]]:
    """Yield (line, row); a row of another length is None."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            file.seek(0)
            delimiter = max(_DELIMITERS, key=header.count)
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            columns = _check_columns(next(reader, []), path)
            for fields in reader:
                if fields:
                    fits = len(fields) == len(columns)
                    yield reader.line_num, dict(zip(columns, fields, strict=True)) if fits else None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(
            f"{str(path)!r} cannot be read as CSV: {error}. Save it as CSV in UTF-8."
        ) from error


def _check_columns(header: list[str], path: Path) -> list[str]:
    names = [name.strip().lower() for name in header]
    for kind, known in (("path", _PATH_COLUMNS), ("identity", _IDENTITY_COLUMNS)):
        found = [name for name in names if name in known]
        if len(found) != 1:
            raise DatasetError(
                f"{str(path)!r} has {len(found)} columns of the kind {kind!r}; its columns are "
                f"{', '.join(names) or 'none'}. Right: one of {', '.join(known)}."
            )
        names[names.index(found[0])] = kind
    return names


def _label(row: dict[str, str] | None, place: str) -> Label | Problem | None:
    """Return what a row says; None where it says nothing about people."""
    if row is None:
        return Problem(place, "has more or fewer values than the header; quote those with commas")
    path, raw = _plain(row["path"]), row["identity"].strip()
    role = row.get("role", "").strip().lower() or ("junk" if raw == _JUNK else "training")
    if role not in LABEL_ROLES:
        return Problem(place, f"role is {role!r}; right: {', '.join(LABEL_ROLES)}, or nothing")
    if not path.strip():
        return Problem(place, "names no image")
    if role in ("junk", "unsure"):
        return Label(place, path, "", _as_role(role))
    # A table of images to be labelled has rows without an identity yet.
    return Label(place, path, _plain(raw), _as_role(role)) if raw else None


def _as_role(text: str) -> LabelRole:
    return next(role for role in LABEL_ROLES if role == text)
