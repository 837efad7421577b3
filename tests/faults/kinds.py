"""Every way in which work is hurt."""

import codecs
import os
import random
import resource
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta, tzinfo
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np

from tests.faults import seams
from tests.faults.harness import Fault, Harness
from tests.faults.work import WORKS, Work, label

NOBODY = 65534
_DISK_KIB = 4096  # room for any of the workspaces


def systematic(harness: Harness) -> Iterator[Fault]:
    """Yield a kill at every write, rename, unlink, sync and commit of every kind of work."""
    for work in WORKS.values():
        for seam in (*seams.FILE_SEAMS, "commit", "committed"):
            for n in range(1, harness.passings[work.name][seam] + 1):
                yield at_seam(work, seam, n, "kill", seams.kill)


def drawn(harness: Harness, random: random.Random) -> Fault:
    """Return a fault of a kind that is drawn first, so that rare kinds are not."""
    kinds = [
        lambda: _drawn_kill(harness, random),
        lambda: _drawn_kill(harness, random),
        lambda: _drawn_error(harness, random),
        lambda: _drawn_error(harness, random),
        lambda: _killed_late(harness, random),
        lambda: _killed_late(harness, random),
        lambda: _limited_file_size(random),
        lambda: _full_disk(random),
        lambda: _read_only(random),
        lambda: _locked(harness, random),
        lambda: _clock(random),
        lambda: _no_memory(harness, random),
        lambda: _limited_memory(random),
        lambda: _not_finite(harness, random),
        lambda: _diverged(harness, random),
        lambda: _reloaded(random),
        lambda: _truncated(random),
        lambda: _torn_log(harness, random),
    ]
    return random.choice(kinds)()


def at_seam(work: Work, seam: str, n: int, what: str, strike: seams.Strike) -> Fault:
    """Return a fault at the n-th passing of a seam."""
    inside = partial(_strike_at, seam, n, strike)
    return Fault(work, f"{what} at {seam}", f"{work.name}: {what} at {seam} {n}", inside)


def _strike_at(seam: str, n: int, strike: seams.Strike, root: Path) -> None:
    seams.strike_at(seam, n, strike, root)


def _place(
    harness: Harness, random: random.Random, names: tuple[str, ...]
) -> tuple[Work, str, int]:
    """Draw a work, one of these seams that it passes, and one of its passings."""
    passed = [
        (work, seam)
        for work in WORKS.values()
        for seam in names
        if harness.passings[work.name][seam]
    ]
    work, seam = random.choice(passed)
    return work, seam, random.randint(1, harness.passings[work.name][seam])


def _drawn_kill(harness: Harness, random: random.Random) -> Fault:
    return at_seam(*_place(harness, random, seams.SEAMS), "kill", seams.kill)


def _drawn_error(harness: Harness, random: random.Random) -> Fault:
    work, seam, n = _place(harness, random, (*seams.FILE_SEAMS, *seams.SQL_SEAMS))
    errors = seams.DISK_ERRORS if seam in seams.FILE_SEAMS else seams.SQL_ERRORS
    name = random.choice(sorted(errors))
    return at_seam(work, seam, n, name, errors[name])


def _killed_late(harness: Harness, random: random.Random) -> Fault:
    work = random.choice(list(WORKS.values()))
    late = random.uniform(0, harness.seconds[work.name])
    name = f"{work.name}: killed after {late:.3f} s"
    return Fault(work, "killed at any time", name, killed_after_s=late)


def _limited_file_size(random: random.Random) -> Fault:
    work, size = random.choice(list(WORKS.values())), int(2 ** random.uniform(8, 18))

    def inside(_copy: Path) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return Fault(work, "files may not grow", f"{work.name}: files of {size} bytes at most", inside)


