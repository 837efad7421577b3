"""The worker's line to the workspace while a job runs: progress, heartbeats, requests."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from pul.algorithm.events import Event, Progress
from pul.errors import JobError, StoreError
from pul.records import Command, JobProgress
from pul.store.workspace import Workspace

CHECK_S = 0.2  # how often progress is stored and requests are checked
HEARTBEAT_S = 2.0  # how often a heartbeat is stored while there is no progress
OnEvent = Callable[[Event], None]

# Set by SIGTERM: a library may swallow the interrupt that it raises too.
TERMINATED = threading.Event()


class JobStopped(Exception):  # noqa: N818 - not an error: someone asked for it
    """Someone asked the job to stop."""


class Heartbeat:
    """The line between a running job and those who watch it.

    A thread stores progress and checks for requests, so that no batch waits for the database and
    long steps show a heartbeat too; requests are followed in the job's own thread, between batches.
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
        self._thread = threading.Thread(target=self._exchange, daemon=True)

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

    def report_event(self, event: Event) -> None:
        """Pass an event to the callback, if there is one."""
        if self._on_event is not None:
            self._on_event(event)

    def report_progress(self, progress: JobProgress) -> None:
        """Record the progress, and follow what was requested: wait while the job is paused.

        Raises:
            JobStopped: Someone asked the job to stop.
            JobError: The job was given to another worker.
        """
        self._progress = progress
        if self._command == "pause":
            self._workspace.acknowledge(self._job_id, "pause")
            while self._command not in ("resume", "stop") and self._lost is None:
                if TERMINATED.wait(CHECK_S):
                    break
        if self._lost is not None:
            raise self._lost
        if self._command == "resume":
            self._workspace.acknowledge(self._job_id, "resume")
            self._command = None
        if self._command == "stop" or TERMINATED.is_set():
            raise JobStopped

    def progress_callback(self, step: str, message: str = "") -> Callable[[int, int], None]:
        """Return a callback that reports (done, total) of a step."""

        def on_progress(done: int, total: int) -> None:
            progress = JobProgress(step=step, done=done, total=total, message=message)
            self.report_progress(progress)
            self.report_event(Progress(progress))

        return on_progress

    def _exchange(self) -> None:
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
                continue  # a database that is busy or full for a while does not stop the training
