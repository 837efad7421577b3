"""Images that moved are found again, in both kinds of databases; labels and runs stay."""

import shutil
import threading
from pathlib import Path

import pytest

from pul.config import RunConfig
from pul.data.datasets import Dataset
from pul.data.samples import Sample
from pul.errors import ConfigError, DuplicateImagesError, JobError, StoreError
from pul.store.backup import back_up, restore
from pul.store.workspace import Workspace


def crops(folder: Path, *names: str) -> Dataset:
    """Write files, each with a content of its own, and return the dataset of them."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(Path(name).name.encode())
    return read(folder, *names)


def read(folder: Path, *names: str) -> Dataset:
    samples = tuple(Sample(folder / name, pid=n) for n, name in enumerate(names, start=1))
    return Dataset("small", "folder", folder, samples)


def stored_paths(workspace: Workspace) -> list[str]:
    with workspace._database.read() as connection:
        query = "SELECT path FROM images ORDER BY image_id"
        return list(connection.exec_driver_sql(query).scalars())


def test_relocate__a_drive_that_is_mounted_elsewhere(workspace, tmp_path):
    workspace.add_dataset(crops(tmp_path / "nas", "p1/a.jpg", "p1/b.jpg", "p2/a2.jpg"))
    model = tmp_path / "m.safetensors"
    model.write_bytes(b"x")
    run = workspace.create_run(RunConfig(), model=model)
    before = workspace.images()
    (tmp_path / "mnt").mkdir()
    (tmp_path / "nas").rename(tmp_path / "mnt" / "disk")
    (tmp_path / "mnt" / "disk" / "p2" / "a2.jpg").unlink()
    found = workspace.find_moved(tmp_path / "mnt")
    assert (found.n_images, found.n_wanted, len(found.moves), found.n_in_place) == (3, 3, 2, 0)
    assert found.folders() == [(str(tmp_path / "nas"), str(tmp_path / "mnt" / "disk"), 2)]
    assert found.missing_by_folder() == [(str(tmp_path / "nas" / "p2"), 1)]
    assert workspace.images().paths == before.paths  # nothing is changed yet
    assert workspace.relocate(found) == 2
    after = workspace.run_images(run.run_id)
    new = [str(tmp_path / "mnt" / "disk" / "p1" / name) for name in ("a.jpg", "b.jpg")]
    assert after.paths == (*new, before.paths[2])
    assert after.image_ids.tolist() == before.image_ids.tolist()
    assert after.pids.tolist() == before.pids.tolist()
    assert workspace.missing_images() == [before.paths[2]]
    assert workspace.n_relocations() == 1


def test_relocate__a_second_move_changes_no_row(workspace, tmp_path):
    workspace.add_dataset(crops(tmp_path / "one", "p1/a.jpg", "p2/b.jpg"))
    for old, new in (("one", "two"), ("two", "three")):
        (tmp_path / old).rename(tmp_path / new)
        workspace.relocate(workspace.find_moved(tmp_path / new))
        assert stored_paths(workspace) == ["root:p1/a.jpg", "root:p2/b.jpg"]
        assert workspace.image_root() == str(tmp_path / new)
    assert workspace.missing_images() == []


def test_relocate__images_elsewhere_stay_where_they_are(workspace, tmp_path):
    workspace.add_dataset(crops(tmp_path / "here", "a.jpg", "b.jpg", "c.jpg"))
    workspace.set_image_root(tmp_path / "here")
    workspace.add_dataset(crops(tmp_path / "there", "d.jpg"))
    (tmp_path / "there").rename(tmp_path / "far")
    workspace.relocate(workspace.find_moved(tmp_path / "far"))
    assert workspace.image_root() == str(tmp_path / "here")  # more images are below it
    assert stored_paths(workspace)[:3] == ["root:a.jpg", "root:b.jpg", "root:c.jpg"]
    assert workspace.images().paths[3] == str(tmp_path / "far" / "d.jpg")
    assert workspace.missing_images() == []


def test_relocate__copies_are_used_only_when_asked(workspace, tmp_path):
    workspace.add_dataset(crops(tmp_path / "slow", "a.jpg", "b.jpg"))
    shutil.copytree(tmp_path / "slow", tmp_path / "fast")
    assert workspace.find_moved(tmp_path / "fast").n_wanted == 0
    workspace.relocate(workspace.find_moved(tmp_path / "fast", everything=True))
    assert [Path(path).parent.name for path in workspace.images().paths] == ["fast", "fast"]
    again = workspace.find_moved(tmp_path / "fast", everything=True)
    assert (again.n_in_place, again.moves) == (2, ())


def test_relocate__names_that_are_exchanged(workspace, tmp_path):
    workspace.add_dataset(crops(tmp_path / "x", "a.jpg", "b.jpg"))
    a, b = tmp_path / "x" / "a.jpg", tmp_path / "x" / "b.jpg"
    a.write_bytes(b"b.jpg")
    b.write_bytes(b"a.jpg")
    workspace.relocate(workspace.find_moved(tmp_path / "x", everything=True))
    assert workspace.images().paths == (str(b), str(a))


def test_relocate__of_two_at_once_the_second_is_told(workspace, tmp_path):
    workspace.add_dataset(crops(tmp_path / "x", "a.jpg", "b.jpg"))
    (tmp_path / "x").rename(tmp_path / "y")
    first, second = workspace.find_moved(tmp_path / "y"), workspace.find_moved(tmp_path / "y")
    workspace.relocate(first)
    with pytest.raises(StoreError, match="meanwhile"):
        workspace.relocate(second)
    assert workspace.missing_images() == []


def test_relocate__of_a_file_that_was_imported_meanwhile(workspace, tmp_path):
    workspace.add_dataset(crops(tmp_path / "x", "a.jpg"))
    (tmp_path / "x").rename(tmp_path / "y")
    found = workspace.find_moved(tmp_path / "y")
    workspace.add_dataset(read(tmp_path / "y", "a.jpg"), duplicates="add")
    with pytest.raises(StoreError, match="meanwhile"):
        workspace.relocate(found)
    again = workspace.find_moved(tmp_path / "y")
    assert (again.moves, len(again.missing)) == ((), 1)  # the file is another image's now


def test_relocate__waits_for_an_import(workspace, tmp_path):
    workspace.add_dataset(crops(tmp_path / "x", "a.jpg"))
    job = workspace.create_job("import")
    with pytest.raises(JobError, match=f"Job {job.job_id} imports"):
        workspace.relocate(workspace.find_moved(tmp_path))


def test_image_root__said_for_one_process(workspace, tmp_path, monkeypatch):
    workspace.set_image_root(_made(tmp_path / "host"))
    workspace.add_dataset(crops(tmp_path / "host", "cam1/a.jpg"))
    monkeypatch.setenv("PUL_IMAGE_ROOT", "/images")
    assert workspace.images().paths == ("/images/cam1/a.jpg",)
    assert workspace.image_root() == "/images"
    with pytest.raises(ConfigError, match="unset it"):
        workspace.set_image_root(tmp_path)
    monkeypatch.delenv("PUL_IMAGE_ROOT")
    assert workspace.images().paths == (str(tmp_path / "host" / "cam1" / "a.jpg"),)


def test_set_image_root__is_not_changed_by_the_way(workspace, tmp_path):
    workspace.add_dataset(crops(tmp_path / "x", "a.jpg"))
    workspace.set_image_root(tmp_path / "x")
    workspace.set_image_root(tmp_path / "x")
    assert stored_paths(workspace) == ["root:a.jpg"]
    with pytest.raises(ConfigError, match="relocate"):
        workspace.set_image_root(tmp_path)
    with pytest.raises(ConfigError, match="not a folder"):
        workspace.set_image_root(tmp_path / "none")


def test_restore__on_another_machine_takes_one_step(workspace, tmp_path):
    workspace.add_dataset(crops(tmp_path / "x", "p1/a.jpg", "p2/b.jpg"))
    back_up(workspace, tmp_path / "backup")
    (tmp_path / "x").rename(tmp_path / "y")
    restore(tmp_path / "backup", tmp_path / "again")
    with Workspace.open(tmp_path / "again") as again:
        assert len(again.missing_images()) == 2
        again.relocate(again.find_moved(tmp_path / "y"))
        assert again.missing_images() == []


def test_add_dataset__the_same_pictures_again_are_refused(workspace, tmp_path):
    workspace.add_dataset(crops(tmp_path / "x", "a.jpg", "b.jpg"))
    (tmp_path / "x").rename(tmp_path / "y")
    moved = read(tmp_path / "y", "a.jpg", "b.jpg")
    found = workspace.find_duplicates(moved)
    assert (found.n_images, found.n_gone, found.n_files) == (2, 2, 2)
    with pytest.raises(DuplicateImagesError, match="2 of 2 images are in the workspace") as caught:
        workspace.add_dataset(moved)
    assert f"relocate --workspace {caught.value.workspace} {tmp_path / 'y'}`" in str(caught.value)
    assert len(workspace.images()) == 2
    assert workspace.add_dataset(moved, duplicates="add") == 2
    assert workspace.images().pids.tolist() == [1, 2, 3, 4]
    with pytest.raises(ConfigError, match="duplicates"):
        workspace.add_dataset(moved, duplicates="perhaps")


def test_add_dataset__the_rest_of_a_place_keeps_its_people(workspace, tmp_path):
    workspace.add_dataset(crops(tmp_path / "x", "a.jpg", "b.jpg"))
    copy = crops(tmp_path / "y", "a.jpg", "b.jpg", "new.jpg")
    samples = (*copy.samples[:2], Sample(copy.samples[2].path, pid=2))
    again = Dataset("small", "folder", tmp_path / "y", samples)
    assert workspace.find_duplicates(again).n_gone == 0
    assert workspace.add_dataset(again, duplicates="skip") == 1
    assert workspace.images().pids.tolist() == [1, 2, 2]
    reasons = {Path(path).name: reason for path, reason in workspace.skipped()}
    assert set(reasons) == {"a.jpg", "b.jpg"}
    assert "same picture" in reasons["a.jpg"]
    workspace.add_dataset(again, duplicates="skip")
    assert len(workspace.images()) == 3


def test_add_dataset__two_places_at_once_get_numbers_of_their_own(workspace, location, tmp_path):
    datasets = [crops(tmp_path / name, f"{name}.jpg") for name in "abcd"]

    def add(dataset: Dataset) -> None:
        with Workspace.open(location) as mine:
            mine.add_dataset(dataset)

    threads = [threading.Thread(target=add, args=(dataset,)) for dataset in datasets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(workspace.images().pids.tolist()) == [1, 2, 3, 4]


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
