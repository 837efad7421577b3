"""What a row was when it was written: bytes that a disk changes in a database are noticed.

A database checks its own structure, not what stands in a row. Each row of which a figure depends
has a sum of its columns; columns that change later, such as a status, are not part of it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Float,
    Select,
    Table,
    Text,
    func,
    select,
    text,
    type_coerce,
    update,
)

from pul.errors import StoreError
from pul.store.named_values import GAPS, read_value
from pul.store.schema import annotation_events, controls, images, runs
from pul.store.section import Section

_SUMMED: dict[Table, tuple[str, ...]] = {
    images: ("content_hash", "n_bytes", "pid", "camid", "split", "tracklet", "frame", "side"),
    runs: ("config", "model", "model_hash", "last_image_id"),
    controls: ("run_id", "name", "value", "author", "created_at"),
    annotation_events: ("created_at", "author", "kind", "payload", "token"),
}


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """A row that is not as it was written.

    Attributes:
        table: Its table.
        number: Its number there.
    """

    table: str
    number: int


def with_sum(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a row with their sum."""
    return {**row, "row_sum": _sum(table, row)}


class RowSumSection(Section):
    """The part of a workspace that checks whether rows are as they were written."""

    def changed_rows(self) -> Iterator[ChangedRow]:
        """Yield the rows that are not as they were written; those without a sum are passed over.

        Raises:
            StoreError: The database refuses.
        """
        for table in _SUMMED:
            key = _key(table).name
            with self._database.read() as connection:
                for row in connection.execute(_select_as_stored(table)):
                    values = row._asdict()
                    if values["row_sum"] is not None and not _is_as_written(table, values):
                        yield ChangedRow(table.name, values[key])

    def missing_rows(self) -> dict[str, int]:
        """Return how many images and acts are gone: nothing removes one, and numbers have no gaps.

        On a server, where an act that failed leaves a gap, nothing is known of them; gaps that a
        copy from a server came with are counted.

        Raises:
            StoreError: The database refuses.
        """
        if not self._database.is_sqlite:
            return {}
        missing = {}
        for table in (images, annotation_events):
            last = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
            with self._database.read() as connection:
                given = connection.execute(last, {"name": table.name}).scalar() or 0
                there = connection.execute(select(func.count()).select_from(table)).scalar_one()
                gaps = read_value(connection, f"{GAPS}{table.name}", 0)
            missing[table.name] = max(0, int(given) - there - gaps)
        return {name: n for name, n in missing.items() if n}

    def set_aside_event(self, event_id: int) -> Path:
        """Take an act that is damaged out of the log; what its row holds goes into a file.

        Returns:
            The file, below `damaged/`.

        Raises:
            StoreError: The database or the disk refuses.
        """
        table = annotation_events
        path = self.path / "damaged" / f"annotation-event-{event_id}.json"
        with self._database.write() as connection:
            query = _select_as_stored(table).where(table.c.event_id == event_id)
            row = connection.execute(query).one()._asdict()
            _write(path, json.dumps(row, default=str, indent=1))
            kept = {name: str(row[name]) for name in ("created_at", "author", "kind")}
            token = row["token"] if isinstance(row["token"], str) else None
            values = {**kept, "token": token, "kind": "lost", "payload": {"was": kept["kind"]}}
            change = update(table).where(table.c.event_id == event_id)
            connection.execute(change.values(with_sum(table, values)))
        return path

    def add_missing_sums(self) -> int:
        """Give a sum to each row that was written before rows had sums; return how many.

        Raises:
            StoreError: The database refuses.
        """
        n_added = 0
        for table, names in _SUMMED.items():
            key = _key(table)
            missing = select(key, *(table.c[name] for name in names))
            with self._database.read() as connection:
                if connection.execute(select(key).where(table.c.row_sum.is_(None))).first() is None:
                    continue
            with self._database.write() as connection:
                for row in connection.execute(missing.where(table.c.row_sum.is_(None))).all():
                    values = row._asdict()
                    change = update(table).where(key == values[key.name])
                    connection.execute(change.values(row_sum=_sum(table, values)))
                    n_added += 1
        return n_added


def _write(path: Path, content: str) -> None:
    try:
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror or error}.") from error


def _select_as_stored(table: Table) -> Select[Any]:
    """Select rows as they are stored: JSON that cannot be read must not stop the others."""
    columns = [_key(table), table.c.row_sum, *(table.c[name] for name in _SUMMED[table])]
    return select(
        *(
            type_coerce(column, Text).label(column.name)
            if isinstance(column.type, JSON)
            else column
            for column in columns
        )
    )


def _is_as_written(table: Table, row: Mapping[str, Any]) -> bool:
    values = dict(row)
    try:
        for name in _SUMMED[table]:
            if isinstance(table.c[name].type, JSON) and isinstance(values[name], str):
                values[name] = json.loads(values[name])
        return bool(values["row_sum"] == _sum(table, values))
    except (ValueError, TypeError, RecursionError):
        return False


def _key(table: Table) -> Column[Any]:
    (key,) = table.primary_key.columns
    return key


def _sum(table: Table, row: Mapping[str, Any]) -> str:
    values = {}
    for name in _SUMMED[table]:
        value = row[name]
        is_float = isinstance(table.c[name].type, Float) and value is not None
        values[name] = float(value) if is_float else value
    plain = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
