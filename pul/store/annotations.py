"""The append-only log of what people said about the images."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select

from pul.store.images import MERGED_IMAGES
from pul.store.named_values import read_value
from pul.store.schema import annotation_events, images
from pul.store.section import Section
from pul.store.sums import with_sum

_LISTS = ("images", "refused", "shown")  # of images, in payloads


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


@dataclass(frozen=True, slots=True)
class NewEvent:
    """One act to store.

    Attributes:
        kind: What was done.
        payload: Values that JSON knows.
        token: Names the act, so that sending it again stores it once; "" for none.
    """

    kind: str
    payload: dict[str, Any]
    token: str = ""


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
        with self._database.write() as connection:
            return self._append(connection, NewEvent(kind, payload, token), author)

    def append_annotation_events(
        self,
        decide: Callable[[list[AnnotationEvent]], Iterable[NewEvent]],
        author: str,
        *,
        after: int = 0,
    ) -> list[int]:
        """Store acts that depend on those before them: all or none, and nobody's in between.

        Args:
            decide: Given the events after a number, in order, it returns what to store. Nobody
                else can store anything before it returns, so that it should only compute.
            author: Who did it.
            after: The number.

        Returns:
            The numbers of the events.

        Raises:
            StoreError: The database refuses.
        """
        with self._database.write() as connection:
            return [
                self._append(connection, event, author)
                for event in decide(self._read_events(connection, after))
            ]

    def _append(self, connection: Connection, event: NewEvent, author: str) -> int:
        known = select(annotation_events.c.event_id).where(annotation_events.c.token == event.token)
        if event.token and (event_id := connection.execute(known).scalar()) is not None:
            return int(event_id)
        values = {
            "created_at": self._database.now(connection),
            "author": author,
            "kind": event.kind,
            "payload": _of_merged(connection, event.payload),
            "token": event.token or None,
        }
        row = insert(annotation_events).values(with_sum(annotation_events, values))
        stored = row.returning(annotation_events.c.event_id)
        return int(connection.execute(stored).scalar_one())

    def annotation_events(self, after: int = 0) -> list[AnnotationEvent]:
        """Return the events after a number, in order."""
        with self._database.read() as connection:
            return self._read_events(connection, after)

    def _read_events(self, connection: Connection, after: int) -> list[AnnotationEvent]:
        query = (
            select(annotation_events)
            .where(annotation_events.c.event_id > after)
            .order_by(annotation_events.c.event_id)
        )
        return [
            AnnotationEvent(row.event_id, row.created_at, row.author, row.kind, row.payload)
            for row in connection.execute(query)
        ]


def renumber_images(payload: Mapping[str, Any], numbers: Mapping[int, int]) -> dict[str, Any]:
    """Return the payload of an act with other numbers for some images, each image once."""
    changed = dict(payload)
    for name in _LISTS:
        named = payload.get(name, ())
        if any(image in numbers for image in named):
            changed[name] = sorted({numbers.get(image, image) for image in named})
    for name in ("left", "right"):
        if name in payload:
            changed[name] = renumber_images(payload[name], numbers)
    return changed


def named_images(payload: Mapping[str, Any]) -> set[int]:
    """Return the numbers of all images that the payload of an act names."""
    sides = (payload[name] for name in ("left", "right") if name in payload)
    named = {image for name in _LISTS for image in payload.get(name, ())}
    return named.union(*map(named_images, sides))


def _of_merged(connection: Connection, payload: dict[str, Any]) -> dict[str, Any]:
    """Let an act name the images that stay: a screen may know one yet that was merged since."""
    merged = read_value(connection, MERGED_IMAGES, {})
    numbers = {n: merged[str(n)] for n in named_images(payload) if str(n) in merged}
    if not numbers:
        return payload
    # A workspace that was copied may have given a number again.
    given = select(images.c.image_id).where(images.c.image_id.in_(numbers))
    for number in connection.execute(given).scalars():
        del numbers[number]
    return renumber_images(payload, numbers)
