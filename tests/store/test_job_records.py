import threading

import pytest

from pul.errors import JobError, StoreError
from pul.records import JobProgress


def test_create_job__waits_in_the_queue(workspace, run):
    job = workspace.create_job("import", params={"root": "/data"})
    assert (job.job_id, job.kind, job.run_id, job.status) == (1, "import", None, "queued")
    assert job.params == {"root": "/data"}
    assert job.progress is None
    assert workspace.job(1) == job
    second = workspace.create_job("run", run_id=run.run_id)
    assert workspace.jobs() == [job, second]
    assert workspace.jobs(run_id=run.run_id) == [second]
    assert workspace.jobs(status="running") == []


def test_create_job__one_at_a_time_on_a_run(workspace, run):
    first = workspace.create_job("run", run_id=run.run_id)
    with pytest.raises(JobError, match="Job 1 already works on run 1"):
        workspace.create_job("run", run_id=run.run_id)
    assert workspace.active_job(run.run_id) == first
    workspace.request(first.job_id, "stop")
    assert workspace.active_job(run.run_id) is None
    assert workspace.create_job("run", run_id=run.run_id).job_id == 2


def test_active_jobs__are_those_that_have_not_ended(workspace, run):
    first = workspace.create_job("run", run_id=run.run_id)
    second = workspace.create_job("import", params={})
    assert [job.job_id for job in workspace.active_jobs()] == [first.job_id, second.job_id]
    workspace.finish_job(first.job_id, "failed", error="")
    assert [job.job_id for job in workspace.active_jobs()] == [second.job_id]


def test_create_job__needs_the_run(workspace):
    with pytest.raises(StoreError, match="There is no run 5"):
        workspace.create_job("run", run_id=5)
    with pytest.raises(StoreError, match="There is no job 5"):
        workspace.job(5)


def test_claim_job__sets_job_and_run_to_work(workspace, run):
    job = workspace.claim_job(workspace.create_job("run", run_id=run.run_id).job_id, "here:1:0")
    assert (job.status, job.worker) == ("running", "here:1:0")
    assert job.started_at == job.heartbeat_at != ""
    assert workspace.run(run.run_id).status == "running"


def test_claim_job__of_many_workers_one_gets_it(workspace):
    job = workspace.create_job("import")
    barrier = threading.Barrier(8)
    claimed, refused = [], []

    def claim(worker: str) -> None:
        barrier.wait()
        try:
            workspace.claim_job(job.job_id, worker)
            claimed.append(worker)
        except JobError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=claim, args=(f"here:{n}:0",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == 1
    assert refused == ["Job 1 is running; only a queued job can be worked on."] * 7
    assert workspace.job(job.job_id).worker == claimed[0]


def test_claim_job__is_for_the_worker_it_was_started_for(workspace):
    job = workspace.create_job("import")
    workspace.assign_job(job.job_id, "here:1:0")
    workspace.assign_job(job.job_id, "here:2:0")  # too late
    with pytest.raises(JobError, match="started for another worker, here:1:0"):
        workspace.claim_job(job.job_id, "here:2:0")
    assert workspace.claim_job(job.job_id, "here:1:0").status == "running"


def test_heartbeat__says_how_far_it_is(workspace):
    job = workspace.create_job("import")
    with pytest.raises(JobError, match="it is queued"):
        workspace.heartbeat(job.job_id)
    workspace.claim_job(job.job_id, "here:1:0")
    progress = JobProgress("finetune", 3, 9, iteration=1, n_iterations=2, loss=float("inf"))
    workspace.heartbeat(job.job_id, progress)
    workspace.heartbeat(job.job_id, worker="here:1:0")
    assert workspace.job(job.job_id).progress == progress
    assert 0 <= workspace.seconds_since_heartbeat(job.job_id) < 60
    with pytest.raises(JobError, match="no longer this worker's"):
        workspace.heartbeat(job.job_id, worker="there:1:0")


def test_request__is_acknowledged_once(workspace, run):
    job = workspace.create_job("run", run_id=run.run_id)
    workspace.claim_job(job.job_id, "here:1:0")
    assert workspace.requested(job.job_id) is None
    workspace.request(job.job_id, "pause")
    assert workspace.requested(job.job_id) == "pause"
    workspace.acknowledge(job.job_id, "pause")
    assert workspace.requested(job.job_id) is None
    assert workspace.job(job.job_id).status == workspace.run(run.run_id).status == "paused"
    workspace.request(job.job_id, "resume")
    workspace.request(job.job_id, "stop")
    workspace.acknowledge(job.job_id, "resume")
    assert workspace.requested(job.job_id) == "stop"  # asked meanwhile, not lost
    assert workspace.run(run.run_id).status == "running"


def test_request__stops_a_queued_job_at_once(workspace):
    job = workspace.create_job("import")
    workspace.request(job.job_id, "stop")
    assert workspace.job(job.job_id).status == "stopped"
    with pytest.raises(JobError, match=r"cannot pause: it has ended \(stopped\)"):
        workspace.request(job.job_id, "pause")
    with pytest.raises(JobError, match="is stopped"):
        workspace.claim_job(job.job_id, "here:1:0")


def test_finish_job__ends_once(workspace, run):
    job = workspace.create_job("run", run_id=run.run_id)
    workspace.claim_job(job.job_id, "here:1:0")
    ended = workspace.finish_job(job.job_id, "failed", "no space", "Traceback ...")
    assert (ended.status, ended.error, ended.traceback) == ("failed", "no space", "Traceback ...")
    assert ended.finished_at
    assert workspace.run(run.run_id).status == "failed"
    with pytest.raises(JobError, match=r"has ended already \(failed\)"):
        workspace.finish_job(job.job_id, "finished")


def test_log_path__lies_with_the_run(workspace, run):
    job = workspace.create_job("run", run_id=run.run_id)
    other = workspace.create_job("import")
    assert workspace.log_path(job.job_id) == workspace.path / "runs" / "1" / "worker.log"
    assert workspace.log_path(other.job_id) == workspace.path / "logs" / "job-2.log"
