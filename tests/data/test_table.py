"""Tables of images: CSV and Parquet."""

import csv
import os
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from pul.data.datasets import detect_format, read_dataset
from pul.data.readers.image_rows import read_image_rows
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
        (
            "none.jpg",
            "row 3: there is no such file, nor one of this name below the folder of the table",
        ),
        ("a.jpg", "row 4: the image stands in row 2 too"),
        ("list.csv", "row 5: not an image (.csv)"),
        ("folder.jpg", "row 6: not a regular file"),
    ]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["title,pid", "a.jpg,1"], r"no column of images; its columns are: title, pid.*filename"),
        ([""], "no column of images"),
        (["a.jpg,1", "b.jpg,1"], "is no header: 'a.jpg' is a file.*path,pid,camid"),
        (["path,split", "a.jpg,monday"], "'monday', which name no split.*query or gallery"),
        (["path,frame", "a.jpg,soon"], "row 2: frame is 'soon'"),
        (["path,pid", ",1"], "row 2: names no image"),
        (["path,pid", "a.jpg"], "row 2: 1 value for 2 columns"),
        (["path,pid", "a,b.jpg,1"], "row 2: 3 values for 2 columns; quote values"),
        (["path,pid", "a.jpg,1\0"], "row 2: a NUL byte in it"),
        (["path,pid", '"a.jpg,1'], "line 2: unexpected end of data"),
        (["path,PATH", "a.jpg,a.jpg"], "'path' more than once"),
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


# Tables of other people


HEADERS = (
    "img_path;Person ID;Camera;Subset",
    "Filename;identity;cam_id;split",
    "IMAGE;vehicleID;camera-id;partition",
    "Datei;name;Kamera;set",
    "file_path;Individual;CamNo;Split",
    "路径;身份;摄像头;划分",
    "Chemin;Identité;Caméra;split",
)


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_table__columns_have_many_names(
    tmp_path: Path, save_all, header: str, delimiter: str
) -> None:
    save_all(tmp_path / "x", "a.jpg b.jpg c.jpg")
    lines = (header, "x/a.jpg;7;2;val", "x/b.jpg;7;3;test_query", "x/c.jpg;7;2;test")
    path = write_csv(tmp_path / "list.csv", *(line.replace(";", delimiter) for line in lines))
    dataset = read_dataset(path)
    assert rows(dataset, "train") == [("a.jpg", 7, 2)]
    assert rows(dataset, "query") == [("b.jpg", 7, 3)]
    assert rows(dataset, "gallery") == [("c.jpg", 7, 2)]
    assert any(note.startswith("Columns: path from") for note in dataset.notes)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
@pytest.mark.parametrize("above", ["", "sep=;\n", "\nSEP=;\n", "\n\n"])
def test_table__encodings(tmp_path: Path, save_image, encoding: str, above: str) -> None:
    save_image(tmp_path / "Zoë.jpg")
    path = tmp_path / "list.csv"
    path.write_bytes(f"{above}path;pid;camid\nZoë.jpg;4;1\n".encode(encoding))
    dataset = read_dataset(path)
    assert rows(dataset, "train") == [("Zoë.jpg", 4, 1)]
    is_said = any("Windows-1252" in note for note in dataset.notes)
    assert is_said == (encoding == "cp1252")


def test_table__names_that_are_no_text(tmp_path: Path, save_image) -> None:
    name = os.fsdecode(b"caf\xe9.jpg")
    save_image(tmp_path / name)
    (tmp_path / "list.csv").write_bytes(b"path,pid\ncaf\xe9.jpg,4\n")
    assert rows(read_dataset(tmp_path / "list.csv"), "train") == [(name, 4, None)]


@pytest.mark.parametrize(
    "written",
    [
        r"img\n_{}.jpg",
        r"D:\shop\img\n_{}.jpg",
        "d:/shop/img/n_{}.jpg",
        r"\\server\share\img\n_{}.jpg",
        "/srv/nas/img/n_{}.jpg",
        "./img/n_{}.jpg",
        "elsewhere/n_{}.jpg",
        "IMG/N_{}.JPG",
        "img/n_{}",
    ],
)
def test_table__paths_of_other_machines(tmp_path: Path, save_all, written: str) -> None:
    save_all(tmp_path / "img", "n_1.jpg n_2.jpg")
    lines = [f"{written.format(number)},{number}" for number in (1, 2)]
    dataset = read_dataset(write_csv(tmp_path / "list.csv", "path,pid", *lines))
    assert rows(dataset, "train") == [("n_1.jpg", 1, None), ("n_2.jpg", 2, None)]


