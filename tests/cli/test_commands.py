"""The command line, on a tiny place and a network of a tenth of the width."""

import csv
import json
import os

import pytest
import torch
from typer.testing import CliRunner

from pul.cli import main
from pul.models.network import load_network, read_network_config, save_network
from pul.store.workspace import Workspace
from tests.support.networks import TINY, tiny_network
from tests.support.places import write_place

FAST = ["--iterations", "1", "--epochs", "1", "--k", "6", "--threads", "1", "--device", "cpu"]


def call(*arguments):
    """Run a command as its user would; errors we foresaw come out as they are."""
    result = CliRunner().invoke(main.app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return write_place(tmp_path_factory.mktemp("place") / "market")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "start.safetensors"
    save_network(tiny_network(), path)
    return path


@pytest.fixture(scope="module")
def workspace(tmp_path_factory, place, model):
    """A workspace with a run of one iteration."""
    folder = tmp_path_factory.mktemp("workspaces") / "w"
    call("import", place, "--workspace", folder)
    result = call(
        "run", "--workspace", folder, "--model", model, *FAST, "--set", "projection=false"
    )
    assert "baseline: reliable %" in result.stdout
    assert "rank-1" in result.stdout
    return folder


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--k", "1"], "one_cluster", "There is one cluster; 48 of 48 images are in it."),
        (["--k", "48"], "no_pairs", "Each of the 48 images is a cluster of its own."),
        (["--lambda", "1"], "nothing_reliable", "Lower λ on the Map"),
    ],
)
def test_run__says_once_what_cannot_teach_anything(tmp_path, place, model, options, code, said):
    call("import", place, "--workspace", tmp_path / "w")
    start = ["run", "--workspace", tmp_path / "w", "--model", model, *FAST, *options]
    start += ["--iterations", "2", "--set", "projection=false", "--set", "keep_features=2"]
    result = call(*start)
    assert result.exit_code == 0, result.output
    assert " ".join(result.stdout.split()).count(said) == 1
    found = json.loads(call(*start, "--json").stdout)["findings"]
    assert code in {each["code"] for each in found}


def test_import__dry_run_counts_and_writes_nothing(place, tmp_path):
    result = call("import", place, "--dry-run", "--json")
    found = json.loads(result.stdout)
    counts = {row["split"]: (row["n_images"], row["n_pids"]) for row in found["splits"]}
    assert counts == {"train": (48, 6), "query": (10, 5), "gallery": (20, 5)}
    assert found["n_new"] is None
    assert list(tmp_path.iterdir()) == []


def test_import__lists_what_it_leaves_out(tmp_path):
    root = write_place(tmp_path / "market")
    broken = root / "bounding_box_train" / "0001_c1s1_999999_01.jpg"
    broken.write_bytes(b"\xff\xd8\xff")
    (root / "query" / "Thumbs.db").write_bytes(b"x")
    result = call("import", root, "--workspace", tmp_path / "w")
    assert "2 files skipped" in result.stdout
    assert broken.name in result.stdout
    assert "78 new images" in result.stdout
    assert "0 new images" in call("import", root, "--workspace", tmp_path / "w").stdout


def test_import__neither_workspace_nor_dry_run(place):
    with pytest.raises(Exception, match="--dry-run"):
        call("import", place)


def test_run__stores_what_it_used(workspace):
    with Workspace.open(workspace) as opened:
        run = opened.runs()[0]
        baseline, first = opened.iterations(run.run_id)
        network = load_network(opened.checkpoint_path(run.run_id, 1))
    assert run.status == "finished"
    assert (baseline.iteration, first.iteration) == (0, 1)
    assert run.config["finetune"]["n_epochs"] == 1
    assert run.config["kmeans_n_init"] == 10  # preset `paper`
    assert network.config == TINY


def test_run__unknown_setting_is_named(workspace, model):
    with pytest.raises(Exception, match="lamda"):
        call("run", "--workspace", workspace, "--model", model, "--set", "lamda=0.5")
    with pytest.raises(Exception, match="NAME=VALUE"):
        call("run", "--workspace", workspace, "--model", model, "--set", "lambda_")


def test_run__failure_leaves_the_reason_in_the_store(tmp_path, place, model):
    call("import", place, "--workspace", tmp_path / "w")
    too_many = [*FAST[:4], "--k", "1000"]
    with pytest.raises(Exception, match="K = 1000"):
        call("run", "--workspace", tmp_path / "w", "--model", model, *too_many)
    found = json.loads(call("status", "--workspace", tmp_path / "w", "--json").stdout)
    assert found["runs"][0]["status"] == "failed"
    assert "K = 1000" in found["jobs"][0]["error"]


