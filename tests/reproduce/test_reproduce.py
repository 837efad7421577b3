"""The command from end to end: 48 images of six people, a network of a tenth of the width."""

import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from pul.algorithm.events import Progress
from pul.cli.main import app
from pul.config import EvaluationConfig, RunConfig, TrainConfig
from pul.data.datasets import read_dataset
from pul.errors import ConfigError, DataError, PulError
from pul.labelling.guidance import fixed_guidance, read_guidance
from pul.reproduce.data import choose_sources, choose_target, open_workspace
from pul.reproduce.people import first_people, queue_people
from pul.reproduce.plan import Request, SourceConfig, plan_experiment
from pul.reproduce.runner import Inputs, Watcher, run_rows
from pul.reproduce.systems import HandCraftedConfig
from pul.store.workspace import Workspace
from tests.support.fakes import iteration_arrays, iteration_record

SMALL = (
    *("--preset", "quick", "--iterations", "2", "--threads", "1", "--device", "cpu"),
    *("--set", "n_clusters=6", "--set", "finetune.n_epochs=1", "--set", "finetune.batch_size=8"),
    *("--set", "source.network.weights=none", "--set", "source.network.width_mult=0.1"),
    *("--set", "source.network.height=32", "--set", "source.network.width=16"),
    *("--set", "source.train.n_epochs=1", "--set", "source.train.batch_size=8"),
)


def reproduce(name, place, workspace, *options, json_=True):
    arguments = ["reproduce", name, "--data", place / "market-tiny", "--workspace", workspace]
    arguments += [*SMALL, *options, *(["--json"] if json_ else [])]
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return json.loads(result.stdout) if json_ else result.stdout


def rows_of(output):
    return {row["key"]: row for row in output["experiment"]["rows"]}


@pytest.fixture
def model(place):
    return ("--model", place / "start.safetensors")


def test_reproduce__table_2_from_a_source(place, tmp_path):
    location = tmp_path / "w"
    output = reproduce("table2", place, location, "--source", place / "source-tiny")
    assert output["status"] == "finished"
    rows = rows_of(output)
    assert list(rows) == ["supervised", "baseline:source-tiny", "pul:source-tiny"]
    with Workspace.open(location) as workspace:
        runs = {key: workspace.run(row["run_id"]) for key, row in rows.items()}
        assert [run.n_iterations_done for run in runs.values()] == [0, 0, 2]
        assert runs["baseline:source-tiny"].model == runs["pul:source-tiny"].model
        assert runs["supervised"].model != runs["pul:source-tiny"].model
        models = list((workspace.path / "models").iterdir())
        assert len(models) == 2  # one trained on the source, one on the target
        before = [path.stat().st_mtime_ns for path in models]
        pul = workspace.iterations(rows["pul:source-tiny"]["run_id"])[-1]
    table = (
        location / "experiments" / output["experiment"]["experiment_id"] / "table.md"
    ).read_text()
    assert f"| PUL (source-tiny) | {100 * pul.metrics.rank_1:.1f} |" in table
    assert "| 76.2 | 53.1 | Market |" in table  # supervised, in the paper
    again = reproduce("table2", place, location, "--source", place / "source-tiny")
    assert again["experiment"] == output["experiment"]  # nothing is run twice
    assert [path.stat().st_mtime_ns for path in models] == before


def test_reproduce__experiments_share_runs(place, tmp_path, model):
    location = tmp_path / "w"
    fig6 = rows_of(reproduce("fig6", place, location, *model, "--only", "pul-6"))
    fig3 = rows_of(reproduce("fig3", place, location, *model))
    assert fig6["pul-6"]["run_id"] == fig3["pul"]["run_id"] == 1
    assert fig6["pul-8"]["run_id"] is None  # planned only
    with Workspace.open(location) as workspace:
        assert len(workspace.runs()) == 1
        assert [record.name for record in workspace.experiments()] == ["fig6", "fig3"]