def test_table__no_path_is_guessed(tmp_path: Path, save_all) -> None:
    save_all(tmp_path / "cam1", "a.jpg b.jpg")
    save_all(tmp_path / "cam2", "a.jpg 1.jpg")
    names = (
        r"E:\x\cam2\a.jpg",  # one image ends so
        r"E:\x\a.jpg",  # two do
        r"E:\x\cam3\b.jpg",  # another camera's
        r"E:\x\Anna\1.jpg",  # each folder may have a 1
        r"E:\x\p\b.jpg",
        r"E:\x\q\b.jpg",  # which of both is cam1/b.jpg?
    )
    dataset = read_dataset(write_csv(tmp_path / "list.csv", "path", *names))
    assert [sample.path for sample in dataset.samples] == [tmp_path / "cam2" / "a.jpg"]
    reasons = [item.reason.partition(": ")[2] for item in dataset.skipped]
    assert ["may be any of 2" in x for x in reasons] == [True, False, False, False, False]
    assert [x.startswith("there is no such file") for x in reasons[1:3]] == [True, True]
    assert all("fit one image equally" in reason for reason in reasons[3:])
    assert any("matched by their ends: E:\\x\\ is" in note for note in dataset.notes)


def test_table__ids_with_letters_are_numbered(tmp_path: Path, save_all) -> None:
    save_all(tmp_path, "a.jpg b.jpg c.jpg d.jpg")
    lines = ("path,pid,cam", "a.jpg,P0001,c1", "b.jpg,P0012,c12", "c.jpg,P0001,c12", "d.jpg,,")
    dataset = read_dataset(write_csv(tmp_path / "list.csv", *lines))
    assert [(s.pid, s.camid) for s in dataset.samples] == [
        *((1, 1), (12, 12), (1, 12), (None, None)),
    ]
    assert "1 images have no identity in the table." in dataset.notes
    named = ("path,pid,cam", "a.jpg,zoe,gate", "b.jpg,ann,yard", "c.jpg,zoe,-1", "d.jpg,bo 2,yard")
    dataset = read_dataset(write_csv(tmp_path / "list.csv", *named))
    assert [(s.pid, s.camid) for s in dataset.samples] == [(3, 1), (1, 2), (3, None), (2, 2)]
    assert "Identities are numbered in sorted order: 1 ann, 2 bo 2, 3 zoe." in dataset.notes
    assert "Cameras are numbered in sorted order: 1 gate, 2 yard." in dataset.notes


def test_table__ids_that_mean_nobody(tmp_path: Path, save_all) -> None:
    ids = ("-1", "junk", "-2", "", "unbekannt", "未知", "Otros", "ann")
    save_all(tmp_path, " ".join(f"{n}.jpg" for n in range(len(ids))))
    lines = [f"{n}.jpg,{name}" for n, name in enumerate(ids)]
    dataset = read_dataset(write_csv(tmp_path / "list.csv", "path,pid", *lines))
    assert [s.pid for s in dataset.samples] == [-1, -1, None, None, None, None, None, 1]
    for name in ("-2", "unbekannt", "未知", "Otros"):
        note = f"{name!r} is nobody: 1 images of whom nobody knows who they show."
        assert note in dataset.notes


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (("0", "1", "2"), [1, 2, 3]),  # counted from 0
        (("0", "1", "-1"), [None, 1, -1]),  # Market-1501's way
        (("3.0", "", "12.0"), [3, None, 12]),  # pandas
        (("99999999999", "88888888888", "99999999999"), [2, 1, 2]),
        (("0001", "1", "2"), [1, 2, 3]),  # two names
    ],
)
def test_table__numbers_of_people(
    tmp_path: Path, save_all, ids: tuple[str, ...], expected: list[int | None]
) -> None:
    save_all(tmp_path, "0.jpg 1.jpg 2.jpg")
    lines = [f"{n}.jpg,{name}" for n, name in enumerate(ids)]
    dataset = read_dataset(write_csv(tmp_path / "list.csv", "path,pid", *lines))
    assert [s.pid for s in dataset.samples] == expected


