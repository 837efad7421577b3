"""The demo: created once, in a separate process; then its run is started."""

import base64
import logging
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import Literal

from app import services
from pul.errors import PulError

_TOLD = 0.05  # share that is done before a remaining time is told
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DemoState:
    """The status of the demo.

    Attributes:
        status: `absent`, `making`, `ready` or `failed`.
        message: The current step, or the error; "" for none.
        share: Share that is done, in [0, 1].
        remaining_s: Seconds that it will still take; None if not known yet.
    """

    status: Literal["absent", "making", "ready", "failed"]
    message: str = ""
    share: float = 0.0
    remaining_s: float | None = None


class _Maker:
    """The one process that creates the demo, and its state."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._n_done = self._n_total = 0
        self._error = ""
        self._began = 0.0

    def start(self) -> None:
        with self._lock:
            if self._is_making():
                return
            self._n_done = self._n_total = 0
            self._error = ""
            if services.workspace.exists(services.workspace.demo_location()):
                self._start_run()
                return
            self._began = time.monotonic()
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, services.workspace.demo_location()],
                cwd=services.workspace.ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            threading.Thread(target=self._follow, args=(self._process,), daemon=True).start()

    def stop(self) -> None:
        if self._process is not None and self._is_making():
            self._process.terminate()
            self._process.wait(timeout=10)

    def state(self) -> DemoState:
        if self._is_making():
            share = self._n_done / self._n_total if self._n_total else 0.0
            people = f"drawing people: {self._n_done:,} of {self._n_total:,} images"
            left = (time.monotonic() - self._began) * (1 / share - 1) if share > _TOLD else None
            return DemoState("making", people if self._n_total else "starting", share, left)
        if services.workspace.exists(services.workspace.demo_location()):
            return DemoState("ready", self._error, 1.0)
        return DemoState("failed" if self._error else "absent", self._error)

    def _is_making(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _follow(self, process: subprocess.Popen[str]) -> None:
        output, errors = process.stdout or (), process.stderr
        for line in output:
            self._n_done, self._n_total = map(int, line.split())
        reason = errors.read().strip().rpartition("\n")[2] if errors else ""
        if process.wait() == 0:
            self._start_run()
        else:
            self._error = reason or f"its process ended with status {process.returncode}"

    def _start_run(self) -> None:
        if os.environ.get("PUL_STUDIO_DEMO_RUN") == "0":
            return
        try:
            services.workspace.start_demo_run()
        except PulError as error:
            self._error = f"The demo's run did not start. {error}"
            _LOG.warning(self._error)


_maker = _Maker()


def start() -> None:
    """Create the demo if there is none, and start its run if it never had one; returns at once."""
    _maker.start()


def stop() -> None:
    """Stop creating it; the next start creates it from scratch."""
    _maker.stop()


def state() -> DemoState:
    """Return the status of the demo."""
    return _maker.state()


def pictures(n: int) -> list[str]:
    """Return the first pictures as addresses that hold them, while it is being created."""
    found = services.workspace.demo_pictures(n)
    return [f"data:image/jpeg;base64,{base64.b64encode(each).decode()}" for each in found]


def main() -> None:
    """Create the demo: `python -m app.demo LOCATION`; prints (done, total) as it goes."""
    try:
        services.workspace.make_demo(
            sys.argv[1], lambda done, total: print(done, total, flush=True)
        )
    except PulError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
