"""The figures of a run in TensorBoard and MLflow, read back by their own readers."""

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from pul import jobs
from pul.algorithm.events import Event, IterationFinished, NotTracked
from pul.errors import ConfigError
from pul.jobs.trackers import absolute_uri
from pul.jobs.worker import work
from pul.store.workspace import Workspace
from tests.support.networks import TINY_RUN
from tests.support.places import make_small_workspace

CONFIG = TINY_RUN.replace(n_iterations=3, convergence_tolerance=0)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_small_workspace(tmp_path_factory.mktemp("made") / "workspace", "Größe: 5/6")


@pytest.fixture
def workspace(made: Path, tmp_path: Path) -> Iterator[Workspace]:
    shutil.copytree(made, tmp_path / "workspace")
    with Workspace.open(tmp_path / "workspace") as workspace:
        yield workspace


def run(workspace: Workspace, stop_after: int | None = None, **settings: object) -> list[Event]:
    """Run with trackers; stop after an iteration if asked to, and resume to the end."""
    events: list[Event] = []

    def on_event(event: Event) -> None:
        events.append(event)
        if isinstance(event, IterationFinished) and event.record.iteration == stop_after:
            raise KeyboardInterrupt

    config = CONFIG.replace(**settings)
    job = jobs.create_run(workspace, config, workspace.path / "start.safetensors")
    ended = work(workspace, job.job_id, on_event=on_event)
    if stop_after is not None:
        assert ended.status == "stopped"
        ended = work(workspace, jobs.create_resumption(workspace, 1).job_id, on_event=events.append)
    assert ended.status == "finished"
    return events


def expected(workspace: Workspace) -> dict[str, list[tuple[int, float]]]:
    """Return some of the figures in the store, as series of (iteration, value)."""
    records = workspace.iterations(1)
    assert [record.iteration for record in records] == [0, 1, 2, 3]
    return {
        "reliable_share": [(r.iteration, r.n_reliable / 24) for r in records],
        "test/mAP": [(r.iteration, r.metrics.mean_ap) for r in records if r.metrics],
        "test/rank-1": [(r.iteration, r.metrics.rank_1) for r in records if r.metrics],
        "nmi": [(r.iteration, r.cluster_quality.nmi) for r in records if r.cluster_quality],
        "loss": [(r.iteration, r.epoch_losses[-1]) for r in records[1:]],
    }


def check(series: dict[str, list[tuple[int, float]]], workspace: Workspace) -> None:
    for name, values in expected(workspace).items():
        assert [step for step, _ in series[name]] == [step for step, _ in values], name
        assert np.allclose([v for _, v in series[name]], [v for _, v in values]), name


def tensorboard_series(folder: Path) -> dict[str, list[tuple[int, float]]]:
    [place] = {file.parent for file in folder.rglob("events.*")}
    board = EventAccumulator(str(place))
    board.Reload()
    return {
        tag: [(event.step, event.value) for event in board.Scalars(tag)]
        for tag in board.Tags()["scalars"]
    }


@pytest.mark.parametrize("stop_after", [None, 1])
def test_tensorboard__reads_the_series_back(
    workspace: Workspace, tmp_path: Path, stop_after: int | None
) -> None:
    run(workspace, stop_after, tensorboard=str(tmp_path / "board"))
    check(tensorboard_series(tmp_path / "board"), workspace)


def test_tensorboard__a_relative_folder_is_in_the_workspace(workspace: Workspace) -> None:
    run(workspace, n_iterations=0, tensorboard="board")
    assert len(tensorboard_series(workspace.path / "board")["seconds"]) == 1


@pytest.mark.parametrize("stop_after", [None, 1])
def test_mlflow__reads_the_series_back(
    workspace: Workspace, tmp_path: Path, stop_after: int | None
) -> None:
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    assert not [e for e in run(workspace, stop_after, mlflow=uri) if isinstance(e, NotTracked)]
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("Größe: 5/6")
    assert experiment is not None
    [found] = client.search_runs([experiment.experiment_id])
    assert (found.info.run_name, found.info.status) == (workspace.run(1).name, "FINISHED")
    assert found.data.params["n_iterations"] == "3"
    assert found.data.params["finetune.batch_size"] == str(CONFIG.finetune.batch_size)
    assert "mlflow" not in found.data.params
    series = {
        name: [(m.step, m.value) for m in client.get_metric_history(found.info.run_id, name)]
        for name in found.data.metrics
    }
    check(series, workspace)


def test_mlflow__a_server_that_is_down_stops_nothing_and_is_told(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    events = run(workspace, n_iterations=1, mlflow="http://ann:secret@127.0.0.1:9")
    told = [event.reason for event in events if isinstance(event, NotTracked)]
    assert len(told) == 2  # after each iteration; it is tried again
    assert told[0].startswith("The figures cannot be written to MLflow at http://127.0.0.1:9 now: ")
    assert "\n" not in told[0]
    assert "secret" not in told[0].partition(" now: ")[0]
    assert jobs.not_tracked(workspace, 1) == told[-1]  # for the screen
    assert workspace.run(1).status == "finished"


def test_trackers__what_was_told_is_taken_back_when_figures_arrive(
    workspace: Workspace, tmp_path: Path
) -> None:
    place = tmp_path / "board"
    place.write_text("not a folder")

    def mend(event: Event) -> None:
        if isinstance(event, NotTracked):
            assert jobs.not_tracked(workspace, 1) == ""  # it is stored behind the event
            place.unlink(missing_ok=True)
        if isinstance(event, IterationFinished) and event.record.iteration == 0:
            assert "TensorBoard" in jobs.not_tracked(workspace, 1)

    config = CONFIG.replace(n_iterations=1, tensorboard=str(place))
    job = jobs.create_run(workspace, config, workspace.path / "start.safetensors")
    assert work(workspace, job.job_id, on_event=mend).status == "finished"
    assert jobs.not_tracked(workspace, 1) == ""
    assert len(tensorboard_series(place)["seconds"]) == 2


def test_tensorboard__a_folder_that_cannot_be_made_stops_nothing(
    workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")
    events = run(workspace, n_iterations=0, tensorboard=str(tmp_path / "file"))
    [told] = [event.reason for event in events if isinstance(event, NotTracked)]
    assert "TensorBoard in " in told


@pytest.mark.parametrize(
    ("setting", "value", "command"),
    [
        ("tensorboard", "board", "pip install tensorboard"),
        ("mlflow", "http://127.0.0.1:9", "pip install mlflow-skinny"),
    ],
)
def test_create_run__a_missing_package_is_named(
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    value: str,
    command: str,
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == setting else find(name)
    )
    with pytest.raises(ConfigError, match=f"{setting} needs a package: `{command}`"):
        jobs.create_run(
            workspace, CONFIG.replace(**{setting: value}), workspace.path / "start.safetensors"
        )
    assert workspace.runs() == []


@pytest.mark.parametrize(
    ("uri", "meant"),
    [
        ("http://host:5000", "http://host:5000"),
        ("sqlite:///mlflow.db", "sqlite:////here/mlflow.db"),
        ("sqlite:////there/mlflow.db", "sqlite:////there/mlflow.db"),
        ("databricks", "databricks"),
    ],
)
def test_absolute_uri(uri: str, meant: str) -> None:
    assert absolute_uri(uri, Path("/here")) == meant
