"""CUHK03, MSMT17, VIPeR, loose folders and tables."""

import csv
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet
from scipy.io import savemat

from pul.data.datasets import Dataset, detect_format, read_dataset
from pul.data.images import decode_image
from pul.errors import ConfigError, DatasetError, StoreError


def rows(dataset: Dataset, split: str) -> list[tuple[str, int | None, int | None]]:
    return [(sample.path.name, sample.pid, sample.camid) for sample in dataset.split(split)]


# CUHK03


def test_cuhk03_np__boxes_choose_the_folder(tmp_path: Path, save_all) -> None:
    for boxes, name in (("detected", "0001_c1_1.png"), ("labeled", "0002_c2_1.png")):
        save_all(tmp_path / boxes / "bounding_box_train", name)
    assert rows(read_dataset(tmp_path), "train") == [("0001_c1_1.png", 1, 1)]
    labeled = read_dataset(tmp_path, boxes="labeled")
    assert (labeled.format, labeled.name) == ("cuhk03-np", "CUHK03 (labeled)")
    assert rows(labeled, "train") == [("0002_c2_1.png", 2, 2)]
    with pytest.raises(ConfigError, match="'both'"):
        read_dataset(tmp_path, boxes="both")


def person_image(pair: int, person: int, number: int) -> np.ndarray:
    """Return an image (6, 4, 3) that no other person and view has."""
    seed = pair * 100 + person * 10 + number
    return np.random.default_rng(seed).integers(0, 256, (6, 4, 3), dtype=np.uint8)


def write_mat(path: Path, people: tuple[int, ...], missing: tuple[int, int, int]) -> None:
    """Write a cuhk-03.mat as MATLAB does: cells as references, every array transposed."""
    with h5py.File(path, "w") as file:
        store = file.create_group("#refs#")
        reference = h5py.special_dtype(ref=h5py.Reference)
        for boxes in ("detected", "labeled"):
            pairs = file.create_dataset(boxes, (1, len(people)), dtype=reference)
            for pair, n_people in enumerate(people, start=1):
                cells = store.create_dataset(f"{boxes}{pair}", (10, n_people), dtype=reference)
                for person in range(1, n_people + 1):
                    for number in range(1, 11):
                        empty = (pair, person, number) == missing
                        value = person_image(pair, person, number).T
                        item = store.create_dataset(
                            f"{boxes}{pair}_{person}_{number}",
                            data=np.zeros(2, dtype=np.uint64) if empty else value,
                        )
                        cells[number - 1, person - 1] = item.ref
                pairs[0, pair - 1] = cells.ref


@pytest.fixture
def cuhk03(tmp_path: Path) -> Path:
    """Lay out two camera pairs with 2 and 1 people; person 1 of pair 1 lacks image 6."""
    root = tmp_path / "raw"
    root.mkdir()
    write_mat(root / "cuhk-03.mat", (2, 1), missing=(1, 1, 6))
    files = ["1_001_1_01.png", "1_001_2_06.png", "1_002_1_02.png", "1_002_2_07.png"]
    files += ["2_001_1_05.png", "2_001_2_06.png"]
    savemat(
        root / "cuhk03_new_protocol_config_detected.mat",
        {
            "filelist": np.array(files, dtype=object)[:, None],
            "labels": np.array([[1, 1, 2, 2, 3, 3]]).T,
            "camId": np.array([[1, 2, 1, 2, 1, 2]]).T,
            "train_idx": np.array([[4, 1, 2, 3]]).T,
            "query_idx": np.array([[5]]),
            "gallery_idx": np.array([[6]]),
        },
    )
    return root


