"""Loose folders of images, and folders that are named after people."""

from pathlib import Path

import pytest
from PIL import Image

from pul.data.datasets import read_dataset
from tests.data.conftest import rows

# Loose folders


def test_folder__all_are_training_images_without_identity(tmp_path: Path, save_all) -> None:
    save_all(tmp_path / "crops", "b.jpg a.png")
    save_all(tmp_path / "crops" / "more", "c.webp")
    (tmp_path / "crops" / "notes.txt").touch()
    dataset = read_dataset(tmp_path / "crops")
    assert (dataset.format, dataset.name) == ("folders", "crops")
    assert rows(dataset, "train") == [(n, None, None) for n in ("a.png", "b.jpg", "c.webp")]
    assert [item.path.name for item in dataset.skipped] == ["notes.txt"]
    assert dataset.notes[-1] == "Cameras are not known."


def test_folder__names_that_parse_give_cameras_but_no_identities(tmp_path: Path, save_all) -> None:
    save_all(tmp_path, "0002_c1s1_000451_03.jpg 0002_c11s1_000452_03.jpg x.jpg")
    dataset = read_dataset(tmp_path)
    assert [(s.pid, s.camid, s.frame) for s in dataset.samples] == [
        (None, 11, 452),
        (None, 1, 451),
        (None, None, None),
    ]
    assert any(note.startswith("2 names read like Market-1501's") for note in dataset.notes)


def test_folder__sub_folders_named_as_cameras(tmp_path: Path, save_all) -> None:
    for folder in ("cam1", "Camera_12"):
        save_all(tmp_path / "site" / folder, "a.jpg")
    dataset = read_dataset(tmp_path / "site")
    assert dataset.format == "folders"
    assert [(s.pid, s.camid) for s in dataset.samples] == [(None, 12), (None, 1)]


def test_folder__images_at_a_lower_level(tmp_path: Path, save_all) -> None:
    save_all(tmp_path / "output" / "images", "a.jpg b.jpg")
    dataset = read_dataset(tmp_path)
    assert (dataset.format, dataset.levels) == ("folders", "-/-")
    assert rows(dataset, "train") == [("a.jpg", None, None), ("b.jpg", None, None)]


def test_folder__hidden_and_linked_folders_are_not_entered(tmp_path: Path, save_all) -> None:
    save_all(tmp_path / "outside", "x.jpg")
    save_all(tmp_path / "set", "a.jpg")
    save_all(tmp_path / "set" / ".cache", "b.jpg")
    (tmp_path / "set" / "out").symlink_to(tmp_path / "outside")
    (tmp_path / "set" / "loop").symlink_to(tmp_path / "set")
    dataset = read_dataset(tmp_path / "set")
    assert rows(dataset, "train") == [("a.jpg", None, None)]
    assert [(item.path.name, item.reason) for item in dataset.skipped] == [
        (".cache", "hidden"),
        ("loop", "a link to a folder"),
        ("out", f"a link that leaves the folder, to {tmp_path / 'outside'}"),
    ]


def test_images_of_every_suffix_are_taken(tmp_path: Path) -> None:
    for suffix in ("JPG", "jpeg", "PNG", "bmp", "webp", "tif", "TIFF", "gif", "ppm"):
        Image.new("RGB", (4, 8)).save(tmp_path / f"a.{suffix}")
    assert len(read_dataset(tmp_path).samples) == len({p.name for p in tmp_path.iterdir()}) == 9


# Folders of identities


def test_identities__numbers_are_kept(tmp_path: Path, save_all) -> None:
    for person in ("0012", "3"):
        save_all(tmp_path / person, "a.jpg 0003_c2s1_000001_00.jpg")
    dataset = read_dataset(tmp_path)
    assert dataset.format == "folders"
    assert rows(dataset, "train") == [
        ("0003_c2s1_000001_00.jpg", 12, 2),
        ("a.jpg", 12, None),
        ("0003_c2s1_000001_00.jpg", 3, 2),
        ("a.jpg", 3, None),
    ]


@pytest.mark.parametrize(
    "people", [("ann", "bob", "eve"), ("0", "1", "2"), ("01", "1", "7"), ("1", "2", "x_c1")]
)
def test_identities__other_names_are_numbered_from_1(
    tmp_path: Path, save_all, people: tuple[str, ...]
) -> None:
    for person in people:
        save_all(tmp_path / person, "a.jpg")
    dataset = read_dataset(tmp_path)
    assert [s.pid for s in dataset.samples] == [1, 2, 3]
    assert any("numbered" in note for note in dataset.notes)


def test_identities__junk_and_distractor_folders_keep_their_meaning(
    tmp_path: Path, save_all
) -> None:
    for person in ("-1", "0000", "0005"):
        save_all(tmp_path / "gallery" / person, "a.jpg")
        save_all(tmp_path / "train" / person, "a.jpg")
    dataset = read_dataset(tmp_path)
    assert [s.pid for s in dataset.split("gallery")] == [-1, 0, 5]
    assert [s.pid for s in dataset.split("train")] == [-1, None, 5]


def test_identities__cameras_below_and_loose_files(tmp_path: Path, save_all) -> None:
    for person in ("ann", "bob"):
        save_all(tmp_path / person / "cam3", "a.jpg")
    (tmp_path / "readme.txt").touch()
    dataset = read_dataset(tmp_path)
    assert [(s.pid, s.camid) for s in dataset.samples] == [(1, 3), (2, 3)]
    assert [item.path.name for item in dataset.skipped] == ["readme.txt"]


def test_identities__by_split(tmp_path: Path, save_all) -> None:
    for folder in ("train/ann", "train/bob", "query/eve", "gallery/eve", "extra/zoe"):
        save_all(tmp_path / folder, "a.jpg")
    dataset = read_dataset(tmp_path)
    assert dataset.format == "folders"
    assert [s.pid for s in dataset.split("train")] == [1, 2]
    assert [s.pid for s in dataset.split("query")] == [3]
    assert [s.pid for s in dataset.split("gallery")] == [3]
    assert [(item.path.parent.name, item.reason) for item in dataset.skipped] == [
        ("zoe", "of none of train, query or gallery, by its folders and its name")
    ]
