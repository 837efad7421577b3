"""Places where a process can be hurt, counted as it passes them; the product knows nothing of it.

Audit hooks see every open, rename, mkdir and unlink of a process, whoever makes it; fsync, half
written arrays, statements and commits are seen by wrapping the one function that all of ours use.
"""

import errno
import itertools
import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine, event
from sqlalchemy.engine.default import DefaultDialect

Strike = Callable[[], None]

_AUDITED = {
    "os.rename": "rename",
    "os.mkdir": "mkdir",
    "os.remove": "unlink",
    "os.rmdir": "unlink",
    "os.link": "link",
}
FILE_SEAMS = ("open", "rename", "mkdir", "unlink", "link", "fsync", "save")
SQL_SEAMS = ("sql", "commit", "committed")
WORK_SEAMS = ("train", "extract")
SEAMS = (*FILE_SEAMS, *SQL_SEAMS, *WORK_SEAMS)


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fail(number: int) -> Strike:
    """Return what makes the system refuse with an error number."""

    def strike() -> None:
        raise OSError(number, os.strerror(number))

    return strike


def refuse(reason: str) -> Strike:
    """Return what makes the database refuse."""

    def strike() -> None:
        raise sqlite3.OperationalError(reason)

    return strike


def exhaust() -> None:
    raise MemoryError


DISK_ERRORS = {name: fail(getattr(errno, name)) for name in ("ENOSPC", "EIO", "EROFS", "EDQUOT")}
SQL_ERRORS = {
    reason: refuse(reason)
    for reason in ("database or disk is full", "disk I/O error", "database is locked")
}


def strike_at(seam: str, n: int, strike: Strike, root: Path) -> None:
    """Let the n-th passing of a seam by this process, from 1, be struck."""
    passings = itertools.count(1)

    def passed(seen: str) -> None:
        if seen == seam and next(passings) == n:
            strike()

    watch(passed, root)


def watch(passed: Callable[[str], None], root: Path) -> None:
    """Tell of every seam that this process comes past, for good; of files, those below `root`."""
    _watch_files(passed, str(root))
    _watch_database(passed)
    _watch_batches(passed)


def _watch_files(passed: Callable[[str], None], root: str) -> None:
    def audit(name: str, arguments: tuple[Any, ...]) -> None:
        if name == "open":
            path, _mode, flags = arguments
            is_written = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            seam = "open" if is_written else ""
        else:
            seam, path = _AUDITED.get(name, ""), arguments[0] if arguments else ""
            if seam == "unlink" and arguments[1] >= 0:  # as rmtree does it, below an open folder
                path = Path(f"/proc/self/fd/{arguments[1]}").readlink() / path
        if seam and str(path).startswith(root):
            passed(seam)

    sys.addaudithook(audit)
    os.fsync = _before(os.fsync, lambda _: passed("fsync"))
    np.save = _before(np.save, lambda file, _: _save_half(file, passed))


def _save_half(file: Any, passed: Callable[[str], None]) -> None:
    file = getattr(file, "_file", file)  # past what sums the bytes that go through
    start = file.tell()
    file.write(b"\x93NUMPY half of an array")
    file.flush()
    passed("save")
    file.seek(start)
    file.truncate()


def _watch_database(passed: Callable[[str], None]) -> None:
    event.listen(Engine, "before_cursor_execute", lambda *_: passed("sql"))
    commit = DefaultDialect.do_commit

    def do_commit(self: Any, connection: Any) -> None:
        passed("commit")
        commit(self, connection)
        passed("committed")

    DefaultDialect.do_commit = do_commit


def _watch_batches(passed: Callable[[str], None]) -> None:
    from pul.algorithm import features, finetuning

    finetuning._Trainer.step = _before(finetuning._Trainer.step, lambda *_: passed("train"))
    features._extract_batch = _before(features._extract_batch, lambda *_: passed("extract"))


def _before(function: Callable[..., Any], act: Callable[..., Any]) -> Callable[..., Any]:
    def patched(*arguments: Any, **options: Any) -> Any:
        act(*arguments)
        return function(*arguments, **options)

    return patched
