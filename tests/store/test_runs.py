import json
import math
import shutil
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from pul.config import RunConfig
from pul.data.datasets import Dataset
from pul.data.samples import Sample
from pul.errors import ArtifactError, ConfigError, JobError, ModelError, StoreError
from pul.records import IterationArrays, IterationRankings
from pul.store import artifacts
from pul.store.workspace import Workspace
from tests.support.fakes import METRICS, iteration_arrays, iteration_record


def add(workspace: Workspace, run_id: int, *iterations: int) -> None:
    for iteration in iterations:
        arrays = iteration_arrays(seed=iteration)
        workspace.add_iteration(run_id, iteration_record(iteration), arrays, b"%d" % iteration)


def images_at(*paths: Path) -> Dataset:
    for path in paths:
        path.write_bytes(b"x")
    return Dataset("d", "folder", paths[0].parent, tuple(Sample(path) for path in paths))


def test_create_run__keeps_its_settings(workspace, run):
    config = RunConfig(n_clusters=5, lambda_=None, n_iterations=2)
    named = workspace.create_run(config, model=workspace.path / "start.safetensors", name="mine")
    assert (run.run_id, run.name, run.status) == (1, "run 1", "created")
    assert (named.run_id, named.name, named.model) == (2, "mine", "start.safetensors")
    assert RunConfig(**named.config) == config
    assert workspace.runs() == [run, named]
    assert workspace.run(2) == named


def test_create_run__needs_a_start_model(workspace):
    with pytest.raises(ModelError, match=r"nowhere.safetensors cannot be read"):
        workspace.create_run(RunConfig(), model="nowhere.safetensors")


def test_start_model__notices_another_file(workspace, run):
    path = workspace.path / "start.safetensors"
    assert workspace.start_model(run.run_id) == path
    path.write_bytes(b"other weights")
    with pytest.raises(ModelError, match="no longer the file that run 1 started from"):
        workspace.start_model(run.run_id)


def test_run__says_which_there_are(workspace, run):
    with pytest.raises(StoreError, match=r"There is no run 9 .* there are: 1\."):
        workspace.run(9)


def test_run_images__are_those_of_the_time_it_was_made(workspace, tmp_path):
    workspace.add_dataset(images_at(tmp_path / "a.jpg", tmp_path / "b.jpg"))
    model = tmp_path / "m.safetensors"
    model.write_bytes(b"x")
    run = workspace.create_run(RunConfig(), model=model)
    workspace.add_dataset(images_at(tmp_path / "0.jpg"), duplicates="add")
    assert [Path(p).name for p in workspace.run_images(run.run_id).paths] == ["a.jpg", "b.jpg"]
    assert len(workspace.run_images(run.run_id, "query")) == 0
    assert len(workspace.images()) == 3


def test_add_iteration__comes_back_bit_for_bit(workspace, run):
    add(workspace, run.run_id, 0, 1)
    assert workspace.iterations(run.run_id) == [iteration_record(0), iteration_record(1)]
    assert workspace.run(run.run_id).n_iterations_done == 1
    stored = IterationArrays(**workspace.arrays(run.run_id, 1))
    for field in fields(IterationArrays):
        expected = getattr(iteration_arrays(seed=1), field.name)
        actual = getattr(stored, field.name)
        assert isinstance(actual, np.memmap)
        assert actual.dtype == expected.dtype
        np.testing.assert_array_equal(actual, expected)
    assert workspace.checkpoint_path(run.run_id, 1).read_bytes() == b"1"


def test_add_iteration__without_map_metrics_and_with_numbers_that_are_none(workspace, run):
    record = replace(
        iteration_record(0, metrics=None), epoch_losses=(math.inf, math.nan), lambda_=None
    )
    arrays = replace(iteration_arrays(), points=np.empty((0, 2), dtype=np.float32))
    workspace.add_iteration(run.run_id, record, arrays, b"weights")
    (stored,) = workspace.iterations(run.run_id)
    assert stored.metrics is None
    assert stored.epoch_losses[0] == math.inf
    assert math.isnan(stored.epoch_losses[1])
    assert workspace.arrays(run.run_id, 0, "points")["points"].shape == (0, 2)


def test_add_iteration__keeps_a_figure_that_is_not_a_number(workspace, run):
    record = iteration_record(0, metrics=replace(METRICS, mean_ap=math.nan))
    workspace.add_iteration(run.run_id, record, iteration_arrays(), b"weights")
    (stored,) = workspace.iterations(run.run_id)
    assert math.isnan(stored.metrics.mean_ap)
    assert stored.metrics.rank_1 == 0.5


def test_add_iteration__takes_a_checkpoint_from_a_file(workspace, run, tmp_path):
    checkpoint = tmp_path / "network.safetensors"
    checkpoint.write_bytes(b"from a file")
    workspace.add_iteration(run.run_id, iteration_record(0), iteration_arrays(), checkpoint)
    assert workspace.checkpoint_path(run.run_id, 0).read_bytes() == b"from a file"
    assert checkpoint.exists()


