"""Merged tracks in MOTChallenge's form: every box, one number for a person in all videos."""

import csv
from dataclasses import replace
from pathlib import Path

import motmetrics
import numpy as np
import pytest

from pul.config import RunConfig
from pul.data.tracks import read_tracks
from pul.data.video import VideoRequest, pair_videos, plan_videos
from pul.errors import DataError
from pul.exchange import export_identities
from pul.exchange.videos import import_videos
from pul.labelling.annotations import create
from pul.store.workspace import Workspace
from tests.exchange.conftest import draw_images, open_workspace
from tests.support.fakes import iteration_arrays, iteration_record
from tests.support.films import write_video

GATE = """\
1,7,11.5,6,20,40,0.875,-1,-1,-1
1,9,50,6,20,40,0.5,-1,-1,-1
2,7,12.1,6,20,40,0.75,-1,-1,-1
3,8,13,6,20,40,0.9,-1,-1,-1
3,9,52,6,20,40,0.5,-1,-1,-1
"""
YARD = "0,1,30,6,20,40,1,-1,-1,-1\n1,1,31,6,20,40,1,-1,-1,-1\n1,2,1,6,20,40,1,-1,-1,-1\n"

NOBODY = "nobody said who it is, and no cluster that was exported does"


@pytest.fixture
def workspace(tmp_path: Path):
    """Two videos: of each track the first box becomes a crop."""
    videos = [write_video(tmp_path / f"{name}.mp4", n) for n, name in ((3, "gate"), (4, "yard"))]
    tracks = [tmp_path / "gate.txt", tmp_path / "yard.txt"]
    for path, text in zip(tracks, (GATE, YARD), strict=True):
        path.write_text(text)
    with Workspace.create(tmp_path / "w") as workspace:
        request = VideoRequest(cameras=pair_videos(videos, tracks), every=9)
        import_videos(workspace, request)
        assert workspace.images().tracklets == ("gate/7", "gate/8", "gate/9", "yard/1", "yard/2")
        yield workspace


def label(workspace: Workspace, *groups: tuple[str, ...]) -> None:
    """Say which tracklets are one person each."""
    images = workspace.images()
    number = dict(zip(images.tracklets, images.image_ids.tolist(), strict=True))
    for tracklets in groups:
        act = create([number[x] for x in tracklets], name=f"P {tracklets[0]}")
        workspace.append_annotation_event(act.kind, act.payload, "ann")


def exported(workspace: Workspace, out: Path, **options) -> dict[str, str]:
    export_identities(workspace, out, format="mot-tracks", **options)
    return {path.stem: path.read_text() for path in out.glob("*.txt")}