def _full_disk(random: random.Random) -> Fault:
    """A real file system with little room, where this user may mount one."""
    work, left = random.choice(list(WORKS.values())), int(2 ** random.uniform(12, 19))

    def around(copy: Path) -> Callable[[], None]:
        aside = copy.with_name("aside")
        copy.rename(aside)
        copy.mkdir()
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={_DISK_KIB}k,mode=755", "tmpfs", copy], check=True
        )
        shutil.copytree(aside, copy, dirs_exist_ok=True)
        shutil.rmtree(aside)
        free = shutil.disk_usage(copy).free
        (copy / "ballast").write_bytes(bytes(max(0, free - left)))

        def undo() -> None:
            (copy / "ballast").unlink()
            shutil.copytree(copy, aside)
            subprocess.run(["umount", copy], check=True)
            copy.rmdir()
            aside.rename(copy)

        return undo

    if not can_mount():
        return _limited_file_size(random)
    return Fault(work, "full disk", f"{work.name}: {left} bytes left on the disk", around=around)


def can_mount() -> bool:
    """Whether this user may mount a small file system."""
    return os.geteuid() == 0 and bool(shutil.which("mount")) and _mounts()


_may_mount: list[bool] = []


def _mounts() -> bool:
    if not _may_mount:
        program = "mount -t tmpfs tmpfs /tmp && echo yes"
        tried = subprocess.run(["unshare", "-m", "sh", "-c", program], capture_output=True)
        _may_mount.append(tried.stdout == b"yes\n")
    return _may_mount[0]


def _read_only(random: random.Random) -> Fault:
    work = random.choice(list(WORKS.values()))
    part = random.choice(["", "workspace", "workspace/pul.db"])

    def around(copy: Path) -> Callable[[], None]:
        modes = {p: p.stat().st_mode for p in (copy, *copy.rglob("*"))}
        for path in modes:
            path.chmod(0o777 if path.is_dir() else 0o666)  # the rest may be written
        closed = copy / part
        for path in (closed, *closed.rglob("*")) if closed.is_dir() else (closed,):
            path.chmod(0o555 if path.is_dir() else 0o444)

        def undo() -> None:
            for path, mode in modes.items():
                with suppress(FileNotFoundError):
                    path.chmod(mode)

        return undo

    return Fault(
        work, "read-only folder", f"{work.name}: {part!r} is read-only", _be_nobody, around
    )


def _be_nobody(_copy: Path) -> None:
    codecs.lookup("utf-8-sig")  # loaded now: where Python lies, nobody may have no right to read
    if os.geteuid() == 0:  # whom modes do not bind
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def _locked(harness: Harness, random: random.Random) -> Fault:
    work = random.choice(list(WORKS.values()))
    late = random.uniform(0, harness.seconds[work.name])
    held = random.choice([0.1, 1.5])  # the process waits half a second for it, not half a minute

    def inside(copy: Path) -> None:
        from pul.store import database

        database._LOCK_WAIT_S = 0.5
        if os.fork() == 0:
            time.sleep(late)
            with suppress(sqlite3.Error):
                connection = sqlite3.connect(copy / "workspace" / "pul.db", isolation_level=None)
                connection.execute("BEGIN IMMEDIATE")
                time.sleep(held)
                connection.execute("ROLLBACK")
            os._exit(0)

    name = f"{work.name}: locked for {held} s after {late:.3f} s"
    return Fault(work, "locked database", name, inside)


def _clock(random: random.Random) -> Fault:
    work, seed = random.choice(list(WORKS.values())), random.randrange(2**31)

    def inside(_copy: Path) -> None:
        _let_clocks_jump(seed)

    return Fault(work, "clock jumps", f"{work.name}: clock jumps by seed {seed}", inside)


