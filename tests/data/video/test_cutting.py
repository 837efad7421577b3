"""Crops out of videos: the very pixels of the boxes, and where each comes from."""

import csv
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pul.data.video import (
    VideoRequest,
    cut_videos,
    describe_plans,
    pair_videos,
    plan_videos,
    read_boxes,
    read_recordings,
)
from pul.errors import ConfigError, DatasetError
from pul.exchange.videos import import_videos, preview_videos
from pul.store.workspace import Workspace
from tests.support.films import BLUE_STEP, write_frames, write_video

MOT = """\
1,7,11,6,20,40,1,1,1
2,7,13.4,6.6,20,40,1,1,1
3,7,15,6,20,40,1,1,1
1,8,81,31,30,50,1,1,1
2,8,95,60,3,3,1,1,1
3,8,197,31,30,50,1,1,1
3,9,41,6,6,40,1,1,1
1,9,41,6,20,40,0,1,1
"""

LATE = "1,1,5,5,30,50\n"


@pytest.fixture
def workspace(tmp_path: Path):
    with Workspace.create(tmp_path / "w") as workspace:
        yield workspace


def request(tmp_path: Path, text: str = MOT, name: str = "gate", **options) -> VideoRequest:
    tracks = tmp_path / f"{name}.txt"
    tracks.write_text(text)
    video = tmp_path / f"{name}.mp4"
    if not video.exists():
        write_video(video, 3)
    start = options.pop("start", ())
    cameras = pair_videos([video], [tracks], starts=start and [start])
    return VideoRequest(cameras=cameras, **{"every": 1, **options})


def crops(workspace: Workspace) -> dict[str, np.ndarray]:
    return {
        Path(path).name: np.asarray(Image.open(path)).astype(int)
        for path in workspace.images().paths
    }


def test_import_videos__cuts_the_very_pixels_of_the_boxes(
    tmp_path: Path, workspace: Workspace
) -> None:
    _, n_new = import_videos(workspace, request(tmp_path))
    found = crops(workspace)
    # The first pixel is 1 in MOTChallenge: the box 11,6,20,40 begins at column 10, row 5. Of
    # 12.4 to 32.4 and 5.6 to 45.6 the edges are rounded; the box of track 8 is cut at the picture's
    # edge, which is at 96 and 64.
    expected = {
        "track0007_frame0000001.jpg": (10, 5, 30, 45, 0),
        "track0007_frame0000002.jpg": (12, 6, 32, 46, 1),
        "track0007_frame0000003.jpg": (14, 5, 34, 45, 2),
        "track0008_frame0000001.jpg": (80, 30, 96, 64, 0),
    }
    assert n_new == len(expected)
    assert found.keys() == expected.keys()
    for name, (left, top, right, low, index) in expected.items():
        rows, columns = np.indices((low - top, right - left))
        pixels = np.stack([columns + left, rows + top, np.full_like(rows, BLUE_STEP * index)], 2)
        assert found[name].shape == pixels.shape
        assert np.abs(found[name] - pixels).max() <= 4  # JPEG of quality 95


def test_import_videos__says_what_gives_no_crop(tmp_path: Path, workspace: Workspace) -> None:
    dataset, _ = import_videos(workspace, request(tmp_path))
    dropped = {item.path.name: item.reason for item in dataset.skipped}
    assert dropped == {
        "gate.txt: track 8": dropped["gate.txt: track 8"],
        "gate.txt: track 9": "1 box: smaller than 8×16 pixels (frame 3)",
        "gate.txt: track 9 as a whole": "no box gives a crop",
    }
    reasons = {item.reason for item in dataset.skipped if item.path.name == "gate.txt: track 8"}
    assert reasons == {
        "1 box: smaller than 8×16 pixels (frame 2)",
        "1 box: lies outside the picture (frame 3)",
    }
    assert any("1 box left out: marked as not to be considered" in x for x in dataset.notes)
    assert any("JPEG of quality 95" in note for note in dataset.notes)


