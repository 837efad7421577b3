"""Tables of images: CSV and Parquet."""

import csv
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from pul.data.datasets import detect_format, read_dataset
from pul.errors import DatasetError
from tests.data.conftest import rows


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
    assert detect_format(tmp_path) == "folders"


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
