"""Run contenders in alternation and record seconds, memory and figures of quality."""

import ctypes
import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Figures = Mapping[str, float]
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Contender:
    """One way of doing the work.

    Attributes:
        name: What the table calls it.
        run: Does the work once, given the number of the repeat; this is timed.
        judge: Figures of quality of what `run` returned. A figure `seconds`, `cpu_seconds` or
            `peak_bytes` replaces what was measured from outside: for work in a child process.
    """

    name: str
    run: Callable[[int], Any]
    judge: Callable[[Any], Figures] = lambda _: {}


@dataclass(frozen=True)
class Limit:
    """The time that the hardware needs at least."""

    what: str
    seconds: float


@dataclass(frozen=True)
class Case:
    """One row's work: ours first, then its peers.

    Attributes:
        title: What is done, at which size.
        contenders: Ours, then the peers.
        goal: Target ratio to the first peer, or "".
        limit: Returns the physical limit, measured when called; None for none.
    """

    title: str
    contenders: Sequence[Contender]
    goal: str = ""
    limit: Callable[[], Limit] | None = None


@dataclass
class Runs:
    """What was measured of one contender."""

    name: str
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    peak_bytes: list[int] = field(default_factory=list)
    figures: list[dict[str, float]] = field(default_factory=list)


@dataclass
class Result:
    """What was measured of one case."""

    title: str
    goal: str
    runs: list[Runs]
    limit: Limit | None

    def to_json(self) -> dict[str, object]:
        return asdict(self)


def measure(case: Case, repeats: int, report: Callable[[str], None]) -> Result:
    """Run the contenders of a case in alternation, so that other load affects all of them alike."""
    runs = [Runs(contender.name) for contender in case.contenders]
    for repeat in range(repeats):
        turns = list(zip(case.contenders, runs, strict=True))
        for contender, record in turns if repeat % 2 == 0 else reversed(turns):
            _run_once(contender, record, repeat)
            report(f"{case.title} | {contender.name} | {record.seconds[-1]:.2f} s")
    return Result(case.title, case.goal, runs, case.limit() if case.limit else None)


def _run_once(contender: Contender, record: Runs, repeat: int) -> None:
    before = _start_peak()
    started, cpu_started = time.perf_counter(), time.process_time()
    outcome = contender.run(repeat)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    peak = peak_bytes() - before if before else 0
    figures = dict(contender.judge(outcome))
    record.seconds.append(figures.pop("seconds", seconds))
    record.cpu_seconds.append(figures.pop("cpu_seconds", cpu_seconds))
    record.peak_bytes.append(int(figures.pop("peak_bytes", peak)))
    record.figures.append(figures)


def _start_peak() -> int:
    """Reset Linux's record of this process' peak memory; return what it uses now, 0 if unknown."""
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)  # memory freed by earlier runs would hide this run's peak
        _CLEAR.write_text("5")
    except (AttributeError, OSError):
        return 0
    return _memory("VmRSS")


def peak_bytes() -> int:
    """Return the peak resident memory of this process since it was reset, or since it began."""
    return _memory("VmHWM")


def _memory(name: str) -> int:
    lines = _STATUS.read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def best_seconds(work: Callable[[], object], repeats: int = 3) -> float:
    """Return the least processor time of some runs: for a physical limit only the best counts."""
    times = []
    for _ in range(repeats):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)
