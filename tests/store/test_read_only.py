"""A workspace on a disk that cannot be written is there to be looked at, exported and backed up."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app import services
from pul.cli.main import app
from pul.config import RunConfig
from pul.errors import StoreError
from pul.models.network import dump_network, save_network
from pul.store import database
from pul.store.backup import check_backup
from pul.store.workspace import Workspace
from tests.store.kept_workspace import write_kept_workspace
from tests.support.fakes import image_dataset, iteration_arrays, iteration_record
from tests.support.networks import coloured_images, tiny_network


@pytest.fixture
def place(tmp_path):
    """A workspace with a finished iteration and two labels, which nobody may write any more."""
    folder = tmp_path / "w"
    with Workspace.create(folder, name="shop") as workspace:
        workspace.add_dataset(image_dataset(folder / "images", *coloured_images(2, 3)))
        save_network(tiny_network(), folder / "start.safetensors")
        config = RunConfig(n_clusters=3)
        run = workspace.create_run(config, model=folder / "start.safetensors")
        arrays, network = iteration_arrays(6), dump_network(tiny_network())
        workspace.add_iteration(run.run_id, iteration_record(n_images=6), arrays, network)
        workspace.append_annotation_event("create", {"images": [1, 2], "name": "Ann"}, "ann")
        job = workspace.create_job("run", run_id=run.run_id)
        workspace.claim_job(job.job_id, "elsewhere:1:1")
    return folder


def close(folder: Path, *, is_open: bool = False) -> None:
    """Take away everybody's right to write, or give it back to the owner."""
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() or is_open else 0o444)
        if path.is_dir() and not is_open:
            path.chmod(0o555)


@pytest.fixture
def closed(place, monkeypatch):
    """The workspace as this process would see it on a disk that is mounted read-only."""
    monkeypatch.setattr(database, "is_read_only", lambda file: file.is_relative_to(place))
    close(place)
    yield place
    close(place, is_open=True)


def test_open__a_read_only_workspace_is_read(closed):
    before = {path: path.stat().st_mtime_ns for path in closed.rglob("*")}
    with Workspace.open(closed) as workspace:
        assert workspace.is_read_only
        assert workspace.name == "shop"
        assert len(workspace.images()) == 6
        assert workspace.arrays(1, 0, "clusters")["clusters"].tolist() == [0, 1, 2, 0, 1, 2]
        assert len(workspace.annotation_events()) == 1
        with pytest.raises(StoreError, match="can only be looked at"):
            workspace.set_setting("name", 1)
    assert {path: path.stat().st_mtime_ns for path in closed.rglob("*")} == before


def test_open__what_is_in_the_log_alone_is_read_too(place, monkeypatch):
    """The last labels before a crash are in SQLite's log, which such a disk cannot replay."""
    other = Workspace.open(place)
    other.append_annotation_event("create", {"images": [3]}, "ann")
    assert (place / "pul.db-wal").stat().st_size
    copy = place.with_name("copy")
    shutil.copytree(place, copy)
    other.close()
    monkeypatch.setattr(database, "is_read_only", lambda file: file.is_file())
    with Workspace.open(copy) as workspace:
        assert len(workspace.annotation_events()) == 2
    assert (copy / "pul.db-wal").stat().st_size  # left as it is


def test_open__one_of_an_older_version_is_read_as_today(tmp_path, monkeypatch):
    write_kept_workspace(str(tmp_path / "old"))
    before = (tmp_path / "old" / "pul.db").read_bytes()
    monkeypatch.setattr(database, "is_read_only", lambda file: file.is_file())
    with Workspace.open(tmp_path / "old") as workspace:
        assert (workspace.name, workspace.run(1).run_id) == ("shop", 1)
        assert len(workspace.annotation_events()) == 3
        with pytest.raises(StoreError, match="can only be looked at"):
            workspace.set_setting("name", 1)
    assert (tmp_path / "old" / "pul.db").read_bytes() == before


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["status"], "run 1"),
        (["doctor"], "can only be looked at"),
        (["export", "--format", "json", "--out", "labels.json"], "labels.json"),
        (["export", "--format", "csv", "--out", "labels.csv"], "labels.csv"),
        (["backup", "WORKSPACE", "backup"], "backup"),
        (["project", "1", "--out", "map.csv"], "map.csv"),
        (["report", "1", "--out", "report.html"], "report.html"),
    ],
)
def test_commands__work_from_a_read_only_workspace(closed, tmp_path, monkeypatch, command, said):
    monkeypatch.chdir(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in closed.rglob("*")}
    arguments = [str(closed) if word == "WORKSPACE" else word for word in command]
    place = [] if "WORKSPACE" in command else ["--workspace", str(closed)]
    result = CliRunner().invoke(app, [*arguments, *place])
    assert result.exit_code == 0, result.output
    assert said in result.output
    assert {path: path.stat().st_mtime_ns for path in closed.rglob("*")} == before
    if command[0] == "backup":
        assert check_backup(tmp_path / "backup")


def test_commands__that_write_say_why_they_cannot(closed):
    result = CliRunner().invoke(app, ["steer", "1", "--k", "3", "--workspace", str(closed)])
    assert result.exit_code != 0
    assert isinstance(result.exception, StoreError)
    assert "Copy the workspace to a disk that can be written" in str(result.exception)


def test_pages__show_a_read_only_workspace(closed):
    location = str(closed)
    status = services.workspace.workspace_status(location)
    assert (status.name, status.n_images, status.run.run_id) == ("shop", 6, 1)
    content, _ = services.workspace.picture(location, 1)
    assert content
    assert services.diagnosis.of_iteration(location, 1, 0) is not None
    assert [row.name for row in services.labels.read_annotations(location).identities] == ["Ann"]
