"""Who is who in a workspace at this moment, with the images that show it."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pul.data.file_names import to_text
from pul.data.readers.matching import shared_folder
from pul.data.samples import parse_name
from pul.errors import DataError
from pul.labelling.annotations import JUNK, UNANSWERED, UNSURE, Annotations, Role, fold
from pul.records import ImageTable
from pul.store.annotations import AnnotationEvent
from pul.store.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Shot:
    """One image.

    Attributes:
        path: Absolute path of the file.
        pid: Ground truth; -1 is junk, 0 a distractor, -2 not known.
        camid: Camera; None where it is not known.
        frame: Frame number; None where it is not known.
        sequence: Recording of the camera, as its name says; None where it does not.
    """

    path: Path
    pid: int
    camid: int | None
    frame: int | None
    sequence: int | None


@dataclass(frozen=True, slots=True)
class Person:
    """An identity.

    Attributes:
        number: 1, 2, ... without gaps.
        name: What people call it; where two are called the same, the later has " (2)".
        role: `training` or `validation`.
        shots: Its images, by their number in the store.
    """

    number: int
    name: str
    role: Role
    shots: tuple[Shot, ...]


@dataclass(frozen=True, slots=True)
class Contribution:
    """How much one author did, and when: UTC, ISO 8601."""

    author: str
    n_events: int
    first_at: str
    last_at: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The identities of a workspace and where they come from.

    Attributes:
        workspace: Its name.
        people: The identities, in the order they were made.
        junk: Images that people marked as bad detections.
        unsure: Images that people set aside.
        background: Images nobody judged whose ground truth is junk (-1) or distractor (0).
        contributions: What each author did, by name.
        n_events: Events so far.
        events_hash: Names the log: who did what, in which order.
        content_hash: Names what it comes to; a run records the same.
        locations: Paths of all images of the workspace.
        root: The folder that all these images are in.
        folder: Folder of the workspace.
        guessed: Images of `people` that nobody judged: their cluster says who they show.
    """

    workspace: str
    people: tuple[Person, ...]
    junk: tuple[Shot, ...]
    unsure: tuple[Shot, ...]
    background: tuple[Shot, ...]
    contributions: tuple[Contribution, ...]
    n_events: int
    events_hash: str
    content_hash: str
    locations: tuple[str, ...]
    root: Path
    folder: Path
    guessed: frozenset[Path] = frozenset()

    def name_of(self, shot: Shot) -> str:
        """Return the name of an image within the folder that all are in, with `/`."""
        return to_text(shot.path.relative_to(self.root).as_posix())


def take_snapshot(
    workspace: Workspace, *, clusters: tuple[int, int | None] | None = None
) -> Snapshot:
    """Return the identities of a workspace as they are now.

    Args:
        workspace: Where they are.
        clusters: Run and iteration (None: its last) whose clusters say who images show that nobody
            judged: the identity of most labelled images of the cluster, else a person of its own.

    Raises:
        DataError: Nobody has labelled anything yet, and no clusters are given.
        StoreError: The workspace cannot be read, or there is no such iteration.
    """
    events = workspace.annotation_events()
    state, images = fold(events), workspace.images()
    shots = dict(zip(images.image_ids.tolist(), _shots(images), strict=True))
    people = _people(state, shots)
    labelled = {shot.path for person in people for shot in person.shots}
    if clusters is not None:
        people = _add_clusters(workspace, clusters, people, state, shots)
    elif not any(image in shots for image in state.owners):
        raise DataError(
            f"Nothing is labelled in {workspace.name} yet. Label people on the page Label, or "
            "import labels with `python -m pul import-annotations`; or export by the clusters of a "
            "run, with --clusters."
        )

    def owned_by(owner: int) -> tuple[Shot, ...]:
        return tuple(shots[x] for x in sorted(shots) if state.owners.get(x, UNANSWERED) == owner)

    return Snapshot(
        workspace=workspace.name,
        people=people,
        junk=owned_by(JUNK),
        unsure=owned_by(UNSURE),
        background=tuple(shot for shot in owned_by(UNANSWERED) if shot.pid in (-1, 0)),
        contributions=_contributions(events),
        n_events=len(events),
        events_hash=_hash(events),
        content_hash=state.content_hash(),
        locations=images.paths,
        root=Path(shared_folder(images.paths)),
        folder=workspace.path,
        guessed=frozenset(
            shot.path for person in people for shot in person.shots if shot.path not in labelled
        ),
    )