def test_reproduce__plan_writes_nothing(place, tmp_path, model):
    output = reproduce("table3", place, tmp_path / "w", *model, "--plan")
    assert len(output["left"]) == 5
    assert output["total_seconds"] == sum(cost["seconds"] for cost in output["left"].values()) > 0
    assert not (tmp_path / "w").exists()
    text = reproduce("table4", place, tmp_path / "w", *model, "--plan", json_=False)
    assert "missing 25 known people in the target's train split, not 6" in text


def test_reproduce__a_row_that_fails_says_why_and_others_go_on(place, tmp_path, model):
    options = (*model, "--set", "n_clusters=36")  # K = 60 of 48 images
    with pytest.raises(PulError, match="K = 60"):
        reproduce("fig6", place, tmp_path / "w", *options, "--only", "pul-60", "--only", "pul-12")
    with Workspace.open(tmp_path / "w") as workspace:
        (record,) = workspace.experiments()
        rows = {row.key: row for row in record.rows}
        assert "K = 60" in rows["pul-60"].error
        assert workspace.run(rows["pul-12"].run_id).status == "finished"


def test_reproduce__hand_crafted_features_have_no_run(place, tmp_path):
    row = rows_of(reproduce("table4", place, tmp_path / "w", "--only", "lomo"))["lomo"]
    assert row["run_id"] is None
    assert row["metrics"]["n_queries"] == 6
    assert row["seconds"] >= 0  # to a tenth, and it may take less


def sweep(place, location, on_event=lambda event: None):
    """Plan Fig. 3 on the tiny place and run it; return how that ended and the run's records."""
    target = read_dataset(place / "market-tiny")
    config = RunConfig(
        n_clusters=6, n_iterations=2, projection=False, finetune=TrainConfig(n_epochs=1)
    )
    request = Request(
        *("fig3", target.name, 6, (), "start", "hash", "quick", config, config, SourceConfig())
    )
    inputs = Inputs(
        target=target,
        sources=(),
        model=place / "start.safetensors",
        source_config=SourceConfig(),
        ids="first",
        hand_crafted=HandCraftedConfig(None, 10, 0, EvaluationConfig()),
        device="cpu",
        n_threads=1,
    )
    watcher = Watcher(lambda row, status: None, on_event, lambda step, done, total: None)
    with open_workspace(location, target) as workspace:
        record = workspace.add_experiment(plan_experiment(request))
        status = run_rows(workspace, record, record.rows, inputs, watcher)
        run_id = workspace.experiment(record.experiment_id).rows[0].run_id
        return status, run_id, workspace.iterations(run_id)


def test_run_rows__a_stopped_sweep_goes_on_where_it_was(place, tmp_path):
    def interrupt(event):
        if isinstance(event, Progress) and event.progress.iteration == 2:
            raise KeyboardInterrupt

    _, _, undisturbed = sweep(place, tmp_path / "one")
    status, run_id, records = sweep(place, tmp_path / "two", interrupt)
    assert (status, len(records)) == ("stopped", 2)  # the baseline and iteration 1
    status, same_run_id, records = sweep(place, tmp_path / "two")
    assert (status, same_run_id) == ("finished", run_id)
    assert [found.metrics for found in records] == [found.metrics for found in undisturbed]


# Labelled people


def test_fixed_guidance__a_run_heeds_it_alone(place, tmp_path):
    from pul.labelling.annotations import create

    with open_workspace(tmp_path / "w", read_dataset(place / "market-tiny")) as workspace:
        ids = workspace.images("train").image_ids.tolist()
        act = create(ids[:2], refused=())
        workspace.append_annotation_event(act.kind, act.payload, "someone")
        free, fixed, none = (
            workspace.create_run(
                RunConfig(), model=place / "start.safetensors", settings=settings
            ).run_id
            for settings in (
                lambda _: {},
                lambda run_id: fixed_guidance(run_id, {ids[4]: 7, ids[5]: 7}),
                lambda run_id: fixed_guidance(run_id, {}),
            )
        )
        assert set(read_guidance(workspace, free).annotations) == {0, 1}
        guidance = read_guidance(workspace, fixed)
        assert guidance.annotations == {4: 7, 5: 7}
        assert guidance.content_hash
        assert read_guidance(workspace, none).annotations == {}
        assert read_guidance(workspace, none).content_hash == ""


