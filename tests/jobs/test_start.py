import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import text, update

from pul import jobs
from pul.config import RunConfig
from pul.data.datasets import Dataset
from pul.data.samples import Sample
from pul.errors import JobError, ModelError
from pul.jobs import WorkerProcess, control
from pul.records import JobRecord
from pul.store import schema
from pul.store.workspace import Workspace
from tests.support.checkpoints import HOLLOW_MODEL
from tests.support.fakes import image_dataset

ROOT = Path(__file__).resolve().parents[2]
PIXELS = np.arange(3 * 8 * 4 * 3, dtype=np.uint8).reshape(3, 8, 4, 3)
HERE = socket.gethostname()


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.create(tmp_path / "workspace") as workspace:
        yield workspace


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "start.safetensors"
    path.write_bytes(HOLLOW_MODEL)
    return path


@pytest.fixture
def dead() -> WorkerProcess:
    """A process that was killed."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    worker = WorkerProcess.of(process.pid)
    process.kill()
    process.communicate()
    return worker


@pytest.fixture
def job(workspace: Workspace, model: Path, tmp_path: Path) -> JobRecord:
    """The queued job of a new run."""
    workspace.add_dataset(image_dataset(tmp_path / "crops", PIXELS))
    return jobs.create_run(workspace, RunConfig(), model)


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def silence(workspace: Workspace, job_id: int) -> None:
    """Set a job's last heartbeat an hour back, or the clock an hour on: it is the same."""
    with workspace._database.write() as connection:
        long_ago = "2026-01-01T00:00:00.000+00:00"
        query = text("UPDATE jobs SET heartbeat_at = :then WHERE job_id = :job_id")
        connection.execute(query, {"then": long_ago, "job_id": job_id})


def test_worker_process__comes_back_from_its_text():
    worker = WorkerProcess.of(os.getpid())
    assert WorkerProcess.parse(str(worker)) == worker
    assert worker.is_here
    assert worker.is_alive


def test_worker_process__killed_is_dead(dead):
    assert not dead.is_alive


def test_worker_process__of_the_same_number_is_another(dead):
    assert not WorkerProcess(HERE, os.getpid(), dead.started).is_alive


def test_worker_process__killed_and_not_taken_note_of_is_dead():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    worker = WorkerProcess.of(process.pid)
    assert worker.is_alive
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it is a zombie from here on
    assert not worker.is_alive
    process.communicate()


def test_create_run__needs_images_and_a_model(workspace, model, tmp_path):
    with pytest.raises(JobError, match="no training images"):
        jobs.create_run(workspace, RunConfig(), model)
    workspace.add_dataset(image_dataset(tmp_path / "crops", PIXELS))
    with pytest.raises(ModelError):
        jobs.create_run(workspace, RunConfig(), tmp_path / "none.safetensors")
    assert workspace.runs() == []


@pytest.mark.parametrize(("camid", "camera_aware"), [(1, True), (None, False)])
def test_create_run__without_cameras_evaluates_without_them(
    workspace, model, tmp_path, camid, camera_aware
):
    workspace.add_dataset(image_dataset(tmp_path / "crops", PIXELS))
    query = tmp_path / "q.png"
    Image.fromarray(PIXELS[0]).save(query)
    sample = Sample(query, pid=1, camid=camid, split="query")
    workspace.add_dataset(Dataset("q", "folder", tmp_path, (sample,)), duplicates="add")
    job = jobs.create_run(workspace, RunConfig(), model)
    assert job.run_id is not None
    config = RunConfig(**workspace.run(job.run_id).config)
    assert config.evaluation.camera_aware is camera_aware


def test_create_resumption__one_at_a_time_and_only_of_what_is_unfinished(workspace, job):
    assert jobs.create_resumption(workspace, job.run_id) == job  # it was never started
    workspace.claim_job(job.job_id, str(WorkerProcess.of(os.getpid())))
    with pytest.raises(JobError, match="already works on run 1"):
        jobs.create_resumption(workspace, job.run_id)
    workspace.finish_job(job.job_id, "stopped")
    again = jobs.create_resumption(workspace, job.run_id)
    assert (again.job_id, again.run_id, again.status) == (2, job.run_id, "queued")
    workspace.claim_job(2, str(WorkerProcess.of(os.getpid())))
    workspace.finish_job(2, "finished")
    with pytest.raises(JobError, match="Run 1 is finished"):
        jobs.create_resumption(workspace, job.run_id)


def test_create_resumption__none_beside_a_worker_that_was_started_and_has_not_begun(workspace, job):
    workspace.assign_job(job.job_id, str(WorkerProcess.of(os.getpid())))
    assert workspace.job(job.job_id).status == "queued"
    with pytest.raises(JobError, match="already works on run 1"):
        jobs.create_resumption(workspace, job.run_id)
    assert len(workspace.jobs()) == 1


def test_pause_resume_stop__reach_the_job(workspace, job):
    workspace.claim_job(job.job_id, str(WorkerProcess.of(os.getpid())))
    for ask, command in [
        (jobs.pause_job, "pause"),
        (jobs.resume_job, "resume"),
        (jobs.stop_job, "stop"),
    ]:
        ask(workspace, job.job_id)
        assert workspace.requested(job.job_id) == command


def test_reap_lost_jobs__a_killed_worker_fails_its_job(workspace, job, dead):
    workspace.claim_job(job.job_id, str(dead))
    (lost,) = jobs.reap_lost_jobs(workspace)
    assert (lost.job_id, lost.status) == (job.job_id, "failed")
    assert f"process {dead.pid} on {HERE}" in lost.error
    assert f"`python -m pul resume 1 --workspace {workspace.path}`" in lost.error
    assert workspace.run(job.run_id).status == "failed"
    assert jobs.reap_lost_jobs(workspace) == []
    assert jobs.create_resumption(workspace, job.run_id).status == "queued"