def test_resume__a_finished_run_says_so(workspace):
    with pytest.raises(Exception, match="finished"):
        call("resume", "1", "--workspace", workspace)


def test_fork__its_run_s_settings_but_for_those_given(workspace):
    call("fork", "1", "--workspace", workspace, "--lambda", "0.5", "--iterations", "0")
    with Workspace.open(workspace) as opened:
        parent, fork = opened.runs()
        (baseline,) = opened.iterations(fork.run_id)
        assert opened.start_model(fork.run_id).read_bytes() == (
            opened.checkpoint_path(1, 1).read_bytes()
        )
    assert (fork.parent_run_id, fork.parent_iteration, fork.status) == (1, 1, "finished")
    assert fork.config == parent.config | {"lambda_": 0.5, "n_iterations": 0}
    assert baseline.lambda_ == 0.5


def test_report__one_file(workspace, tmp_path):
    out = tmp_path / "report.html"
    assert "KiB" in call("report", "1", "--workspace", workspace, "--out", out).stdout
    assert out.read_text(encoding="utf-8").count("<svg") >= 5


def test_clean__removes_deleted_runs_for_good(tmp_path, place, model):
    folder = tmp_path / "w"
    call("import", place, "--workspace", folder)
    group = [*FAST, "--iterations", "0", "--set", "projection=false"]
    call("run", "--workspace", folder, "--model", model, *group, "--name", "mine")
    with Workspace.open(folder) as opened:
        opened.shelve_run(1, "deleted")
    assert "Would remove runs: 1 (mine)" in call("clean", "--workspace", folder, "--dry-run").stdout
    assert (folder / "runs" / "1").exists()
    cleaned = json.loads(call("clean", "--workspace", folder, "--json").stdout)
    assert cleaned["run_ids"] == [1]
    assert cleaned["n_bytes"] > 0
    assert not (folder / "runs" / "1").exists()
    assert "Removed runs: none" in call("clean", "--workspace", folder).stdout


def test_steer__the_next_iteration_uses_it(tmp_path, place, model):
    folder = tmp_path / "w"
    call("import", place, "--workspace", folder)
    group = [*FAST, "--iterations", "0", "--set", "projection=false"]
    call("run", "--workspace", folder, "--model", model, *group)
    call("steer", "1", "--workspace", folder, "--lambda", "0.5", "--k", "7")
    with Workspace.open(folder) as opened:
        assert opened.take_controls(1, 1) == {"lambda_": 0.5, "n_clusters": 7}
    with pytest.raises(Exception, match="--lambda, --k"):
        call("steer", "1", "--workspace", folder)


def test_status__shows_runs_and_figures(workspace):
    text = call("status", "--workspace", workspace).stdout
    assert "run 1" in text
    assert "baseline" in text
    found = json.loads(call("status", "--workspace", workspace, "--json").stdout)
    assert [record["iteration"] for record in found["iterations"]["1"]] == [0, 1]


def test_status__no_workspace_says_how_to_make_one(tmp_path):
    with pytest.raises(Exception, match="python -m pul import"):
        call("status", "--workspace", tmp_path / "nothing")


