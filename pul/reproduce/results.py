"""The results of an experiment's rows so far."""

from dataclasses import dataclass

from pul.records import (
    ExperimentRecord,
    ExperimentRow,
    IterationRecord,
    RetrievalMetrics,
    last_measured,
)
from pul.reproduce.tables import PaperFigures, find_paper_figures
from pul.store.workspace import Workspace


@dataclass(frozen=True, slots=True)
class RowResult:
    """The result of one row so far.

    Attributes:
        row: The planned row.
        status: `planned`, `missing`, or the status of its run: `running`, `stopped`, `finished`...
        iterations: The finished iterations of its run, the baseline first.
        metrics: Its figures so far; None where there are none yet.
        paper: What the paper reports; None if it has no such row.
        seconds: Seconds spent so far.
    """

    row: ExperimentRow
    status: str
    iterations: tuple[IterationRecord, ...]
    metrics: RetrievalMetrics | None
    paper: PaperFigures | None
    seconds: float

    @property
    def n_iterations(self) -> int:
        """Planned iterations of its run; 0 if nothing trains."""
        return int(self.row.config["n_iterations"]) if self.row.config else 0


def read_results(workspace: Workspace, record: ExperimentRecord) -> tuple[RowResult, ...]:
    """Return the results of an experiment's rows so far.

    Raises:
        StoreError: The store refuses.
    """
    return tuple(_read_result(workspace, record, row) for row in record.rows)


def known_runs(workspace: Workspace) -> dict[int, str]:
    """Return the status of each run that was not deleted, by its number."""
    return {run.run_id: run.status for run in workspace.runs() if run.shelf != "deleted"}


def _read_result(workspace: Workspace, record: ExperimentRecord, row: ExperimentRow) -> RowResult:
    status, iterations = _read_run(workspace, row)
    trains = row.config is not None and row.config["n_iterations"] > 0
    counted = [found for found in iterations if found.iteration > 0 or not trains]
    measured = last_measured(counted)
    metrics = measured.metrics if measured else row.metrics
    name = row.key.partition(":")[0]
    return RowResult(
        row=row,
        status=status,
        iterations=iterations,
        metrics=metrics,
        paper=find_paper_figures(record.name, name, row.sources, record.target),
        seconds=row.seconds + sum(sum(found.seconds.values()) for found in iterations),
    )


def _read_run(workspace: Workspace, row: ExperimentRow) -> tuple[str, tuple[IterationRecord, ...]]:
    known = known_runs(workspace)
    if row.run_id is not None and row.run_id in known:
        return known[row.run_id], tuple(workspace.iterations(row.run_id))
    if row.metrics is not None:
        return "finished", ()
    if row.missing:
        return "missing", ()
    return ("failed" if row.error else "planned"), ()
