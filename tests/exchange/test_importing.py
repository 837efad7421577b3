"""Labels into a workspace: how images are found, and what stays out."""

import json
from pathlib import Path

import pytest

from pul.data.samples import Sample
from pul.errors import DatasetError
from pul.exchange import export_identities, import_annotations
from pul.labelling.annotations import not_same, undo
from pul.labelling.annotations.acts import Side
from pul.labelling.log import read_annotations
from pul.store.workspace import Workspace
from tests.exchange.conftest import held, partition, plain, write_rows


def test_import_annotations__takes_names_ends_and_other_machines(
    tmp_path: Path, other: Workspace, samples: list[Sample]
) -> None:
    path = write_rows(
        tmp_path / "images" / "labels.csv",
        "file;pid",
        "cam1/0000.png;7",  # from the folder of the file
        r"cam2\0000.png;7",
        "/elsewhere/cam1/0001.png;8",
        "/elsewhere/cam2/0001.png;8",
        "cam1/0002.png;",
        "cam1/0003.png;-1",
    )
    report = import_annotations(other, path, author="bob")
    assert (report.problems, report.n_created, report.n_images) == ((), 2, 4)
    assert partition(other) == {(1, 5), (2, 6)}
    assert held(other, -1) == {4}


def test_import_annotations__lists_what_it_cannot_use(tmp_path: Path, workspace: Workspace) -> None:
    rows = (
        "path,identity,role",
        "cam1/0000.png,Anna,",  # known
        "cam2/0001.png,Anna,",  # new: image 6
        "cam9/0000.png,Anna,",  # no such image
        "0003.png,Anna,",  # in both cameras
        "cam1/0003.png,Carl,boss",
        "cam1/0003.png,Carl,,x",
        "cam1/0002.png,Dora,",  # ID_002's one image: another name of the same
        "cam2/0002.png,Dora,",  # unsure gives way: image 7
        "cam2/0003.png,Dora,",  # junk here
        "cam2/0001.png,Dora,",  # Anna's, above
        "cam1/0001.png,,junk",  # Anna's
    )
    path = write_rows(tmp_path / "labels.csv", *rows)
    events = len(workspace.annotation_events())
    plan = import_annotations(workspace, path, author="bob", dry_run=True)
    assert len(workspace.annotation_events()) == events
    report = import_annotations(workspace, path, author="bob")
    assert plan == report
    assert partition(workspace) == {(1, 2, 5, 6), (3, 7)}
    assert (report.n_created, report.n_extended, report.n_images, report.n_known) == (0, 2, 2, 2)
    reasons = {problem.place.rpartition(" ")[2]: problem.reason for problem in report.problems}
    expected = {
        "4": "no image cam9",
        "5": "any of 2 images",
        "6": "role is 'boss'",
        "7": "4 values for 3 columns",
        "10": "junk",
        "11": "Anna in labels.csv, row 3",
        "12": "in Anna here",
    }
    assert reasons.keys() == expected.keys()
    assert [row for row, text in expected.items() if text not in reasons[row]] == []


def test_import_annotations__contradictions_stay_out(tmp_path: Path, workspace: Workspace) -> None:
    both = write_rows(
        tmp_path / "both.csv",
        "path,identity",
        *("cam1/0000.png,X", "cam1/0002.png,X", "cam1/0003.png,X"),
    )
    (problem,) = import_annotations(workspace, both, author="bob").problems
    assert "X is 2 identities here: Anna, ID_002" in problem.reason
    parted = write_rows(
        tmp_path / "parted.csv", "path,identity", "cam1/0000.png,X", "cam1/0001.png,Y"
    )
    (problem,) = import_annotations(workspace, parted, author="bob").problems
    assert "Y and X are one identity here: Anna" in problem.reason
    event = not_same(Side(identity=1), Side(images=(4,)))
    workspace.append_annotation_event(*plain(event), "anna")
    refused = write_rows(tmp_path / "refused.csv", "path,identity", "cam1/0003.png,Anna")
    (problem,) = import_annotations(workspace, refused, author="bob").problems
    assert "not Anna" in problem.reason
    assert partition(workspace) == {(1, 2, 5), (3,)}


def test_import_annotations__given_names_mean_nothing(tmp_path: Path, workspace: Workspace) -> None:
    path = write_rows(tmp_path / "x.csv", "path,identity", "cam1/0003.png,ID_002")
    assert import_annotations(workspace, path, author="bob").n_created == 1
    assert partition(workspace) == {(1, 2, 5), (3,), (4,)}
    assert len({known.name for known in read_annotations(workspace).identities}) == 3


def test_import_annotations__may_come_again_after_an_undo(
    tmp_path: Path, workspace: Workspace
) -> None:
    path = write_rows(tmp_path / "x.csv", "path,identity", "cam1/0003.png,Carl")
    import_annotations(workspace, path, author="bob")
    last = workspace.annotation_events()[-1].event_id
    workspace.append_annotation_event(*plain(undo(last)), "bob")
    assert (4,) not in partition(workspace)
    import_annotations(workspace, path, author="bob")
    assert (4,) in partition(workspace)


def test_import_annotations__folders_moved_by_hand(
    tmp_path: Path, workspace: Workspace, other: Workspace
) -> None:
    path = tmp_path / "people"
    export_identities(workspace, path, format="folders")
    (path / "New").mkdir()
    (path / "Anna/cam2/0000.png").rename(path / "New/0000.png")
    report = import_annotations(other, path, author="bob")
    (problem,) = report.problems
    assert problem.place == str(Path("New", "0000.png"))
    assert "any of 2 images" in problem.reason
    assert partition(other) == {(1, 2), (3,)}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "image,camid\nx,1\n", "no column of people.*image, camid.*identity, pid"),
        ("b.csv", b'path,identity\n"x,1\n', "cannot be read as CSV"),
        ("c.json", "[]", "JSON of no format that is read.*COCO, Label Studio or FiftyOne.*CVAT"),
        ("d.json", "{", "cannot be read as JSON"),
        ("e.json", '{"format": "pul-identities", "version": 2, "identities": []}', "version"),
        ("f.doc", "", "no file of labels that is read.*COCO, Label Studio or FiftyOne.*CVAT"),
        ("f.xlsx", "PK\3\4", "save it as CSV UTF-8"),
        ("f.zip", "PK\3\4", "unpack it, and give the folder"),
        ("h.xml", "<html></html>", "none of CVAT.*CVAT for images 1.1"),
        ("i.xml", "<annotations", "cannot be read as XML"),
        ("j.xml", "<!DOCTYPE a [<!ENTITY b 'c'>]><annotations/>", "declares a document type"),
        ("g", None, "no file or folder"),
    ],
)
def test_import_annotations__refuses_other_files(
    tmp_path: Path, other: Workspace, name: str, content: str | bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DatasetError, match=message):
        import_annotations(other, tmp_path / name, author="bob")


def test_import_annotations__coco_of_others(tmp_path: Path, other: Workspace) -> None:
    content = {
        "images": [
            {"id": 1, "file_name": "cam1/0000.png"},
            {"id": 2, "file_name": "cam2/0000.png"},
        ],
        "annotations": [
            {"image_id": 1, "track_id": 4},
            {"image_id": 2, "track_id": 4},
            {"image_id": 3, "track_id": 4},
            {"image_id": 2},
        ],
    }
    (tmp_path / "coco.json").write_text(json.dumps(content))
    report = import_annotations(other, tmp_path / "coco.json", author="bob")
    assert partition(other) == {(1, 5)}
    assert [p.place[-1] for p in report.problems] == ["3"]
    assert [p.place[-1] for p in report.nobody] == ["4"]
