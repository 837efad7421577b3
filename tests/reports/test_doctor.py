"""What doctor reports about a damaged workspace, and what it repairs."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from pul import jobs
from pul.config import RunConfig
from pul.errors import JobError, StoreError
from pul.labelling.log import read_annotations
from pul.models.network import dump_network, save_network
from pul.reports.finding import Finding
from pul.reports.workspace_check import examine_workspace
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
    assert "Iterations 1 and later are lost until they are computed again" in found.message
    assert "or drop them: `python -m pul doctor --repair" in found.message
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


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["features.npy", "record.json", "model.safetensors"])
@pytest.mark.parametrize("shelf", ["", "archived", "deleted"])
def test_examine_workspace__one_bit_is_told_of_every_run(workspace, name, shelf):
    workspace.shelve_run(1, shelf)
    flip(workspace.iteration_path(1, 1) / name, -2)
    found = of_run(workspace)
    assert found.level == "error"
    assert name in found.message


def test_examine_workspace__figures_in_the_database_that_are_not_those_written(workspace):
    with workspace._database.write() as connection:
        connection.exec_driver_sql("UPDATE metrics SET mean_ap = 0.75 WHERE iteration = 2")
    assert "figures of iteration 2 in the database are not those" in of_run(workspace).message


@pytest.mark.parametrize(
    ("change", "subject"),
    [
        ("UPDATE images SET pid = 7 WHERE image_id = 2", "rows of images"),
        ("UPDATE runs SET last_image_id = 1", "rows of runs"),
        ("UPDATE controls SET value = 0.5", "rows of controls"),
        ("UPDATE runs SET config = '{\"n_clus'", "rows of runs"),
    ],
)
def test_examine_workspace__a_row_that_is_not_as_it_was_written(
    workspace, tmp_path, change, subject
):
    workspace.add_dataset(image_dataset(tmp_path / "crops", *coloured_images(3, 2)))
    workspace.set_control(1, "lambda_", 0.8)
    assert not [f for f in examine_workspace(workspace.path) if f.level == "error"]
    with workspace._database.write() as connection:
        connection.exec_driver_sql(change)
    errors = {f.subject: f.message for f in examine_workspace(workspace.path) if f.level == "error"}
    assert "1 are not as they were written" in errors[subject]
    assert "python -m pul restore" in errors[subject]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE annotation_events SET payload = '{\"images\": [4]}' WHERE event_id = 1",
        "UPDATE annotation_events SET payload = '{\"images\": [' WHERE event_id = 1",
        "UPDATE annotation_events SET kind = 'creatf', author = 'amn' WHERE event_id = 1",
        "UPDATE annotation_events SET payload = '[]' WHERE event_id = 1",
    ],
)
def test_examine_workspace__damaged_labels_are_set_aside_and_the_others_stay(workspace, change):
    workspace.append_annotation_event("create", {"images": [1, 2], "name": "Ann"}, "ann")
    workspace.append_annotation_event("create", {"images": [3]}, "ann")
    workspace.append_annotation_event("add", {"identity": 1, "images": [4]}, "ben")
    with workspace._database.write() as connection:
        connection.exec_driver_sql(change)
    (said,) = [f for f in examine_workspace(workspace.path) if "not as they were" in f.message]
    assert (said.subject, said.level) == ("labels", "error")
    assert "doctor --repair" in said.message
    examine_workspace(workspace.path, repair=True)
    assert not [f for f in examine_workspace(workspace.path) if f.level == "error"]
    state = read_annotations(workspace)
    assert state.owners == {3: 2, 4: 1}  # what event 1 said of images 1 and 2 is lost
    assert state.name(2) == "ID_002"
    (kept,) = (workspace.path / "damaged").iterdir()
    assert kept.name == "annotation-event-1.json"
    assert state.undoable("ann") == 2


@pytest.mark.parametrize("revision", ["garbage", "0005x", "", "99999"])
def test_examine_workspace__a_revision_that_is_none_is_one_sentence(workspace, revision):
    with workspace._database.write() as connection:
        change = text("UPDATE alembic_version SET version_num = :revision")
        connection.execute(change, {"revision": revision})
    (found,) = examine_workspace(workspace.path)
    assert (found.level, found.subject) == ("error", "workspace")
    assert repr(revision) in found.message or "newer version" in found.message


def test_examine_workspace__what_was_stored_before_sums_gets_them(workspace):
    """And is checked by what its values may be until then."""
    with workspace._database.write() as connection:
        connection.exec_driver_sql("UPDATE iterations SET files = NULL, folder = ''")
        for table in ("images", "runs", "controls", "annotation_events", "settings"):
            connection.exec_driver_sql(f"UPDATE {table} SET row_sum = NULL")
        connection.exec_driver_sql("DELETE FROM settings WHERE name = 'all rows have sums'")
    centers = workspace.iteration_path(1, 2) / "centers.npy"
    sound = centers.read_bytes()
    np.save(centers, np.array([0, 1, 99]))  # of 12 images
    assert "values that cannot be" in of_run(workspace).message
    centers.write_bytes(sound)
    assert "1 of them had no sums and have them now" in of_run(workspace).message
    flip(centers, -8)
    assert "centers.npy is damaged" in of_run(workspace).message
    with workspace._database.write() as connection:
        connection.exec_driver_sql("UPDATE runs SET last_image_id = 5")
    assert "rows of runs" in {f.subject for f in examine_workspace(workspace.path)}


@pytest.mark.parametrize(
    ("change", "subject"),
    [
        ("DELETE FROM images WHERE image_id = 3", "images"),
        ("DELETE FROM images WHERE image_id = 6", "images"),  # the last one
        ("DELETE FROM annotation_events WHERE event_id = 1", "labels"),
    ],
)
def test_examine_workspace__rows_that_are_gone_are_told(workspace, tmp_path, change, subject):
    workspace.add_dataset(image_dataset(tmp_path / "crops", *coloured_images(3, 2)))
    for image in (1, 2):
        workspace.append_annotation_event("create", {"images": [image]}, "ann")
    assert not [f for f in examine_workspace(workspace.path) if f.level == "error"]
    with workspace._database.write() as connection:
        connection.exec_driver_sql(change)
    errors = {f.subject: f.message for f in examine_workspace(workspace.path) if f.level == "error"}
    assert errors[subject].startswith("1 of their rows are gone.")