def test_import_videos__keeps_tracklets_frames_and_cameras(
    tmp_path: Path, workspace: Workspace
) -> None:
    import_videos(workspace, request(tmp_path))
    images = workspace.images()
    assert images.tracklets == ("gate/7", "gate/7", "gate/7", "gate/8")
    assert images.frames.tolist() == [0, 1, 2, 0]  # of 1/25 s
    assert images.camids.tolist() == [1, 1, 1, 1]
    assert images.pids.tolist() == [-2] * 4


def test_import_videos__puts_cameras_on_one_clock(tmp_path: Path, workspace: Workspace) -> None:
    write_video(tmp_path / "yard.mp4", 3, fps=10)
    start = "2024-05-03T08:00:00"
    import_videos(workspace, request(tmp_path, start=start))
    other = MOT.replace(",6,20,40", ",9,20,40").replace("81,31", "80,30")
    import_videos(workspace, request(tmp_path, other, "yard", start="2024-05-03T08:00:02"))
    images = workspace.images()
    moments = dict(zip(images.paths, images.frames.tolist(), strict=True))
    first = min(moments.values())
    assert first == datetime.fromisoformat(start + "+00:00").timestamp() * 25
    offsets = {Path(k).parts[-3:][0] + Path(k).name[9:]: v - first for k, v in moments.items()}
    assert offsets["gate_frame0000003.jpg"] == 2
    assert offsets["yard_frame0000003.jpg"] == 2 * 25 + 5  # two seconds and two frames of 0.1 s
    assert images.camids.tolist() == [1] * 4 + [2] * 4


def test_import_videos__adds_nothing_twice(tmp_path: Path, workspace: Workspace) -> None:
    asked = request(tmp_path)
    _, first = import_videos(workspace, asked)
    before = crops(workspace)
    _, again = import_videos(workspace, asked)
    assert (first, again) == (4, 0)
    # The same video elsewhere is the same video; fewer crops of it add none.
    (tmp_path / "moved").mkdir()
    moved = (tmp_path / "gate.mp4").rename(tmp_path / "moved" / "other.mp4")
    cameras = pair_videos([moved], [tmp_path / "gate.txt"])
    _, n_new = import_videos(workspace, VideoRequest(cameras=cameras, every=2))
    assert n_new == 0
    assert [r.key for r in read_recordings(workspace.path)] == ["gate"]
    assert crops(workspace).keys() == before.keys()


def test_import_videos__refuses_the_same_video_with_other_tracks(
    tmp_path: Path, workspace: Workspace
) -> None:
    import_videos(workspace, request(tmp_path))
    with pytest.raises(ConfigError, match="already, with other tracks"):
        import_videos(workspace, request(tmp_path, MOT.replace("11,6", "12,6")))
    with pytest.raises(ConfigError, match="already, with another start time"):
        import_videos(workspace, request(tmp_path, start="7"))


def test_preview_videos__counts_what_is_cut_and_writes_nothing(
    tmp_path: Path, workspace: Workspace
) -> None:
    asked = request(tmp_path, per_track=2)
    preview = preview_videos(asked, workspace)
    assert not (workspace.path / "footage").exists()
    dataset, _ = import_videos(workspace, asked)
    assert preview.summary() == dataset.summary()
    assert (preview.skipped, preview.notes) == (dataset.skipped, dataset.notes)


