"""Who is who, as far as people said, and all that can be asked of it."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np

from pul.arrays import IntArray
from pul.errors import DataError
from pul.labelling.annotations.acts import Role, Side

UNANSWERED = 0  # owner of an image that nobody said anything about; identities are 1, 2, ...
Said = Literal["same", "different", "undecided"]  # of two sides
JUNK = -1
UNSURE = -2


class Event(Protocol):
    """One stored act, as `Workspace.annotation_events` returns it."""

    @property
    def event_id(self) -> int:
        """Its number; numbers grow in the order in which acts were stored."""

    @property
    def created_at(self) -> str:
        """When: UTC, ISO 8601."""

    @property
    def author(self) -> str:
        """Who."""

    @property
    def kind(self) -> str:
        """What."""

    @property
    def payload(self) -> dict[str, Any]:
        """Over which images, and all else."""


class Opinion(NamedTuple):
    """What one person said last about whom an image shows."""

    event_id: int
    author: str
    identity: int  # or JUNK, or UNSURE


class Refusal(NamedTuple):
    """Images that one person said do not show an identity."""

    event_id: int
    author: str
    identity: int
    images: tuple[int, ...]


class SecondOpinion(NamedTuple):
    """What one person said of another's card without seeing the answer."""

    event_id: int
    author: str
    identity: int
    images: tuple[int, ...]
    refused: tuple[int, ...]


class Pair(NamedTuple):
    """Two sides that somebody compared."""

    event_id: int
    left: Side
    right: Side


@dataclass(frozen=True, slots=True)
class Identity:
    """A person as named by people.

    Attributes:
        identity: Its number, that of the event that made it; never used again.
        name: ID_001, ID_002, ... in the order they were made, or what people call it.
        colour: From 0, in the order they were made.
        role: `training`, or `validation` where it is held out.
        images: Numbers of its images, ascending.
    """

    identity: int
    name: str
    colour: int
    role: Role
    images: tuple[int, ...]


Opinions = tuple[Opinion, ...]


