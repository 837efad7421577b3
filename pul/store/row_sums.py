"""What a row was when it was written: bytes that a disk changes in a database are noticed.

A database checks its own structure, not what stands in a row. Each row of which a figure depends
has a sum of its columns; columns that change later, such as a status, are not part of it.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Select,
    Table,
    Text,
    cast,
    func,
    select,
    text,
    update,
)

from pul.errors import StoreError
from pul.store.named_values import GAPS, read_value, write_value
from pul.store.schema import annotation_events, images, iterations
from pul.store.section import Section
from pul.store.sqlite_log import NAMES_OF_LOG
from pul.store.sums import ALL_SUMMED, SUMMED, is_as_written, key_of, sum_of, with_sum


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """A row that is not as it was written.

    Attributes:
        table: Its table.
        number: Its number there; of a setting its name.
    """

    table: str
    number: int | str


class RowSumSection(Section):
    """The part of a workspace that checks whether rows are as they were written."""

    def changed_rows(self) -> Iterator[ChangedRow]:
        """Yield the rows that are not as they were written.

        A row without a sum is passed over as long as there are rows of before there were sums.

        Raises:
            StoreError: The database refuses.
        """
        for table in SUMMED:
            key = key_of(table).name
            with self._database.read() as connection:
                are_all_summed = read_value(connection, ALL_SUMMED, False)
                for row in connection.execute(select_as_stored(table)):
                    values = row._asdict()
                    if values[key] in NAMES_OF_LOG:
                        continue
                    is_summed = are_all_summed or values["row_sum"] is not None
                    if is_summed and not is_as_written(table, values):
                        yield ChangedRow(table.name, values[key])

    def are_all_summed(self) -> bool:
        """Whether each row and file has a sum, so that one without was changed.

        Raises:
            StoreError: The database refuses.
        """
        with self._database.read() as connection:
            return bool(read_value(connection, ALL_SUMMED, False))

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
            query = select_as_stored(table).where(table.c.event_id == event_id)
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

        From then on, a row without one is damaged, unless iterations wait for theirs.

        Raises:
            StoreError: The database refuses.
        """
        n_added = 0
        if self.are_all_summed():
            return 0
        for table, names in SUMMED.items():
            key = key_of(table)
            missing = select(key, *(table.c[name] for name in names))
            with self._database.read() as connection:
                if connection.execute(select(key).where(table.c.row_sum.is_(None))).first() is None:
                    continue
            with self._database.write() as connection:
                for row in connection.execute(missing.where(table.c.row_sum.is_(None))).all():
                    values = row._asdict()
                    if values[key.name] in NAMES_OF_LOG:
                        continue
                    change = update(table).where(key == values[key.name])
                    connection.execute(change.values(row_sum=sum_of(table, values)))
                    n_added += 1
        without = select(iterations.c.run_id).where(iterations.c.files.is_(None))
        with self._database.write() as connection:
            if connection.execute(without).first() is None:
                write_value(connection, ALL_SUMMED, True)
        return n_added


def _write(path: Path, content: str) -> None:
    try:
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror or error}.") from error


def select_as_stored(table: Table) -> Select[Any]:
    """Return what selects rows as they are stored: JSON that is none must not stop the others."""
    columns = [key_of(table), table.c.row_sum, *(table.c[name] for name in SUMMED[table])]
    return select(
        *(
            cast(column, Text).label(column.name) if isinstance(column.type, JSON) else column
            for column in columns
        )
    )