def test_cut_videos__takes_the_sharpest_of_a_stretch(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "hall", range(1, 7), (64, 64))
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "000005.png")  # the sharpest of frames 4 to 6
    tracks = tmp_path / "hall.txt"
    tracks.write_text("".join(f"{n},1,5,5,20,40,0.9,-1,-1,-1\n" for n in range(1, 7)))
    cameras = pair_videos([folder], [tracks])
    asked = VideoRequest(cameras=cameras, every=1, per_track=2, fps=25)
    dataset = cut_videos(plan_videos(asked), asked, tmp_path)
    assert dataset.samples[1].path.name == "track0001_frame0000005.jpg"
    assert len(dataset.samples) == 2
    with (tmp_path / "footage/hall/crops.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == sorted(x.path.name for x in dataset.samples)
    chosen = rows[1]
    assert [
        chosen[key] for key in ("track", "frame", "time_s", "left", "top", "right", "bottom")
    ] == [*("1", "5", "0.160", "4", "4", "24", "44")]
    assert float(chosen["sharpness"]) > 100 * float(rows[0]["sharpness"])


def test_cut_videos__is_repeatable(tmp_path: Path) -> None:
    asked = request(tmp_path)
    outcomes = []
    for name in ("a", "b"):
        cut_videos(plan_videos(asked), asked, tmp_path / name)
        files = sorted(p for p in (tmp_path / name).rglob("*") if p.is_file())
        outcomes.append({str(p.relative_to(tmp_path / name)): p.read_bytes() for p in files})
    assert outcomes[0] == outcomes[1]


def test_read_boxes__gives_back_every_box(tmp_path: Path, workspace: Workspace) -> None:
    asked = request(tmp_path, per_track=1)
    (plan,) = plan_videos(asked)
    import_videos(workspace, asked)
    (recording,) = read_recordings(workspace.path)
    assert (recording.camera, recording.camid, recording.first_frame) == ("gate", 1, 1)
    assert list(read_boxes(workspace.path, recording)) == [
        replace(box, attributes={}) for box in plan.boxes
    ]
    assert len(plan.boxes) == 7


def test_plan_videos__takes_people_where_classes_are_named(tmp_path: Path) -> None:
    text = "1,1,1,1,20,40,1,1,1\n1,2,30,1,20,40,1,3,1\n1,3,60,1,20,40,1,7,1\n"
    (plan,) = plan_videos(request(tmp_path, text))
    assert {s[0].candidate.box.track for s in plan.stretches} == {"1"}
    assert any("Left out: car (1), static person (1)" in note for note in plan.notes)
    asked = request(tmp_path, text, classes=("Car", "static person"))
    (plan,) = plan_videos(asked)
    assert {s[0].candidate.box.track for s in plan.stretches} == {"2", "3"}
    with pytest.raises(ConfigError, match="No box is of the class dog; there are: pedestrian, car"):
        plan_videos(request(tmp_path, text, classes=("dog",)))


def test_plan_videos__a_track_has_one_box_in_a_frame(tmp_path: Path) -> None:
    (plan,) = plan_videos(request(tmp_path, "1,1,1,1,20,40,1\n1,1,9,1,20,40,1\n"))
    assert len(plan.stretches) == 1
    assert "another box in that frame" in plan.skipped[0].reason


def test_plan_videos__chooses_the_video_of_a_file_of_several(tmp_path: Path) -> None:
    for n_frames, name in enumerate(("gate", "yard"), start=2):
        write_video(tmp_path / f"{name}.mp4", n_frames)
    content = (
        '{"videos": [{"id": 1, "name": "gate"}, {"id": 2, "name": "yard.mp4"}],'
        '"images": [{"id": 1, "video_id": 1, "frame_id": 0},'
        '{"id": 2, "video_id": 2, "frame_id": 0}],'
        '"annotations": [{"image_id": 1, "track_id": 5, "bbox": [0, 0, 20, 40]},'
        '{"image_id": 2, "track_id": 6, "bbox": [0, 0, 20, 40]}]}'
    )
    tracks = tmp_path / "all.json"
    tracks.write_text(content)
    cameras = pair_videos([tmp_path / "gate.mp4", tmp_path / "yard.mp4"], [tracks])
    plans = plan_videos(VideoRequest(cameras=cameras))
    assert [[box.track for box in plan.boxes] for plan in plans] == [["5"], ["6"]]
    other = pair_videos([write_video(tmp_path / "hall.mp4", 4)], [tracks])
    with pytest.raises(DatasetError, match=r"none of them called hall.mp4: gate, yard.mp4"):
        plan_videos(VideoRequest(cameras=other))
    named = pair_videos([tmp_path / "hall.mp4"], [tracks], names=["gate"])
    assert len(plan_videos(VideoRequest(cameras=named))[0].boxes) == 1  # the advice works


def test_plan_videos__asks_for_start_times_that_compare(
    tmp_path: Path, workspace: Workspace
) -> None:
    import_videos(workspace, request(tmp_path, start="08:00:00"))
    write_video(tmp_path / "late.mp4", 4)
    with pytest.raises(ConfigError, match=r"late.mp4 is not known, but that of others is"):
        import_videos(workspace, request(tmp_path, LATE, "late"))
    with pytest.raises(ConfigError, match="have a date and others have none"):
        import_videos(workspace, request(tmp_path, LATE, "late", start="2024-01-01T00:00:00"))
    import_videos(workspace, request(tmp_path, LATE, "late", start="09:00:00"))


def test_plan_videos__two_videos_of_a_camera_need_start_times(tmp_path: Path) -> None:
    videos = [write_video(tmp_path / f"{n}.mp4", n) for n in (3, 4)]
    tracks = tmp_path / "t.txt"
    tracks.write_text("1,1,1,1,20,40\n")
    cameras = pair_videos(videos, [tracks] * 2, names=["gate", "gate"])
    with pytest.raises(ConfigError, match="Camera 'gate' has 2 videos: give each"):
        plan_videos(VideoRequest(cameras=cameras))
    timed = pair_videos(videos, [tracks] * 2, names=["gate"] * 2, starts=["0", "60"])
    plans = plan_videos(VideoRequest(cameras=timed))
    assert [(p.recording.key, p.recording.camid) for p in plans] == [("gate", 1), ("gate-2", 1)]


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        (["gate", "yard"], [1, 2]),
        (["cam3", "cam12"], [3, 12]),
        (["1st floor", "gate"], [1, 2]),
        (["a1", "b1"], [1, 2]),
    ],
)
def test_plan_videos__numbers_cameras(tmp_path: Path, names: list[str], numbers: list[int]) -> None:
    videos = [write_video(tmp_path / f"{n}.mp4", n) for n in (3, 4)]
    tracks = tmp_path / "t.txt"
    tracks.write_text("1,1,1,1,20,40\n")
    cameras = pair_videos(videos, [tracks] * 2, names=names)
    plans = plan_videos(VideoRequest(cameras=cameras))
    assert [plan.recording.camid for plan in plans] == numbers