def test_rankings__come_back_bit_for_bit_where_there_are_any(workspace, run):
    rankings = IterationRankings(
        gallery=np.array([[3, 1]], dtype=np.int32),
        similarities=np.array([[0.75, 0.5]], dtype=np.float32),
        average_precisions=np.array([np.nan]),
        cmc=np.array([0.5, 1.0]),
    )
    add(workspace, run.run_id, 0)
    workspace.add_iteration(
        run.run_id, iteration_record(1), iteration_arrays(), b"", rankings=rankings
    )
    assert workspace.rankings(run.run_id, 0) is None
    stored = workspace.rankings(run.run_id, 1)
    for field in fields(IterationRankings):
        expected, actual = getattr(rankings, field.name), getattr(stored, field.name)
        assert actual.dtype == expected.dtype
        np.testing.assert_array_equal(actual, expected)
    (workspace.iteration_path(run.run_id, 1) / "ranking-cmc.npy").unlink()
    with pytest.raises(ArtifactError, match=r"ranking-cmc.npy is missing"):
        workspace.rankings(run.run_id, 1)


def test_test_images__queries_with_an_identity_and_a_gallery_with_its_junk(workspace, tmp_path):
    names = ("a", "b", "c", "d", "e")
    samples = []
    for name, pid, split in zip(
        names, (5, None, -1, 0, None), ("query", "query", *["gallery"] * 3), strict=True
    ):
        (tmp_path / name).write_bytes(b"x")
        samples.append(Sample(tmp_path / name, pid=pid, split=split))
    workspace.add_dataset(Dataset("d", "table", tmp_path, tuple(samples)))
    (tmp_path / "m").write_bytes(b"x")
    run = workspace.create_run(RunConfig(), model=tmp_path / "m")
    query, gallery = workspace.test_images(run.run_id)
    assert [Path(path).name for path in query.paths] == ["a"]
    assert [Path(path).name for path in gallery.paths] == ["c", "d"]
    assert gallery.pids.tolist() == [-1, 0]


@pytest.mark.parametrize("iteration", [0, 3])
def test_add_iteration__never_changes_one_and_leaves_none_out(workspace, run, iteration):
    add(workspace, run.run_id, 0, 1)
    with pytest.raises(StoreError, match="next iteration of run 1 is 2"):
        add(workspace, run.run_id, iteration)
    assert workspace.checkpoint_path(run.run_id, 0).read_bytes() == b"0"


def test_add_iteration__overwrites_a_folder_that_has_no_row(workspace, run):
    orphan = workspace.iteration_path(run.run_id, 0)
    orphan.mkdir(parents=True)
    (orphan / "features.npy").write_bytes(b"half")
    (orphan / "stray").touch()
    with pytest.raises(StoreError, match="has no iteration 0"):
        workspace.arrays(run.run_id, 0)
    add(workspace, run.run_id, 0)
    assert workspace.arrays(run.run_id, 0, "features")["features"].shape == (12, 4)
    assert not (orphan / "stray").exists()


def test_add_iteration__refuses_a_worker_that_lost_its_job(workspace, run):
    job = workspace.create_job("run", run_id=run.run_id)
    workspace.claim_job(job.job_id, "here:1:0")
    workspace.finish_job(job.job_id, "failed", error="vanished")
    arguments = (run.run_id, iteration_record(0), iteration_arrays(), b"")
    with pytest.raises(JobError, match="no longer this worker's"):
        workspace.add_iteration(*arguments, worker=(job.job_id, "here:1:0"))
    assert workspace.iterations(run.run_id) == []


@pytest.mark.parametrize("step", ["before", "in the middle", "before the row"])
def test_add_iteration__a_worker_thought_dead_replaces_nothing_of_its_successor(
    workspace, run, monkeypatch, step
):
    """The first worker stops at a step, loses its job, and goes on when the second is done."""
    first = workspace.create_job("run", run_id=run.run_id)
    workspace.claim_job(first.job_id, "here:1:0")

    def succeed() -> None:
        workspace.finish_job(first.job_id, "failed", error="vanished")
        second = workspace.create_job("run", run_id=run.run_id)
        workspace.claim_job(second.job_id, "here:2:0")
        workspace.remove_stray_folders(run.run_id)
        arrays, worker = iteration_arrays(seed=2), (second.job_id, "here:2:0")
        workspace.add_iteration(run.run_id, iteration_record(0), arrays, b"2", worker=worker)

    write, save, acts = artifacts.write_iteration, np.save, [succeed]

    def once() -> None:
        if acts:
            acts.pop()()

    def write_slowly(*arguments):
        if step == "before":
            once()
        written = write(*arguments)
        if step == "before the row":
            once()
        return written

    def save_slowly(*arguments, **options):
        if step == "in the middle":
            once()
        save(*arguments, **options)

    monkeypatch.setattr(artifacts, "write_iteration", write_slowly)
    monkeypatch.setattr(np, "save", save_slowly)
    arguments = (run.run_id, iteration_record(0), iteration_arrays(seed=1), b"1")
    with pytest.raises((JobError, StoreError)):
        workspace.add_iteration(*arguments, worker=(first.job_id, "here:1:0"))
    assert workspace.checkpoint_path(run.run_id, 0).read_bytes() == b"2"
    stored = workspace.arrays(run.run_id, 0, "features")["features"]
    np.testing.assert_array_equal(stored, iteration_arrays(seed=2).features)
    workspace.remove_stray_folders(run.run_id)
    folders = list(workspace.run_path(run.run_id).iterdir())
    assert folders == [workspace.iteration_path(run.run_id, 0)]


