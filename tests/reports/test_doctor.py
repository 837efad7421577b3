"""What doctor reports about a damaged workspace, and what it repairs."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from pul import jobs
from pul.config import RunConfig
from pul.errors import JobError, StoreError
from pul.models.network import dump_network, save_network
from pul.reports.doctor import Finding, examine_workspace
from pul.store.workspace import Workspace
from tests.support.fakes import image_dataset, iteration_arrays, iteration_record
from tests.support.networks import coloured_images, tiny_network


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A finished run of three finished iterations."""
    with Workspace.create(tmp_path / "workspace") as workspace:
        network = tiny_network()
        save_network(network, workspace.path / "start.safetensors")
        config = RunConfig(n_clusters=3)
        run = workspace.create_run(config, model=workspace.path / "start.safetensors")
        for n in range(3):
            arrays = iteration_arrays(seed=n)
            workspace.add_iteration(run.run_id, iteration_record(n), arrays, dump_network(network))
        workspace.set_run_status(run.run_id, "finished")
        yield workspace


def of_run(workspace: Workspace, *, repair: bool = False) -> Finding:
    found = examine_workspace(workspace.path, repair=repair)
    return next(finding for finding in found if finding.subject == "run 1")


def test_examine_workspace__a_whole_one_is_well(workspace):
    levels = {finding.level for finding in examine_workspace(workspace.path)}
    assert levels == {"ok", "warning"}  # no images were imported
    assert of_run(workspace) == Finding("ok", "run 1", "finished, 2 finished iterations")


@pytest.mark.parametrize("name", ["clusters.npy", "features.npy", "model.safetensors"])
def test_examine_workspace__a_cut_file_is_dropped_only_when_asked(workspace, name):
    path = workspace.iteration_path(1, 1) / name
    path.write_bytes(path.read_bytes()[:100])
    found = of_run(workspace)
    assert found.level == "error"
    assert "recompute iterations 1 and later: `python -m pul doctor --repair" in found.message
    assert len(workspace.iterations(1)) == 3
    assert of_run(workspace, repair=True).level == "warning"
    assert [record.iteration for record in workspace.iterations(1)] == [0]
    assert workspace.run(1).status == "stopped"  # so that it can be resumed
    assert of_run(workspace).level == "ok"


def test_examine_workspace__a_changed_start_model_drops_nothing(workspace):
    (workspace.path / "start.safetensors").write_bytes(b"another")
    found = of_run(workspace, repair=True)
    assert (found.level, len(workspace.iterations(1))) == ("error", 3)
    assert "Put the old file back" in found.message


def test_examine_workspace__a_run_at_work_is_not_repaired(workspace):
    (workspace.iteration_path(1, 2) / "clusters.npy").unlink()
    workspace.set_run_status(1, "stopped")
    jobs.create_resumption(workspace, 1)
    assert "stop it first" in of_run(workspace, repair=True).message
    with pytest.raises(JobError, match="is being worked on"):
        workspace.drop_iterations(1, 0)
    assert len(workspace.iterations(1)) == 3


def test_drop_iterations__names_the_runs_that_there_are(workspace):
    with pytest.raises(StoreError, match="There is no run 9"):
        workspace.drop_iterations(9, 0)


def test_examine_workspace__a_torn_database_file_is_told(workspace):
    place = workspace.path / "pul.db"
    workspace.close()
    with sqlite3.connect(place) as connection:
        root, size = connection.execute(
            "SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_schema"
            " WHERE name = 'one_active_job_per_run'"
        ).fetchone()
    connection.close()
    with place.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(bytes(range(256)) * (size // 256))
    errors = [f.message for f in examine_workspace(workspace.path) if f.level == "error"]
    assert errors
    assert "python -m pul restore" in errors[0]


def test_examine_workspace__says_what_makes_figures_doubtful(tmp_path):
    with Workspace.create(tmp_path / "workspace") as workspace:
        crops = image_dataset(tmp_path / "crops", *coloured_images(3, 2), split="train")
        workspace.add_dataset(crops)
        with workspace._database.write() as connection:
            connection.exec_driver_sql("UPDATE images SET camid = NULL")
        found = examine_workspace(workspace.path)
    (doubt,) = [finding for finding in found if finding.subject == "data"]
    assert doubt.level == "warning"
    assert "No image has a camera number." in doubt.message
