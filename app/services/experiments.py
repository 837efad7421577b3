"""The paper's tables and figures in a workspace."""

from dataclasses import dataclass

from app.services.workspace import open_workspace
from pul.records import ExperimentRecord
from pul.reports.svg import Figure, Panel
from pul.reproduce.clouds import Cloud, clouds_of
from pul.reproduce.cost import estimate
from pul.reproduce.curves import figure_of
from pul.reproduce.plan import EXPERIMENTS
from pul.reproduce.report import FIGURES, TITLES, describe_row, percentages
from pul.reproduce.results import RowResult, read_results

__all__ = [
    "EXPERIMENTS",
    "FIGURES",
    "TITLES",
    "Cloud",
    "Figure",
    "Panel",
    "RowResult",
    "describe_row",
    "percentages",
]


@dataclass(frozen=True, slots=True, eq=False)
class Experiment:
    """A table or figure and its results so far.

    Attributes:
        record: What was planned.
        results: Its rows.
        figure: Its curves; None while there are none.
        clouds: The two iterations of Fig. 3; empty for others.
        folder: Where its files are.
    """

    record: ExperimentRecord
    results: tuple[RowResult, ...]
    figure: Figure | None
    clouds: tuple[Cloud, ...]
    folder: str

    @property
    def is_running(self) -> bool:
        """Whether a row is running."""
        return any(result.status in ("running", "paused") for result in self.results)


def experiments(location: str) -> dict[str, str]:
    """Return the titles of a workspace's experiments by id, the newest first."""
    records = reversed(open_workspace(location).experiments())
    return {
        record.experiment_id: f"{TITLES[record.name]}, {_setting(record)}" for record in records
    }


def experiment(location: str, experiment_id: str) -> Experiment:
    """Return one experiment with its results so far.

    Raises:
        StoreError: There is no such experiment.
    """
    workspace = open_workspace(location)
    record = workspace.experiment(experiment_id)
    results = read_results(workspace, record)
    return Experiment(
        record=record,
        results=results,
        figure=figure_of(workspace, record, results),
        clouds=clouds_of(workspace, record, results),
        folder=str(workspace.path / "experiments" / experiment_id),
    )


def remaining_s(location: str, shown: Experiment) -> float:
    """Return the seconds that the rows of an experiment still take, start models not counted."""
    workspace = open_workspace(location)
    splits = {row.split: row.n_images for row in workspace.summary().splits}
    n_train = splits.pop("train", 0)
    known = [
        result for record in workspace.experiments() for result in read_results(workspace, record)
    ]
    left = (
        estimate(result, known, n_train=n_train, n_test=sum(splits.values()))
        for result in shown.results
    )
    return sum(each.seconds for each in left)


def _setting(record: ExperimentRecord) -> str:
    settings = record.settings
    start, preset = settings.get("start model", "no model"), settings.get("preset", "?")
    return f"{start} → {record.target}, {preset}, {record.created_at[:16].replace('T', ' ')}"
