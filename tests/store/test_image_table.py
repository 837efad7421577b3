import os
from pathlib import Path

import numpy as np
import pytest

from pul.data.datasets import Dataset, SplitSummary
from pul.data.samples import Sample, Skipped
from pul.store.images import CameraSummary


def write(folder: Path, *names: str) -> list[Path]:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(name.encode())
    return [folder / name for name in names]


def dataset(*samples: Sample, skipped: tuple[Skipped, ...] = ()) -> Dataset:
    return Dataset("small", "folder", Path("/"), samples, skipped)


def test_add_dataset__keeps_what_is_known(workspace, tmp_path):
    b, a, q = write(tmp_path / "crops", "b.jpg", "a.jpg", "q.jpg")
    n_new = workspace.add_dataset(
        dataset(
            Sample(b, pid=3, camid=1, tracklet="t", frame=10**17),
            Sample(a),
            Sample(q, pid=-1, camid=12, split="query"),
        )
    )
    images = workspace.images()
    assert n_new == len(images) == workspace.n_images() == 3
    assert images.paths == (str(a), str(b), str(q))  # in the order of their paths
    assert images.image_ids.tolist() == [1, 2, 3]
    assert images.pids.tolist() == [-2, 3, -1]
    assert images.camids.tolist() == [-1, 1, 12]
    assert images.splits == ("train", "train", "query")
    assert images.tracklets == ("", "t", "")
    assert images.frames.tolist() == [-1, 10**17, -1]
    assert workspace.images("query").paths == (str(q),)
    assert len(workspace.images("gallery")) == 0
    assert workspace.images("gallery").pids.dtype == np.int64


def test_add_dataset__takes_no_image_twice(workspace, tmp_path):
    a, b = write(tmp_path / "crops", "a.jpg", "b.jpg")
    assert workspace.add_dataset(dataset(Sample(a), Sample(a))) == 1
    assert workspace.add_dataset(dataset(Sample(b), Sample(a, pid=4))) == 1
    assert workspace.images().paths == (str(a), str(b))
    assert workspace.images().pids.tolist() == [-2, -2]


def test_add_dataset__another_place_gets_its_own_numbers(workspace, tmp_path):
    a, b = write(tmp_path / "here", "a.jpg", "b.jpg")
    workspace.add_dataset(
        dataset(Sample(a, pid=2, camid=1, tracklet="t"), Sample(b, pid=7, camid=3))
    )
    c, d, e = write(tmp_path / "there", "c.jpg", "d.jpg", "e.jpg")
    place = (Sample(c, pid=2, camid=1, tracklet="t"), Sample(d, pid=-1, camid=2))
    workspace.add_dataset(dataset(*place))
    workspace.add_dataset(dataset(*place, Sample(e, pid=3, camid=2, tracklet="u")))  # read again
    images = workspace.images()
    assert images.pids.tolist() == [2, 7, 8, -1, 9]  # 7 + 1 - 2 more than their own
    assert images.camids.tolist() == [1, 3, 4, 5, 5]  # 3 + 1 - 1 more
    assert images.tracklets == ("t", "", "2:t", "", "2:u")


def test_add_dataset__the_same_place_keeps_its_numbers(workspace, tmp_path):
    a, q = write(tmp_path / "crops", "a.jpg", "q.jpg")
    workspace.add_dataset(dataset(Sample(a, pid=2, camid=1)))
    query = dataset(Sample(q, pid=2, camid=2, split="query"))
    workspace.add_dataset(query, is_same_place=True)
    assert workspace.images().pids.tolist() == [2, 2]
    assert workspace.images().camids.tolist() == [1, 2]


def test_add_dataset__images_in_the_workspace_move_with_it(workspace):
    (a,) = write(workspace.path / "images", "a.jpg")
    workspace.add_dataset(dataset(Sample(a)))
    with workspace._database.read() as connection:
        stored = connection.exec_driver_sql("SELECT path FROM images").scalar_one()
    assert stored == "images/a.jpg"
    assert workspace.images().paths == (str(a),)


def test_add_dataset__lists_what_was_left_out(workspace, tmp_path):
    (a,) = write(tmp_path / "crops", "a.jpg")
    gone = tmp_path / "crops" / "gone.jpg"
    broken = Skipped(tmp_path / "crops" / os.fsdecode(b"br\xfcken.jpg"), "truncated")
    assert workspace.add_dataset(dataset(Sample(a), Sample(gone), skipped=(broken,))) == 1
    assert dict(workspace.skipped()) == {
        str(broken.path): "truncated",
        str(gone): "cannot be read: No such file or directory",
    }
    write(tmp_path / "crops", "gone.jpg")
    workspace.add_dataset(dataset(Sample(gone), skipped=(broken,)))
    assert len(workspace.skipped()) == 1  # the one that can be read by now is no longer listed


def test_add_dataset__all_or_nothing(workspace, tmp_path):
    a, b = write(tmp_path / "crops", "a.jpg", "b.jpg")
    with pytest.raises(Exception, match="refused"):
        workspace.add_dataset(dataset(Sample(a), Sample(b, pid={"not": "a number"})))
    assert len(workspace.images()) == 0


def test_summary__counts_as_the_dataset_does(workspace, tmp_path):
    paths = write(tmp_path / "crops", *(f"{i}.jpg" for i in range(7)))
    pids = [5, 5, 9, 0, -1, None, 5]
    camids = [1, 2, 2, 1, 1, None, 3]
    splits = ["train", "train", "train", "gallery", "gallery", "gallery", "query"]
    samples = [
        Sample(path, pid=pid, camid=camid, split=split)
        for path, pid, camid, split in zip(paths, pids, camids, splits, strict=True)
    ]
    skipped = (Skipped(tmp_path / "x", "why"),)
    given = dataset(*samples, skipped=skipped)
    workspace.add_dataset(given)
    summary = workspace.summary()
    assert summary.splits == (
        SplitSummary("train", n_images=3, n_pids=2, n_camids=2, n_junk=0, n_distractors=0),
        SplitSummary("query", n_images=1, n_pids=1, n_camids=1, n_junk=0, n_distractors=0),
        SplitSummary("gallery", n_images=3, n_pids=0, n_camids=1, n_junk=1, n_distractors=1),
    )
    assert list(summary.splits) == given.summary()
    assert summary.cameras == (
        CameraSummary("train", 1, 1),
        CameraSummary("train", 2, 2),
        CameraSummary("query", 3, 1),
        CameraSummary("gallery", -1, 1),
        CameraSummary("gallery", 1, 2),
    )
    assert summary.n_skipped == 1
