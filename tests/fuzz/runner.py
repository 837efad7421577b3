"""Feeds a target with inputs: no crash, no hang, nothing written elsewhere."""

import faulthandler
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.fuzz.targets import Target

_READER = [sys.executable, "-m", "pul.data.readers.matlab"]  # the one program that is meant
LIMIT_S = 20  # of one input
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_CHANGES = (
    "os.rename",
    "os.mkdir",
    "os.remove",
    "os.rmdir",
    "os.symlink",
    "os.link",
    "os.truncate",
)
_PROGRAMS = ("os.system", "os.exec", "os.posix_spawn", "os.spawn", "subprocess.Popen", "pty.spawn")


class HangError(BaseException):
    """An input took too long; no `except Exception` shall hide it."""


def feed(target: Target, folder: Path, *, n_inputs: int, number: int) -> int:
    """Let a target read inputs; return how many it read.

    Args:
        target: What reads.
        folder: Where it may write; each input gets a folder of its own in it.
        n_inputs: How many inputs to draw.
        number: The seed.

    Raises:
        AssertionError: It wrote elsewhere, or took what it had to refuse.
        HangError: An input took too long.
        Exception: Whatever else it raised that is no error of ours.
    """
    n_read = 0

    @seed(number)
    @settings(
        max_examples=n_inputs,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def read(data: st.DataObject) -> None:
        nonlocal n_read
        n_read += 1
        place = folder / target.name / "input"
        place.mkdir(parents=True)
        try:
            with _limited(), _watch.within(folder):
                target.read(data, place)
        finally:
            shutil.rmtree(place)

    read()
    return n_read


@contextmanager
def _limited() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise HangError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(LIMIT_S)
    faulthandler.dump_traceback_later(2 * LIMIT_S, exit=True)  # for what Python cannot stop
    try:
        yield
    finally:
        signal.alarm(0)
        faulthandler.cancel_dump_traceback_later()
        signal.signal(signal.SIGALRM, before)


class Heartbeat:
    """Sees, through Python's audit hook, every change of the disk and every program started."""

    def __init__(self) -> None:
        self._root = ""
        self._is_hooked = False

    @contextmanager
    def within(self, root: Path) -> Iterator[None]:
        if not self._is_hooked:
            sys.addaudithook(self._audit)
            self._is_hooked = True
        self._root = str(root)
        try:
            yield
        finally:
            self._root = ""

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._root:
            return
        if event in _PROGRAMS and list(arguments[1][:3]) != _READER:
            raise AssertionError(f"started a program: {arguments}")
        if (
            event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITES
        ) or event in _CHANGES:
            self._check(arguments[0])

    def _check(self, path: Any) -> None:
        text = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else ""
        absolute = os.path.abspath(text) if text else ""  # noqa: PTH100 - a Path would recurse
        is_known = absolute.startswith(self._root) or "__pycache__" in absolute
        if absolute and not is_known and absolute != os.devnull:
            raise AssertionError(f"wrote to {absolute}")


_watch = Heartbeat()


def feed_all(
    targets: tuple[Target, ...],
    folder: Path,
    n_inputs: int,
    number: int,
    show: Callable[[str], None],
) -> tuple[int, list[str]]:
    """Feed every target with its share; return the inputs in all, and what failed."""
    n_read, failed = 0, []
    share = n_inputs / sum(target.share for target in targets)
    for target in targets:
        try:
            count = feed(target, folder, n_inputs=ceil(share * target.share), number=number)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # of any kind: that is what is looked for
            failed.append(target.name)
            show("".join(traceback.format_exception(error, limit=-6)))
        else:
            n_read += count
            show(f"{count:>6}  {target.name}")
    return n_read, failed
