"""The page of the paper's tables and figures, without a browser."""

from dataclasses import replace
from pathlib import Path

from pul.reproduce.plan import (
    QUICK_SOURCE,
    Request,
    default_settings,
    modern_settings,
    plan_experiment,
)
from pul.store.workspace import Workspace
from tests.app.conftest import Open, text_of
from tests.app.fabricated import fabricate


def add_experiment(location: Path, name: str, row: str, run_id: int, **changes: object) -> None:
    """Plan an experiment on the people of the tests and give one of its rows a run."""
    config, _ = default_settings("quick", "market")
    request = Request(
        *(name, "market", 8, ("cuhk03",), "", "", "quick"),
        *(config, modern_settings(config), QUICK_SOURCE),
    )
    with Workspace.open(location) as workspace:
        record = workspace.add_experiment(plan_experiment(request))
        (planned,) = [found for found in record.rows if found.key == row]
        done = replace(planned, run_id=run_id, **changes)
        workspace.update_experiment_row(record.experiment_id, done)


def test_experiments__none_says_how_to_run_one(
    location: Path, people: Path, open_studio: Open
) -> None:
    fabricate(location, people)
    studio = open_studio("experiments")
    assert not studio.exception
    text = text_of(studio)
    assert "No table of the paper has been run here yet." in text
    assert "python -m pul reproduce table4 --data TARGET" in text
    assert str(location) in text


def test_experiments__our_figures_beside_the_papers(
    location: Path, people: Path, open_studio: Open
) -> None:
    run = fabricate(location, people, n_iterations=3, status="stopped")
    add_experiment(location, "table2", "pul:cuhk03", run.run_id)
    studio = open_studio("experiments")
    assert not studio.exception
    table = studio.dataframe[0].value.set_index("")
    row = table.loc["PUL (cuhk03)"]
    with Workspace.open(location) as workspace:
        metrics = workspace.iterations(run.run_id)[-1].metrics
    assert row["rank-1"] == f"{100 * metrics.rank_1:.1f}"
    assert (row["Paper: rank-1"], row["Paper: mAP"]) == ("41.9", "18.0")
    assert (row["State"], row["Run"]) == ("stopped, iteration 3/10", "rounds?w=workspace&run=1")
    planned = table.loc["baseline (cuhk03)"]
    assert (planned["State"], planned["rank-1"], planned["Run"]) == ("planned", "", "")
    assert len(studio.get("plotly_chart")) == 1  # its curves


def test_experiments__says_what_is_missing_and_what_failed(
    location: Path, people: Path, open_studio: Open
) -> None:
    run = fabricate(location, people, status="failed")
    add_experiment(location, "table4", "pul", run.run_id, error="The disk is full.")
    studio = open_studio("experiments")
    assert "PUL: The disk is full." in [error.value for error in studio.error]
    assert "missing 25 known people" in text_of(studio)


def test_experiments__figure_3_shows_two_iterations(
    location: Path, people: Path, open_studio: Open
) -> None:
    run = fabricate(location, people, n_iterations=3, status="finished")
    add_experiment(location, "fig3", "pul", run.run_id)
    studio = open_studio("experiments")
    assert not studio.exception
    assert len(studio.get("plotly_chart")) == 2
    assert "Reliable images are filled" in text_of(studio)
