"""What the command line prints: progress bars, tables, and JSON for scripts."""

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from pul.data.file_names import is_text, to_text
from pul.records import IterationRecord, JobProgress, RetrievalMetrics

_PIPE_WIDTH = 160  # files and pipes report no width, and 80 columns break the tables
_LINE_EVERY_S = 30.0  # seconds between log lines where standard error is no terminal

OUT = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
ERR = Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar while the block runs; yield a function of (done, total).

    Where standard error is no terminal, a line is printed every half minute instead.
    """
    with _bar(title) as show:
        yield lambda done, total: show(title, done, total)


@contextmanager
def steps_bar() -> Iterator[Callable[[str], Callable[[int, int], None]]]:
    """Show a progress bar of several steps; yield what turns a step into a function of it."""
    with _bar("starting") as show:
        yield lambda step: lambda done, total: show(step, done, total)


@contextmanager
def job_bar() -> Iterator[Callable[[JobProgress], None]]:
    """Show a job's progress while the block runs; yield a function that takes the progress."""
    with _bar("starting") as show:
        yield lambda progress: show(describe_progress(progress), progress.done, progress.total)


def describe_progress(progress: JobProgress) -> str:
    """Return a job's progress in a few words."""
    parts = [progress.step]
    if progress.n_iterations:
        parts.insert(0, f"iteration {progress.iteration}/{progress.n_iterations}")
    if progress.n_epochs:
        parts.append(f"epoch {progress.epoch}/{progress.n_epochs}")
    if progress.loss is not None:
        parts.append(f"loss {progress.loss:.3f}")
    return " · ".join(parts)


def print_json(content: Any) -> None:
    """Print plain values or dataclasses as JSON on standard output.

    A path that is not UTF-8 is a `file:` URI there (`pul.data.file_names.to_text`).
    """
    text = json.dumps(content, default=_plain, ensure_ascii=False, indent=2)
    if not is_text(text):
        plain = json.loads(json.dumps(content, default=_plain))
        text = json.dumps(_writable(plain), ensure_ascii=False, indent=2)
    sys.stdout.write(text + "\n")


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[object]], *, title: str = ""
) -> None:
    """Print rows as a table; columns of numbers are right-aligned."""
    table = Table(title=escape(title) or None, title_justify="left")
    for index, column in enumerate(columns):
        right = all(isinstance(row[index], int | float) for row in rows) and bool(rows)
        table.add_column(column, justify="right" if right else "left")
    for row in rows:
        table.add_row(*(escape(_cell(value)) for value in row))
    OUT.print(table)


def print_metrics(metrics: RetrievalMetrics, *, title: str = "") -> None:
    """Print the figures of one evaluation with the definitions they use."""
    columns = ["rank-1", "rank-5", "rank-10", "rank-20", f"mAP ({metrics.ap_method})", "queries"]
    row = [f"{100 * value:.1f}" for value in retrieval_figures(metrics)]
    print_table(columns, [[*row, metrics.n_queries]], title=title)
    if metrics.n_unmatched:
        policy = "count as 0" if metrics.unmatched == "zero" else "are left out"
        OUT.print(f"{metrics.n_unmatched} queries have no true match and {policy}.")


def retrieval_figures(metrics: RetrievalMetrics) -> tuple[float, float, float, float, float]:
    """Return rank-1, 5, 10, 20 and mAP, as fractions."""
    return (metrics.rank_1, metrics.rank_5, metrics.rank_10, metrics.rank_20, metrics.mean_ap)


ITERATION_COLUMNS = (
    "iteration",
    "reliable %",
    "clusters",
    "kept",
    "loss",
    "rank-1",
    "rank-5",
    "rank-10",
    "rank-20",
    "mAP",
    "seconds",
)


def iteration_row(record: IterationRecord) -> list[str]:
    """Return the cells of an iteration, in the order of `ITERATION_COLUMNS`."""
    figures = ["-"] * 5
    if record.metrics:
        figures = [f"{100 * value:.1f}" for value in retrieval_figures(record.metrics)]
    return [
        "baseline" if record.iteration == 0 else str(record.iteration),
        f"{100 * record.reliable_share:.1f}",
        str(record.n_clusters),
        str(record.n_kept_clusters),
        "-" if record.loss is None else f"{record.loss:.3f}",
        *figures,
        f"{sum(record.seconds.values()):.1f}",
    ]


def iteration_line(record: IterationRecord) -> str:
    """Return one line with what an iteration did and how long each step took."""
    cells = dict(zip(ITERATION_COLUMNS, iteration_row(record), strict=True))
    name = cells.pop("iteration")
    total = cells.pop("seconds")
    steps = " ".join(f"{step} {seconds:.1f}" for step, seconds in record.seconds.items())
    figures = " · ".join(f"{column} {value}" for column, value in cells.items() if value != "-")
    return f"{name:>8}: {figures} · {total} s ({steps})"


@contextmanager
def _bar(title: str) -> Iterator[Callable[[str, int, int], None]]:
    """Yield a function of (description, done, total)."""
    if not ERR.is_terminal:
        yield _lines()
        return
    with _bars() as bars:
        task = bars.add_task(title, total=None)
        yield lambda title, done, total: bars.update(
            task, description=title, completed=done, total=total or None
        )


def _lines() -> Callable[[str, int, int], None]:
    """Return a function that prints a line at most every half minute."""
    last = time.monotonic()

    def show(title: str, done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _LINE_EVERY_S:
            last = now
            ERR.print(f"{title}: {done:,} of {total:,}" if total else title)

    return show


def _bars() -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=ERR,
        transient=True,
    )


def escape_undecodable() -> None:
    """Let names of files that are not UTF-8 be printed as escapes instead of ending the program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _writable(value: Any) -> Any:
    """Return plain values whose text UTF-8 can write."""
    if isinstance(value, dict):
        return {_writable(name): _writable(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_writable(each) for each in value]
    return to_text(value) if isinstance(value, str) and not is_text(value) else value


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return to_text(value)
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    return str(value)
