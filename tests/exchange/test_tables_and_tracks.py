"""Labels in lines of text: tracks of MOTChallenge, and tables of others."""

from pathlib import Path

import pytest

from pul.data.samples import Sample
from pul.exchange import export_identities, import_annotations
from pul.labelling.log import read_annotations
from pul.store.workspace import Workspace
from tests.exchange.conftest import EXPECTED, open_workspace, pairs, partition, write

# MOTChallenge


@pytest.mark.parametrize(
    "name",
    [
        "track{track:04}_frame{frame:07}",
        "{frame:06}_{track}",
        "p{track}/{frame}",
        "f{frame}id{track}",
    ],
)
@pytest.mark.parametrize("shift", [0, -1])  # frames in the names count from 0
def test_mot__crops_by_frame_and_track(tmp_path: Path, name: str, shift: int) -> None:
    rows = [(1, 3), (2, 3), (2, 5), (9, 5), (40, 41), (41, 40)]
    crops = [
        Sample(tmp_path / "crops" / f"{name.format(frame=frame + shift, track=track)}.png")
        for frame, track in rows
    ]
    for crop in crops:
        write(crop.path.parent, crop.path.name, "")
    text = "".join(f"{frame},{track},1,1,4,8,1,1,1\n" for frame, track in (*rows, (50, 3)))
    with open_workspace(tmp_path / "v", crops) as workspace:
        report = import_annotations(workspace, write(tmp_path, "gt.txt", text), author="bob")
        images = workspace.images()
        ids = dict(zip(images.paths, images.image_ids.tolist(), strict=True))
        expected: dict[int, set[int]] = {}
        for (_, track), crop in zip(rows, crops, strict=True):
            expected.setdefault(track, set()).add(ids[str(crop.path)])
        found = {int(k.name): set(k.images) for k in read_annotations(workspace).identities}
        assert found == expected
        (problem,) = report.problems
        assert problem.reason == "no image has frame 50 and track 3 in its name"


def test_mot__frames_of_one_person_each(tmp_path: Path) -> None:
    frames = [Sample(tmp_path / "img1" / f"{n:06}.png") for n in (1, 2, 3)]
    for frame in frames:
        write(frame.path.parent, frame.path.name, "")
    text = "1 7 1 1 4 8 1 1 1\n2 7 1 1 4 8 1 1 1\n3 7 1 1 4 8 1 1 1\n3 8 1 1 4 8 1 1 1\n"
    with open_workspace(tmp_path / "v", frames) as workspace:
        report = import_annotations(workspace, write(tmp_path, "gt.txt", text), author="bob")
        assert partition(workspace) == {(1, 2)}
        assert ["shows several people" in each.reason for each in report.problems] == [True] * 2


def test_mot__corrected_tracks_come_back(
    tmp_path: Path, workspace: Workspace, other: Workspace
) -> None:
    folder = tmp_path / "mot"
    export_identities(workspace, folder, format="mot")
    truth = folder / "camera-1" / "gt" / "gt.txt"
    assert truth.read_text() == "1,1,1,1,5,8,1,1,1\n2,1,1,1,5,8,1,1,1\n3,2,1,1,5,8,1,1,1\n"
    truth.write_text(truth.read_text().replace("\n3,2,", "\n3,1,"))
    import_annotations(other, folder, author="bob")
    assert {known.name: known.images for known in read_annotations(other).identities} == {
        "Anna": (1, 2, 3, 5)
    }


# Tables


@pytest.mark.parametrize(
    "header", ["path,identity", "IMG_PATH,Person", "filename,track_id", "Bild,pid", "image,id"]
)
@pytest.mark.parametrize("start", ["", "img\\", "C:\\shop\\", "/data/x/"])
def test_tables__of_others(tmp_path: Path, other: Workspace, header: str, start: str) -> None:
    rows = [f"{start}{path},{name}" for path, name in pairs()]
    if "\\" in start:
        rows = [row.replace("/", "\\") for row in rows]
    path = tmp_path / "labels.csv"
    path.write_text("sep=,\n" + "\n".join([header, *rows]), encoding="utf-16")
    report = import_annotations(other, path, author="bob")
    assert report.problems == ()
    assert partition(other) == EXPECTED
