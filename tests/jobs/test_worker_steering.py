"""Steered, paused, stopped or killed: the worker goes on to the same end."""

import os
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pul import jobs
from pul.algorithm.events import Event
from pul.errors import JobError
from pul.jobs.worker import work
from tests.jobs.conftest import CONFIG, WHOLE_DAY, check_same, is_batch, start, wait_for

ROOT = Path(__file__).resolve().parents[2]


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
    wait_for(lambda: "job 1 stopped" in log.read_text())  # written once the row is


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
