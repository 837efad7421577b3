"""The page of the paper's tables and figures, without a browser."""

from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import services
from app.services.reproduction import Request as Asked
from pul.data.datasets import read_dataset
from pul.errors import JobError
from pul.models.network import save_network
from pul.reproduce.plan import (
    QUICK_SOURCE,
    Request,
    default_settings,
    modern_settings,
    plan_experiment,
)
from pul.store.workspace import Workspace
from tests.app.conftest import Open, text_of, wait_until
from tests.app.fabricated import fabricate
from tests.support.networks import tiny_network


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


def test_experiments__none_offers_to_run_one(
    location: Path, people: Path, open_studio: Open
) -> None:
    fabricate(location, people)
    studio = open_studio("experiments")
    assert not studio.exception
    assert "No table of the paper has been run here yet." in text_of(studio)
    assert studio.expander[0].label == "Start a table or figure"
    assert studio.expander[0].proto.expanded


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


# Started from the screen


def press(studio: AppTest, label: str) -> AppTest:
    return next(b for b in studio.button if b.label == label).click().run()


def test_experiments__are_refused_in_words(location: Path, people: Path, open_studio: Open) -> None:
    fabricate(location, people)
    studio = open_studio("experiments")
    field = next(f for f in studio.text_input if f.label == "Dataset of this workspace")
    field.set_value(str(people / "nowhere"))
    said = press(studio, "Start").error[0].value
    assert "there is no folder" in said
    assert "Start model: choose one, or a labelled dataset" in said
    assert services.reproduction.working(str(location)) is None


def test_experiments__are_planned_started_and_stopped(
    location: Path, people: Path, open_studio: Open, tmp_path: Path
) -> None:
    with Workspace.create(location) as workspace:
        workspace.add_dataset(read_dataset(people))
        save_network(tiny_network(), workspace.path / "models" / "tiny.safetensors")
    studio = open_studio("experiments")
    next(s for s in studio.selectbox if s.label == "Table or figure to run").set_value("fig5")
    next(s for s in studio.selectbox if s.label == "Start model").set_value("tiny")
    field = next(f for f in studio.text_input if f.label == "Dataset of this workspace")
    field.set_value(str(people))
    studio = press(studio, "Plan")
    assert not studio.error
    planned = studio.dataframe[0].value
    assert len(planned) >= 5  # a row for each λ of the figure
    assert planned["Takes"].str.contains("s|min").all()
    assert "without training the start model" in text_of(studio)
    studio = press(studio, "Start")
    assert not studio.exception
    wait_until(lambda: bool(services.experiments.experiments(str(location))))
    wait_until(lambda: bool(Workspace.open(location).active_jobs()))
    studio.run()
    assert "An experiment is running. About" in studio.info[0].value
    with pytest.raises(JobError, match="is running in this workspace"):
        services.reproduction.start(str(location), Asked("fig5", str(people), (), "m", "quick"))
    studio = press(studio, "Stop")
    assert "Start the same again" in studio.toast[0].value
    working = services.reproduction.working
    wait_until(lambda: not working(str(location)).is_alive)  # type: ignore[union-attr]
    assert "stopped; run the same command again to continue" in working(str(location)).log  # type: ignore[union-attr]
