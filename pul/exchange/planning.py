"""What labels made elsewhere come to in a workspace: acts, and what cannot be done."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from pul.exchange.labels import Label, Labels, Problem
from pul.labelling.annotations import (
    JUNK,
    UNANSWERED,
    UNSURE,
    Act,
    Annotations,
    Role,
    add,
    create,
    junk,
    unsure,
)

_GIVEN_NAME = re.compile(r"ID_\d{3,}")  # what an identity is called that nobody named


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or would do.

    Attributes:
        n_labels: Labels in the file.
        n_created: Identities that are new.
        n_extended: Identities that got more images.
        n_images: Images that got an identity.
        n_known: Labels that said what was known already.
        n_junk: Images that became junk.
        n_unsure: Images that were set aside.
        problems: What was not imported, and why.
        nobody: What names nobody, and how it says so; these are no labels.
        notes: Remarks for people.
        format: What it was read as.
    """

    n_labels: int = 0
    n_created: int = 0
    n_extended: int = 0
    n_images: int = 0
    n_known: int = 0
    n_junk: int = 0
    n_unsure: int = 0
    problems: tuple[Problem, ...] = ()
    nobody: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    format: str = ""


@dataclass
class _Group:
    """What a file says of one identity."""

    name: str
    role: Role
    images: dict[int, str] = field(default_factory=dict)  # image → where it stands


class _Planner:
    """Turns labels into acts; keeps count of what it does and of what it cannot do."""

    def __init__(self, state: Annotations) -> None:
        self.state = state
        self.acts: list[Act] = []
        self.problems: list[Problem] = []
        self.report = ImportReport()
        self._joined: dict[int, str] = {}  # identity → the group that is it
        self._names = {known.name: known.identity for known in state.identities}

    def add_group(self, group: _Group) -> None:
        owners = {image: self.state.owners.get(image, UNANSWERED) for image in group.images}
        people = sorted({owner for owner in owners.values() if owner > 0})
        target = self._choose(group, people)
        if target is None:
            return
        known = [image for image, owner in owners.items() if owner > 0]
        refused = self.state.refused_by(target) if target else frozenset()
        fresh = []
        for image, owner in owners.items():
            if owner == JUNK:
                self._report(group.images[image], "the image is junk in this workspace")
            elif image in refused:
                name = self.state.name(target)
                self._report(group.images[image], f"people said that this is not {name}")
            elif owner in (UNANSWERED, UNSURE):
                fresh.append(image)
        self._count(n_known=len(known), n_images=len(fresh))
        self._act(group, target, fresh)

    def set_aside(self, images: dict[int, str], *, owner: int) -> None:
        """Plan junk (`JUNK`) or unsure (`UNSURE`) images."""
        owners = {image: self.state.owners.get(image, UNANSWERED) for image in images}
        fresh = [x for x, now in owners.items() if now != owner and now in (UNANSWERED, UNSURE)]
        n_known = sum(now == owner for now in owners.values())
        for image, now in owners.items():
            if now > 0:
                self._report(images[image], f"the image is in {self.state.name(now)} here")
            elif now == JUNK != owner:
                self._report(images[image], "the image is junk in this workspace")
        if fresh:
            self.acts.append(junk(fresh) if owner == JUNK else unsure(fresh))
        self._count(
            n_known=n_known,
            n_junk=len(fresh) if owner == JUNK else 0,
            n_unsure=len(fresh) if owner == UNSURE else 0,
        )

    def _choose(self, group: _Group, people: Sequence[int]) -> int | None:
        """Return the identity that a group is, 0 for a new one, None where it cannot be told."""
        if len(people) > 1:
            names = ", ".join(self.state.name(identity) for identity in people)
            self._report(
                _place(group), f"{group.name} is {len(people)} identities here: {names}. Merge them"
            )
            return None
        target = people[0] if people else self._named(group.name)
        if target and self._joined.setdefault(target, group.name) != group.name:
            self._report(
                _place(group),
                f"{group.name} and {self._joined[target]} are one identity here: "
                f"{self.state.name(target)}. Split it",
            )
            return None
        return target

    def _named(self, name: str) -> int:
        """Return the identity of a name; ID_001 and the like mean others in each workspace."""
        return 0 if _GIVEN_NAME.fullmatch(name) else self._names.get(name, 0)

    def _act(self, group: _Group, target: int, fresh: list[int]) -> None:
        if not fresh:
            return
        if target:
            self.acts.append(add(target, fresh))
            self._count(n_extended=1)
        else:
            name = "" if group.name in self._names else group.name
            self.acts.append(create(fresh, name=name, role=group.role))
            self._count(n_created=1)

    def _report(self, place: str, reason: str) -> None:
        self.problems.append(Problem(place, reason))

    def _count(self, **counts: int) -> None:
        before = {name: getattr(self.report, name) for name in counts}
        self.report = replace(self.report, **{n: before[n] + counts[n] for n in counts})


def plan_import(
    labels: Labels, found: Sequence[int | str], state: Annotations
) -> tuple[list[Act], ImportReport]:
    """Return the acts that bring labels into a workspace, and what they come to.

    Args:
        labels: What was read; their roles are settled.
        found: The image that each label means, or why there is none.
        state: What is known in the workspace.
    """
    planner = _Planner(state)
    groups: dict[str, _Group] = {}
    aside: dict[str, dict[int, str]] = {"junk": {}, "unsure": {}}
    said: dict[int, Label] = {}
    planner.problems.extend(labels.problems)
    for label, image in zip(labels.labels, found, strict=True):
        problem = image if isinstance(image, str) else _contradiction(label, said.get(image))
        if problem or isinstance(image, str):
            planner.problems.append(Problem(label.place, problem))
            continue
        said[image] = label
        if label.role == "junk" or label.role == "unsure":
            aside[label.role].setdefault(image, label.place)
        else:
            role = label.role or "training"
            group = groups.setdefault(label.identity, _Group(label.identity, role))
            group.images.setdefault(image, label.place)
    # Those that have images in the workspace come first: a name alone says less.
    for group in sorted(groups.values(), key=lambda group: not _is_known(group.images, state)):
        planner.add_group(group)
    planner.set_aside(aside["junk"], owner=JUNK)
    planner.set_aside(aside["unsure"], owner=UNSURE)
    report = replace(
        planner.report,
        n_labels=len(labels.labels),
        problems=tuple(planner.problems),
        nobody=labels.nobody,
        notes=labels.notes,
        format=labels.format,
    )
    return planner.acts, report


def _contradiction(label: Label, earlier: Label | None) -> str:
    if earlier and (earlier.identity, earlier.role) != (label.identity, label.role):
        return f"the image is {earlier.identity or earlier.role} in {earlier.place}, which counts"
    return ""


def _is_known(images: Iterable[int], state: Annotations) -> bool:
    return any(state.owners.get(image, UNANSWERED) > 0 for image in images)


def _place(group: _Group) -> str:
    return next(iter(group.images.values()))