def test_cuhk03_mat__unpacks_what_the_split_names(cuhk03: Path, tmp_path: Path) -> None:
    dataset = read_dataset(cuhk03, cache_dir=tmp_path / "cache")
    assert dataset.format == "cuhk03-mat"
    assert rows(dataset, "train") == [
        ("1_001_1_01.png", 1, 1),
        ("1_002_1_02.png", 2, 1),
        ("1_002_2_07.png", 2, 2),
    ]
    assert rows(dataset, "query") == [("2_001_1_05.png", 3, 1)]
    assert rows(dataset, "gallery") == [("2_001_2_06.png", 3, 2)]
    assert [item.path.name for item in dataset.skipped] == ["1_001_2_06.png"]
    for sample in dataset.samples:
        pair, person, _, number = (int(field) for field in sample.path.stem.split("_"))
        np.testing.assert_array_equal(decode_image(sample.path), person_image(pair, person, number))


def test_cuhk03_mat__second_reading_unpacks_nothing(cuhk03: Path, tmp_path: Path) -> None:
    first = read_dataset(cuhk03, cache_dir=tmp_path / "cache")
    times = [sample.path.stat().st_mtime_ns for sample in first.samples]
    second = read_dataset(cuhk03, cache_dir=tmp_path / "cache")
    assert second == first
    assert [sample.path.stat().st_mtime_ns for sample in second.samples] == times
    first.samples[0].path.unlink()
    assert read_dataset(cuhk03, cache_dir=tmp_path / "cache") == first


def test_cuhk03_mat__what_is_missing_is_said(cuhk03: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="Give cache_dir"):
        read_dataset(cuhk03)
    with pytest.raises(DatasetError, match="no cuhk03_new_protocol_config_labeled"):
        read_dataset(cuhk03, boxes="labeled", cache_dir=tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match=r"no cuhk-03\.mat"):
        read_dataset(tmp_path / "empty", format="cuhk03-mat", cache_dir=tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="Free some space"):
        read_dataset(cuhk03, cache_dir=tmp_path / "file")
    (cuhk03 / "cuhk-03.mat").write_bytes(b"x" * 600)
    with pytest.raises(DatasetError, match=r"no MATLAB 7\.3 file"):
        read_dataset(cuhk03, cache_dir=tmp_path / "other")


@pytest.mark.parametrize(
    "changed",
    [
        {"train_idx": np.array([[0]])},
        {"train_idx": np.array([[7]])},
        {"filelist": np.array(["../../etc/a.png"] * 6, dtype=object)[:, None]},
        {"filelist": np.array([], dtype=object)},
    ],
)
def test_cuhk03_mat__bad_split_file(
    cuhk03: Path, tmp_path: Path, changed: dict[str, np.ndarray]
) -> None:
    path = cuhk03 / "cuhk03_new_protocol_config_detected.mat"
    content = {
        "filelist": np.array(["1_001_1_01.png"] * 6, dtype=object)[:, None],
        "labels": np.ones((6, 1)),
        "train_idx": np.array([[1]]),
        "query_idx": np.array([[1]]),
        "gallery_idx": np.array([[1]]),
    }
    savemat(path, content | changed)
    with pytest.raises(DatasetError, match=path.name):
        read_dataset(cuhk03, cache_dir=tmp_path / "cache")
    path.write_bytes(b"MATLAB 5.0, cut off")
    with pytest.raises(DatasetError, match=path.name):
        read_dataset(cuhk03, cache_dir=tmp_path / "cache")


# MSMT17


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


# VIPeR


@pytest.fixture
def viper(tmp_path: Path, save_image) -> Path:
    """Lay out people 0 to 7 in both cameras, person 8 in the first alone."""
    for number in range(8):
        save_image(tmp_path / "cam_a" / f"{number:03d}_0.bmp", seed=number)
        save_image(tmp_path / "cam_b" / f"{number:03d}_90.bmp", seed=number)
    save_image(tmp_path / "cam_a" / "008_45.bmp")
    save_image(tmp_path / "cam_b" / "person.bmp")
    return tmp_path


def test_viper__halves_do_not_overlap(viper: Path) -> None:
    dataset = read_dataset(viper)
    train = {sample.pid for sample in dataset.split("train")}
    test = {sample.pid for sample in dataset.split("query")}
    assert (len(train), len(test), len(dataset.split("train"))) == (5, 4, 9)
    assert train | test == set(range(1, 10))
    assert 9 in train  # seen by one camera only, so no query could find it
    assert {sample.camid for sample in dataset.split("query")} == {1}
    assert {sample.camid for sample in dataset.split("gallery")} == {2}
    assert {sample.pid for sample in dataset.split("gallery")} == test
    assert [item.path.name for item in dataset.skipped] == ["person.bmp"]


