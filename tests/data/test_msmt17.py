"""MSMT17: its lists of training, validation and test images."""

from pathlib import Path

import pytest

from pul.data.datasets import read_dataset
from pul.errors import DatasetError


def lay_out_msmt17(root: Path, save_all, train: str, test: str) -> None:
    save_all(
        root / train / "0000",
        "0000_000_01_0303morning_0015_0.jpg 0000_001_15_0303noon_0016_0.jpg",
    )
    save_all(root / train / "0001", "0001_000_07_0303morning_0015_0.jpg")
    save_all(
        root / test / "0000",
        "0000_000_02_0303morning_0015_0.jpg 0000_001_03_0303noon_0016_0.jpg",
    )
    (root / "list_train.txt").write_text(
        "0001/0001_000_07_0303morning_0015_0.jpg 1\n0000/0000_000_01_0303morning_0015_0.jpg 0\n"
    )
    (root / "list_val.txt").write_text("0000/0000_001_15_0303noon_0016_0.jpg 0\n")
    (root / "list_query.txt").write_text("0000/0000_000_02_0303morning_0015_0.jpg 0\n")
    (root / "list_gallery.txt").write_text("0000/0000_001_03_0303noon_0016_0.jpg 0\n\n")


@pytest.mark.parametrize(("train", "test"), [("train", "test"), ("mask_train_v2", "mask_test_v2")])
def test_msmt17__lists(tmp_path: Path, save_all, train: str, test: str) -> None:
    lay_out_msmt17(tmp_path, save_all, train, test)
    dataset = read_dataset(tmp_path)
    assert (dataset.format, dataset.name) == ("msmt17", "MSMT17")
    # Identities 0 and 1 of the training lists, then identity 0 of the test lists: another person.
    assert [(s.pid, s.camid) for s in dataset.split("train")] == [(1, 1), (2, 7), (1, 15)]
    assert [(s.pid, s.camid) for s in dataset.split("query")] == [(3, 2)]
    assert [(s.pid, s.camid) for s in dataset.split("gallery")] == [(3, 3)]
    assert any("start at 3" in note for note in dataset.notes)


def test_msmt17__validation_list_may_be_left_out(tmp_path: Path, save_all) -> None:
    lay_out_msmt17(tmp_path, save_all, "train", "test")
    dataset = read_dataset(tmp_path, include_val=False)
    assert [(s.pid, s.camid) for s in dataset.split("train")] == [(1, 1), (2, 7)]


def test_msmt17__missing_outside_and_misnamed_files(tmp_path: Path, save_all, save_image) -> None:
    lay_out_msmt17(tmp_path / "set", save_all, "train", "test")
    root = tmp_path / "set"
    save_image(root / "train" / "0000" / "odd.jpg")
    save_image(tmp_path / "0000_000_01_x_0.jpg")
    with (root / "list_train.txt").open("a") as file:
        file.write("0000/none_000_01_x.jpg 0\n0000/odd.jpg 0\n../../0000_000_01_x_0.jpg 0\n")
    reasons = {item.path.name: item.reason for item in read_dataset(root).skipped}
    assert reasons == {
        "none_000_01_x.jpg": "listed in list_train.txt, but there is no such file",
        "odd.jpg": "listed in list_train.txt, but its name has no camera as third field "
        "(0000_000_01_...)",
        "0000_000_01_x_0.jpg": "listed in list_train.txt, but there is no such file",
    }


@pytest.mark.parametrize("line", ["0000/a_0_1_b.jpg", "0000/a_0_1_b.jpg x", "a.jpg -1", " 3"])
def test_msmt17__bad_line(tmp_path: Path, save_all, line: str) -> None:
    lay_out_msmt17(tmp_path, save_all, "train", "test")
    (tmp_path / "list_query.txt").write_text("\n" + line + "\n")
    with pytest.raises(DatasetError, match=r"list_query\.txt, line 2"):
        read_dataset(tmp_path)


def test_msmt17__no_image_folder(tmp_path: Path) -> None:
    (tmp_path / "list_train.txt").write_text("a_0_1_b.jpg 0\n")
    with pytest.raises(DatasetError, match="mask_train_v2 or train"):
        read_dataset(tmp_path)
