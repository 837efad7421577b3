"""One import at a time: numbers are given beside what is there, and images added later."""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

from pul.store.section import Section

LOCK_FILE = "import.lock"
_WAIT_S = 0.2


class ImportSection(Section):
    """The part of a workspace that lets one import in at a time."""

    @contextmanager
    def importing(self, on_wait: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Import while nobody else does; wait for those who do.

        Cameras of a video are numbered, and grey values stretched, long before the images are
        added. It holds between processes, and between machines whose shared disk knows locks; a
        process that dies lets the next one in.

        Args:
            on_wait: Called again and again while it waits; it may raise to give up.
        """
        try:
            file = (self.path / LOCK_FILE).open("ab")
        except OSError:  # a disk that cannot be written: adding says so
            yield
            return
        with file:
            _lock(file, on_wait)
            yield


def _lock(file: BinaryIO, on_wait: Callable[[], None]) -> None:
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            time.sleep(_WAIT_S)
        except OSError:  # a disk without locks
            return
        else:
            return
