import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from pul import jobs
from pul.algorithm.events import Event, IterationFinished, NotMeasurable, Progress, RunFinished
from pul.config import RunConfig, TrainConfig
from pul.errors import ArtifactError, JobError
from pul.jobs import run
from pul.jobs.heartbeat import CHECK_S
from pul.jobs.run import prune_run
from pul.jobs.worker import work
from pul.labelling.annotations import Annotations
from pul.labelling.loading import stored_index
from pul.labelling.suggestions import next_cards
from pul.records import IterationArrays, JobRecord
from pul.reports.workspace_check import examine_workspace
from pul.store.workspace import Workspace
from tests.support.fakes import METRICS, iteration_arrays, iteration_record
from tests.support.networks import TINY_RUN
from tests.support.places import make_small_workspace

ROOT = Path(__file__).resolve().parents[2]
CONFIG = TINY_RUN.replace(**{"finetune.n_epochs": 3})
WHOLE_DAY = TrainConfig(n_epochs=10_000, batch_size=8)  # will not end before it is told to


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_small_workspace(tmp_path_factory.mktemp("made") / "workspace", "tiny")


@pytest.fixture
def workspace(made: Path, tmp_path: Path) -> Iterator[Workspace]:
    shutil.copytree(made, tmp_path / "workspace")
    with Workspace.open(tmp_path / "workspace") as workspace:
        yield workspace