def name_apart(names: Iterable[str], *, taken: Iterable[str] = ()) -> list[str]:
    """Give names that are there already a number, so that no two are alike in any case."""
    used, apart = {name.casefold() for name in taken}, []
    for name in names:
        candidate, number = name, 1
        while candidate.casefold() in used:
            number += 1
            candidate = f"{name} ({number})"
        used.add(candidate.casefold())
        apart.append(candidate)
    return apart


def _shots(images: ImageTable) -> list[Shot]:
    columns = (images.paths, images.pids.tolist(), images.camids.tolist(), images.frames.tolist())
    return [_shot(Path(path), *rest) for path, *rest in zip(*columns, strict=True)]


def _shot(path: Path, pid: int, camid: int, frame: int) -> Shot:
    name = parse_name(path.name)
    return Shot(
        path,
        pid,
        camid=None if camid < 0 else camid,
        frame=None if frame < 0 else frame,
        sequence=name.sequence if name else None,
    )


def _people(state: Annotations, shots: dict[int, Shot]) -> tuple[Person, ...]:
    found = [(known, [shots[x] for x in known.images if x in shots]) for known in state.identities]
    found = [(known, mine) for known, mine in found if mine]
    names = name_apart(_printable(known.name) for known, _ in found)
    return tuple(
        Person(number, name, known.role, tuple(mine))
        for number, (name, (known, mine)) in enumerate(zip(names, found, strict=True), start=1)
    )


def _add_clusters(
    workspace: Workspace,
    clusters: tuple[int, int | None],
    people: tuple[Person, ...],
    state: Annotations,
    shots: dict[int, Shot],
) -> tuple[Person, ...]:
    """Give images that nobody judged to the identity of their cluster, or to a new person."""
    run_id, iteration = clusters
    if iteration is None:
        finished = workspace.iterations(run_id)
        if not finished:
            raise DataError(f"Run {run_id} has no finished iteration yet, and no clusters.")
        iteration = finished[-1].iteration
    numbers = workspace.arrays(run_id, iteration, "clusters")["clusters"].tolist()
    images = workspace.run_images(run_id, "train").image_ids.tolist()
    members: dict[int, list[int]] = defaultdict(list)
    for image, number in zip(images, numbers, strict=True):
        if number >= 0:
            members[number].append(image)
    named = [known.identity for known in state.identities if any(x in shots for x in known.images)]
    person_of = dict(zip(named, people, strict=True))
    added: dict[int, list[int]] = defaultdict(list)
    fresh: list[Person] = []
    for number, mine in sorted(members.items()):
        owners = Counter(state.owners.get(image, UNANSWERED) for image in mine)
        left = [image for image in mine if state.owners.get(image, UNANSWERED) == UNANSWERED]
        known = [(n, -owner) for owner, n in owners.items() if owner in person_of]
        if known:
            added[-max(known)[1]] += left
        elif left:
            number_of = len(people) + len(fresh) + 1
            fresh.append(
                Person(number_of, f"cluster {number}", "training", tuple(shots[x] for x in left))
            )
    grown = (
        replace(person, shots=person.shots + tuple(shots[x] for x in sorted(added[owner])))
        for owner, person in person_of.items()
    )
    return (*grown, *fresh)


def _printable(name: str) -> str:
    return name.encode(errors="replace").decode()


def _contributions(events: Sequence[AnnotationEvent]) -> tuple[Contribution, ...]:
    times: dict[str, list[str]] = {}
    for event in events:
        times.setdefault(event.author, []).append(event.created_at)
    return tuple(
        Contribution(author, len(at), min(at), max(at)) for author, at in sorted(times.items())
    )


def _hash(events: Sequence[AnnotationEvent]) -> str:
    plain = [(event.event_id, event.author, event.kind, event.payload) for event in events]
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]