def test_export_identities__merges_tracks_of_a_person(tmp_path: Path, workspace: Workspace) -> None:
    label(workspace, ("gate/7", "gate/8", "yard/1"))
    found = exported(workspace, tmp_path / "out")
    # Person 1 is three tracks; those without an identity have numbers above. Frames count as they
    # did, and every box is there, though one frame alone was sampled.
    assert found["gate"] == (
        "1,1,11.5,6,20,40,0.875,-1,-1,-1\n"
        "1,2,50,6,20,40,0.5,-1,-1,-1\n"
        "2,1,12.1,6,20,40,0.75,-1,-1,-1\n"
        "3,1,13,6,20,40,0.9,-1,-1,-1\n"
        "3,2,52,6,20,40,0.5,-1,-1,-1\n"
    )
    assert found["yard"] == (
        "0,1,30,6,20,40,1,-1,-1,-1\n1,1,31,6,20,40,1,-1,-1,-1\n1,3,1,6,20,40,1,-1,-1,-1\n"
    )
    with (tmp_path / "out" / "tracks.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = [tuple(row.values()) for row in csv.DictReader(file)]
    assert rows == [
        ("gate.txt", "gate", "7", "1", "P gate/7", "1", "2", ""),
        ("gate.txt", "gate", "8", "1", "P gate/7", "1", "1", ""),
        ("gate.txt", "gate", "9", "2", "", "0", "2", NOBODY),
        ("yard.txt", "yard", "1", "1", "P gate/7", "1", "2", ""),
        ("yard.txt", "yard", "2", "3", "", "0", "1", NOBODY),
    ]


def test_export_identities__nobody_is_twice_in_a_frame(
    tmp_path: Path, workspace: Workspace
) -> None:
    label(workspace, ("gate/7", "gate/9", "gate/8"))
    found = exported(workspace, tmp_path / "out")
    # Tracks 7 and 9 share frame 1; both have one crop and two boxes, so that 7 comes first. Track
    # 8 shares frame 3 with 9, which has no identity by then.
    numbers = [line.split(",")[:2] for line in found["gate"].splitlines()]
    assert numbers == [["1", "1"], ["1", "2"], ["2", "1"], ["3", "1"], ["3", "2"]]
    text = (tmp_path / "out" / "tracks.csv").read_text(encoding="utf-8-sig")
    assert "gate.txt,gate,9,2,,0,2,not P gate/7: shares frames with track 7" in text


def test_export_identities__motmetrics_reads_merged_tracks(
    tmp_path: Path, workspace: Workspace
) -> None:
    label(workspace, ("gate/7", "gate/8"))
    exported(workspace, tmp_path / "out")
    frame = motmetrics.io.loadtxt(str(tmp_path / "out" / "gate.txt"), fmt="mot15-2D")
    assert [(f, i) for f, i in frame.index] == [(1, 1), (1, 2), (2, 1), (3, 1), (3, 2)]
    assert frame.loc[(2, 1), ["X", "Y", "Width", "Height"]].tolist() == pytest.approx(
        [11.1, 5, 20, 40]
    )
    assert frame["Confidence"].tolist() == [0.875, 0.5, 0.75, 0.9, 0.5]


def test_export_identities__merged_tracks_come_back_as_people(
    tmp_path: Path, workspace: Workspace
) -> None:
    label(workspace, ("gate/7", "gate/8"))
    exported(workspace, tmp_path / "out")
    before = read_tracks(tmp_path / "gate.txt").boxes
    after = read_tracks(tmp_path / "out" / "gate.txt").boxes
    assert [(b.frame, b.corners, b.confidence) for b in after] == [
        (b.frame, b.corners, b.confidence) for b in before
    ]
    cameras = pair_videos([tmp_path / "gate.mp4"], [tmp_path / "out" / "gate.txt"])
    request = VideoRequest(cameras=cameras, every=1, has_people=True)
    with Workspace.create(tmp_path / "again") as again:
        import_videos(again, request)
        images = again.images()
    assert images.tracklets == ("gate/1",) * 3 + ("gate/2",) * 2
    assert images.pids.tolist() == [1, 1, 1, 2, 2]


def test_export_identities__of_cvat_counts_frames_from_1(tmp_path: Path) -> None:
    video = write_video(tmp_path / "gate.mp4", 3)
    tracks = tmp_path / "gate.xml"
    tracks.write_text(
        '<annotations><track id="0" label="person"><box frame="0" outside="0" xtl="0" ytl="2" '
        'xbr="20" ybr="42.5"/><box frame="2" outside="0" xtl="2" ytl="2" xbr="22" ybr="42"/>'
        "</track></annotations>"
    )
    with Workspace.create(tmp_path / "w") as workspace:
        import_videos(workspace, VideoRequest(cameras=pair_videos([video], [tracks])))
        label(workspace, ("gate/0",))
        found = exported(workspace, tmp_path / "out")
    assert found["gate"] == (
        "1,1,1,3,20,40.5,1,-1,-1,-1\n2,1,2,3,20,40.25,1,-1,-1,-1\n3,1,3,3,20,40,1,-1,-1,-1\n"
    )
    cameras = pair_videos([video], [tmp_path / "out" / "gate.txt"])
    (plan,) = plan_videos(VideoRequest(cameras=cameras))
    assert plan.boxes[0].corners == (0, 2, 20, 42.5)


def test_export_identities__needs_videos(tmp_path: Path) -> None:
    samples = draw_images(tmp_path / "images")
    with (
        open_workspace(tmp_path / "a", samples, create([1, 2])) as workspace,
        pytest.raises(DataError, match="pul import VIDEO --tracks FILE"),
    ):
        exported(workspace, tmp_path / "out")
    assert not (tmp_path / "out").exists()


# By clusters


def cluster_run(workspace: Workspace, clusters: list[int]) -> int:
    """Store a run with one iteration of these clusters of the training images."""
    n_images, n_clusters = len(clusters), max(clusters) + 1
    model = workspace.path / "model.safetensors"
    model.write_bytes(b"no network")
    config = RunConfig(n_clusters=n_clusters)
    run = workspace.create_run(config, model=model)
    arrays = replace(
        iteration_arrays(n_images, n_clusters=n_clusters),
        clusters=np.array(clusters, dtype=np.int64),
    )
    workspace.add_iteration(run.run_id, iteration_record(n_images=n_images), arrays, b"none")
    return run.run_id


def numbers(text: str) -> dict[str, str]:
    """Return the number of each box, by its frame and left edge."""
    rows = [line.split(",") for line in text.splitlines()]
    return {f"{row[0]}:{row[2]}": row[1] for row in rows}


def test_export_identities__by_the_clusters_of_a_run(tmp_path: Path, workspace: Workspace) -> None:
    run = cluster_run(workspace, [0, 1, 2, 0, -1])  # gate/7, gate/8, gate/9, yard/1; yard/2: none
    found = exported(workspace, tmp_path / "out", clusters=(run, None))
    assert numbers(found["gate"]) == {
        "1:11.5": "1",
        "1:50": "3",
        "2:12.1": "1",
        "3:13": "2",
        "3:52": "3",
    }
    assert numbers(found["yard"]) == {"0:30": "1", "1:31": "1", "1:1": "4"}


def test_export_identities__labels_go_before_clusters(tmp_path: Path, workspace: Workspace) -> None:
    label(workspace, ("gate/8", "yard/2"))
    run = cluster_run(workspace, [0, 1, 0, 1, 1])
    found = exported(workspace, tmp_path / "out", clusters=(run, 0))
    # yard/1 is in the cluster of the labelled tracks 8 and 2, but shares frame 1 with the latter:
    # which has fewer boxes, but is labelled.
    assert numbers(found["gate"]) == {
        "1:11.5": "2",
        "1:50": "3",
        "2:12.1": "2",
        "3:13": "1",
        "3:52": "3",
    }
    assert numbers(found["yard"]) == {"0:30": "4", "1:31": "4", "1:1": "1"}


def test_export_identities__says_that_a_run_has_no_clusters(
    tmp_path: Path, workspace: Workspace
) -> None:
    model = workspace.path / "model.safetensors"
    model.write_bytes(b"no network")
    run = workspace.create_run(RunConfig(), model=model)
    with pytest.raises(DataError, match="has no finished iteration yet"):
        exported(workspace, tmp_path / "out", clusters=(run.run_id, None))
