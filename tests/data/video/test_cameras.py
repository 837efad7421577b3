"""Which video goes with which tracks and camera, and when it begins."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pul.data.video import Start, VideoRequest, is_video, pair_videos, read_manifest
from pul.errors import ConfigError, DatasetError


@pytest.mark.parametrize(
    ("text", "seconds", "is_dated"),
    [
        ("12.5", 12.5, False),
        ("08:15:30", 8 * 3600 + 15 * 60 + 30, False),
        ("8:15", 8 * 3600 + 15 * 60, False),
        ("1970-01-02T00:00:01", 86_401, True),
        ("1970-01-02 00:00:01.5", 86_401.5, True),
        ("1970-01-01T02:00:00+02:00", 0, True),
        (datetime(1970, 1, 1, 0, 1, tzinfo=UTC), 60, True),
        (7, 7, False),
    ],
)
def test_start__reads_dates_times_and_seconds(text: object, seconds: float, is_dated: bool) -> None:
    assert Start.parse(text) == Start(seconds=seconds, is_dated=is_dated)


@pytest.mark.parametrize("text", ["soon", "25 o'clock", "2024-13-01T00:00:00", ""])
def test_start__says_what_is_right(text: str) -> None:
    with pytest.raises(ConfigError, match="2024-05-03T08:15:30"):
        Start.parse(text)


def make_files(folder: Path, *names: str) -> list[Path]:
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1,1,1,1,9,9\n")
    return paths


def test_pair_videos__pairs_by_order_and_names_after_the_files(tmp_path: Path) -> None:
    videos = make_files(tmp_path, "gate.mp4", "yard.avi")
    tracks = make_files(tmp_path, "b.txt", "a.txt")
    found = pair_videos(videos, tracks, starts=["08:00:00", "08:00:02"], first_frame=0)
    assert [(c.video, c.tracks, c.name, c.first_frame) for c in found] == [
        (videos[0], tracks[0], "gate", 0),
        (videos[1], tracks[1], "yard", 0),
    ]
    assert [c.start.seconds for c in found if c.start] == [28_800, 28_802]


def test_pair_videos__names_after_folders_where_files_are_called_alike(tmp_path: Path) -> None:
    videos = make_files(tmp_path, "Tor/video.mp4", "Hof/video.mp4")
    tracks = make_files(tmp_path, "1.txt", "2.txt")
    assert [c.name for c in pair_videos(videos, tracks)] == ["Tor", "Hof"]
    with pytest.raises(ConfigError, match="'video'; name their cameras with --camera"):
        pair_videos([videos[0], videos[0]], tracks)
    assert [c.name for c in pair_videos([videos[0]] * 2, tracks, names=["a", "b"])] == ["a", "b"]


def test_pair_videos__names_a_sequence_after_its_folder(tmp_path: Path) -> None:
    (tmp_path / "MOT20-01" / "img1").mkdir(parents=True)
    (tracks,) = make_files(tmp_path, "gt.txt")
    (found,) = pair_videos([tmp_path / "MOT20-01" / "img1"], [tracks])
    assert found.name == "MOT20-01"


def test_pair_videos__takes_one_coco_file_for_all(tmp_path: Path) -> None:
    videos = make_files(tmp_path, "gate.mp4", "yard.mp4")
    tracks = tmp_path / "all.json"
    tracks.write_text('{"images": [], "annotations": []}')
    assert [c.tracks for c in pair_videos(videos, [tracks])] == [tracks, tracks]


def test_pair_videos__says_what_does_not_pair(tmp_path: Path) -> None:
    videos = make_files(tmp_path, "gate.mp4", "yard.mp4")
    (tracks,) = make_files(tmp_path, "1.txt")
    with pytest.raises(ConfigError, match=r"gate.mp4 is a video: give the tracks"):
        pair_videos(videos)
    with pytest.raises(ConfigError, match=r"holds videos, such as gate.mp4: .* give a list"):
        pair_videos([tmp_path])
    (tmp_path / "cameras.csv").write_text(CSV)
    with pytest.raises(ConfigError, match=r"its list of cameras, \S+/cameras.csv"):
        pair_videos([tmp_path])
    with pytest.raises(ConfigError, match="2 videos, but 1 times --tracks"):
        pair_videos(videos, [tracks])
    with pytest.raises(ConfigError, match="2 videos, but 3 times --camera"):
        pair_videos(videos, [tracks] * 2, names=["a", "b", "c"])
    with pytest.raises(ConfigError, match="2 videos, but 1 times --start-time"):
        pair_videos(videos, [tracks] * 2, starts=["1"])


TOML = """
[[camera]]
video = "gate.mp4"
tracks = "sub/gate.txt"
start = 2024-05-03T08:00:00
[[camera]]
name = "Hof"
video = "/films/yard.mp4"
tracks = "yard.txt"
start = "2024-05-03T08:00:05"
first_frame = 0
"""
CSV = """video;tracks;name;start;first_frame
gate.mp4;sub/gate.txt;gate;2024-05-03T08:00:00;
/films/yard.mp4;yard.txt;Hof;2024-05-03T08:00:05;0
"""


@pytest.mark.parametrize(("name", "text"), [("cameras.toml", TOML), ("cameras.csv", CSV)])
def test_read_manifest__lists_cameras(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    assert is_video(path)
    gate, yard = read_manifest(path)
    assert (gate.video, gate.tracks) == (tmp_path / "gate.mp4", tmp_path / "sub/gate.txt")
    assert (yard.video, yard.tracks) == (Path("/films/yard.mp4"), tmp_path / "yard.txt")
    assert (gate.first_frame, yard.first_frame, yard.name) == (
        None,
        0,
        "Hof" if ";" in text else yard.name,
    )
    assert yard.start is not None
    assert gate.start is not None
    assert yard.start.seconds - gate.start.seconds == 5
    assert pair_videos([path]) == (gate, yard)
    with pytest.raises(ConfigError, match="lists the cameras"):
        pair_videos([path], [tmp_path / "gate.txt"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "lists no camera"),
        ("[[camera]]\nvideo = 'a.mp4'\n", "camera 1 has no tracks"),
        ("[[camera]]\nvideo='a.mp4'\ntracks='a'\nfps=3\n", "unknown key 'fps'"),
        ("[[camera]\n", "cannot be read"),
        ("camera = 3\n", "cannot be read"),
    ],
)
def test_read_manifest__says_what_is_wrong(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "cameras.toml"
    path.write_text(text)
    with pytest.raises(DatasetError, match=words):
        read_manifest(path)


def test_is_video__goes_by_names_and_folders(tmp_path: Path) -> None:
    (tmp_path / "seq" / "img1").mkdir(parents=True)
    assert not is_video(tmp_path / "seq")
    (tmp_path / "seq" / "seqinfo.ini").touch()
    (tmp_path / "people.csv").write_text("path,pid\na.jpg,1\n")
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "gate.mov").touch()
    assert is_video(tmp_path / "films")
    (tmp_path / "films" / "a.jpg").touch()  # images with a film of them are images
    assert not is_video(tmp_path / "films")
    names = ("a.MP4", "b.mkv", "seq", "people.csv", "c.jpg", "gone.toml")
    assert [is_video(tmp_path / name) for name in names] == [True, True, True, False, False, False]


def test_video_request__test_images_need_identities(tmp_path: Path) -> None:
    cameras = pair_videos(make_files(tmp_path, "a.mp4"), make_files(tmp_path, "a.txt"))
    with pytest.raises(ConfigError, match="--ids-are-people"):
        VideoRequest(cameras=cameras, split="test")
    assert VideoRequest(cameras=cameras, split="test", has_people=True).split == "test"
    with pytest.raises(ConfigError, match="every"):
        VideoRequest(cameras=cameras, every=0)
