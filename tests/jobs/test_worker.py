"""What the worker does from the first event to the last, and how it fails."""

from dataclasses import replace

import numpy as np
import pytest

from pul.algorithm.events import (
    Event,
    IterationFinished,
    NotMeasurable,
    Progress,
    RunFinished,
    SettingsChosen,
)
from pul.config import RunConfig
from pul.errors import ArtifactError
from pul.jobs.run import prune_run
from pul.jobs.worker import work
from pul.reports.workspace_check import examine_workspace
from pul.store.workspace import Workspace
from tests.jobs.conftest import CONFIG, start, wait_for
from tests.support.fakes import METRICS, iteration_arrays, iteration_record


def test_work__does_a_run_from_the_images_to_the_figures(uninterrupted):
    run, job = uninterrupted.run(1), uninterrupted.job(1)
    assert (run.status, run.n_iterations_done, job.status) == ("finished", 2, "finished")
    assert job.progress.iteration == 2
    records = uninterrupted.iterations(1)
    assert [record.n_images for record in records] == [24, 24, 24]
    assert all(record.metrics.n_queries == 6 for record in records)
    assert all(record.metrics.n_unmatched == 0 for record in records)
    assert all(record.cluster_quality.source == "truth" for record in records)
    rankings = uninterrupted.rankings(1, 2)
    assert rankings.gallery.shape == rankings.similarities.shape == (6, 6)
    assert rankings.cmc[0] == records[2].metrics.rank_1
    assert rankings.average_precisions.mean() == pytest.approx(records[2].metrics.mean_ap)
    leftovers = sorted(path.name for path in uninterrupted.run_path(1).iterdir())
    assert leftovers == [f"iteration-{n}-job-{job.job_id}" for n in range(3)]


def test_work__tells_of_every_event(workspace):
    events: list[Event] = []
    work(workspace, start(workspace).job_id, on_event=events.append)
    steps = [event.progress.step for event in events if isinstance(event, Progress)]
    assert steps[:3] == ["decode"] * 3
    assert {"extract", "cluster", "select", "finetune", "evaluate"} <= set(steps)
    kept = [event.record.iteration for event in events if isinstance(event, IterationFinished)]
    assert kept == [0, 1, 2]
    assert events[-1] == RunFinished("n_iterations")


def test_work__stores_what_it_chose_by_measuring_so_that_the_run_repeats(workspace, uninterrupted):
    auto = CONFIG.replace(
        extraction_precision="auto", finetune=CONFIG.finetune.replace(precision="auto")
    )
    events: list[Event] = []
    ended = work(workspace, start(workspace, auto).job_id, on_event=events.append)
    assert ended.status == "finished"
    (chosen,) = (event for event in events if isinstance(event, SettingsChosen))
    assert len(chosen.reasons) == 2
    assert RunConfig(**workspace.run(1).config) == chosen.config == CONFIG  # narrow images
    assert [f for f in examine_workspace(workspace.path) if f.level == "error"] == []
    np.testing.assert_array_equal(
        workspace.arrays(1, 2, "features")["features"],
        uninterrupted.arrays(1, 2, "features")["features"],
    )


def test_work__images_without_truth_have_no_figures(workspace):
    with workspace._database.write() as connection:
        connection.exec_driver_sql("UPDATE images SET pid = NULL")
    job = start(workspace, CONFIG.replace(n_iterations=0))
    assert work(workspace, job.job_id).status == "finished"
    (record,) = workspace.iterations(1)
    assert (record.metrics, record.cluster_quality) == (None, None)


def test_work__gives_signs_of_life_during_a_long_step(workspace):
    job = start(workspace)
    beats: set[str] = set()

    def look() -> bool:
        beats.add(workspace.job(job.job_id).heartbeat_at)
        return len(beats) == 3

    def dawdle(event: Event) -> None:
        if isinstance(event, Progress) and event.progress.step == "cluster" and not beats:
            wait_for(look)

    assert work(workspace, job.job_id, on_event=dawdle).status == "finished"


def test_work__a_foreseen_failure_is_a_sentence_and_its_trace_goes_to_the_log(workspace):
    (workspace.path / "images" / "train" / "0003.png").write_bytes(b"broken")
    traces: list[str] = []
    ended = work(workspace, start(workspace).job_id, on_trace=traces.append)
    assert (ended.status, workspace.run(1).status) == ("failed", "failed")
    assert "0003.png" in ended.error
    assert ended.traceback == ""
    assert len(traces) == 1
    assert "ImageError" in traces[0]


def test_work__one_camera_has_no_figures_says_why_and_adapts(workspace):
    with workspace._database.write() as connection:
        connection.exec_driver_sql("UPDATE images SET camid = 4")
    events: list[Event] = []
    job = start(workspace, CONFIG.replace(n_iterations=1))
    assert work(workspace, job.job_id, on_event=events.append).status == "finished"
    (remark,) = (event for event in events if isinstance(event, NotMeasurable))
    assert "6 have theirs in the gallery, but only from their own camera" in remark.reason
    assert "turn `evaluation.camera_aware` off" in remark.reason
    records = workspace.iterations(1)
    assert [record.metrics for record in records] == [None, None]
    assert records[0].cluster_quality is not None
    # The advice, obeyed.
    told = CONFIG.replace(**{"n_iterations": 0, "evaluation.camera_aware": False})
    assert work(workspace, start(workspace, told).job_id).status == "finished"
    assert workspace.iterations(2)[0].metrics is not None


