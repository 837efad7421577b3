"""What is done to one of two runs, or to one of two jobs, leaves the other as it was."""

from pathlib import Path

import pytest
from sqlalchemy import update

from pul.config import RunConfig
from pul.errors import JobError, StoreError
from pul.store.schema import iterations
from pul.store.workspace import Workspace
from tests.support.fakes import iteration_arrays, iteration_record


@pytest.fixture
def two(workspace: Workspace, tmp_path: Path) -> Workspace:
    """A workspace of runs 1 and 2, with iterations 0 to 2 each, which differ."""
    (tmp_path / "model").write_bytes(b"weights")
    for run_id in (1, 2):
        workspace.create_run(RunConfig(n_clusters=3), model=tmp_path / "model")
        for n in range(3):
            arrays = iteration_arrays(seed=10 * run_id + n)
            workspace.add_iteration(run_id, iteration_record(n), arrays, b"%d-%d" % (run_id, n))
    return workspace


def numbers(workspace: Workspace) -> list[list[int]]:
    """Return the numbers of the iterations of both runs."""
    return [[record.iteration for record in workspace.iterations(n)] for n in (1, 2)]


def test_controls__are_of_their_run(two: Workspace) -> None:
    two.set_control(1, "lambda_", 0.7)
    two.set_control(2, "n_clusters", 5)
    assert two.take_controls(1, 3) == {"lambda_": 0.7}
    assert [control.applied_at_iteration for control in two.controls(1)] == [3]
    assert [(x.name, x.applied_at_iteration) for x in two.controls(2)] == [("n_clusters", None)]
    assert two.take_controls(2, 9) == {"n_clusters": 5}
    assert [control.control_id for control in two.controls(2)] == [2]


def test_iterations__files_and_figures_are_of_their_run(two: Workspace) -> None:
    for run_id in (1, 2):
        assert two.checkpoint_path(run_id, 2).read_bytes() == b"%d-2" % run_id
        features = two.arrays(run_id, 1, "features")["features"]
        assert features.tolist() == iteration_arrays(seed=10 * run_id + 1).features.tolist()
        assert all(record.metrics is not None for record in two.iterations(run_id))
    assert [run.n_iterations_done for run in two.runs()] == [2, 2]
    with pytest.raises(StoreError, match="Run 2 has no iteration 3; 3 are stored, from 0"):
        two.arrays(2, 3)


def test_drop_iterations__of_one_run_from_one_on(two: Workspace) -> None:
    two.drop_iterations(2, 1)
    assert numbers(two) == [[0, 1, 2], [0]]
    assert [run.status for run in two.runs()] == ["created", "stopped"]
    two.add_iteration(2, iteration_record(1), iteration_arrays(), b"again")
    assert numbers(two) == [[0, 1, 2], [0, 1]]
    assert two.checkpoint_path(2, 1).read_bytes() == b"again"


def test_drop_iterations__waits_for_the_job_of_its_own_run_only(two: Workspace) -> None:
    two.create_job("run", run_id=1)
    with pytest.raises(JobError, match="Run 1 is being worked on"):
        two.drop_iterations(1, 1)
    two.drop_iterations(2, 2)
    assert numbers(two) == [[0, 1, 2], [0, 1]]


def test_set_file_sums__of_one_iteration(two: Workspace) -> None:
    before = {(run, n): two.file_sums(run, n) for run in (1, 2) for n in range(3)}
    assert len({sums["features.npy"].sha256 for sums in before.values()}) == 6
    sums = {"record.json": before[2, 0]["record.json"]}
    two.set_file_sums(1, 2, sums)
    assert two.file_sums(1, 2) == before[1, 2]  # it has its own
    with two._database.write() as connection:  # as if stored before files had sums
        connection.execute(update(iterations).values(files=None))
    two.set_file_sums(1, 2, sums)
    after = {(run, n): two.file_sums(run, n) for run in (1, 2) for n in range(3)}
    assert after == {key: sums if key == (1, 2) else {} for key in before}


def test_prune_run__keeps_the_files_of_the_other(two: Workspace) -> None:
    two.prune_run(1, keep_features=1, checkpoints={0, 2})
    removed = [[two.pruned(run, n) for n in range(3)] for run in (1, 2)]
    assert removed == [
        [{"features.npy"}, {"features.npy", "model.safetensors"}, set()],
        [set(), set(), set()],
    ]


def test_jobs__each_has_its_own_status_command_and_signs_of_life(two: Workspace) -> None:
    first, second = (two.create_job("run", run_id=n).job_id for n in (1, 2))
    assert two.active_job(2) == two.job(second)
    two.assign_job(first, "here:1:0")
    assert [two.job(n).worker for n in (first, second)] == ["here:1:0", ""]
    two.claim_job(second, "here:2:0")
    assert [two.job(n).status for n in (first, second)] == ["queued", "running"]
    assert [run.status for run in two.runs()] == ["created", "running"]
    two.request(second, "pause")
    assert [two.requested(n) for n in (first, second)] == [None, "pause"]
    two.request(first, "resume")  # waits for its worker
    two.acknowledge(second, "pause")
    assert [two.requested(n) for n in (first, second)] == ["resume", None]
    assert [job.job_id for job in two.jobs(status="paused")] == [second]
    assert [job.job_id for job in two.jobs(run_id=1, status="paused")] == []
    two.finish_job(first, "stopped")
    assert [run.status for run in two.runs()] == ["stopped", "paused"]
    assert two.active_jobs() == [two.job(second)]


def test_shelve_run__while_the_other_is_worked_on(two: Workspace) -> None:
    two.create_job("run", run_id=2)
    assert two.shelve_run(1, "deleted").shelf == "deleted"
    assert [run.run_id for run in two.runs()] == [2]
    assert [run.run_id for run in two.runs(shelf=None)] == [1, 2]
    two.remove_deleted_runs()
    assert [run.run_id for run in two.runs(shelf=None)] == [2]
    assert [record.iteration for record in two.iterations(2)] == [0, 1, 2]
    assert not two.run_path(1).exists()
    assert two.checkpoint_path(2, 0).read_bytes() == b"2-0"


def test_remove_stray_folders__of_one_run(two: Workspace) -> None:
    strays = [two.run_path(n) / "iteration-9-job-9" for n in (1, 2)]
    for stray in strays:
        stray.mkdir()
    two.remove_stray_folders(2)
    assert [stray.exists() for stray in strays] == [True, False]
    assert numbers(two) == [[0, 1, 2], [0, 1, 2]]
    assert two.arrays(1, 0, "clusters")["clusters"].shape == (12,)