def test_reap_lost_jobs__a_worker_that_died_before_it_began(workspace, job, dead):
    workspace.assign_job(job.job_id, str(dead))
    (lost,) = jobs.reap_lost_jobs(workspace)
    assert "worker.log" in lost.error


def test_reap_lost_jobs__spares_whom_the_clock_alone_condemns(workspace, job):
    workspace.claim_job(job.job_id, str(WorkerProcess.of(os.getpid())))
    silence(workspace, job.job_id)
    assert jobs.reap_lost_jobs(workspace) == []
    assert workspace.job(job.job_id).status == "running"


@pytest.fixture
def clock(monkeypatch):
    """The clock that cannot be set, moved by hand; waiting moves it."""
    seconds = [1000.0]
    monkeypatch.setattr(control.time, "monotonic", lambda: seconds[0])
    monkeypatch.setattr(control.time, "sleep", lambda s: seconds.__setitem__(0, seconds[0] + s))
    return seconds


def test_reap_lost_jobs__judges_another_machine_by_its_heartbeat(workspace, job, clock):
    workspace.claim_job(job.job_id, "elsewhere:12:345")
    assert jobs.reap_lost_jobs(workspace) == []
    silence(workspace, job.job_id)
    assert jobs.reap_lost_jobs(workspace) == []  # it may be the clock: watched from now on
    clock[0] += 9
    assert jobs.reap_lost_jobs(workspace) == []
    clock[0] += 2
    (lost,) = jobs.reap_lost_jobs(workspace)
    assert "process 12 on elsewhere" in lost.error


@pytest.mark.parametrize("hours", [-1, 1, 30])
def test_reap_lost_jobs__a_clock_that_is_off_condemns_nobody(workspace, job, clock, hours):
    workspace.claim_job(job.job_id, "elsewhere:12:345")
    for minute in range(10):
        beat = datetime.now(UTC) + timedelta(hours=hours, minutes=minute)
        with workspace._database.write() as connection:
            change = update(schema.jobs).values(heartbeat_at=beat.isoformat())
            connection.execute(change)
        for _ in range(3):
            assert jobs.reap_lost_jobs(workspace) == []
            clock[0] += 3
    assert workspace.job(job.job_id).status == "running"
    clock[0] += 3
    (lost,) = jobs.reap_lost_jobs(workspace)  # now it is silent, whatever its clock says
    assert lost.job_id == job.job_id


def test_create_resumption__waits_until_it_is_known_that_a_worker_is_gone(workspace, job, clock):
    workspace.claim_job(job.job_id, "elsewhere:12:345")
    silence(workspace, job.job_id)
    again = jobs.create_resumption(workspace, job.run_id)
    assert (again.job_id, again.status) == (2, "queued")
    assert 10 < clock[0] - 1000 < 11


def test_reap_lost_jobs__leaves_the_queue_alone(workspace, job):
    assert jobs.reap_lost_jobs(workspace) == []
    assert workspace.job(job.job_id) == job


def test_start_import__adds_the_images_in_the_background(workspace, tmp_path):
    image_dataset(tmp_path / "crops", PIXELS)
    (tmp_path / "crops" / "train" / "broken.png").write_bytes(b"no image")
    job = jobs.start_import(workspace, tmp_path / "crops" / "train")
    assert WorkerProcess.parse(job.worker).is_here
    wait_for(lambda: bool(workspace.job(job.job_id).finished_at))
    ended = workspace.job(job.job_id)
    assert (ended.status, ended.error) == ("finished", "")
    assert ended.progress.message == "3 new images, 0 known already, 1 left out"
    assert len(workspace.images("train")) == 3
    assert [Path(path).name for path, _ in workspace.skipped()] == ["broken.png"]
    log = workspace.log_path(job.job_id)
    wait_for(lambda: "finished" in log.read_text())  # written once the row has ended


def test_start_job__outlives_who_started_it(workspace, tmp_path):
    image_dataset(tmp_path / "crops", PIXELS)
    code = (
        "import sys; from pul.jobs import start_import; from pul.store.workspace import Workspace;"
        "print(start_import(Workspace.open(sys.argv[1]), sys.argv[2]).worker)"
    )
    arguments = [sys.executable, "-c", code, str(workspace.path), str(tmp_path / "crops" / "train")]
    starter = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=True)
    worker = WorkerProcess.parse(starter.stdout.strip())
    wait_for(lambda: bool(workspace.job(1).finished_at))
    assert workspace.job(1).status == "finished"
    assert workspace.job(1).worker == str(worker)


def test_start_job__starts_nothing_twice(workspace, job):
    workspace.claim_job(job.job_id, str(WorkerProcess.of(os.getpid())))
    with pytest.raises(JobError, match="only a queued job"):
        jobs.start_job(workspace, job.job_id)


def test_start_job__a_worker_that_cannot_begin_is_noticed(workspace, model, tmp_path):
    workspace.add_dataset(image_dataset(tmp_path / "crops", PIXELS))
    job = jobs.start_run(workspace, RunConfig(), model)
    wait_for(lambda: bool(jobs.reap_lost_jobs(workspace) or workspace.job(job.job_id).finished_at))
    ended = workspace.job(job.job_id)
    assert ended.status == "failed"
    assert "There is no backbone 'hollow'" in ended.error
    assert ended.traceback == ""  # foreseen: the trace is in the worker's log
    (log,) = workspace.path.rglob("worker.log")
    assert "Traceback" in log.read_text()
    assert workspace.run(job.run_id).status == "failed"
