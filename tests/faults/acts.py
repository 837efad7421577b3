"""`python -m tests.faults.acts --acts 10000 [--postgres BIN]`: acts of five, with kills.

Three processes store the acts of five authors as the studio does. They are killed, and a
PostgreSQL server is stopped, in the middle of their work; what was not acknowledged is sent again,
as a browser does. Afterwards every acknowledged act is stored once, nothing else is, each undo has
taken back its author's last act, and identities are those of an independent replay.
"""

import argparse
import multiprocessing
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from app.services.acts import store
from app.services.labels import read_annotations
from pul.errors import StoreError
from pul.labelling.annotations import Annotations, fold
from pul.store.annotations import AnnotationEvent
from pul.store.workspace import Workspace
from tests.faults.replay import Replay
from tests.store.postgres import PostgresServer, running_server
from tests.support.fakes import image_dataset
from tests.support.networks import coloured_images

AUTHORS = ("ann", "ben", "cy", "dora", "eve")
N_PROCESSES, N_IMAGES = 3, 60
PER_LOG = 1000  # acts of one workspace: undoing goes through all of them
_FORK = multiprocessing.get_context("fork")
Commit = dict[str, Any]


@dataclass
class Tally:
    """What came of all acts."""

    counts: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


def attack(
    make_location: Callable[[int], str],
    n_acts: int,
    seed: int,
    *,
    server: PostgresServer | None = None,
    per_log: int = PER_LOG,
    kill_every: int = 60,
    stop_every: int = 200,
    show: Callable[[str], object] = lambda _: None,
) -> Tally:
    """Store acts in one workspace after another, killing on the way.

    Args:
        make_location: Given the number of a workspace, returns where to make it.
        n_acts: Acts to be acknowledged, those that are refused included.
        seed: What is drawn.
        server: Stopped and started again on the way.
        per_log: Acts of one workspace.
        kill_every: Acts between two kills of a process.
        stop_every: Acts between two stops of the server.
        show: Told how far it is.
    """
    tally = Tally()
    for number in range(-(-n_acts // per_log)):
        location = make_location(number)
        with Workspace.create(location) as workspace, TemporaryDirectory() as images:
            pixels = coloured_images(N_IMAGES // 6, 6)
            workspace.add_dataset(image_dataset(Path(images), *pixels))
        crowd = Crowd(location, random.Random(seed * 1009 + number), tally)
        crowd.work(min(per_log, n_acts - number * per_log), server, kill_every, stop_every)
        tally.problems += [f"log {number}: {text}" for text in crowd.check()]
        n_done = tally.counts["acknowledged"] + tally.counts["refused"]
        show(f"{n_done} of {n_acts} acts, {len(tally.problems)} problems")
    return tally


@dataclass
class _Studio:
    """A process that stores acts: its line to us, and what it sent and was not told of."""

    line: Connection
    process: ForkProcess
    waiting: dict[str, tuple[str, Commit]]


class Crowd:
    """Processes that label one workspace, and what they sent and were told."""

    def __init__(self, location: str, chosen: random.Random, tally: Tally) -> None:
        self.location, self.chosen, self.tally = location, chosen, tally
        self.sent: dict[str, tuple[str, Commit]] = {}
        self.told: dict[str, bool] = {}  # by token: whether it was refused
        self._studios: list[_Studio] = []

    def work(
        self, n_acts: int, server: PostgresServer | None, kill_every: int, stop_every: int
    ) -> None:
        """Label until so many acts are acknowledged, then let each finish what it has sent."""
        for _ in range(N_PROCESSES):
            self._start({})
        kill_at, stop_at = kill_every, stop_every
        while len(self.told) < n_acts:
            ready = wait([studio.line for studio in self._studios], timeout=60)
            for studio in [each for each in self._studios if each.line in ready]:
                self._hear(studio)
            if len(self.told) >= kill_at:
                kill_at += self.chosen.randrange(1, 2 * kill_every)
                self._replace(self.chosen.choice(self._studios))
            if server is not None and len(self.told) >= stop_at:
                stop_at += stop_every
                self.tally.counts["server stopped"] += 1
                server.restart(self.chosen.choice(["fast", "immediate"]), down_s=0.5)
        for studio in list(self._studios):
            self._replace(studio, ends=True)
        for studio in self._studios:
            while self._hear(studio):
                pass
            studio.process.join()

    def _start(self, waiting: dict[str, tuple[str, Commit]], *, ends: bool = False) -> None:
        reading, writing = _FORK.Pipe(duplex=False)
        seed = self.chosen.randrange(1 << 30)
        given = (writing, self.location, seed, list(waiting.values()), ends)
        process = _FORK.Process(target=_label, args=given)
        process.start()
        writing.close()
        self._studios.append(_Studio(reading, process, dict(waiting)))

    def _replace(self, studio: _Studio, *, ends: bool = False) -> None:
        """Kill a process; another sends again what it had sent and was not told of."""
        studio.process.kill()
        studio.process.join()
        self.tally.counts["process killed"] += 1
        while self._hear(studio):
            pass
        self._studios.remove(studio)
        self._start(studio.waiting, ends=ends)

    def _hear(self, studio: _Studio) -> bool:
        """Take what a process says; return False at its end."""
        try:
            what, token, content = studio.line.recv()
        except (EOFError, OSError):  # it was killed, perhaps in the middle of a word
            return False
        if what == "sent":
            studio.waiting[token] = self.sent[token] = content
        elif what == "told":
            del studio.waiting[token]
            self.told[token] = content
            self.tally.counts["refused" if content else "acknowledged"] += 1
        else:
            self.tally.problems.append(f"an error that nobody foresaw: {content}")
        return True

    def check(self) -> list[str]:
        """Return what is not as it should be."""
        with Workspace.open(self.location) as workspace:
            events = workspace.annotation_events()
            doubted = [*workspace.changed_rows(), *workspace.missing_rows()]
        problems = [f"rows: {row}" for row in doubted]
        stored = Counter(str(event.payload["token"]) for event in events)
        accepted = {token for token, is_refused in self.told.items() if not is_refused}
        for name, tokens in (
            ("lost", accepted - stored.keys()),
            ("never sent", stored.keys() - self.sent.keys()),
            ("refused and stored", stored.keys() & self.told.keys() - accepted),
            ("never answered", self.sent.keys() - self.told.keys()),
            ("doubled", {token for token, n in stored.items() if n > 1}),
        ):
            problems += [f"{name}: {token}" for token in sorted(tokens)]
        problems += [text for event in events for text in self._altered(event)]
        return problems + _replayed(events, fold(events))

    def _altered(self, event: AnnotationEvent) -> Iterator[str]:
        author, commit = self.sent.get(str(event.payload["token"]), ("", {}))
        if event.author != author:
            yield f"{event.event_id} is signed by {event.author} instead of {author}"
        self.tally.counts[event.kind] += 1
        names_images = commit.get("kind") in ("create", "junk", "unsure", "split", "remove")
        if names_images and event.payload["images"] != sorted(commit["images"]):
            yield f"{event.event_id} holds other images than were sent"


def _replayed(events: list[AnnotationEvent], state: Annotations) -> list[str]:
    """Return how identities differ from those of an independent replay."""
    replay = Replay((e.event_id, e.author, e.kind, e.payload) for e in events)
    problems = list(replay.problems)
    found = {known.name: frozenset(known.images) for known in state.identities}
    if found != replay.identities:
        problems.append(f"identities differ from a replay: {found} and {replay.identities}")
    if frozenset(image for image, owner in state.owners.items() if owner == -1) != replay.junk:
        problems.append("junk differs from a replay")
    return problems


# In the processes


def _label(
    line: Connection, location: str, seed: int, waiting: list[tuple[str, Commit]], ends: bool
) -> None:
    """Send again what is waiting, then act after act; say what is sent before it is stored."""
    try:
        for author, commit in waiting:
            _send(line, location, author, commit)
        if ends:
            return
        chosen = random.Random(seed)
        for number in range(1 << 30):
            author = chosen.choice(AUTHORS)
            commit = _draw(_state(location), author, chosen) | {"token": f"{seed}-{number}"}
            line.send(("sent", commit["token"], (author, commit)))
            _send(line, location, author, commit)
    except BaseException as error:
        line.send(("failed", "", repr(error)))
        raise


def _send(line: Connection, location: str, author: str, commit: Commit) -> None:
    outcome = _until_stored(lambda: store(location, author, commit))
    line.send(("told", commit["token"], outcome.is_refused))


def _state(location: str) -> Annotations:
    state: Annotations = _until_stored(lambda: read_annotations(location))
    return state


def _until_stored(act: Callable[[], Any]) -> Any:
    """Do something; while the server is away again and again, as a browser does."""
    while True:
        try:
            return act()
        except StoreError:
            time.sleep(0.2)


def _draw(state: Annotations, author: str, chosen: random.Random) -> Commit:
    """Return an act that the author's page could send, given what it shows."""
    kinds = ("create", "add", "pair", "merge", "split", "remove", "rename", "junk", "unsure")
    kind = chosen.choices((*kinds, "undo", "redo"), (6, 5, 4, 2, 2, 2, 1, 2, 2, 5, 2))[0]
    images = sorted(chosen.sample(range(1, N_IMAGES + 1), chosen.randrange(1, 5)))
    people = [known.identity for known in state.identities]
    if kind in ("create", "junk", "unsure"):
        return {"kind": kind, "images": images}
    if kind == "pair":
        sides: list[Commit] = [{"images": images[:1]}, {"images": [1 + images[-1] % N_IMAGES]}]
        if people and chosen.random() < 0.6:
            sides[0] = {"identity": chosen.choice(people)}
        question = dict(zip(("left", "right"), sides, strict=True))
        answer = chosen.choice(["same", "different", "unsure"])
        return {"kind": "pair", "question": question, "answer": answer}
    if kind in ("undo", "redo") or not people:
        return {"kind": "redo" if kind == "redo" else "undo"}
    who = chosen.choice(people)
    if kind == "merge":
        return {"kind": kind, "identities": [who, chosen.choice(people)]}
    if kind == "rename":
        return {"kind": kind, "identity": who, "name": f"{author} {chosen.randrange(1 << 20)}"}
    own = list(state.identity(who).images)
    if kind in ("split", "remove"):
        images = sorted(chosen.sample(own, chosen.randrange(1, len(own) + 1)))
    return {"kind": kind, "identity": who, "images": images}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.acts", description=__doc__)
    parser.add_argument("--acts", type=int, default=10_000, help="how many")
    parser.add_argument("--seed", type=int, default=0, help="which of them")
    parser.add_argument("--postgres", type=Path, metavar="BIN", help="PostgreSQL's programs")
    options = parser.parse_args()
    start = time.monotonic()
    with ExitStack() as stack:
        root = Path(stack.enter_context(TemporaryDirectory(prefix="pul-acts-")))
        server = None
        if options.postgres is not None:
            server = stack.enter_context(running_server(options.postgres))
        tally = attack(
            partial(place, root, server),
            options.acts,
            options.seed,
            server=server,
            show=partial(print, flush=True),
        )
    print("\n".join([*tally.problems, *(f"{n:>6}  {k}" for k, n in sorted(tally.counts.items()))]))
    seconds = time.monotonic() - start
    print(f"{options.acts} acts in {seconds:.0f} s: {len(tally.problems)} problems")
    sys.exit(bool(tally.problems))


def place(root: Path, server: PostgresServer | None, number: int) -> str:
    """Return where to make a workspace: a folder, or the server's database, emptied."""
    folder = root / f"workspace-{number}"
    return str(folder) if server is None else f"{server.empty_database()}&artifacts={folder}"


if __name__ == "__main__":
    main()