@pytest.fixture(scope="module")
def uninterrupted(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """The workspace after a run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("uninterrupted") / "workspace"
    shutil.copytree(made, folder)
    with Workspace.open(folder) as workspace:
        assert work(workspace, start(workspace).job_id).status == "finished"
        yield workspace


def start(workspace: Workspace, config: RunConfig = CONFIG) -> JobRecord:
    return jobs.create_run(workspace, config, workspace.path / "start.safetensors")


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def check_same(workspace: Workspace, reference: Workspace, run_id: int = 1) -> None:
    """Make sure that a run and run 1 of the reference are the same bit for bit."""
    ours, theirs = workspace.iterations(run_id), reference.iterations(1)
    assert [record.iteration for record in ours] == [record.iteration for record in theirs]
    for mine, other in zip(ours, theirs, strict=True):
        assert (mine.metrics, mine.epoch_losses) == (other.metrics, other.epoch_losses)
        arrays = workspace.arrays(run_id, mine.iteration)
        expected = reference.arrays(1, mine.iteration)
        for field in fields(IterationArrays):
            np.testing.assert_array_equal(arrays[field.name], expected[field.name])
        checkpoint = workspace.checkpoint_path(run_id, mine.iteration)
        assert checkpoint.read_bytes() == reference.checkpoint_path(1, mine.iteration).read_bytes()


def is_batch(event: Event, iteration: int) -> bool:
    """Whether this is the end of a step of an iteration's fine-tuning."""
    if not isinstance(event, Progress):
        return False
    return event.progress.step == "finetune" and event.progress.iteration == iteration


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


def test_work__each_iteration_can_be_labelled_at_once(uninterrupted):
    for iteration in range(3):
        index = stored_index(uninterrupted, 1, iteration)
        assert index is not None
        assert next_cards(index, Annotations())


def test_work__goes_on_where_no_suggestion_index_can_be_stored(workspace):
    workspace.cache_path.mkdir(exist_ok=True)
    (workspace.cache_path / "suggestions").write_text("no folder")
    assert work(workspace, start(workspace).job_id).status == "finished"
    assert stored_index(workspace, 1, 2) is None


def test_work__stopped_while_suggestions_are_found_loses_no_iteration(workspace, monkeypatch):
    job = start(workspace, CONFIG.replace(finetune=WHOLE_DAY))
    store = run.store_index

    def stop(*args, on_step, **options):
        jobs.stop_job(workspace, job.job_id)
        time.sleep(3 * CHECK_S)  # until the request has come
        store(*args, on_step=on_step, **options)

    monkeypatch.setattr(run, "store_index", stop)
    assert work(workspace, job.job_id).status == "stopped"
    assert workspace.run(1).n_iterations_done == 0
    assert [record.iteration for record in workspace.iterations(1)] == [0]
    assert stored_index(workspace, 1, 0) is not None


def test_work__tells_of_every_event(workspace):
    events: list[Event] = []
    work(workspace, start(workspace).job_id, on_event=events.append)
    steps = [event.progress.step for event in events if isinstance(event, Progress)]
    assert steps[:3] == ["decode"] * 3
    assert {"extract", "cluster", "select", "finetune", "evaluate"} <= set(steps)
    kept = [event.record.iteration for event in events if isinstance(event, IterationFinished)]
    assert kept == [0, 1, 2]
    assert events[-1] == RunFinished("n_iterations")


def test_work__images_without_truth_have_no_figures(workspace):
    with workspace._database.write() as connection:
        connection.exec_driver_sql("UPDATE images SET pid = NULL")
    job = start(workspace, CONFIG.replace(n_iterations=0))
    assert work(workspace, job.job_id).status == "finished"
    (record,) = workspace.iterations(1)
    assert (record.metrics, record.cluster_quality) == (None, None)


def test_work__takes_what_was_asked_at_the_next_iteration(workspace):
    job = start(workspace)

    def ask(event: Event) -> None:
        if is_batch(event, 1):
            workspace.set_control(1, "lambda_", 0.9)
            workspace.set_control(1, "n_clusters", 4)

    work(workspace, job.job_id, on_event=ask)
    used = [(record.lambda_, record.n_clusters) for record in workspace.iterations(1)]
    assert used == [(0.5, 6), (0.5, 6), (0.9, 4)]
    assert {control.applied_at_iteration for control in workspace.controls(1)} == {2}


def test_work__pauses_within_a_batch_and_goes_on(workspace):
    job = start(workspace, CONFIG.replace(finetune=WHOLE_DAY))
    batches: list[int] = []

    def steer() -> None:
        jobs.pause_job(workspace, job.job_id)
        wait_for(lambda: workspace.run(1).status == "paused")
        n_batches = len(batches)
        beat = workspace.job(job.job_id).heartbeat_at
        wait_for(lambda: workspace.job(job.job_id).heartbeat_at != beat)  # it lives
        assert len(batches) == n_batches
        jobs.resume_job(workspace, job.job_id)
        wait_for(lambda: workspace.run(1).status == "running")
        wait_for(lambda: len(batches) > n_batches)
        jobs.stop_job(workspace, job.job_id)

    thread = threading.Thread(target=steer)

    def note(event: Event) -> None:
        if is_batch(event, 1):
            batches.append(1)
            if len(batches) == 1:
                thread.start()

    ended = work(workspace, job.job_id, on_event=note)
    thread.join()
    assert (ended.status, workspace.run(1).status) == ("stopped", "stopped")
    assert [record.iteration for record in workspace.iterations(1)] == [0]


def test_work__stopped_while_paused(workspace):
    job = start(workspace, CONFIG.replace(finetune=WHOLE_DAY))

    def steer() -> None:
        jobs.pause_job(workspace, job.job_id)
        wait_for(lambda: workspace.job(job.job_id).status == "paused")
        jobs.stop_job(workspace, job.job_id)

    thread = threading.Thread(target=steer)
    thread.start()
    assert work(workspace, job.job_id).status == "stopped"
    thread.join()


def test_work__interrupted_goes_on_to_the_same_end(workspace, uninterrupted):
    job = start(workspace)

    def interrupt(event: Event) -> None:
        if is_batch(event, 2):
            raise KeyboardInterrupt

    assert work(workspace, job.job_id, on_event=interrupt).status == "stopped"
    assert workspace.run(1).n_iterations_done == 1
    again = jobs.create_resumption(workspace, 1)
    assert work(workspace, again.job_id).status == "finished"
    check_same(workspace, uninterrupted)


@pytest.mark.filterwarnings("ignore:Tensorflow not installed:ImportWarning")  # umap's own import
def test_work__interrupted_goes_on_with_the_same_map(workspace):
    config = CONFIG.replace(projection=True)
    assert work(workspace, start(workspace, config).job_id).status == "finished"
    assert workspace.arrays(1, 2, "points")["points"].shape == (24, 2)
    job = start(workspace, config)

    def interrupt(event: Event) -> None:
        if is_batch(event, 1):
            raise KeyboardInterrupt

    assert work(workspace, job.job_id, on_event=interrupt).status == "stopped"
    again = jobs.create_resumption(workspace, 2)
    assert work(workspace, again.job_id).status == "finished"
    check_same(workspace, workspace, run_id=2)


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


def test_work__ends_when_its_job_is_given_away(workspace):
    job = start(workspace, CONFIG.replace(finetune=WHOLE_DAY))

    def lose(event: Event) -> None:
        if is_batch(event, 1) and workspace.job(job.job_id).status == "running":
            workspace.finish_job(job.job_id, "failed", error="taken for dead")

    with pytest.raises(JobError, match="has ended already"):
        work(workspace, job.job_id, on_event=lose)
    assert workspace.job(job.job_id).error == "taken for dead"


def test_main__stops_politely_when_the_machine_goes_down(workspace):
    jobs.start_job(workspace, start(workspace, CONFIG.replace(finetune=WHOLE_DAY)).job_id)
    log = workspace.log_path(1)
    wait_for(lambda: "iteration 0: " in log.read_text())
    worker = jobs.WorkerProcess.parse(workspace.job(1).worker)
    assert os.getsid(worker.pid) == worker.pid  # no signal to this terminal reaches it
    os.kill(worker.pid, signal.SIGTERM)
    wait_for(lambda: bool(workspace.job(1).finished_at))
    assert (workspace.job(1).status, workspace.run(1).status) == ("stopped", "stopped")
    wait_for(lambda: "job 1 stopped" in log.read_text())  # written once the row has ended


def test_main__killed_is_noticed_in_time_and_resumed_by_one_command(workspace, uninterrupted):
    job = start(workspace)
    jobs.pause_job(workspace, job.job_id)  # so that it is not done before it can be killed
    jobs.start_job(workspace, job.job_id)
    wait_for(lambda: workspace.run(1).status == "paused")
    os.kill(jobs.WorkerProcess.parse(workspace.job(1).worker).pid, signal.SIGKILL)
    wait_for(lambda: bool(jobs.reap_lost_jobs(workspace)), seconds=15)
    _, command, _ = workspace.job(1).error.split("`")
    resume = shlex.split(command)
    assert resume[:4] == ["python", "-m", "pul", "resume"]
    subprocess.run([sys.executable, *resume[1:]], cwd=ROOT, capture_output=True, check=True)
    assert workspace.run(1).status == "finished"
    check_same(workspace, uninterrupted)


@pytest.mark.parametrize(
    ("call", "n", "n_whole"),
    [
        ("finetune", 5, 1),  # in the second of three epochs of iteration 1
        ("save", 30, 0),  # in the suggestion index of iteration 0, which has no row yet
        ("save", 52, 1),  # in an array of iteration 1, after the 12 and the index of iteration 0
        ("rename!", 3, 0),  # the suggestion index of iteration 0 has its name, and no row
        ("rename!", 4, 1),  # the folder of iteration 1 has its name, and no row
        ("sql: INSERT INTO metrics", 2, 1),  # the first half of the transaction is done
        ("sql: UPDATE jobs", 3, None),  # in a heartbeat
    ],
)
def test_work__killed_anywhere_goes_on_to_the_same_end(workspace, uninterrupted, call, n, n_whole):
    job = start(workspace)
    arguments = [str(workspace.path), str(job.job_id), call, str(n)]
    worker = [sys.executable, "-m", "tests.support.killed_worker", *arguments]
    killed = subprocess.run(worker, cwd=ROOT, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    (lost,) = jobs.reap_lost_jobs(workspace)
    assert lost.error.startswith("The worker vanished")
    assert workspace.run(1).status == "failed"
    if n_whole is not None:
        assert len(workspace.iterations(1)) == n_whole
    again = jobs.create_resumption(workspace, 1)
    assert work(workspace, again.job_id).status == "finished"
    check_same(workspace, uninterrupted)
    assert set(workspace.run_path(1).iterdir()) == {
        workspace.iteration_path(1, n) for n in range(3)
    }


def test_work__keeps_the_room_that_it_was_given(workspace, uninterrupted):
    config = CONFIG.replace(n_iterations=4, keep_features=2, convergence_tolerance=0)
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
        run = workspace.create_run(RunConfig(keep_features=2), model=tmp_path / "m")
        for n, mean_ap in enumerate(validation):
            metrics = None if mean_ap is None else replace(METRICS, mean_ap=mean_ap)
            # By the test set the order is the other way round: it must not be looked at.
            test = replace(METRICS, mean_ap=1 - (mean_ap or 0))
            record = replace(iteration_record(n, metrics=test), validation_metrics=metrics)
            workspace.add_iteration(run.run_id, record, iteration_arrays(seed=n), b"network")
        prune_run(workspace, run.run_id, RunConfig(keep_features=2))
        folders = [workspace.iteration_path(run.run_id, n) for n in range(5)]
        assert [n for n in range(5) if (folders[n] / "model.safetensors").exists()] == kept
        assert [n for n in range(5) if (folders[n] / "features.npy").exists()] == [3, 4]
