"""Crops that a table names by boxes in whole pictures."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pul.data.datasets import cut_boxes, merge_datasets, read_dataset
from pul.errors import ConfigError, DatasetError
from pul.store.workspace import Workspace
from tests.cli.test_commands import call
from tests.support.films import picture

SIZE = (96, 64)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Three pictures whose pixel (x, y) is (x, y, 8·n)."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number, name in enumerate(("a.png", "b.png", "c.png")):
        picture(number, SIZE).save(folder / name)
    return folder


def table(pictures: Path, header: str, *lines: str) -> Path:
    path = pictures.parent / "boxes.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def boxes(path: Path, **options) -> list[tuple[float, ...] | None]:
    return [s.box for s in read_dataset(path, cut=False, **options).samples]


def notes(path: Path, **options) -> str:
    return " ".join(read_dataset(path, cut=False, **options).notes)


WILDLIFE = (
    "image_id,identity,path,bbox",
    '1,turtle_1,pictures/a.png,"[10, 5, 20.4, 40]"',
    '2,turtle_2,pictures/a.png,"[50, 5, 30, 40]"',
    '3,turtle_1,pictures/b.png,"[80, 30, 16, 34]"',
)


def test_read_dataset__cuts_the_very_pixels_of_boxes(pictures: Path, tmp_path: Path) -> None:
    dataset = read_dataset(table(pictures, *WILDLIFE), cache_dir=tmp_path / "w")
    assert [(s.pid, s.box, s.path.name) for s in dataset.samples] == [
        (1, None, "a_10-5-30-45.jpg"),
        (2, None, "a_50-5-80-45.jpg"),
        (1, None, "b_80-30-96-64.jpg"),
    ]
    for sample, (left, top, right, low, number) in zip(
        dataset.samples, [(10, 5, 30, 45, 0), (50, 5, 80, 45, 0), (80, 30, 96, 64, 1)], strict=True
    ):
        expected = np.asarray(picture(number, SIZE)).astype(int)[top:low, left:right]
        found = np.asarray(Image.open(sample.path)).astype(int)
        assert found.shape == expected.shape
        assert np.abs(found - expected).max() <= 4  # JPEG of quality 95
    assert "3 crops of whole pictures" in " ".join(dataset.notes)
    with (tmp_path / "w/boxes/pictures.csv").open(newline="") as file:
        sources = {Path(row["crop"]).name: row for row in csv.DictReader(file)}
    first = sources["a_10-5-30-45.jpg"]
    assert first["picture"] == str(pictures / "a.png")
    assert [first[edge] for edge in ("left", "top", "right", "bottom")] == ["10", "5", "30", "45"]


@pytest.mark.parametrize(
    ("header", "line"),
    [
        ("path,x,y,w,h", "pictures/a.png,10,5,20,40"),
        ("path;X;Y;Width;Height", "pictures/a.png;10.0;5;20;40"),
        ("path,bbox_left,bbox_top,bbox_width,bbox_height", "pictures/a.png,10,5,20,40"),
        ("path,x1,y1,x2,y2", "pictures/a.png,10,5,30,45"),
        ("path,xmin,ymin,xmax,ymax", "pictures/a.png,10,5,30,45"),
        ("path,left,top,right,bottom", "pictures/a.png,10,5,30,45"),
        ("path,bbox_xyxy", 'pictures/a.png,"10 5 30 45"'),
        ("path,bbox", 'pictures/a.png,"(10, 5, 20, 40)"'),
    ],
)
def test_read_dataset__knows_columns_of_boxes(pictures: Path, header: str, line: str) -> None:
    assert boxes(table(pictures, header, line)) == [(10, 5, 30, 45)]


def test_read_dataset__tells_how_boxes_are_written_by_their_numbers(pictures: Path) -> None:
    # 50 + 60 would leave the 96 columns; and a right edge is never left of the left one.
    corners = table(
        pictures, "path,bbox", 'pictures/a.png,"50,5,60,45"', 'pictures/b.png,"1,2,30,60"'
    )
    assert boxes(corners) == [(50, 5, 60, 45), (1, 2, 30, 60)]
    assert "two corners (xyxy)" in notes(corners)
    sizes = table(pictures, "path,bbox", 'pictures/a.png,"50,5,20,45"')
    assert boxes(sizes) == [(50, 5, 70, 50)]
    assert "they are no two corners" in notes(sizes)


def test_read_dataset__says_how_boxes_are_read_where_both_ways_fit(pictures: Path) -> None:
    either = table(pictures, "path,bbox", 'pictures/a.png,"10,5,30,40"')
    assert boxes(either) == [(10, 5, 40, 45)]
    assert "--bbox xyxy reads two corners" in notes(either)
    assert boxes(either, bbox="xyxy") == [(10, 5, 30, 40)]  # the advice works
    assert notes(either, bbox="xyxy") == ""


def test_read_dataset__takes_shares_of_the_picture(pictures: Path) -> None:
    path = table(pictures, "file,bbox", 'pictures/a.png,"[0.5, 0.25, 0.25, 0.5]"')
    assert boxes(path) == [(48, 16, 72, 48)]
    assert "shares of the picture" in notes(path)


def test_read_dataset__asks_where_no_reading_fits(pictures: Path) -> None:
    path = table(pictures, "path,bbox", 'pictures/a.png,"90,5,80,90"')
    with pytest.raises(DatasetError, match=r"--bbox xywh or --bbox xyxy.*or --bbox none"):
        boxes(path)
    assert boxes(path, bbox="xywh") == [(90, 5, 170, 95)]  # the advice works
    assert boxes(path, bbox="none") == [None]


def test_read_dataset__cuts_nothing_out_of_crops(pictures: Path) -> None:
    # The table says where in a frame each of these crops was.
    path = table(
        pictures, "path,bbox", 'pictures/a.png,"400,300,96,64"', 'pictures/b.png,"7,9,96,64"'
    )
    assert boxes(path) == [None, None]
    assert "they are crops already" in notes(path)
    assert boxes(path, bbox="xywh")[0] == (400, 300, 496, 364)


def test_cut_boxes__says_what_gives_no_crop(pictures: Path, tmp_path: Path) -> None:
    path = table(
        pictures,
        "path,x,y,w,h",
        "pictures/a.png,10,5,20,40",
        "pictures/a.png,10.2,5,20,40",
        "pictures/a.png,200,5,20,40",
        "pictures/b.png,1,1,3,3",
        "pictures/b.png,1,1,x,3",
        "pictures/c.png,,,,",
    )
    dataset = read_dataset(path, cut=False)
    assert [item.reason for item in dataset.skipped] == [
        "row 6: the box is '1 1 x 3'; right: four numbers, as [3, 4, 50, 80]"
    ]
    (pictures / "b.png").write_bytes(b"broken")
    for folder in (None, tmp_path / "w"):
        cut = cut_boxes(dataset, folder)
        assert [(s.path.name, s.box is None) for s in cut.samples] == [
            ("a.png" if folder is None else "a_10-5-30-45.jpg", folder is not None),
            ("c.png", True),  # without a box it is the whole picture
        ]
        reasons = [item.reason for item in cut.skipped[1:]]
        assert reasons[0] == "box 10.2, 5, 30.2, 45: it is there twice"
        assert reasons[1] == "box 200, 5, 220, 45: lies outside the picture"
        assert "b.png" in reasons[2]


def test_read_dataset__refuses_boxes_that_nobody_cuts(pictures: Path) -> None:
    path = table(pictures, *WILDLIFE)
    with pytest.raises(DatasetError, match="`python -m pul import` cuts them"):
        read_dataset(path)
    with pytest.raises(ConfigError, match="bbox must be one of auto, xywh, xyxy, none"):
        read_dataset(path, bbox="yxyx", cut=False)
    plain = table(pictures, "path", "pictures/a.png")
    with pytest.raises(DatasetError, match="no column of boxes"):
        read_dataset(plain, bbox="xywh")


def test_merge_datasets__keeps_every_box_of_a_picture(pictures: Path) -> None:
    dataset = read_dataset(table(pictures, *WILDLIFE), cut=False)
    merged = merge_datasets([dataset, dataset])
    assert len(merged.samples) == 3
    assert len(merged.skipped) == 3


def test_import__cuts_boxes_into_the_workspace(pictures: Path, tmp_path: Path) -> None:
    path = table(pictures, *WILDLIFE)
    dry = json.loads(call("import", path, "--dry-run", "--json").stdout)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["boxes.csv", "pictures"]
    real = json.loads(call("import", path, "--workspace", tmp_path / "w", "--json").stdout)
    assert real.pop("n_new") == 3
    assert dry.pop("n_new") is None
    assert dry == real
    again = call("import", path, "--workspace", tmp_path / "w")
    assert "0 new images" in again.stdout
    # The same pictures elsewhere are the same crops.
    pictures.rename(tmp_path / "moved")
    moved = table(pictures, *(line.replace("pictures/", "moved/") for line in WILDLIFE))
    assert "0 new images" in call("import", moved, "--workspace", tmp_path / "w").stdout
    with Workspace.open(tmp_path / "w") as workspace:
        images = workspace.images()
    assert sorted(Path(p).name for p in images.paths) == [
        *("a_10-5-30-45.jpg", "a_50-5-80-45.jpg", "b_80-30-96-64.jpg")
    ]
    assert sorted(images.pids.tolist()) == [1, 1, 2]


def test_cut_boxes__deep_grey_is_stretched_as_the_whole_pictures_are(tmp_path: Path) -> None:
    """Thermal pictures of 14 bits: the crops of one are as bright as those of another."""
    folder = tmp_path / "thermal"
    folder.mkdir()
    for name, low in (("cold.png", 0), ("warm.png", 8000)):
        ramp = np.arange(64 * 96).reshape(64, 96) + low
        Image.fromarray(ramp.astype(np.uint16)).save(folder / name)
    lines = ['1,cold.png,"[0, 0, 90, 64]"', '2,warm.png,"[0, 0, 90, 64]"']
    path = folder / "boxes.csv"
    path.write_text("\n".join(["identity,path,bbox", *lines]) + "\n", encoding="utf-8")
    dataset = cut_boxes(read_dataset(path, cut=False), tmp_path / "w")
    seen = [np.asarray(Image.open(sample.path)).astype(float) for sample in dataset.samples]
    # All values are from 0 to 14,143, which is grey 255; the crops' means are 3,068.5 and 11,068.5.
    means = [pixels.mean() for pixels in seen]
    assert means == pytest.approx([255 * 3068.5 / 14143, 255 * 11068.5 / 14143], abs=3)
