"""Labels out of a workspace: what each format holds, and what is refused."""

import csv
import json
from pathlib import Path

import pytest

from pul.data.datasets import read_dataset
from pul.data.samples import Sample
from pul.errors import ConfigError, DataError, StoreError
from pul.exchange import LABEL_FORMATS, export_identities, import_annotations, take_snapshot
from pul.exchange.exporting import LabelFormat
from pul.labelling.annotations import create, junk, merge, rename
from pul.labelling.log import read_annotations
from pul.store.workspace import Workspace
from tests.exchange.conftest import draw_images, open_workspace, plain, target
from tests.support.own_methods import write_names

FILES = tuple(name for name, format in LABEL_FORMATS.items() if format.suffix)


def test_export_identities__csv_holds_no_formula(
    tmp_path: Path, samples: list[Sample], other: Workspace
) -> None:
    spelled = ("=HYPERLINK(1)", "+1", "-1", "@x", "'=1", "Zoë, the 2nd")
    acts = [create([number], name=name) for number, name in enumerate(spelled, start=1)]
    path = tmp_path / "labels.csv"
    with open_workspace(tmp_path / "a", samples, *acts) as workspace:
        export_identities(workspace, path, format="csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["identity"] for row in rows] == [
        *("'=HYPERLINK(1)", "'+1", "'-1", "'@x", "''=1", "Zoë, the 2nd")
    ]
    assert [row["camid"] for row in rows] == ["1", "1", "1", "1", "2", "2"]
    assert rows[0]["path"] == str(samples[0].path)
    import_annotations(other, path, author="bob")
    assert tuple(known.name for known in read_annotations(other).identities) == spelled


def test_export_identities__json_says_where_it_comes_from(
    tmp_path: Path, workspace: Workspace
) -> None:
    path = tmp_path / "labels.json"
    workspace.append_annotation_event(*plain(rename(2, "Bo")), "bob")
    report = export_identities(workspace, path, format="json")
    content = json.loads(path.read_text(encoding="utf-8"))
    assert (content["format"], content["version"], content["workspace"]) == (
        *("pul-identities", 1, "a"),
    )
    origin = content["provenance"]
    assert (origin["n_events"], origin["events_hash"]) == (5, report.events_hash)
    assert origin["content_hash"] == read_annotations(workspace).content_hash()
    events = workspace.annotation_events()
    assert origin["authors"] == [
        {
            "author": author,
            "name": author,
            "n_events": len(at),
            "first_at": at[0],
            "last_at": at[-1],
        }
        for author, at in (
            ("anna", [event.created_at for event in events[:4]]),
            ("bob", [events[4].created_at]),
        )
    ]
    assert [known["name"] for known in content["identities"]] == ["Anna", "Bo"]
    assert len(content["junk"]) == len(content["unsure"]) == 1


def test_export_identities__market1501_is_read_as_such(tmp_path: Path) -> None:
    samples = draw_images(tmp_path / "images")
    samples[5] = Sample(samples[5].path, pid=0, camid=2, frame=151)
    samples[6] = Sample(samples[6].path, pid=-1, camid=2, frame=7)
    acts = (
        create([1, 2], name="Anna"),
        create([3, 4, 5], role="validation"),
        junk([8]),
    )
    path = tmp_path / "market"
    with open_workspace(tmp_path / "a", samples, *acts) as workspace:
        export_identities(workspace, path, format="market1501")
    files = sorted(str(x.relative_to(path)) for x in path.rglob("*.png"))
    assert files == [
        "bounding_box_test/-1_c2s1_000003_01.png",
        "bounding_box_test/-1_c2s1_000007_01.png",
        "bounding_box_test/0000_c2s1_000151_01.png",
        "bounding_box_test/0002_c1s1_000003_01.png",
        "bounding_box_test/0002_c2s1_000000_01.png",
        "bounding_box_train/0001_c1s1_000000_01.png",
        "bounding_box_train/0001_c1s1_000001_01.png",
        "query/0002_c1s1_000002_01.png",
    ]
    dataset = read_dataset(path)
    assert dataset.format == "market1501"
    counts = {row.split: (row.n_images, row.n_junk, row.n_distractors) for row in dataset.summary()}
    assert counts == {"train": (2, 0, 0), "query": (1, 0, 0), "gallery": (5, 2, 1)}