def test_project__writes_a_row_for_each_training_image(workspace, tmp_path):
    call("project", "1", "--workspace", workspace, "--out", tmp_path / "map.csv")
    with (tmp_path / "map.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    with Workspace.open(workspace) as opened:
        arrays = opened.arrays(1, 1, "clusters", "reliable")
    assert [int(row["cluster"]) for row in rows] == arrays["clusters"].tolist()
    assert [bool(int(row["reliable"])) for row in rows] == arrays["reliable"].tolist()
    assert len({(row["x"], row["y"]) for row in rows}) == 48


def test_train_source__then_evaluate(place, tmp_path):
    out = tmp_path / "models" / "source.safetensors"
    size = ["--height", 32, "--width", 48, "--width-mult", 0.1]
    fast = ["--epochs", 1, "--batch-size", 16, "--threads", 1, "--set", "dropout=0.2"]
    result = call(
        "train-source", place, "--out", out, "--backbone", "mobilenet_v2", "--weights", "none",
        *size, *fast, "--json",
    )  # fmt: skip
    assert json.loads(result.stdout)["result"]["n_classes"] == 6
    assert read_network_config(out).width_mult == 0.1
    figures = {}
    for ap in ("trapezoid", "step"):
        text = call("evaluate", out, place, "--ap", ap, "--threads", 1, "--json").stdout
        figures[ap] = json.loads(text)
    assert figures["trapezoid"]["rank_1"] == figures["step"]["rank_1"]
    assert figures["trapezoid"]["mean_ap"] < figures["step"]["mean_ap"]
    reranked = json.loads(call("evaluate", out, place, "--rerank", "--flip", "--json").stdout)
    assert 0 < reranked["mean_ap"] <= 1
    rounded = json.loads(call("evaluate", out, place, "--precision", "bfloat16", "--json").stdout)
    assert 0 < rounded["mean_ap"] <= 1  # this network cannot separate people: rounding decides
    with pytest.raises(Exception, match="--precision must be"):
        call("evaluate", out, place, "--precision", "half")


def test_train_source__the_cache_changes_no_weight(place, tmp_path):
    cache, sums = tmp_path / "pixels", {}
    fast = ["--epochs", 1, "--threads", 1, "--seed", 5, "--backbone", "mobilenet_v2"]
    fast += ["--weights", "none", "--height", 32, "--width", 48, "--width-mult", 0.1]
    for name, more in {
        "none": [],
        "new": ["--cache", cache],
        "there": ["--cache", cache],
        "cut off": ["--cache", cache],
    }.items():
        if name == "cut off":
            (pixels,) = cache.glob("pixels-*.npy")
            os.truncate(pixels, 1000)
        out = tmp_path / f"{name}.safetensors"
        call("train-source", place, "--out", out, *fast, *more)
        sums[name] = load_network(out).state_dict()
    for other in ("new", "there", "cut off"):
        for key, value in sums["none"].items():
            assert torch.equal(value, sums[other][key]), (other, key)
    (tmp_path / "file").touch()
    with pytest.raises(Exception, match=r"Cannot write the pixel cache in .*choose a folder"):
        call("train-source", place, "--out", out, *fast, "--cache", tmp_path / "file")


def test_train_source__data_without_identities(tmp_path):
    root = write_place(tmp_path / "market") / "bounding_box_train"
    with pytest.raises(Exception, match="at least two identities"):
        call("train-source", root, "--levels", "-", "--out", tmp_path / "m.safetensors",
             "--backbone", "mobilenet_v2", "--weights", "none")  # fmt: skip


def test_evaluate__data_without_queries(model, tmp_path):
    (write_place(tmp_path / "market") / "query").rename(tmp_path / "gone")
    with pytest.raises(Exception, match="0 queries"):
        call("evaluate", model, tmp_path / "market")


def test_doctor__healthy_workspace_and_a_damaged_one(workspace, tmp_path):
    result = call("doctor", "--workspace", workspace, "--json")
    subjects = {f["subject"]: f["level"] for f in json.loads(result.stdout)["findings"]}
    assert subjects["images"] == "ok"
    assert subjects["run 1"] == "ok"
    with Workspace.open(workspace) as opened:
        array = opened.iteration_path(1, 0) / "clusters.npy"
    whole = array.read_bytes()
    try:
        array.write_bytes(whole[:40])
        result = call("doctor", "--workspace", workspace)
        assert result.exit_code == 1
        assert "clusters" in result.stdout
    finally:
        array.write_bytes(whole)
    assert call("doctor", "--workspace", tmp_path / "none").exit_code == 1


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--lambda", "1.5"], "--lambda: it must be at most 1 (got 1.5)"),
        (["--k", "0"], "--k: it must be at least 1 (got 0)"),
        (["--lr", "0"], "--lr: it must be above 0 (got 0.0)"),
        (["--set", "finetune.momentum=2"], "finetune.momentum: it must be below 1 (got 2)"),
        (["--set", "finetune.n_epochs=2.5"], "--epochs: it must be a whole number (got 2.5)"),
        (["--set", "selektion=all"], "selektion: there is no such setting"),
    ],
)
def test_main__a_setting_that_is_not_allowed_is_named_by_its_option(
    monkeypatch, capsys, tmp_path, words: list[str], text: str
):
    begin = ["pul", "run", "--workspace", str(tmp_path), "--model", "x.safetensors"]
    monkeypatch.setattr("sys.argv", [*begin, *words])
    with pytest.raises(SystemExit) as stopped:
        main.main()
    assert stopped.value.code == 1
    assert text in capsys.readouterr().err


def test_main__an_error_is_one_line_on_standard_error(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("sys.argv", ["pul", "status", "--workspace", str(tmp_path / "none")])
    with pytest.raises(SystemExit) as stopped:
        main.main()
    assert stopped.value.code == 1
    text = capsys.readouterr().err
    assert text.startswith("error: There is no workspace")
    assert "Traceback" not in text
