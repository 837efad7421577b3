"""What a worker tells while it works, and what it is asked: progress, signs of life, requests."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from pul.errors import JobError, StoreError
from pul.records import Command, JobProgress
from pul.store.workspace import Workspace

if TYPE_CHECKING:  # torch takes seconds to load, and an import job needs none of it
    from pul.algorithm.events import Event

CHECK_S = 0.2  # how often progress is stored and requests are looked at
HEARTBEAT_S = 2.0  # how often a sign of life is given while there is no progress
OnEvent = Callable[["Event"], None]


class JobStopped(Exception):  # noqa: N818 - not an error: someone asked for it
    """Someone asked the job to stop."""


class Heartbeat:
    """The line between a job at work and the people who watch it.

    A thread stores progress and looks for requests, so that no batch waits for the database and
    long steps give signs of life; requests are heeded in the job's own thread, between batches.
    """

    def __init__(
        self, workspace: Workspace, job_id: int, worker: str, on_event: OnEvent | None
    ) -> None:
        self.worker = worker
        self._workspace, self._job_id, self._on_event = workspace, job_id, on_event
        self._progress: JobProgress | None = None
        self._command: Command | None = None
        self._lost: JobError | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep_in_touch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()
        if kind is None:
            self._workspace.heartbeat(self._job_id, self._progress, worker=self.worker)

    def tell(self, event: "Event") -> None:
        """Show an event to whoever asked to see them."""
        if self._on_event is not None:
            self._on_event(event)

    def report(self, progress: JobProgress) -> None:
        """Say where the job stands, and heed what was asked of it: wait while it is paused.

        Raises:
            _Stopped: It shall stop.
            JobError: It was given to another worker.
        """
        self._progress = progress
        if self._command == "pause":
            self._workspace.acknowledge(self._job_id, "pause")
            while self._command not in ("resume", "stop") and self._lost is None:
                time.sleep(CHECK_S)
        if self._lost is not None:
            raise self._lost
        if self._command == "resume":
            self._workspace.acknowledge(self._job_id, "resume")
            self._command = None
        if self._command == "stop":
            raise JobStopped

    def count(self, step: str, message: str = "") -> Callable[[int, int], None]:
        """Return a callback that reports (done, total) of a step."""

        def on_progress(done: int, total: int) -> None:
            progress = JobProgress(step=step, done=done, total=total, message=message)
            self.report(progress)
            if self._on_event is not None:
                from pul.algorithm.events import Progress

                self._on_event(Progress(progress))

        return on_progress

    def _keep_in_touch(self) -> None:
        stored, stored_at = None, -HEARTBEAT_S
        while not self._ended.wait(CHECK_S):
            progress, now = self._progress, time.monotonic()
            try:
                if progress is not stored or now - stored_at >= HEARTBEAT_S:
                    self._workspace.heartbeat(self._job_id, progress, worker=self.worker)
                    stored, stored_at = progress, now
                self._command = self._workspace.requested(self._job_id)
            except JobError as error:
                self._lost = error
                return
            except StoreError:
                continue  # a database that is busy or full for a while stops no training