def test_export_identities__market1501_names_are_unique(tmp_path: Path) -> None:
    drawn = draw_images(tmp_path / "images")
    alike = [Sample(sample.path) for sample in drawn]
    path = tmp_path / "market"
    with open_workspace(tmp_path / "a", alike, create([1, 2, 3])) as workspace:
        export_identities(workspace, path, format="market1501")
    assert sorted(x.name for x in path.rglob("*.png")) == [
        *("0001_c0s1_000000_01.png", "0001_c0s1_000000_02.png", "0001_c0s1_000000_03.png")
    ]


def test_export_identities__folders_keep_the_names_of_files(
    tmp_path: Path, workspace: Workspace, samples: list[Sample]
) -> None:
    path = tmp_path / "people"
    path.mkdir()  # an empty folder may be filled
    export_identities(workspace, path, format="folders")
    files = sorted(str(x.relative_to(path)) for x in path.rglob("*.png"))
    assert files == [
        "-1/cam2/0003.png",
        "Anna/cam1/0000.png",
        "Anna/cam1/0001.png",
        "Anna/cam2/0000.png",
        "ID_002/cam1/0002.png",
    ]
    assert (path / "Anna/cam2/0000.png").read_bytes() == samples[4].path.read_bytes()


def test_export_identities__coco_numbers_tracks(tmp_path: Path, workspace: Workspace) -> None:
    path = tmp_path / "coco.json"
    export_identities(workspace, path, format="coco")
    content = json.loads(path.read_text(encoding="utf-8"))
    assert [box["track_id"] for box in content["annotations"]] == [1, 1, 1, 2]
    assert content["annotations"][2]["bbox"] == [0, 0, 6, 8]
    assert {box["category_id"] for box in content["annotations"]} == {1}
    assert content["categories"][0]["name"] == "person"
    assert len(content["images"]) == 5  # the unsure one is left out, the junk has no box


def test_export_identities__tells_equal_names_apart(tmp_path: Path, samples: list[Sample]) -> None:
    acts = (create([1], name="Bo"), create([2], name="bo"), create([3], name="Bo"), merge([1, 3]))
    with open_workspace(tmp_path / "a", samples, *acts) as workspace:
        people = take_snapshot(workspace).people
    assert [(known.name, len(known.shots)) for known in people] == [("Bo", 2), ("bo (2)", 1)]


def test_export_identities__in_a_format_of_ones_own(
    tmp_path: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LABEL_FORMATS, "names", LabelFormat("Names", ".txt", write_names))
    export_identities(workspace, tmp_path / "people.txt", format="names")
    people = take_snapshot(workspace).people
    assert (tmp_path / "people.txt").read_text().splitlines() == [known.name for known in people]


@pytest.mark.parametrize("format", LABEL_FORMATS)
def test_export_identities__writes_over_nothing(
    tmp_path: Path, workspace: Workspace, format: str
) -> None:
    path = target(tmp_path, format)
    if format in FILES:
        path.write_text("mine")
    else:
        path.mkdir()
        (path / "mine").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ConfigError, match="another name, or delete"):
        export_identities(workspace, path, format=format)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("format", ["market1501", "folders", "coco", "cvat", "mot"])
def test_export_identities__leaves_nothing_where_an_image_is_gone(
    tmp_path: Path, workspace: Workspace, samples: list[Sample], format: str
) -> None:
    samples[4].path.unlink()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(DataError, match=r"gone|does not exist"):
        export_identities(workspace, target(tmp_path, format), format=format)
    assert sorted(tmp_path.rglob("*")) == before


def test_export_identities__refuses_what_makes_no_sense(
    tmp_path: Path, workspace: Workspace, other: Workspace
) -> None:
    with pytest.raises(ConfigError, match=r"'voc'.*csv, json"):
        export_identities(workspace, tmp_path / "x", format="voc")
    with pytest.raises(DataError, match="Nothing is labelled"):
        export_identities(other, tmp_path / "x", format="csv")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        export_identities(workspace, tmp_path / "file" / "x.csv", format="csv")