def test_work__a_surprise_is_kept_too(workspace):
    def surprise(event: Event) -> None:
        raise ZeroDivisionError("of a kind nobody thought of")

    ended = work(workspace, start(workspace).job_id, on_event=surprise)
    assert ended.status == "failed"
    assert ended.error == (
        "An unexpected error, which is a bug: ZeroDivisionError: of a kind nobody thought of"
    )
    assert "Traceback" in ended.traceback


@pytest.mark.parametrize(
    "failure",
    [
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes."),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    ],
)
def test_work__memory_that_runs_out_is_told_as_such(workspace, failure):
    def run_out(event: Event) -> None:
        raise failure

    ended = work(workspace, start(workspace).job_id, on_event=run_out)
    assert ended.error.startswith("There is not enough memory; choose a smaller batch")


def test_work__keeps_the_room_that_it_was_given(workspace, uninterrupted):
    room = {"keep_features": 2, "keep_models": "last"}
    config = CONFIG.replace(n_iterations=4, convergence_tolerance=0, **room)
    assert work(workspace, start(workspace, config).job_id).status == "finished"
    folders = [workspace.iteration_path(1, n) for n in range(5)]
    assert [(f / "features.npy").exists() for f in folders] == [False, False, False, True, True]
    models = [(f / "model.safetensors").exists() for f in folders]
    assert models == [False, False, False, True, True]
    for n in range(5):  # what pages show of every iteration is there
        workspace.arrays(1, n, "points", "clusters", "centers", "similarities", "reliable")
        assert workspace.rankings(1, n) is not None
    with pytest.raises(ArtifactError, match="removed to save room"):
        workspace.arrays(1, 0, "features")
    with pytest.raises(ArtifactError, match="keep_features"):
        workspace.checkpoint_path(1, 2)
    errors = [f for f in examine_workspace(workspace.path) if f.level == "error"]
    assert errors == []
    kept = workspace.arrays(1, 2, "clusters")["clusters"]
    np.testing.assert_array_equal(kept, uninterrupted.arrays(1, 2, "clusters")["clusters"])


@pytest.mark.parametrize(
    ("validation", "kept"),
    [
        ((0.2, 0.9, 0.3, 0.1, 0.4), [1, 3, 4]),  # the best of them, and the last two
        ((0.9, 0.2, 0.3, 0.1, 0.4), [0, 3, 4]),
        ((None, 0.3, None, None, None), [1, 3, 4]),
        ((0.1, 0.2, 0.3, 0.4, 0.9), [3, 4]),
        ((None,) * 5, [3, 4]),
    ],
)
def test_prune__keeps_the_best_network_by_validation(tmp_path, validation, kept):
    with Workspace.create(tmp_path / "w") as workspace:
        (tmp_path / "m").write_bytes(b"x")
        config = RunConfig(keep_features=2, keep_models="last")
        run = workspace.create_run(config, model=tmp_path / "m")
        for n, mean_ap in enumerate(validation):
            metrics = None if mean_ap is None else replace(METRICS, mean_ap=mean_ap)
            # By the test set the order is the other way round: it must not be looked at.
            test = replace(METRICS, mean_ap=1 - (mean_ap or 0))
            record = replace(iteration_record(n, metrics=test), validation_metrics=metrics)
            workspace.add_iteration(run.run_id, record, iteration_arrays(seed=n), b"network")
        prune_run(workspace, run.run_id, config)
        folders = [workspace.iteration_path(run.run_id, n) for n in range(5)]
        assert [n for n in range(5) if (folders[n] / "model.safetensors").exists()] == kept
        assert [n for n in range(5) if (folders[n] / "features.npy").exists()] == [3, 4]


@pytest.mark.parametrize(
    ("settings", "features", "models"),
    [
        ({}, range(3, 13), range(13)),  # by default: ten iterations' features, and all models
        ({"keep_features": None}, range(13), range(13)),
        ({"keep_features": None, "keep_models": "last"}, range(13), [11, 12]),
        ({"keep_features": 3}, [10, 11, 12], range(13)),
    ],
)
def test_prune__what_is_kept_of_thirteen_iterations(tmp_path, settings, features, models):
    with Workspace.create(tmp_path / "w") as workspace:
        (tmp_path / "m").write_bytes(b"x")
        config = RunConfig(**settings)
        run = workspace.create_run(config, model=tmp_path / "m")
        for n in range(13):
            record, arrays = iteration_record(n), iteration_arrays(seed=n)
            workspace.add_iteration(run.run_id, record, arrays, b"network")
            prune_run(workspace, run.run_id, config)
        folders = [workspace.iteration_path(run.run_id, n) for n in range(13)]
        assert [n for n in range(13) if (folders[n] / "features.npy").exists()] == list(features)
        kept = [n for n in range(13) if (folders[n] / "model.safetensors").exists()]
        assert kept == list(models)
