"""Work on many image files at once, by threads: decoding releases Python's lock."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

Progress = Callable[[int, int], None]
_Result = TypeVar("_Result")

_BATCH = 32  # images a thread decodes at a time: fewer cost more in hand-over than in decoding
_MAX_THREADS = 4  # Python holds its lock between the decodes of small images: more gain nothing


def in_threads(
    function: Callable[[Path], _Result], paths: Sequence[Path], on_progress: Progress | None
) -> Iterator[_Result]:
    """Apply a function to every path in order, never more than a few batches ahead."""

    def apply(batch: Sequence[Path]) -> list[_Result]:
        return [function(path) for path in batch]

    n_threads = min(_MAX_THREADS, os.cpu_count() or 1)
    n_ahead = _BATCH * n_threads * 2
    with ThreadPoolExecutor(n_threads) as pool:
        for start in range(0, len(paths), n_ahead):
            stop = min(start + n_ahead, len(paths))
            batches = [paths[i : min(i + _BATCH, stop)] for i in range(start, stop, _BATCH)]
            for results in pool.map(apply, batches):
                yield from results
            if on_progress is not None:
                on_progress(stop, len(paths))
