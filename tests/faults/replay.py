"""What acts come to, worked out another way than the product does: from the first act on, naively.

It shares nothing with `pul.labelling.annotations`: opinions are rows of one list, and nothing is
gone on with.
"""

from collections.abc import Iterable
from typing import Any

UNSURE, JUNK = "unsure", "junk"
Owner = int | str


class Replay:
    """Identities after all events, each as (event_id, author, kind, payload) in order."""

    def __init__(self, events: Iterable[tuple[int, str, str, dict[str, Any]]]) -> None:
        self.problems: list[str] = []
        everything = list(events)
        undone = self._take_back(everything)
        self._alias: dict[int, int] = {}
        self._said: list[tuple[int, str, int, Owner]] = []  # event, author, image, owner
        self._names: dict[int, str] = {}
        self._same: list[list[int]] = []
        numbers: dict[int, int] = {}
        for number, author, kind, payload in everything:
            if kind in ("create", "split"):
                numbers[number] = len(numbers) + 1
            if number not in undone:
                self._do(number, author, kind, payload)
        owners = self._owners()
        people: dict[int, set[int]] = {}
        for image, owner in owners.items():
            if isinstance(owner, int):
                people.setdefault(owner, set()).add(image)
        self.identities = {
            self._names.get(who) or f"ID_{numbers[who]:03d}": frozenset(images)
            for who, images in people.items()
        }
        self.junk = frozenset(image for image, owner in owners.items() if owner == JUNK)

    def _take_back(self, events: list[tuple[int, str, str, dict[str, Any]]]) -> set[int]:
        """Return the events that are undone; note each that took back what was not its author's."""
        undone: set[int] = set()
        done: dict[str, list[int]] = {}
        back: dict[str, list[int]] = {}
        for number, author, kind, payload in events:
            mine, mine_back = done.setdefault(author, []), back.setdefault(author, [])
            if kind not in ("undo", "redo"):
                mine.append(number)
                mine_back.clear()
                continue
            source, target = (mine, mine_back) if kind == "undo" else (mine_back, mine)
            if not source or source[-1] != payload["event"]:
                self.problems.append(f"{kind} {number} by {author} took {payload['event']}")
            else:
                target.append(source.pop())
            (undone.add if kind == "undo" else undone.discard)(payload["event"])
        return undone

    def _find(self, identity: int) -> int:
        return self._find(self._alias[identity]) if identity in self._alias else identity

    def _say(self, number: int, author: str, images: Iterable[int], owner: Owner) -> None:
        chosen = set(images)
        self._said = [row for row in self._said if row[1] != author or row[2] not in chosen]
        self._said += [(number, author, image, owner) for image in sorted(chosen)]

    def _is_of(self, owner: Owner, identity: int) -> bool:
        return isinstance(owner, int) and self._find(owner) == self._find(identity)

    def _do(self, number: int, author: str, kind: str, payload: dict[str, Any]) -> None:
        images = payload.get("images", [])
        if kind == "create":
            self._say(number, author, images, number)
            if payload["name"]:
                self._names[number] = payload["name"]
        elif kind == "add":
            self._say(number, author, images, self._find(payload["identity"]))
        elif kind in (UNSURE, JUNK):
            self._say(number, author, images, kind)
        elif kind == "remove":
            self._said = [
                row
                for row in self._said
                if row[2] not in images or not self._is_of(row[3], payload["identity"])
            ]
        elif kind == "split":
            self._split(number, author, images, payload["identity"])
        elif kind == "merge":
            first, *others = payload["identities"]
            for other in others:
                if self._find(other) != self._find(first):
                    self._alias[self._find(other)] = self._find(first)
        elif kind == "same":
            self._same.append(images)
        elif kind == "rename":
            self._names[self._find(payload["identity"])] = payload["name"]

    def _split(self, number: int, author: str, images: list[int], identity: int) -> None:
        judged = {row[2] for row in self._said}
        self._said = [
            (number, row[1], row[2], number)
            if row[2] in images and self._is_of(row[3], identity)
            else row
            for row in self._said
        ]
        self._said += [(number, author, image, number) for image in images if image not in judged]

    def _owners(self) -> dict[int, Owner]:
        owners: dict[int, Owner] = {}
        for _, _, image, owner in sorted(self._said, key=lambda row: (row[3] != UNSURE, row[0])):
            owners[image] = self._find(owner) if isinstance(owner, int) else owner
        for group in self._groups():
            known = {owners[image] for image in group if isinstance(owners.get(image), int)}
            if len(known) == 1:
                for image in group:
                    if owners.get(image, UNSURE) == UNSURE:
                        owners[image] = next(iter(known))
        return owners

    def _groups(self) -> list[set[int]]:
        groups: list[set[int]] = []
        for images in self._same:
            joined = set(images).union(*(group for group in groups if group & set(images)))
            groups = [group for group in groups if not group & joined] + [joined]
        return groups
