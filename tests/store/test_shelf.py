import pytest

from pul import jobs
from pul.config import RunConfig
from pul.data.datasets import Dataset
from pul.data.samples import Sample
from pul.errors import JobError, StoreError
from pul.store.workspace import Workspace
from tests.support.checkpoints import hollow_model
from tests.support.fakes import iteration_arrays, iteration_record


def add_iteration(workspace: Workspace, run_id: int, iteration: int = 0) -> None:
    workspace.add_iteration(
        run_id,
        iteration_record(iteration),
        iteration_arrays(),
        hollow_model(f"iteration {iteration}"),
    )


def add_image(workspace: Workspace) -> None:
    path = workspace.path / "a.jpg"
    path.write_bytes(b"x")
    workspace.add_dataset(Dataset("d", "folder", workspace.path, (Sample(path),)))


def test_shelve_run__out_of_the_way_and_back(workspace, run):
    add_iteration(workspace, run.run_id)
    for shelf in ("archived", "deleted"):
        assert workspace.shelve_run(run.run_id, shelf).shelf == shelf
        assert workspace.runs() == []
        assert [hidden.run_id for hidden in workspace.runs(shelf=shelf)] == [1]
        assert len(workspace.runs(shelf=None)) == 1
        assert len(workspace.iterations(run.run_id)) == 1
    assert workspace.shelve_run(run.run_id, "") == workspace.runs()[0]
    assert workspace.checkpoint_path(run.run_id, 0).read_bytes() == hollow_model("iteration 0")


def test_shelve_run__one_that_is_worked_on_is_not_deleted(workspace, run):
    job = workspace.create_job("run", run_id=run.run_id)
    assert workspace.shelve_run(run.run_id, "archived").shelf == "archived"
    with pytest.raises(JobError, match="stop it, then delete it"):
        workspace.shelve_run(run.run_id, "deleted")
    workspace.finish_job(job.job_id, "stopped")
    assert workspace.shelve_run(run.run_id, "deleted").shelf == "deleted"
    with pytest.raises(JobError, match="bring it back first"):
        jobs.create_resumption(workspace, run.run_id)


def test_shelve_run__unknown(workspace):
    with pytest.raises(StoreError, match="no run 7"):
        workspace.shelve_run(7, "deleted")


def test_remove_deleted_runs__only_those_and_all_of_them(workspace, run):
    kept = workspace.create_run(RunConfig(), model=workspace.path / "start.safetensors")
    for run_id in (run.run_id, kept.run_id):
        add_iteration(workspace, run_id)
        workspace.set_control(run_id, "lambda_", 0.5)
        job = workspace.create_job("run", run_id=run_id)
        workspace.finish_job(job.job_id, "stopped")
    workspace.shelve_run(run.run_id, "deleted")
    workspace.remove_deleted_runs()
    assert workspace.runs(shelf=None) == [workspace.run(kept.run_id)]
    assert [job.run_id for job in workspace.jobs()] == [kept.run_id]
    assert workspace.controls(run.run_id) == []
    assert not workspace.run_path(run.run_id).exists()
    assert len(workspace.iterations(kept.run_id)) == 1
    again = workspace.create_run(RunConfig(), model=workspace.path / "start.safetensors")
    assert again.run_id == 3  # no number is used twice


def test_remove_deleted_runs__takes_what_a_killed_removal_left(workspace, run):
    add_iteration(workspace, run.run_id)
    stray = workspace.run_path(99) / "iteration-0"
    stray.mkdir(parents=True)
    assert workspace.stray_run_folders() == [stray.parent]
    workspace.remove_deleted_runs()
    assert not stray.exists()
    assert len(workspace.iterations(run.run_id)) == 1


def test_create_fork__starts_from_the_model_of_an_iteration_and_outlives_its_run(workspace, run):
    add_image(workspace)
    add_iteration(workspace, run.run_id)
    add_iteration(workspace, run.run_id, 1)
    config = RunConfig(n_clusters=9)
    fork = workspace.run(jobs.create_fork(workspace, run.run_id, 1, config).run_id)
    assert (fork.parent_run_id, fork.parent_iteration) == (1, 1)
    assert (fork.name, fork.config["n_clusters"]) == ("run 1, from iteration 1", 9)
    assert workspace.start_model(fork.run_id).read_bytes() == hollow_model("iteration 1")
    workspace.shelve_run(run.run_id, "deleted")
    workspace.remove_deleted_runs()
    assert workspace.start_model(fork.run_id).read_bytes() == hollow_model("iteration 1")


def test_create_fork__twice_from_one_iteration(workspace, run):
    add_image(workspace)
    add_iteration(workspace, run.run_id)
    made = [jobs.create_fork(workspace, 1, 0, RunConfig(), name) for name in ("a", "b")]
    assert [workspace.run(job.run_id).name for job in made] == ["a", "b"]
    assert [path.name for path in (workspace.path / "models").iterdir()] == [
        "run-1-iteration-0.safetensors"
    ]


def test_create_fork__no_such_iteration(workspace, run):
    add_image(workspace)
    with pytest.raises(StoreError, match="has no iteration 3"):
        jobs.create_fork(workspace, run.run_id, 3, RunConfig())
    assert len(workspace.runs()) == 1