def _let_clocks_jump(seed: int) -> None:
    from pul.store import database

    jumps = np.random.default_rng(seed)
    true = time.time

    class Jumping(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            days = timedelta(days=int(jumps.integers(-4000, 4000)))
            return cls.fromtimestamp(true(), tz) + days

    database.datetime = Jumping  # type: ignore[misc]
    time.time = lambda: true() + float(jumps.uniform(-3e8, 3e8))


def _no_memory(harness: Harness, random: random.Random) -> Fault:
    work, seam, n = _place(harness, random, ("train", "extract", "save", "commit"))
    fault = at_seam(work, seam, n, "MemoryError", seams.exhaust)
    return Fault(work, fault.kind, fault.name, fault.inside, may_abort=True)


def _limited_memory(random: random.Random) -> Fault:
    work, room = random.choice(list(WORKS.values())), int(2 ** random.uniform(16, 27))

    def inside(_copy: Path) -> None:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        size = pages * resource.getpagesize() + room
        resource.setrlimit(resource.RLIMIT_AS, (size, size))

    name = f"{work.name}: {room} bytes of memory more"
    return Fault(work, "little memory", name, inside, may_abort=True)


def _not_finite(harness: Harness, random: random.Random) -> Fault:
    n, value = (
        random.randint(1, harness.passings["run"]["extract"]),
        random.choice([np.nan, np.inf]),
    )

    def inside(_copy: Path) -> None:
        from pul.algorithm import features

        extract, batches = features._extract_batch, iter(range(1, 10**6))

        def patched(*arguments: Any) -> Any:
            found = extract(*arguments).clone()
            if next(batches) == n:
                found[-1, 0] = value
            return found

        features._extract_batch = patched

    return Fault(WORKS["run"], "features not finite", f"run: {value} in batch {n}", inside)


def _diverged(harness: Harness, random: random.Random) -> Fault:
    n = random.randint(1, harness.passings["run"]["train"])

    def inside(_copy: Path) -> None:
        from pul.algorithm import finetuning

        loss, steps = finetuning._Trainer._loss, iter(range(1, 10**6))

        def patched(*arguments: Any) -> Any:
            value = loss(*arguments)
            return value * float("inf") if next(steps) == n else value

        finetuning._Trainer._loss = patched  # type: ignore[method-assign]

    return Fault(WORKS["run"], "loss diverges", f"run: the loss of batch {n} is infinite", inside)


def _reloaded(random: random.Random) -> Fault:
    n = random.randint(1, 100)
    clicked = Work(
        "label", WORKS["label"].prepare, partial(label, n_reloads=n), WORKS["label"].check
    )
    return Fault(clicked, "browser reloads", f"label: {n} reloads after every act")


def _truncated(random: random.Random) -> Fault:
    """A file of an iteration is cut or gone after the run: by the disk, by a hand."""
    draw = random.random(), random.choice(["cut", "cut", "emptied", "deleted"]), random.random()

    def after(copy: Path) -> None:
        where, what, share = draw
        files = sorted((copy / "workspace" / "runs").rglob("*.npy"))
        files += sorted((copy / "workspace" / "runs").rglob("*.safetensors"))
        path = files[int(where * len(files))]
        if what == "deleted":
            path.unlink()
        else:
            size = 0 if what == "emptied" else int(share * path.stat().st_size)
            os.truncate(path, size)

    return Fault(
        WORKS["run"], "truncated artifact", f"run: {draw} of its files", after=after, forgets=True
    )


def _torn_log(harness: Harness, random: random.Random) -> Fault:
    """The end of SQLite's log never reached the disk; a power cut may leave it so."""
    work = random.choice([WORKS["run"], WORKS["import"]])
    late, share = random.uniform(0, harness.seconds[work.name]), random.random()

    def after(copy: Path) -> None:
        log = copy / "workspace" / "pul.db-wal"
        if log.exists():
            os.truncate(log, int(share * log.stat().st_size))
        (copy / "workspace" / "pul.db-shm").unlink(missing_ok=True)

    name = f"{work.name}: killed after {late:.3f} s, {share:.0%} of the log kept"
    return Fault(work, "torn database log", name, after=after, killed_after_s=late, forgets=True)
