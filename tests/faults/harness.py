"""Forks a process for each fault, hurts it, and looks at what is left."""

import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pul.errors import PulError
from tests.faults import seams
from tests.faults.work import WORKS, Say, Work

LIMIT_S = 120.0  # longer than any of this work takes on a busy machine
_DONE, _REFUSED, _SURPRISED = 0, 3, 4


@dataclass(frozen=True)
class Ended:
    """How a process ended: what it acknowledged before, and what it said last."""

    status: int
    said: list[str]
    last: str
    seconds: float

    @property
    def hung(self) -> bool:
        return self.seconds >= LIMIT_S


@dataclass(frozen=True)
class Fault:
    """One way to hurt one kind of work.

    Attributes:
        work: Which work.
        kind: The kind of fault, for the table of the report.
        name: Names this very fault.
        inside: Done in the process before it begins to work.
        around: Given the copy, before the process starts; returns what undoes it afterwards.
        after: Done to the copy when the process has ended.
        killed_after_s: Kill the process that late.
        may_abort: Whether libraries may end the process (memory that runs out in C++).
        forgets: Whether what was acknowledged may be gone: the disk lost what it said to have.
    """

    work: Work
    kind: str
    name: str
    inside: Callable[[Path], None] = lambda _: None
    around: Callable[[Path], Callable[[], None]] = lambda _: lambda: None
    after: Callable[[Path], None] = lambda _: None
    killed_after_s: float | None = None
    may_abort: bool = False
    forgets: bool = False


@dataclass
class Tally:
    """What came of all faults."""

    n: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


