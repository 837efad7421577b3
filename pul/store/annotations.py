"""The append-only log of what people said about the images."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select

from pul.store.row_sums import with_sum
from pul.store.schema import annotation_events
from pul.store.section import Section


@dataclass(frozen=True, slots=True)
class AnnotationEvent:
    """One act of one person.

    Attributes:
        event_id: Its number; numbers grow in the order in which acts were stored.
        created_at: UTC, ISO 8601.
        author: Who.
        kind: What.
        payload: Over which images, and all else; plain values.
    """

    event_id: int
    created_at: str
    author: str
    kind: str
    payload: dict[str, Any]


class AnnotationSection(Section):
    """The part of a workspace that remembers every act of annotation."""

    def append_annotation_event(
        self, kind: str, payload: dict[str, Any], author: str, *, token: str = ""
    ) -> int:
        """Store one act; when this returns, it is on the disk.

        Args:
            kind: What was done.
            payload: Values that JSON knows.
            author: Who did it.
            token: Names the act, so that sending it again stores it once; "" for none.

        Returns:
            The number of the event.

        Raises:
            StoreError: The database refuses.
        """
        known = select(annotation_events.c.event_id).where(annotation_events.c.token == token)
        with self._database.write() as connection:
            if token and (event_id := connection.execute(known).scalar()) is not None:
                return int(event_id)
            values = {
                "created_at": self._database.now(connection),
                "author": author,
                "kind": kind,
                "payload": payload,
                "token": token or None,
            }
            row = insert(annotation_events).values(with_sum(annotation_events, values))
            stored = row.returning(annotation_events.c.event_id)
            return int(connection.execute(stored).scalar_one())

    def annotation_events(self, after: int = 0) -> list[AnnotationEvent]:
        """Return the events after a number, in order."""
        query = (
            select(annotation_events)
            .where(annotation_events.c.event_id > after)
            .order_by(annotation_events.c.event_id)
        )
        with self._database.read() as connection:
            return [
                AnnotationEvent(row.event_id, row.created_at, row.author, row.kind, row.payload)
                for row in connection.execute(query)
            ]
