"""`pul import` of videos: what it says, counts and refuses."""

import json
from pathlib import Path

import pytest

from pul.data.datasets import Dataset
from pul.data.samples import Sample
from pul.errors import ConfigError
from pul.store.workspace import Workspace
from tests.cli.test_commands import call
from tests.support.films import write_frames, write_video

TRACKS = "1,1,11,6,20,40,1,1,1\n2,1,12,6,20,40,1,1,1\n2,2,1,1,3,3,1,1,1\n1,2,60,6,20,40,0,1,1\n"


@pytest.fixture
def gate(tmp_path: Path) -> tuple[Path, Path]:
    tracks = tmp_path / "gate.txt"
    tracks.write_text(TRACKS)
    return write_video(tmp_path / "gate.mp4", 3), tracks


def test_import__dry_run_and_import_report_the_same(
    gate: tuple[Path, Path], tmp_path: Path
) -> None:
    video, tracks = gate
    arguments = ("import", video, "--tracks", tracks, "--every", 1, "--json")
    dry = json.loads(call(*arguments, "--dry-run").stdout)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gate.mp4", "gate.txt"]
    real = json.loads(call(*arguments, "--workspace", tmp_path / "w").stdout)
    assert (dry.pop("n_new"), real.pop("n_new")) == (None, 2)
    assert dry == real
    assert (dry["format"], dry["name"]) == ("video", "gate")
    assert dry["splits"][0]["n_images"] == 2
    assert dry["skipped"] == [
        {
            "path": f"{tracks}: track 2",
            "reason": "1 box: smaller than 8×16 pixels (frame 2)",
        },
        {"path": f"{tracks}: track 2 as a whole", "reason": "no box gives a crop"},
    ]
    again = json.loads(call(*arguments, "--workspace", tmp_path / "w").stdout)
    assert again["n_new"] == 0


def test_import__says_how_a_video_was_read(gate: tuple[Path, Path]) -> None:
    video, tracks = gate
    said = call("import", video, "--tracks", tracks, "--dry-run").stdout
    assert "Camera 1, gate: 3 frames of 96×64, the first is 1 in the tracks (mot); 3 boxes" in said
    assert "at most 12 crops, unoccluded and sharp ones first; JPEG of quality 95" in said
    assert "1 box left out: marked as not to be considered" in said


def test_import__of_a_sequence_of_motchallenge(tmp_path: Path) -> None:
    sequence = tmp_path / "MOT17-99"
    write_frames(sequence / "img1", [1, 2, 3])
    (sequence / "gt").mkdir()
    (sequence / "gt" / "gt.txt").write_text(TRACKS)
    (sequence / "seqinfo.ini").write_text(
        "[Sequence]\nframeRate=5\nseqLength=3\nimWidth=96\nimHeight=64\n"
    )
    # As a folder of images its whole frames would be taken for people.
    with pytest.raises(ConfigError, match=r"sequence of MOTChallenge: give .* --tracks \S+gt.txt"):
        call("import", sequence, "--dry-run")
    call(
        "import",
        sequence,
        "--tracks",
        sequence / "gt/gt.txt",
        "--every",
        1,
        "--workspace",
        tmp_path / "w",
    )
    with Workspace.open(tmp_path / "w") as workspace:
        images = workspace.images()
    assert images.tracklets == ("MOT17-99/1", "MOT17-99/1")
    assert images.frames.tolist() == [0, 5]  # 1/5 s are five of 1/25 s
    assert images.camids.tolist() == [99, 99]


def test_import__of_two_cameras_by_options(gate: tuple[Path, Path], tmp_path: Path) -> None:
    video, tracks = gate
    other = write_video(tmp_path / "yard.mp4", 4)
    call(
        *("import", video, other, "--tracks", tracks, "--tracks", tracks),
        *("--camera", "Tor", "--camera", "Hof", "--start-time", "08:00", "--start-time", "08:01"),
        *("--workspace", tmp_path / "w", "--per-track", 1),
    )
    with Workspace.open(tmp_path / "w") as workspace:
        images = workspace.images()
    assert set(images.tracklets) == {"Tor/1", "Hof/1"}
    frames = dict(zip(images.tracklets, images.frames.tolist(), strict=True))
    assert frames["Hof/1"] - frames["Tor/1"] == 60 * 25


def test_import__leaves_no_workspace_where_it_cannot_start(
    gate: tuple[Path, Path], tmp_path: Path
) -> None:
    video, _ = gate
    with pytest.raises(ConfigError, match="give the tracks of the people"):
        call("import", video, "--workspace", tmp_path / "w")
    late = tmp_path / "late.txt"
    late.write_text("99,1,11,6,20,40\n")
    with pytest.raises(Exception, match=r"names frame 99, but gate.mp4 has 3 frames"):
        call("import", video, "--tracks", late, "--workspace", tmp_path / "w")
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize("size", ["1920", "wide", "axb"])
def test_import__track_size_is_two_numbers(gate: tuple[Path, Path], size: str) -> None:
    with pytest.raises(ConfigError, match=r"--track-size is .*1920x1080"):
        call("import", gate[0], "--tracks", gate[1], "--track-size", size, "--dry-run")
    half = call("import", gate[0], "--tracks", gate[1], "--track-size", "192x128", "--dry-run")
    assert "boxes are scaled by 0.5" in half.stdout  # as the message says


def test_import__ids_of_people_do_not_mix_with_others(
    gate: tuple[Path, Path], tmp_path: Path
) -> None:
    frames = write_frames(tmp_path / "people", [1, 2], (16, 32))
    samples = tuple(Sample(frames / f"00000{n}.png", pid=n, camid=n) for n in (1, 2))
    with Workspace.create(tmp_path / "w") as workspace:
        workspace.add_dataset(Dataset("people", "folders", frames, samples))
    arguments = ("import", gate[0], "--tracks", gate[1], "--workspace", tmp_path / "w")
    with pytest.raises(ConfigError, match=r"2 images .* --same-place"):
        call(*arguments, "--ids-are-people")
    call(*arguments, "--ids-are-people", "--same-place")  # the advice works
    with Workspace.open(tmp_path / "w") as workspace:
        assert sorted(workspace.images().pids.tolist()) == [1, 1, 2]