class Harness:
    """The templates, the outcomes of work in peace, and a folder for copies.

    Modules that are slow to load are loaded here once; nothing here computes or opens a database,
    so that every process forked from it begins clean.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seconds: dict[str, float] = {}
        self.passings: dict[str, Counter[str]] = {}
        self.outcomes: dict[str, Any] = {}
        folder.chmod(0o755)  # another user reads there, for the fault that takes rights away
        for name, work in WORKS.items():
            (folder / name).mkdir()
            self._must(lambda work=work, name=name: work.prepare(folder / name))
            self._rehearse(work)

    def _rehearse(self, work: Work) -> None:
        copy = self.copy(work)
        ended = in_child(lambda say: work.act(copy, say))
        if ended.status != _DONE:
            raise RuntimeError(f"{work.name} fails in peace: {ended.last}")
        self.seconds[work.name] = ended.seconds
        self.outcomes[work.name], problems = self._checked(work, copy, ended.said)
        if problems:
            raise RuntimeError(f"{work.name} fails in peace: {problems}")
        copy = self.copy(work)
        self.passings[work.name] = Counter(
            self._must(lambda: _count(work, copy)).said,
        )
        shutil.rmtree(copy)

    def copy(self, work: Work) -> Path:
        """Return a fresh copy of the template; always at the same place, as exports name paths."""
        copy = self.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.folder / work.name, copy)
        return copy

    def strike(self, fault: Fault) -> tuple[Ended, list[str]]:
        """Hurt one piece of work; return how it ended and what is not as it should be."""
        copy = self.copy(fault.work)

        def act(say: Say) -> None:
            fault.inside(copy)
            fault.work.act(copy, say)

        undo = fault.around(copy)
        try:
            ended = in_child(act, killed_after_s=fault.killed_after_s)
        finally:
            undo()
        problems = self._judge(fault, ended)
        fault.after(copy)
        said = [] if fault.forgets else ended.said
        outcome, found = self._checked(fault.work, copy, said)
        if outcome is not None and outcome != self.outcomes[fault.work.name]:
            found.append("the outcome is not that of work in peace")
        shutil.rmtree(copy, ignore_errors=True)
        return ended, problems + found

    def _judge(self, fault: Fault, ended: Ended) -> list[str]:
        if ended.hung:
            return ["it hung"]
        if ended.status == _SURPRISED and not fault.may_abort:
            return [f"an error that nobody foresaw: {ended.last}"]
        return []

    def _checked(self, work: Work, copy: Path, said: list[str]) -> tuple[Any, list[str]]:
        ended = in_child(lambda say: say(json.dumps(work.check(copy, said))))
        if ended.status != _DONE:
            return None, [f"the check ended with {ended.status}: {ended.last}"]
        outcome, problems = json.loads(ended.said[-1])
        return outcome, problems

    def _must(self, act: Callable[[], None]) -> Ended:
        ended = in_child(lambda say: _say_all(act(), say))
        if ended.status != _DONE:
            raise RuntimeError(ended.last)
        return ended


def _say_all(lines: list[str] | None, say: Say) -> None:
    for line in lines or ():
        say(line)


def _count(work: Work, copy: Path) -> list[str]:
    seen: list[str] = []
    seams.watch(seen.append, copy)
    work.act(copy, lambda _: None)
    return list(seen)


def in_child(act: Callable[[Say], None], *, killed_after_s: float | None = None) -> Ended:
    """Do something in a forked process; kill it when its time is over."""
    reading, writing = os.pipe()
    errors = os.memfd_create("errors")
    sys.stdout.flush()
    start = time.monotonic()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _be_child(act, writing, errors)
    os.close(writing)
    said = _read(reading, pid, start + (killed_after_s or LIMIT_S))
    _, status = os.waitpid(pid, 0)
    seconds = time.monotonic() - start
    os.lseek(errors, 0, os.SEEK_SET)
    with os.fdopen(errors, "rb") as file:
        last = file.read().decode(errors="replace").strip()
    return Ended(os.waitstatus_to_exitcode(status), said, last, seconds)


def _be_child(act: Callable[[Say], None], writing: int, errors: int) -> None:
    status = _SURPRISED
    try:
        os.dup2(errors, 2)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        act(lambda text: _write(writing, text))
        status = _DONE
    except PulError as error:
        os.write(2, f"\n{type(error).__name__}: {error}".encode(errors="replace"))
        status = _REFUSED
    except BaseException:
        os.write(2, traceback.format_exc().encode(errors="replace"))
    finally:
        os._exit(status)


def _write(descriptor: int, text: str) -> None:
    content = text.encode() + b"\n"
    while content:
        content = content[os.write(descriptor, content) :]


def _read(reading: int, pid: int, deadline: float) -> list[str]:
    """Read what a process says until it ends, or kill it at the deadline."""
    import select

    content = b""
    while True:
        left = deadline - time.monotonic()
        ready, _, _ = select.select([reading], [], [], max(0.0, left))
        if not ready:
            os.kill(pid, signal.SIGKILL)
            deadline = time.monotonic() + LIMIT_S
            continue
        block = os.read(reading, 1 << 16)
        if not block:
            break
        content += block
    os.close(reading)
    return content.decode().splitlines()


def strike_all(harness: Harness, faults: list[Fault], show: Callable[[str], None]) -> Tally:
    """Strike one fault after another."""
    tally = Tally()
    for number, fault in enumerate(faults, start=1):
        ended, problems = harness.strike(fault)
        tally.n[fault.kind] += 1
        names = {_DONE: "went on", _REFUSED: "refused in words", _SURPRISED: "out of memory"}
        tally.ends[names.get(ended.status, "killed")] += 1
        tally.problems += [f"{fault.name}: {problem}" for problem in problems]
        for problem in problems:
            show(f"{fault.name}: {problem}")
        if number % 50 == 0:
            show(f"{number} of {len(faults)} faults, {len(tally.problems)} problems")
    return tally


def shuffled(faults: list[Fault], n: int, seed: int) -> list[Fault]:
    """Return n of the faults, in an order that the seed draws."""
    order = random.Random(seed)
    drawn = order.sample(faults, min(n, len(faults)))
    order.shuffle(drawn)
    return drawn