def test_table__columns_that_may_be_people(tmp_path: Path, save_all) -> None:
    save_all(tmp_path, "a.jpg b.jpg c.jpg")
    numbered = write_csv(tmp_path / "n.csv", "id,path", "1,a.jpg", "2,b.jpg", "3,c.jpg")
    dataset = read_dataset(numbered)
    assert {s.pid for s in dataset.samples} == {None}
    (note,) = [x for x in dataset.notes if "'id' is not taken for people" in x]
    assert "call it pid" in note
    renamed = write_csv(tmp_path / "n.csv", "pid,path", "1,a.jpg", "2,b.jpg", "3,c.jpg")
    assert [s.pid for s in read_dataset(renamed).samples] == [1, 2, 3]
    repeated = write_csv(tmp_path / "n.csv", "id,path", "1,a.jpg", "2,b.jpg", "1,c.jpg")
    assert [s.pid for s in read_dataset(repeated).samples] == [1, 2, 1]
    classes = write_csv(tmp_path / "n.csv", "label,path", "person,a.jpg", "car,b.jpg", "car,c.jpg")
    assert {s.pid for s in read_dataset(classes).samples} == {None}


def test_table__wildlife_datasets(tmp_path: Path, save_all) -> None:
    save_all(tmp_path / "images", "a.jpg b.jpg c.jpg d.jpg")
    lines = (
        ",image_id,identity,path,bbox,date,video,position,orientation,split",
        '0,77,LP-01,images/a.jpg,"[1.0, 2.0, 3.0, 4.0]",2019-04-01,v1,left,front,train',
        '1,78,LP-02,images/b.jpg,"[1.0, 2.0, 3.0, 4.0]",2019-04-02,v1,left,,database',
        "2,79,unknown,images/c.jpg,,,,,,query",
        '3,80,LP-01,images/d.jpg,"[0, 0, 9, 9]",,,,,query',
        '4,81,LP-02,images/d.jpg,"[9, 9, 9, 9]",,,,,query',
    )
    dataset = read_dataset(write_csv(tmp_path / "metadata.csv", *lines), bbox="none")
    assert rows(dataset, "train") == [("a.jpg", 1, None)]
    assert rows(dataset, "gallery") == [("b.jpg", 2, None)]
    assert rows(dataset, "query") == [("c.jpg", None, None)]
    assert [item.reason for item in dataset.skipped] == [
        "row 5: the table has 2 boxes of this picture",
        "row 6: the table has 2 boxes of this picture",
    ]
    content = read_image_rows(tmp_path / "metadata.csv")
    assert content.rows[0].of["bbox"] == "[1.0, 2.0, 3.0, 4.0]"
    assert content.rows[0].of["orientation"] == "front"
    assert len(content.rows) == 5  # a row for each box


def test_table__tracklets_begin_anew(tmp_path: Path, save_all) -> None:
    save_all(tmp_path, "a.jpg b.jpg c.jpg d.jpg")
    lines = (
        "path,cam,track_id,frame",
        "a.jpg,1,7,f_0003.jpg",
        "b.jpg,2,7,4",
        "c.jpg,2,8,",
        "d.jpg,2,,",
    )
    dataset = read_dataset(write_csv(tmp_path / "list.csv", *lines))
    assert [s.tracklet for s in dataset.samples] == ["camera 1/7", "camera 2/7", "8", None]
    assert [s.frame for s in dataset.samples] == [3, 4, None, None]
    lines = ("path,video,track_id,frame", "a.jpg,x,7,3", "b.jpg,y,7,4", "c.jpg,y,8,5", "d.jpg,y,,6")
    dataset = read_dataset(write_csv(tmp_path / "list.csv", *lines))
    assert [s.tracklet for s in dataset.samples] == ["x/7", "y/7", "y/8", None]
    assert {s.frame for s in dataset.samples} == {None}  # frames of two recordings