def test_first_people__all_images_of_the_lowest_pids(place, tmp_path):
    with open_workspace(tmp_path / "w", read_dataset(place / "market-tiny")) as workspace:
        train = workspace.images("train")
        labels = first_people(train, 2)
        assert sorted(labels.values()) == [1] * 8 + [2] * 8
        assert all(
            train.pids[train.image_ids.tolist().index(image)] == pid
            for image, pid in labels.items()
        )
        with pytest.raises(DataError, match="9 people"):
            first_people(train, 9)


def test_reproduce__labelled_people_train(place, tmp_path, model, monkeypatch):
    monkeypatch.setattr("pul.reproduce.plan.LABELLED", (2,))
    row = rows_of(reproduce("table4", place, tmp_path / "w", *model, "--only", "pul-2"))["pul-2"]
    with Workspace.open(tmp_path / "w") as workspace:
        records = workspace.iterations(row["run_id"])
        assert {(record.n_identities, record.n_annotated_images) for record in records} == {(2, 16)}
        assert workspace.annotation_events() == []  # what people see does not change


def test_queue_people__clear_ones_in_the_order_of_the_screen(place, tmp_path):
    with open_workspace(tmp_path / "w", read_dataset(place / "market-tiny")) as workspace:
        train = workspace.images("train")
        run_id = workspace.create_run(RunConfig(), model=place / "start.safetensors").run_id
        arrays = iteration_arrays(len(train), n_clusters=6)
        noise = np.random.default_rng(0).normal(0, 0.05, (len(train), 16)).astype(np.float32)
        features = np.eye(16, dtype=np.float32)[train.pids] + noise  # each person by themselves
        clusters = train.pids - 1
        arrays = replace(arrays, features=features, clusters=clusters)
        arrays = replace(arrays, similarities=np.ones(len(train), dtype=np.float32))
        workspace.add_iteration(run_id, iteration_record(0, n_images=len(train)), arrays, b"")
        labels = queue_people(workspace, run_id, 2)
        pids = dict(zip(train.image_ids.tolist(), train.pids.tolist(), strict=True))
        assert len(set(labels.values())) == 2
        people = {identity: {pids[i] for i, who in labels.items() if who == identity}
                  for identity in labels.values()}  # fmt: skip
        assert all(len(who) == 1 for who in people.values())
        assert len(labels) == 16
        assert workspace.annotation_events() == []
        with pytest.raises(DataError, match=r"finds 6 clear ones; use .* --ids first"):
            queue_people(workspace, run_id, 7)


# Data


def test_choose_target__the_whole_one(place):
    target, source = (read_dataset(place / name) for name in ("market-tiny", "source-tiny"))
    assert choose_target([source, target]) is target
    assert choose_sources([target, source]) == (target, source)
    with pytest.raises(DataError, match="queries and a gallery"):
        choose_target([source])
    with pytest.raises(ConfigError, match="have the same name"):
        choose_target([target, target])
    with pytest.raises(ConfigError, match="must name one of market-tiny"):
        choose_target([target, source], "duke")


def test_open_workspace__of_another_place_is_refused(place, tmp_path):
    open_workspace(tmp_path / "w", read_dataset(place / "market-tiny")).close()
    open_workspace(tmp_path / "w", read_dataset(place / "market-tiny")).close()
    with pytest.raises(ConfigError, match="images that are not of source-tiny"):
        open_workspace(tmp_path / "w", read_dataset(place / "source-tiny"))