def test_remove_stray_folders__spares_what_rows_name(workspace, run):
    add(workspace, run.run_id, 0, 1)
    folder = workspace.run_path(run.run_id)
    (folder / ".unfinished-1").mkdir()
    (folder / "iteration-2-job-7").mkdir()
    (folder / "worker.log").touch()
    (folder / "previews").mkdir()
    workspace.remove_stray_folders(run.run_id)
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["iteration-0", "iteration-1", "previews", "worker.log"]
    workspace.remove_stray_folders(99)  # a run that has no folder yet


def test_add_iteration__writes_a_record_beside_the_arrays(workspace, run):
    add(workspace, run.run_id, 0)
    record = json.loads((workspace.iteration_path(run.run_id, 0) / "record.json").read_text())
    assert record["metrics"]["mean_ap"] == 0.25


def test_arrays__reads_only_what_is_asked_for(workspace, run):
    add(workspace, run.run_id, 0)
    shutil.rmtree(workspace.path / "cache", ignore_errors=True)
    (workspace.iteration_path(run.run_id, 0) / "features.npy").unlink()
    assert set(workspace.arrays(run.run_id, 0, "points", "clusters")) == {"points", "clusters"}
    with pytest.raises(ArtifactError, match=r"features.npy is missing"):
        workspace.arrays(run.run_id, 0)
    with pytest.raises(ArtifactError, match="no array 'colours'"):
        workspace.arrays(run.run_id, 0, "colours")


@pytest.mark.parametrize("n_bytes", [0, 5, 60, 150])
def test_arrays__notices_a_truncated_file(workspace, run, n_bytes):
    add(workspace, run.run_id, 0)
    path = workspace.iteration_path(run.run_id, 0) / "features.npy"
    path.write_bytes(path.read_bytes()[:n_bytes])  # whole: 128 bytes of header, 192 of numbers
    with pytest.raises(ArtifactError, match=r"features.npy is damaged"):
        workspace.arrays(run.run_id, 0, "features")


def test_checkpoint_path__notices_that_it_is_gone(workspace, run):
    add(workspace, run.run_id, 0)
    workspace.checkpoint_path(run.run_id, 0).unlink()
    with pytest.raises(ArtifactError, match="checkpoint"):
        workspace.checkpoint_path(run.run_id, 0)


def test_take_controls__the_last_value_counts_from_the_next_iteration(workspace, run):
    run_id = run.run_id
    assert workspace.take_controls(run_id, 0) == {}
    workspace.set_control(run_id, "lambda_", 0.7, author="ann")
    workspace.set_control(run_id, "lambda_", 0.6, author="ben")
    workspace.set_control(run_id, "n_clusters", 4)
    assert workspace.take_controls(run_id, 2) == {"lambda_": 0.6, "n_clusters": 4}
    workspace.set_control(run_id, "lambda_", 0)
    assert workspace.take_controls(run_id, 3) == {"lambda_": 0, "n_clusters": 4}
    applied = [control.applied_at_iteration for control in workspace.controls(run_id)]
    assert applied == [2, 2, 2, 3]
    assert [control.author for control in workspace.controls(run_id)] == ["ann", "ben", "", ""]


def test_take_controls__a_repeated_iteration_gets_what_it_had(workspace, run):
    workspace.set_control(run.run_id, "lambda_", 0.7)
    first = workspace.take_controls(run.run_id, 2)
    assert workspace.take_controls(run.run_id, 2) == first == {"lambda_": 0.7}
    assert workspace.take_controls(run.run_id, 1) == {}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("seed", 1, "cannot change during a run"),
        ("lambda_", 1.5, "at most 1"),
        ("n_clusters", 0, "at least 1"),
        ("n_clusters", 2.5, "whole number"),
        ("lambda_", math.nan, "lambda_"),
    ],
)
def test_set_control__refuses(workspace, run, name, value, message):
    with pytest.raises(ConfigError, match=message):
        workspace.set_control(run.run_id, name, value)
    assert workspace.controls(run.run_id) == []
