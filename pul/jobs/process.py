"""The worker as a process: started so that it outlives the screen, and told from later ones."""

import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

from pul.store.workspace import Workspace

_ROOT = Path(__file__).resolve().parents[2]  # the checkout, or site-packages


@dataclass(frozen=True, slots=True)
class WorkerProcess:
    """A process that works on a job, told apart from any later one of the same number.

    Attributes:
        host: Name of its machine.
        pid: Its process id.
        started: When it started, in a form that only this class reads.
    """

    host: str
    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> Self:
        """Return a process of this machine; one that is gone has no time of start."""
        return cls(socket.gethostname(), pid, _start_of(pid))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the process that `str` made this text of."""
        host, pid, started = text.rsplit(":", 2)
        return cls(host, int(pid), started)

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}:{self.started}"

    @property
    def is_here(self) -> bool:
        """Whether it runs, or ran, on this machine."""
        return self.host == socket.gethostname()

    @property
    def is_alive(self) -> bool:
        """Whether it runs; known on its own machine only."""
        return bool(self.started) and _start_of(self.pid) == self.started


def _spawn(workspace: Workspace, job_id: int) -> subprocess.Popen[bytes]:
    log_path = workspace.log_path(job_id)
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "pul.jobs.worker", workspace.url, str(job_id)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=_ROOT,
            env=os.environ | workspace.secrets,
            start_new_session=True,  # no signal meant for the screen's terminal reaches it
        )


def _start_of(pid: int) -> str:
    """Return when a process started; "" if it is gone, or ended and only not yet taken note of."""
    if sys.platform == "linux":
        return _start_in_proc(pid)
    try:
        process = psutil.Process(pid)
        return "" if process.status() == psutil.STATUS_ZOMBIE else str(process.create_time())
    except psutil.Error:
        return ""


def _start_in_proc(pid: int) -> str:
    # In ticks since the machine started: the clock may be set without a change of it.
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    state, started = fields[0], fields[19]
    return "" if state in "ZX" else started
