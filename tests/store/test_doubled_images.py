"""Images that are there twice become one each, in both kinds of databases; nothing is lost."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from pul.config import RunConfig
from pul.data.datasets import Dataset
from pul.data.samples import Sample
from pul.errors import ConfigError, JobError, StoreError
from pul.store.annotations import NewEvent, renumber_images
from pul.store.backup import back_up, restore
from pul.store.doubled_images import IN_RUNS
from pul.store.workspace import Workspace
from tests.store.test_relocation import crops
from tests.support.fakes import iteration_arrays, iteration_record


def samples_of(folder: Path, *known: Sample) -> Dataset:
    """Return a dataset of files below a folder, which are written where they are not there."""
    for sample in known:
        path = folder / sample.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_bytes(path.name.encode())
    placed = tuple(
        Sample(
            folder / s.path,
            pid=s.pid,
            camid=s.camid,
            split=s.split,
            tracklet=s.tracklet,
            frame=s.frame,
            side=s.side,
        )
        for s in known
    )
    return Dataset("twice", "folder", folder, placed)


def add_twice(workspace: Workspace, one: Dataset, other: Path) -> tuple[Path, Path]:
    """Add a dataset, move its files, and add them once more, as older versions did."""
    workspace.add_dataset(one)
    shutil.move(one.root, other)
    moved = tuple(
        Sample(
            other / s.path.relative_to(one.root),
            pid=s.pid,
            camid=s.camid,
            split=s.split,
            tracklet=s.tracklet,
            frame=s.frame,
            side=s.side,
        )
        for s in one.samples
    )
    workspace.add_dataset(Dataset("twice", "folder", other, moved), duplicates="add")
    return one.root, other


def test_merge_doubled__each_picture_is_there_once_with_its_file(workspace, tmp_path):
    folders = add_twice(
        workspace, crops(tmp_path / "nas", "ada/1.png", "ada/2.png", "bo/3.png"), tmp_path / "mnt"
    )
    before = workspace.images()
    assert len(before) == 6
    found = workspace.find_doubled(*folders)
    assert (found.n_twice, found.kept, found.run_ids) == (3, (), ())
    assert len(workspace.images()) == 6  # nothing is changed yet
    assert workspace.merge_doubled(found) == 3
    after = workspace.images()
    assert after.image_ids.tolist() == before.image_ids[:3].tolist()
    assert after.pids.tolist() == before.pids[:3].tolist()
    assert after.paths == before.paths[3:]
    assert workspace.missing_images() == []
    assert workspace.missing_rows() == {}  # none is taken for lost
    assert list(workspace.changed_rows()) == []
    assert workspace.n_relocations() == 1


def test_merge_doubled__the_order_of_the_folders_does_not_matter(workspace, tmp_path):
    old, new = add_twice(workspace, crops(tmp_path / "a", "x.jpg", "y.jpg"), tmp_path / "b")
    assert workspace.find_doubled(new, old).numbers() == workspace.find_doubled(old, new).numbers()


def test_merge_doubled__a_file_that_is_still_there_is_kept(workspace, tmp_path):
    one = crops(tmp_path / "slow", "p/1.jpg", "p/2.jpg")
    old, new = add_twice(workspace, one, tmp_path / "fast")
    shutil.copytree(new, old)
    (old / "p" / "2.jpg").write_bytes(b"another picture")
    workspace.merge_doubled(workspace.find_doubled(old, new))
    assert workspace.images().paths == (str(old / "p" / "1.jpg"), str(new / "p" / "2.jpg"))


def test_merge_doubled__one_folder_may_lie_in_the_other(workspace, tmp_path):
    outer = tmp_path / "pictures"
    workspace.add_dataset(crops(outer, "p/1.jpg", "q/2.jpg"))
    shutil.copytree(outer, outer / "copy")
    inner = [Sample(outer / "copy" / name) for name in ("p/1.jpg", "q/2.jpg")]
    workspace.add_dataset(Dataset("copy", "folder", outer / "copy", tuple(inner)), duplicates="add")
    workspace.merge_doubled(workspace.find_doubled(outer, outer / "copy"))
    assert workspace.images().paths == (str(outer / "p/1.jpg"), str(outer / "q/2.jpg"))


def test_find_doubled__what_is_no_double_stays_and_why_is_said(workspace, tmp_path):
    names = ("content", "split", "gone", "who", "frame", "side", "fine")
    splits = {"split": "query"}
    first = [Sample(Path(f"{n}.jpg"), pid=1, frame=5, side="left") for n in names]
    first[3] = Sample(Path("who.jpg"), frame=5, side="left")
    later = [
        Sample(
            Path(f"{n}.jpg"),
            pid=1,
            split=splits.get(n, "train"),
            frame=6 if n == "frame" else 5,
            side="right" if n == "side" else "left",
        )
        for n in names
    ]
    workspace.add_dataset(samples_of(tmp_path / "one", *first))
    shutil.move(tmp_path / "one", tmp_path / "two")
    (tmp_path / "two" / "content.jpg").write_bytes(b"retouched")
    workspace.add_dataset(samples_of(tmp_path / "two", *later), duplicates="add")
    (tmp_path / "two" / "gone.jpg").unlink()
    found = workspace.find_doubled(tmp_path / "one", tmp_path / "two")
    why = {Path(path).stem: reason for path, reason in found.kept}
    assert [Path(pair.path).stem for pair in found.twins] == ["fine"]
    assert why.keys() == set(names) - {"fine"}
    assert "another content" in why["content"]
    assert "different splits" in why["split"]
    assert "neither file" in why["gone"]
    assert "only the later import" in why["who"]
    assert why["frame"] == why["side"]
    assert "differ in who or what" in why["side"]
    assert sum(n for _, n, _ in found.reasons()) == 6


def test_find_doubled__people_who_do_not_correspond_stay(workspace, tmp_path):
    first = [Sample(Path(f"{n}.jpg"), pid=pid) for n, pid in enumerate((1, 1, 2, 3, 0))]
    later = [Sample(Path(f"{n}.jpg"), pid=pid) for n, pid in enumerate((7, 8, 9, 9, 4))]
    workspace.add_dataset(samples_of(tmp_path / "one", *first))
    workspace.add_dataset(samples_of(tmp_path / "two", *later), duplicates="add")
    found = workspace.find_doubled(tmp_path / "one", tmp_path / "two")
    assert found.twins == ()  # 1 is two people later, 2 and 3 are one, and nobody is somebody
    assert len(found.kept) == 5


def test_merge_doubled__what_was_said_of_the_one_that_goes_is_said_of_the_other(
    workspace, tmp_path
):
    folders = add_twice(workspace, crops(tmp_path / "a", "1.jpg", "2.jpg", "3.jpg"), tmp_path / "b")
    workspace.append_annotation_event("create", {"images": [1, 4, 5], "refused": [6]}, "ann")
    pair = {"left": {"images": [2]}, "right": {"images": [6], "identity": None}}
    workspace.append_annotation_event("not_same", pair, "bo", token="t")
    workspace.merge_doubled(workspace.find_doubled(*folders))
    create, not_same = workspace.annotation_events()
    assert create.payload == {"images": [1, 2], "refused": [3]}
    assert not_same.payload == {
        "left": {"images": [2]},
        "right": {"images": [3], "identity": None},
    }
    assert list(workspace.changed_rows()) == []


def test_merge_doubled__an_act_of_a_screen_from_before_counts_for_the_one_that_stays(
    workspace, tmp_path
):
    folders = add_twice(workspace, crops(tmp_path / "a", "1.jpg", "2.jpg"), tmp_path / "b")
    workspace.merge_doubled(workspace.find_doubled(*folders))
    assert workspace.unknown_images([1, 3, 4, 9]) == [9]
    workspace.append_annotation_events(lambda _: [NewEvent("junk", {"images": [2, 3]})], "ann")
    assert workspace.annotation_events()[-1].payload == {"images": [1, 2]}


def test_merge_doubled__numbers_are_not_given_again_in_a_copy(workspace, tmp_path):
    folders = add_twice(workspace, crops(tmp_path / "a", "1.jpg", "2.jpg"), tmp_path / "b")
    workspace.merge_doubled(workspace.find_doubled(*folders))
    back_up(workspace, tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "again")
    with Workspace.open(tmp_path / "again") as again:
        assert again.missing_rows() == {}
        again.add_dataset(crops(tmp_path / "c", "5.jpg"))
        (new,) = set(again.images().image_ids.tolist()) - {1, 2}
        again.append_annotation_event("junk", {"images": [new]}, "ann")
        assert again.annotation_events()[-1].payload == {"images": [new]}


def test_merge_doubled__a_run_of_before_stays_and_one_of_both_is_not_touched(workspace, tmp_path):
    model = tmp_path / "m.safetensors"
    model.write_bytes(b"weights")
    workspace.add_dataset(crops(tmp_path / "a", "1.jpg", "2.jpg"))
    before = workspace.create_run(RunConfig(n_clusters=2), model=model)
    workspace.add_iteration(before.run_id, iteration_record(0), iteration_arrays(2), b"network")
    shutil.move(tmp_path / "a", tmp_path / "b")
    workspace.add_dataset(
        samples_of(tmp_path / "b", Sample(Path("1.jpg")), Sample(Path("2.jpg"))), duplicates="add"
    )
    both = workspace.create_run(RunConfig(n_clusters=2), model=model)
    folders = tmp_path / "a", tmp_path / "b"
    assert len(workspace.find_doubled(*folders).twins) == 2  # it has no arrays yet
    workspace.add_iteration(both.run_id, iteration_record(0), iteration_arrays(4), b"network")
    found = workspace.find_doubled(*folders)
    assert (found.twins, found.run_ids) == ((), (both.run_id,))
    assert [reason for _, reason in found.kept] == [IN_RUNS] * 2
    workspace.shelve_run(both.run_id, "deleted")
    workspace.remove_deleted_runs()
    assert workspace.merge_doubled(workspace.find_doubled(*folders)) == 2
    rows = workspace.run_images(before.run_id, "train")
    assert rows.image_ids.tolist() == [1, 2]
    assert np.shape(workspace.arrays(before.run_id, 0, "features")["features"])[0] == 2


def test_merge_doubled__what_changed_meanwhile_refuses_it(workspace, tmp_path, run):
    folders = add_twice(workspace, crops(tmp_path / "a", "1.jpg", "2.jpg"), tmp_path / "b")
    found = workspace.find_doubled(*folders)
    workspace.append_annotation_event("junk", {"images": [4]}, "ann")
    with pytest.raises(StoreError, match="Look again"):
        workspace.merge_doubled(found)
    found = workspace.find_doubled(*folders)
    job = workspace.create_job("train", run_id=run.run_id)
    with pytest.raises(JobError, match=f"Job {job.job_id} is at work"):
        workspace.merge_doubled(found)
    assert len(workspace.images()) == 4


def test_find_doubled__folders_that_hold_nothing_are_refused(workspace, tmp_path):
    workspace.add_dataset(crops(tmp_path / "a", "1.jpg"))
    with pytest.raises(ConfigError, match="given twice"):
        workspace.find_doubled(tmp_path / "a", f"{tmp_path / 'a'}/")
    with pytest.raises(ConfigError, match="No image of this workspace is below"):
        workspace.find_doubled(tmp_path / "a", tmp_path / "nowhere")


def test_renumber_images__leaves_all_else_as_it_is():
    payload = {"images": [3, 1], "card": "c3", "seconds": 3.0, "identity": 3}
    assert renumber_images(payload, {3: 2}) == payload | {"images": [1, 2]}
    assert renumber_images(payload, {9: 1}) == payload
