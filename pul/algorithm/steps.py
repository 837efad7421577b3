"""The steps of an iteration as they pass: an event for each batch, and the seconds of each step."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from pul.algorithm.events import Event, Progress
from pul.records import JobProgress

_Batch = TypeVar("_Batch")
_Result = TypeVar("_Result")


class Steps:
    """Times the steps of an iteration and makes the events that report them.

    Args:
        n_iterations: Iterations of the run, for the events.
        iteration: The iteration whose steps pass.
    """

    def __init__(self, n_iterations: int, iteration: int) -> None:
        self.n_iterations, self.iteration = n_iterations, iteration
        self._seconds: dict[str, float] = {}

    def progress(self, step: str, **values: Any) -> Progress:
        """Return the event that reports how far a step is."""
        return Progress(
            JobProgress(
                step=step, iteration=self.iteration, n_iterations=self.n_iterations, **values
            )
        )

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Add the seconds of what is inside to those of a step."""
        started = time.perf_counter()
        try:
            yield
        finally:
            elapsed = time.perf_counter() - started
            self._seconds[step] = self._seconds.get(step, 0.0) + elapsed

    def drive(
        self,
        step: str,
        batches: Generator[_Batch, None, _Result],
        describe: Callable[[_Batch], Event],
    ) -> Generator[Event, None, _Result]:
        """Yield an event for each batch, timing the batches alone; return their result."""
        while True:
            with self.timed(step):
                try:
                    batch = next(batches)
                except StopIteration as stop:
                    result: _Result = stop.value
                    return result
            yield describe(batch)

    def take_seconds(self) -> dict[str, float]:
        """Return the seconds of each step so far, and begin again at none."""
        seconds, self._seconds = self._seconds, {}
        return {name: round(value, 3) for name, value in seconds.items()}
