"""A backup is a whole workspace of one moment, whatever went on meanwhile."""

import json
import os
import shutil
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pul.cli.main import app
from pul.config import RunConfig
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


def test_back_up__a_file_that_goes_away_while_it_is_listed(filled, tmp_path, monkeypatch):
    """A listing names a folder, which is renamed before the listing of what is in it."""
    walk = os.walk

    def rename_midway(folder, **options):
        for parent, folders, names in walk(folder, **options):
            if Path(folder) == filled.path and Path(parent) == filled.path / "runs":
                (filled.path / "runs" / "1" / ".unfinished-x").mkdir()
            yield parent, folders, names
            if Path(parent) == filled.path / "runs" / "1":
                shutil.rmtree(filled.path / "runs" / "1" / ".unfinished-x")

    monkeypatch.setattr(os, "walk", rename_midway)
    back_up(filled, tmp_path / "backup")
    check_backup(tmp_path / "backup")


def meanwhile(monkeypatch, name, act):
    """Do something once, just before a file of this name is copied."""
    copy2, acts = shutil.copy2, [act]

    def copy(source, target):
        if Path(source).name == name and acts:
            acts.pop()()
        return copy2(source, target)

    monkeypatch.setattr(shutil, "copy2", copy)


@pytest.mark.parametrize("first", ["centers.npy", "features.npy", "similarities.npy"])
def test_back_up__while_a_run_is_pruned(filled, run, tmp_path, monkeypatch, first):
    add_iteration(filled, run.run_id, 2)
    meanwhile(
        monkeypatch, first, lambda: filled.prune_run(run.run_id, keep_features=1, checkpoints=[2])
    )
    back_up(filled, tmp_path / "backup")
    check_backup(tmp_path / "backup")
    with Workspace.open(tmp_path / "backup") as copy:
        copy.arrays(run.run_id, 2)
        for n in range(2):  # each array is there, or it is said that it was removed
            if "features.npy" not in copy.pruned(run.run_id, n):
                copy.arrays(run.run_id, n, "features")


def test_back_up__while_a_deleted_run_is_removed_begins_again(filled, tmp_path, monkeypatch):
    model = filled.path / "start.safetensors"
    other = filled.create_run(RunConfig(n_clusters=3), model=model)
    add_iteration(filled, other.run_id, 0)
    filled.shelve_run(other.run_id, "deleted")
    meanwhile(monkeypatch, "clusters.npy", filled.remove_deleted_runs)
    back_up(filled, tmp_path / "backup")
    check_backup(tmp_path / "backup")
    with Workspace.open(tmp_path / "backup") as copy:
        assert [each.run_id for each in copy.runs(shelf=None)] == [1]


@pytest.mark.parametrize("what", ["an array", "an image", "a start model"])
def test_back_up__refuses_where_the_workspace_lacks_what_it_names(filled, tmp_path, what):
    paths = {
        "an array": filled.iteration_path(1, 1) / "points.npy",
        "an image": Path(filled.images().paths[0]),
        "a start model": filled.path / "start.safetensors",
    }
    paths[what].unlink()
    with pytest.raises(StoreError, match=f"{paths[what].name} is missing in the workspace"):
        back_up(filled, tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


def test_back_up__refuses_to_copy_damage(filled, tmp_path):
    path = filled.iteration_path(1, 0) / "features.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"features\.npy is damaged"):
        back_up(filled, tmp_path / "backup")


def test_back_up__holds_previews(filled, tmp_path):
    preview = filled.run_path(1) / "previews" / "iteration-1-k-3-seed-0.npz"
    preview.parent.mkdir()
    preview.write_bytes(b"x")
    back_up(filled, tmp_path / "backup")
    assert (tmp_path / "backup" / preview.relative_to(filled.path)).read_bytes() == b"x"


def test_back_up__gaps_of_a_server_are_no_rows_that_are_gone(filled, tmp_path):
    if "://" in filled.location:  # a server gives no number twice, SQLite takes it back
        with pytest.raises(StoreError):
            filled.append_annotation_event(None, {}, "ann")
        filled.append_annotation_event("create", {"images": [1]}, "ann")
    back_up(filled, tmp_path / "backup")
    with Workspace.open(tmp_path / "backup") as copy:
        assert copy.missing_rows() == {}
        with copy._database.write() as connection:
            connection.exec_driver_sql("DELETE FROM annotation_events WHERE event_id = 1")
        assert copy.missing_rows() == {"annotation_events": 1}


def test_check_backup__what_rows_name_counts_whatever_the_list_says(filled, tmp_path):
    back_up(filled, tmp_path / "backup")
    manifest = tmp_path / "backup" / MANIFEST
    content = json.loads(manifest.read_bytes())
    name = next(name for name in content["files"] if name.endswith("/centers.npy"))
    del content["files"][name]
    (tmp_path / "backup" / name).unlink()
    manifest.write_text(json.dumps(content))
    with pytest.raises(StoreError, match=r"centers\.npy is missing"):
        check_backup(tmp_path / "backup")


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
