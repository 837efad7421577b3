"""Waiting for a database server that is gone for a while, such as one that is restarted."""

import functools
import threading
import time
from collections.abc import Callable
from typing import Any

from pul.errors import ServerLostError

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 2.0


class Retries:
    """How long calls of one workspace wait for the server, and whether one waits now.

    Attributes:
        seconds: How long a call tries again before it fails.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._deadlines = threading.local()

    def try_until_deadline(self, call: Callable[[], Any]) -> Any:
        """Do something, again and again while the server is lost, until the time is up.

        What a call within a call waits for counts for the outer one. What may have been stored is
        not done again.

        Raises:
            ServerLostError: The server did not come back in time.
        """
        if getattr(self._deadlines, "at", None) is not None:
            return call()
        self._deadlines.at = time.monotonic() + self.seconds
        try:
            return self._try(call)
        finally:
            self._deadlines.at = None

    def _try(self, call: Callable[[], Any]) -> Any:
        wait_s = _FIRST_WAIT_S
        while True:
            try:
                return call()
            except ServerLostError as error:
                if not error.is_undone or time.monotonic() + wait_s > self._deadlines.at:
                    raise
            time.sleep(wait_s)
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)


def retried(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let a method of a section wait for the database server, as long as its workspace says."""

    @functools.wraps(method)
    def waiting(self: Any, *arguments: Any, **options: Any) -> Any:
        call = functools.partial(method, self, *arguments, **options)
        return self.retries.try_until_deadline(call)

    return waiting