@dataclass(repr=False)
class Annotations:
    """Who is who, as far as people said. Made by `fold`; never changed afterwards.

    An identity is there as long as an image is in it, so that taking back the act that made it
    loses nobody else's. Everyone has one opinion of an image: their last. Where opinions differ,
    the last one counts and the others are kept: `find_contradictions` lists them until somebody
    removes the image from one of the identities.

    Attributes:
        events: All events so far, by number.
        undone: Numbers of the events that are taken back.
        opinions: What each author said last about each image.
        refusals: Images that do not show an identity; `refused_images` are those that still count.
        shown: Images that were shown for an identity and not taken, which says little.
        merged: Identity → the one it was merged into.
        names, roles: What was set for an identity.
        numbers: Identity → 1, 2, ... in the order they were made.
        links: Groups of images that show one person (must-links), by event.
        cannot_links: Pairs that are different people.
        undecided: Pairs that nobody could tell.
        seconds: Second opinions, by event; they change no identity.
        settled: Numbers of those between which and the first somebody has decided.
        confirmed: Image → the identity that it was said to show again, when it was in it already.
    """

    events: tuple[Event, ...] = ()
    undone: frozenset[int] = frozenset()
    opinions: dict[int, Opinions] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    shown: list[Refusal] = field(default_factory=list)
    merged: dict[int, int] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    roles: dict[int, Role] = field(default_factory=dict)
    numbers: dict[int, int] = field(default_factory=dict)
    links: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    cannot_links: list[Pair] = field(default_factory=list)
    undecided: list[Pair] = field(default_factory=list)
    confirmed: dict[int, int] = field(default_factory=dict)
    seconds: dict[int, SecondOpinion] = field(default_factory=dict)
    settled: set[int] = field(default_factory=set)

    def find(self, identity: int) -> int:
        """Return the identity that an identity is part of by now: itself unless it was merged."""
        while identity in self.merged:
            identity = self.merged[identity]
        return identity

    @cached_property
    def owners(self) -> dict[int, int]:
        """Image → identity, JUNK or UNSURE; images that nobody judged are not in it.

        The last opinion counts, and being unsure gives way to any other. Of images that are said
        to be one person (must-links), those not judged join the identity of the others.
        """
        find = self.find
        owners = {}
        for image, opinions in self.opinions.items():
            identity = opinions[0].identity if len(opinions) == 1 else last(opinions)
            owners[image] = find(identity) if identity > 0 else identity
        for group in self.groups:
            known = {owners[image] for image in group if owners.get(image, 0) > 0}
            if len(known) == 1:
                identity = known.pop()
                free = (x for x in group if owners.get(x, UNANSWERED) in (UNANSWERED, UNSURE))
                owners.update(dict.fromkeys(free, identity))
        return owners

    @cached_property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """Closure of the must-links: groups of images that show one person, each ascending."""
        roots: dict[int, int] = {}

        def root(image: int) -> int:
            while (parent := roots.setdefault(image, image)) != image:
                image = parent
            return image

        for _, images in self.links:
            first = root(images[0])
            for image in images[1:]:
                roots[root(image)] = first
        members: dict[int, list[int]] = {}
        for image in sorted(roots):
            members.setdefault(root(image), []).append(image)
        return tuple(sorted(tuple(group) for group in members.values()))

    @cached_property
    def identities(self) -> tuple[Identity, ...]:
        """All identities that have an image, in the order they were made."""
        members: dict[int, list[int]] = {}
        for image, owner in self.owners.items():
            if owner > 0:
                members.setdefault(owner, []).append(image)
        ordered = sorted(members, key=lambda identity: self.numbers.get(identity, identity))
        return tuple(self._identity(identity, sorted(members[identity])) for identity in ordered)

    def identity(self, identity: int) -> Identity:
        """Return one identity by its number, or the one it was merged into.

        Raises:
            DataError: It has no image (any more).
        """
        known = self._by_number.get(self.find(identity))
        if known is None:
            raise DataError(f"There is no identity {identity}; it was taken back or has no image.")
        return known

    def name(self, identity: int) -> str:
        """Return what an identity is called."""
        return self.names.get(identity) or f"ID_{self.numbers.get(identity, identity):03d}"

    def owner_of(self, images: Iterable[int]) -> IntArray:
        """Return identity, JUNK, UNSURE or UNANSWERED of each image, shape (N,)."""
        judged, owners = self.judged
        asked = np.asarray(images if isinstance(images, np.ndarray) else list(images), np.int64)
        if not len(judged):
            return np.full(len(asked), UNANSWERED, dtype=np.int64)
        places = np.minimum(np.searchsorted(judged, asked), len(judged) - 1)
        found: IntArray = np.where(judged[places] == asked, owners[places], UNANSWERED)
        return found

    @cached_property
    def judged(self) -> tuple[IntArray, IntArray]:
        """The images that somebody judged, ascending, and the owner of each, shapes (J,)."""
        pairs = np.array(sorted(self.owners.items()), dtype=np.int64).reshape(-1, 2)
        return pairs[:, 0].copy(), pairs[:, 1].copy()

    def refused_by(self, identity: int) -> frozenset[int]:
        """Return the images that cannot show an identity: the closure of its cannot-links.

        Images of other identities are in it only where somebody said that they are two people.
        """
        identity = self.find(identity)
        if identity not in self._refused:
            self._refused[identity] = self._close_refused(identity)
        return self._refused[identity]

    def refused_images(self, refusal: Refusal) -> frozenset[int]:
        """Return the images of a refusal whose author has not added them since."""
        identity = self.find(refusal.identity)
        return frozenset(
            image
            for image in refusal.images
            if not any(
                opinion.author == refusal.author
                and opinion.event_id > refusal.event_id
                and self.find(opinion.identity) == identity
                for opinion in self.opinions.get(image, ())
            )
        )

    def two_people(self) -> tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]:
        """Return the closure of the cannot-links: two sides of images each, ascending.

        Each image of one side shows somebody else than each of the other: an identity and what it
        refuses, and sides without an identity that somebody said are apart. That the images of two
        identities show two people is not listed.
        """
        sides = []
        for known in self.identities:
            refused = (x for x in self.refused_by(known.identity) if self.owners.get(x, 0) <= 0)
            sides.append((known.images, tuple(sorted(refused))))
        for pair in self.cannot_links:
            left, right = (self.side_images(side) for side in (pair.left, pair.right))
            if not (self._people(left) or self._people(right)):  # else an identity refuses them
                sides.append((tuple(sorted(left)), tuple(sorted(right))))
        return tuple((left, right) for left, right in sides if left and right)

    def unnamed_groups(self) -> tuple[tuple[int, ...], ...]:
        """Return the groups of images that show one person of no identity, each ascending."""
        return tuple(group for group in self.groups if not self._people(frozenset(group)))

    def was_asked(self, left: Iterable[int], right: Iterable[int]) -> bool:
        """Whether it is answered already if the images of two sides show one person."""
        return self._compare(frozenset(left), frozenset(right)) is not None

    def said_of(self, left: Iterable[int], right: Iterable[int]) -> Said | None:
        """Return what was said of two sides; None for nothing. Two identities are two people."""
        first, second = frozenset(left), frozenset(right)
        said = self._compare(first, second)
        is_named = self._people(first) and self._people(second)
        return "different" if is_named and said != "same" else said

    def _compare(self, first: frozenset[int], second: frozenset[int]) -> Said | None:
        group_of = self._group_of
        if {group_of.get(x, x) for x in first} & {group_of.get(x, x) for x in second}:
            return "same"
        left_people, right_people = self._people(first), self._people(second)
        if left_people & right_people:
            return "same"
        if any(first & self.refused_by(person) for person in right_people):
            return "different"
        if any(second & self.refused_by(person) for person in left_people):
            return "different"
        if any(self._touches(pair, first, second) for pair in self.cannot_links):
            return "different"
        is_undecided = any(self._touches(pair, first, second) for pair in self.undecided)
        return "undecided" if is_undecided else None

    def was_confirmed(self, identity: int, images: Iterable[int]) -> bool:
        """Whether somebody looked at images of an identity again: kept them, or could not tell."""
        known, asked = self.find(identity), frozenset(images)
        if all(self.find(self.confirmed.get(image, 0)) == known for image in asked):
            return True
        others = self._members.get(known, frozenset()) - asked
        return any(self._touches(pair, others, asked) for pair in self.undecided)

    def training_mapping(self) -> dict[int, int]:
        """Return image → identity of those that train; validation identities are left out."""
        return {
            image: identity.identity
            for identity in self.identities
            if identity.role == "training"
            for image in identity.images
        }

    def validation_mapping(self) -> dict[int, int]:
        """Return image → identity of those held out to measure with."""
        return {
            image: identity.identity
            for identity in self.identities
            if identity.role == "validation"
            for image in identity.images
        }

    def held_out(self) -> frozenset[int]:
        """Return the images that must not train at all: validation identities, and junk."""
        held = (identity.images for identity in self.identities if identity.role == "validation")
        bad = (image for image, owner in self.owners.items() if owner == JUNK)
        return frozenset(chain(bad, *held))

    def content_hash(self) -> str:
        """Return a name of what a run can see of this: identities, their roles, junk; "" if none.

        Two histories that come to the same have the same name.
        """
        people = [(known.identity, known.role, known.images) for known in self.identities]
        bad = sorted(image for image, owner in self.owners.items() if owner == JUNK)
        if not people and not bad:
            return ""
        return hashlib.sha256(repr((sorted(people), bad)).encode()).hexdigest()[:16]

    def undoable(self, author: str) -> int | None:
        """Return the event that the author's next undo takes back; None if there is none."""
        done, _ = self._stacks(author)
        return done[-1] if done else None

    def redoable(self, author: str) -> int | None:
        """Return the event that the author's next redo brings back; None if there is none."""
        _, taken_back = self._stacks(author)
        return taken_back[-1] if taken_back else None

    def _stacks(self, author: str) -> tuple[list[int], list[int]]:
        done: list[int] = []
        taken_back: list[int] = []
        for event in self.events:
            if event.author != author or event.kind == "lost":
                continue
            if event.kind not in ("undo", "redo"):
                done.append(event.event_id)
                taken_back.clear()
                continue
            source, target = (done, taken_back) if event.kind == "undo" else (taken_back, done)
            if event.payload["event"] in source:
                source.remove(event.payload["event"])
                target.append(event.payload["event"])
        undone = self.undone  # by others too
        return [x for x in done if x not in undone], [x for x in taken_back if x in undone]

    def _identity(self, identity: int, images: list[int]) -> Identity:
        number = self.numbers.get(identity, identity)
        role = self.roles.get(identity, "training")
        return Identity(identity, self.name(identity), number - 1, role, tuple(images))

    @cached_property
    def _by_number(self) -> dict[int, Identity]:
        return {known.identity: known for known in self.identities}

    @cached_property
    def _group_of(self) -> dict[int, int]:
        return {image: group[0] for group in self.groups for image in group}

    @cached_property
    def _members(self) -> dict[int, frozenset[int]]:
        return {known.identity: frozenset(known.images) for known in self.identities}

    def side_images(self, side: Side) -> frozenset[int]:
        """Return the images of a side: its own, or those of its identity by now."""
        if side.identity is None:
            return frozenset(side.images)
        return self._members.get(self.find(side.identity), frozenset())

    @cached_property
    def _refused(self) -> dict[int, frozenset[int]]:
        return {}  # filled by `refused_by`

    def _close_refused(self, identity: int) -> frozenset[int]:
        owners = self.owners
        refused = set().union(
            *(self.refused_images(r) for r in self.refusals if self.find(r.identity) == identity)
        )
        for pair in self.cannot_links:
            left, right = self.side_images(pair.left), self.side_images(pair.right)
            if any(owners.get(image) == identity for image in left):
                refused |= right
            if any(owners.get(image) == identity for image in right):
                refused |= left
        for group in self.groups:
            if not refused.isdisjoint(group):
                refused.update(group)
        return frozenset(image for image in refused if owners.get(image) != identity)

    def _people(self, images: frozenset[int]) -> set[int]:
        return {person for image in images if (person := self.owners.get(image, 0)) > 0}

    def _touches(self, pair: Pair, first: frozenset[int], second: frozenset[int]) -> bool:
        left, right = self.side_images(pair.left), self.side_images(pair.right)
        return bool((left & first and right & second) or (left & second and right & first))


def to_rows(mapping: Mapping[int, int], image_ids: IntArray) -> dict[int, int]:
    """Return row → identity for the images of a run, given image → identity.

    Args:
        mapping: Image number → identity.
        image_ids: Number of each image of the run, shape (N,), ascending.
    """
    if not len(image_ids):
        return {}
    images = np.fromiter(mapping, dtype=np.int64, count=len(mapping))
    rows = np.minimum(np.searchsorted(image_ids, images), len(image_ids) - 1)
    is_known = image_ids[rows] == images
    found = zip(rows.tolist(), mapping.values(), is_known.tolist(), strict=True)
    return {row: identity for row, identity, is_here in found if is_here}


def last(opinions: Opinions) -> int:
    """Return the identity, JUNK or UNSURE of the last opinion; being unsure gives way."""
    certain = [opinion for opinion in opinions if opinion.identity != UNSURE]
    return max(certain or opinions).identity