def test_viper__seed_draws_the_split(viper: Path) -> None:
    assert read_dataset(viper, split_seed=1) == read_dataset(viper, split_seed=1)
    drawn = {
        frozenset(sample.pid for sample in read_dataset(viper, split_seed=seed).split("query"))
        for seed in range(5)
    }
    assert len(drawn) > 1
    with pytest.raises(ConfigError, match="-1"):
        read_dataset(viper, split_seed=-1)


def test_viper__part_is_refused(viper: Path) -> None:
    with pytest.raises(DatasetError, match="'cam_a' is a part of a dataset"):
        detect_format(viper / "cam_a")


# Loose folders


def test_folder__all_are_training_images_without_identity(tmp_path: Path, save_all) -> None:
    save_all(tmp_path / "crops", "b.jpg a.png")
    save_all(tmp_path / "crops" / "more", "c.webp")
    (tmp_path / "crops" / "notes.txt").touch()
    dataset = read_dataset(tmp_path / "crops")
    assert (dataset.format, dataset.name) == ("folder", "crops")
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
    assert dataset.format == "folder"
    assert [(s.pid, s.camid) for s in dataset.samples] == [(None, 12), (None, 1)]


def test_folder__images_one_level_lower(tmp_path: Path, save_all) -> None:
    save_all(tmp_path / "images", "a.jpg b.jpg")
    dataset = read_dataset(tmp_path)
    assert (dataset.format, dataset.root) == ("folder", tmp_path / "images")


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


def test_identities__numbers_are_kept(tmp_path: Path, save_all) -> None:
    for person in ("0012", "3"):
        save_all(tmp_path / person, "a.jpg 0003_c2s1_000001_00.jpg")
    dataset = read_dataset(tmp_path)
    assert dataset.format == "identities"
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
    assert "numbered from 1" in dataset.notes[0]


def test_identities__junk_and_distractor_folders_keep_their_meaning(
    tmp_path: Path, save_all
) -> None:
    for person in ("-1", "0000", "0005"):
        save_all(tmp_path / person, "a.jpg")
    assert [s.pid for s in read_dataset(tmp_path).samples] == [-1, 0, 5]


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
    assert dataset.format == "identities"
    assert [s.pid for s in dataset.split("train")] == [1, 2]
    assert [s.pid for s in dataset.split("query")] == [3]
    assert [s.pid for s in dataset.split("gallery")] == [3]
    assert [item.path.name for item in dataset.skipped] == ["extra"]


# Tables


