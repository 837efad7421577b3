"""A backup is a whole workspace of one moment, whatever went on meanwhile."""

import json
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pul.cli.main import app
from pul.errors import ConfigError, PulError, StoreError
from pul.store.backup import MANIFEST, back_up, check_backup, restore
from pul.store.workspace import Workspace
from tests.store.test_crashes import check_whole
from tests.support.fakes import image_dataset, iteration_arrays, iteration_record
from tests.support.networks import coloured_images


def add_iteration(workspace: Workspace, run_id: int, n: int) -> None:
    arrays = iteration_arrays(seed=n)
    workspace.add_iteration(run_id, iteration_record(n), arrays, b"%d" % n)


@pytest.fixture
def filled(workspace, run, tmp_path):
    """Images inside and outside of the workspace, two iterations, an act, a run at work."""
    pixels, pids = coloured_images(2, 2)
    workspace.add_dataset(image_dataset(workspace.path / "images", pixels, pids))
    elsewhere = image_dataset(tmp_path / "elsewhere", pixels[:1], pids[:1])
    workspace.add_dataset(elsewhere, duplicates="add")
    for n in range(2):
        add_iteration(workspace, run.run_id, n)
    workspace.append_annotation_event("create", {"images": [1]}, "ann", token="t")
    job = workspace.create_job("run", run_id=run.run_id)
    workspace.claim_job(job.job_id, "elsewhere:1:1")
    (workspace.cache_path / "pixels").mkdir(parents=True)
    (workspace.cache_path / "pixels" / "x.npy").write_bytes(b"can be made again")
    return workspace


def test_restore__gives_the_same_workspace(filled, tmp_path):
    report = back_up(filled, tmp_path / "backup")
    assert report.n_elsewhere == 1
    assert check_backup(tmp_path / "backup") == report.n_files
    restore(tmp_path / "backup", tmp_path / "again")
    with Workspace.open(tmp_path / "again") as again:
        assert again.name == filled.name
        assert check_whole(again, 1) == 2
        assert again.annotation_events() == filled.annotation_events()
        names = [Path(path).name for path in filled.images().paths]
        assert [Path(path).name for path in again.images().paths] == names
        assert all(Path(path).is_file() for path in again.images().paths)
        assert not again.cache_path.exists()
        assert (again.job(1).status, again.run(1).status) == ("stopped", "stopped")
        assert again.append_annotation_event("junk", {"images": [2]}, "ann") == 2


def test_restore__into_a_place_of_the_same_kind(filled, location, tmp_path, request):
    back_up(filled, tmp_path / "backup")
    events = filled.annotation_events()
    filled.close()
    if "://" in location:  # the one test server has one database
        request.getfixturevalue("postgres_server").empty_database()
        location = location.replace("/workspace", "/again")
    else:
        location = str(tmp_path / "again")
    restore(tmp_path / "backup", location)
    with Workspace.open(location) as again:
        assert again.annotation_events() == events
        assert check_whole(again, 1) == 2
        assert again.append_annotation_event("junk", {"images": [2]}, "ann") == 2  # numbers go on


def test_back_up__while_iterations_and_acts_come_is_of_one_moment(workspace, run, tmp_path):
    ended = threading.Event()

    def go_on() -> None:
        for n in range(30):
            add_iteration(workspace, run.run_id, n)
            workspace.append_annotation_event("create", {"images": [n]}, "ann")
            if ended.is_set():
                return

    writer = threading.Thread(target=go_on)
    writer.start()
    try:
        for n in range(3):
            back_up(workspace, tmp_path / str(n))
    finally:
        ended.set()
        writer.join()
    for n in range(3):
        check_backup(tmp_path / str(n))
        with Workspace.open(tmp_path / str(n)) as copy:
            n_whole = check_whole(copy, run.run_id)
            assert len(copy.annotation_events()) in (n_whole, n_whole - 1)
            folders = {path.name for path in (copy.path / "runs").glob("*/iteration-*")}
            assert folders == {f"iteration-{i}" for i in range(n_whole)}


@pytest.mark.parametrize("what", ["cut", "gone"])
def test_check_backup__a_file_that_is_not_whole_is_named(filled, tmp_path, what):
    back_up(filled, tmp_path / "backup")
    path = next((tmp_path / "backup").rglob("clusters.npy"))
    if what == "cut":
        path.write_bytes(path.read_bytes()[:-1])
    else:
        path.unlink()
    with pytest.raises(StoreError, match=r"clusters\.npy is (damaged|missing)"):
        check_backup(tmp_path / "backup")
    with pytest.raises(StoreError, match="use another one"):
        restore(tmp_path / "backup", tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_check_backup__names_no_file_outside(filled, tmp_path):
    back_up(filled, tmp_path / "backup")
    manifest = tmp_path / "backup" / MANIFEST
    content = json.loads(manifest.read_bytes())
    content["files"]["../outside"] = "0"
    manifest.write_text(json.dumps(content))
    with pytest.raises(StoreError, match="outside of itself"):
        check_backup(tmp_path / "backup")


def test_back_up__goes_nowhere_that_is_taken(filled, tmp_path):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine").touch()
    with pytest.raises(ConfigError, match="is not empty"):
        back_up(filled, tmp_path / "taken")
    with pytest.raises(ConfigError, match="outside of it"):
        back_up(filled, filled.path / "backup")
    with pytest.raises(StoreError, match="is no backup"):
        check_backup(tmp_path / "taken")


def test_commands__make_check_and_restore(tmp_path):
    Workspace.create(tmp_path / "w", name="shop").close()
    call = CliRunner().invoke
    made = call(app, ["backup", str(tmp_path / "w"), str(tmp_path / "b"), "--json"])
    assert json.loads(made.stdout)["n_elsewhere"] == 0
    assert call(app, ["restore", str(tmp_path / "b"), "--check"]).exit_code == 0
    assert call(app, ["restore", str(tmp_path / "b"), str(tmp_path / "again")]).exit_code == 0
    assert isinstance(call(app, ["restore", str(tmp_path / "b")]).exception, PulError)
    with Workspace.open(tmp_path / "again") as again:
        assert again.name == "shop"