def test_import_videos__gives_new_cameras_free_numbers(
    tmp_path: Path, workspace: Workspace, save_image
) -> None:
    from pul.data.datasets import Dataset
    from pul.data.samples import Sample

    path = save_image(tmp_path / "0001_c1s1_000001_00.jpg", size=(16, 32))
    workspace.add_dataset(Dataset("x", "folders", tmp_path, (Sample(path, pid=1, camid=1),)))
    write_video(tmp_path / "cam1.mp4", 3)
    asked = request(tmp_path, name="cam1")
    assert preview_videos(asked, workspace, is_same_place=True).samples[0].camid == 1
    import_videos(workspace, asked)
    assert set(workspace.images().camids.tolist()) == {1, 2}


def test_describe_plans__test_images_ask_for_everybody_once_in_each_camera(tmp_path: Path) -> None:
    asked = request(tmp_path, has_people=True, split="test")
    dataset = describe_plans(plan_videos(asked), asked, tmp_path)
    assert [(s.pid, s.split) for s in dataset.samples] == [
        (7, "query"), (7, "gallery"), (7, "gallery"), (8, "query"),
    ]  # fmt: skip


def test_describe_plans__ids_of_people_are_numbers(tmp_path: Path) -> None:
    asked = request(tmp_path, "1,0,1,1,20,40\n", has_people=True)
    with pytest.raises(DatasetError, match="Track '0' is no number of a person"):
        describe_plans(plan_videos(asked), asked, tmp_path)


def test_describe_plans__says_that_nothing_is_left(tmp_path: Path) -> None:
    asked = request(tmp_path, "1,1,1,1,3,4\n")
    with pytest.raises(DatasetError, match="No box of these tracks gives a crop"):
        describe_plans(plan_videos(asked), asked, tmp_path)