def write_csv(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_table__all_columns(tmp_path: Path, save_all, delimiter: str) -> None:
    save_all(tmp_path / "images", "a.jpg b.jpg c.jpg")
    lines = [
        "Path,pid,camid,split,tracklet,frame",
        "images/b.jpg,12.0,3,query,t1,7",
        f"{tmp_path / 'images' / 'a.jpg'},,,,,",
        "images/c.jpg,-1,0,gallery,,",
    ]
    path = write_csv(tmp_path / "list.csv", *(line.replace(",", delimiter) for line in lines))
    dataset = read_dataset(path)
    assert (dataset.format, dataset.name, dataset.root) == ("table", "list", path)
    assert rows(dataset, "train") == [("a.jpg", None, None)]
    assert rows(dataset, "query") == [("b.jpg", 12, 3)]
    assert rows(dataset, "gallery") == [("c.jpg", -1, 0)]
    (query,) = dataset.split("query")
    assert (query.tracklet, query.frame) == ("t1", 7)


def test_table__parquet_agrees_with_csv(tmp_path: Path, save_all) -> None:
    save_all(tmp_path, "a.jpg b.jpg")
    columns = {"path": ["a.jpg", "b.jpg"], "pid": [1, None], "camid": [2, 3]}
    parquet.write_table(pa.table(columns), tmp_path / "list.parquet")
    write_csv(tmp_path / "list.csv", "path,pid,camid", "a.jpg,1,2", "b.jpg,,3")
    tables = [read_dataset(tmp_path / name) for name in ("list.parquet", "list.csv")]
    assert tables[0].samples == tables[1].samples
    assert rows(tables[0], "train") == [("a.jpg", 1, 2), ("b.jpg", None, 3)]


def test_table__quotes_newlines_and_byte_order_mark(tmp_path: Path, save_image) -> None:
    name = 'a "b",\nc.jpg'
    save_image(tmp_path / name)
    with (tmp_path / "list.csv").open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([["path", "pid"], [name, 4]])
    assert rows(read_dataset(tmp_path / "list.csv"), "train") == [(name, 4, None)]


def test_table__found_in_its_folder(tmp_path: Path, save_all) -> None:
    save_all(tmp_path, "a.jpg b.jpg")
    write_csv(tmp_path / "list.csv", "path", "a.jpg")
    assert detect_format(tmp_path) == "table"
    write_csv(tmp_path / "list.csv", "name", "a.jpg")
    assert detect_format(tmp_path) == "folder"


def test_table__files_left_out(tmp_path: Path, save_all) -> None:
    save_all(tmp_path, "a.jpg")
    (tmp_path / "folder.jpg").mkdir()
    names = ("a.jpg", "none.jpg", "a.jpg", "list.csv", "folder.jpg")
    dataset = read_dataset(write_csv(tmp_path / "list.csv", "path", *names))
    assert [(item.path.name, item.reason) for item in dataset.skipped] == [
        ("none.jpg", "row 3: there is no such file"),
        ("a.jpg", "row 4: the path stands in an earlier row too"),
        ("list.csv", "row 5: not an image (.csv)"),
        ("folder.jpg", "row 6: not a regular file"),
    ]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["name,pid", "a.jpg,1"], r"no column 'path'; its columns are: name, pid"),
        ([""], "no column 'path'"),
        (["path,pid", "a.jpg,1", "a.jpg,bob"], r"row 3: pid is 'bob'.*whole number from -1"),
        (["path,pid", "a.jpg,1.5"], r"row 2: pid is '1\.5'"),
        (["path,pid", "a.jpg,-2"], "row 2: pid is '-2'"),
        (["path,camid", "a.jpg,-1"], "row 2: camid is '-1'"),
        (["path,pid", "a.jpg,99999999999"], "row 2: pid is '99999999999'"),
        (["path,split", "a.jpg,test"], "row 2: split is 'test'.*train, query or gallery"),
        (["path,pid", ",1"], "row 2: the path is ''"),
        (["path,pid", "a.jpg"], "row 2: 1 values for 2 columns"),
        (["path,pid", "a,b.jpg,1"], "row 2: 3 values for 2 columns"),
        (["path,path", "a.jpg,a.jpg"], "'path' more than once"),
    ],
)
def test_table__what_is_wrong_is_named(
    tmp_path: Path, save_all, lines: list[str], message: str
) -> None:
    save_all(tmp_path, "a.jpg")
    with pytest.raises(DatasetError, match=message) as caught:
        read_dataset(write_csv(tmp_path / "list.csv", *lines))
    assert "list.csv" in str(caught.value)


def test_table__damaged_parquet(tmp_path: Path) -> None:
    (tmp_path / "list.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(DatasetError, match="cannot be read as Parquet"):
        read_dataset(tmp_path / "list.parquet")


def test_table__empty(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="No image to read"):
        read_dataset(write_csv(tmp_path / "list.csv", "path"))


def test_images_of_every_suffix_are_taken(tmp_path: Path) -> None:
    for suffix in ("JPG", "jpeg", "PNG", "bmp", "webp", "tif", "TIFF", "gif", "ppm"):
        Image.new("RGB", (4, 8)).save(tmp_path / f"a.{suffix}")
    assert len(read_dataset(tmp_path).samples) == len({p.name for p in tmp_path.iterdir()}) == 9
