"""The row as it was: found again by its sum, where one of its values changed.

Whether a value is the old one is known for certain, as the sum of the row must come out. So it is
enough to try those that it may have been: one bit less or more, as a disk changes them; what other
rows have; and what the files say.
"""

import json
import struct
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Connection, Float, Integer, Table, select, update

from pul.data.moved_images import hash_content
from pul.store.images import ImageSection
from pul.store.row_sums import ChangedRow, select_as_stored
from pul.store.schema import images, metadata
from pul.store.sums import SUMMED, is_as_written, key_of

_LONGEST_TEXT = 20_000  # characters; each is tried eight times


class RecoverySection(ImageSection):
    """The part of a workspace that puts rows back to what they were."""

    def recover_rows(self, changed: Iterable[ChangedRow]) -> list[ChangedRow]:
        """Put back those rows of which one value changed; return those that are not known.

        Raises:
            StoreError: The database refuses.
        """
        return [row for row in changed if not self._recover(row)]

    def _recover(self, changed: ChangedRow) -> bool:
        table = metadata.tables[changed.table]
        key = key_of(table)
        with self._database.write() as connection:
            query = select_as_stored(table).where(key == changed.number)
            row = connection.execute(query).one()._asdict()
            for name, value in self._candidates(connection, table, row):
                if is_as_written(table, row | {name: value}):
                    stored = _to_store(table, name, value)
                    connection.execute(
                        update(table).where(key == changed.number).values({name: stored})
                    )
                    return True
        return False

    def _candidates(
        self, connection: Connection, table: Table, row: Mapping[str, Any]
    ) -> Iterator[tuple[str, Any]]:
        """Yield a column and what it may have held, JSON as text; the cheapest first."""
        if table is images:
            yield from self._said_by_file(connection, row[key_of(table).name])
        names = [name for name in SUMMED[table] if name != key_of(table).name]
        for name in names:
            yield name, None
            if not isinstance(table.c[name].type, JSON):
                known = connection.execute(select(table.c[name]).distinct()).scalars()
                yield from ((name, value) for value in known)
        for name in names:
            yield from ((name, value) for value in _one_bit_off(table, name, row[name]))

    def _said_by_file(self, connection: Connection, image_id: int) -> Iterator[tuple[str, Any]]:
        table = self._read_images(connection, images.c.image_id == image_id)
        try:
            content = Path(table.paths[0]).read_bytes()
        except (OSError, IndexError):
            return
        yield "content_hash", hash_content(content)
        yield "n_bytes", len(content)


def _to_store(table: Table, name: str, value: Any) -> Any:
    """Return a value as the table takes it: JSON that was read as text is read for what it is."""
    return json.loads(value) if isinstance(table.c[name].type, JSON) and value else value


def _one_bit_off(table: Table, name: str, value: Any) -> Iterator[Any]:
    kind = table.c[name].type
    if isinstance(value, str) and len(value) <= _LONGEST_TEXT:
        yield from _texts(value)
    elif isinstance(value, int) and isinstance(kind, Integer):
        yield from (value ^ (1 << bit) for bit in range(63))
    elif isinstance(value, float) and isinstance(kind, Float):
        (bits,) = struct.unpack("<Q", struct.pack("<d", value))
        for bit in range(64):
            yield struct.unpack("<d", struct.pack("<Q", bits ^ (1 << bit)))[0]


def _texts(text: str) -> Iterator[str]:
    content = bytearray(text, "utf-8", "surrogatepass")
    for place in range(len(content)):
        for bit in range(8):
            content[place] ^= 1 << bit
            with suppress(UnicodeDecodeError):
                yield content.decode()
            content[place] ^= 1 << bit
