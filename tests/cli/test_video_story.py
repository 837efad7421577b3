"""The commands of docs/data.md from drawn videos to an adapted model and merged tracks."""

import re
import shlex
from collections import Counter
from pathlib import Path

import motmetrics
import numpy as np
import pytest

from pul.data.synthetic.films import CAMERA_NAMES
from pul.labelling.annotations import create
from pul.labelling.loading import read_footage
from pul.store.workspace import Workspace
from tests.cli.test_commands import call
from tests.house.test_house import ROOT
from tests.support.identities import MIN_OVERLAP, idf1, overlap, read_boxes

pytestmark = pytest.mark.slow

CAMERAS = CAMERA_NAMES[:3]
SMALLER = {
    "draw-video": ["--people", "5", "--test-people", "3", "--width", "320"],
    "run": ["--k", "5", "--iterations", "1", "--epochs", "1", "--threads", "1", "--device", "cpu"],
}


def story() -> list[list[str]]:
    """Return the commands that the page shows."""
    page = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    section = page.partition("## From videos to merged tracks")[2].partition("\n## ")[0]
    return [shlex.split(line) for line in re.findall(r"^ {4}pul (.*)$", section, re.MULTILINE)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the page's commands, on fewer and smaller pictures."""
    folder = tmp_path_factory.mktemp("story")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        (folder / "assets").symlink_to(ROOT / "assets")
        for command, *arguments in story():
            result = call(command, *arguments, *SMALLER.get(command, []))
            assert result.exit_code == 0, result.output
    return folder


def truth(folder: Path) -> dict[tuple[str, int], list]:
    return read_boxes({name: folder / "films" / f"{name}_truth.txt" for name in CAMERAS})


def before(folder: Path) -> dict[tuple[str, int], list]:
    paths = {name: folder / "films" / f"{name}.txt" for name in CAMERAS}
    return read_boxes(paths, apart=True)


def after(folder: Path, merged: str = "merged") -> dict[tuple[str, int], list]:
    return read_boxes({name: folder / merged / f"{name}.txt" for name in CAMERAS})


def test_story__is_as_long_as_the_readme_s() -> None:
    assert [command for command, *_ in story()] == [
        "draw-video",
        "import",
        "import",
        "run",
        "export",
    ]


def test_story__tracks_become_tracklets(folder: Path) -> None:
    with Workspace.open(folder / "shop") as workspace:
        images = workspace.images("train")
        footage = read_footage(images)
    tracks = {
        f"{video}/{name.split()[1]}"
        for (video, _), here in before(folder).items()
        for name, _ in here
    }
    assert set(images.tracklets) <= tracks
    assert len(set(images.tracklets)) > 0.8 * len(tracks)
    counts = Counter(images.tracklets)
    assert max(counts.values()) <= 12
    assert set(images.camids.tolist()) == {1, 2, 3}
    # Each camera starts nine seconds after the one before, and all of them have one clock.
    starts = [int(footage.frames[images.camids == camera].min()) for camera in (1, 2, 3)]
    assert 0 < starts[1] - starts[0] < 2 * 9 * 25
    assert (footage.tracklets >= 0).all()


def test_story__adapts_and_measures(folder: Path) -> None:
    with Workspace.open(folder / "shop") as workspace:
        (run,) = workspace.runs()
        baseline, first = workspace.iterations(run.run_id)
        clusters = workspace.arrays(run.run_id, 1, "clusters")["clusters"]
        tracklets = workspace.run_images(run.run_id, "train").tracklets
    assert run.config["use_tracklets"] is True
    for record in (baseline, first):
        assert record.metrics is not None
        assert record.metrics.n_queries == 3 * 3  # everybody in each camera
        assert 0.2 < record.metrics.mean_ap <= 1
    assert first.n_reliable > 0
    whole = {(name, number) for name, number in zip(tracklets, clusters.tolist(), strict=True)}
    assert len(whole) == len(set(tracklets))  # no tracklet is in two clusters


def test_story__merged_tracks_follow_people_over_cameras(folder: Path) -> None:
    known = truth(folder)
    apart, merged = idf1(known, before(folder)), idf1(known, after(folder))
    assert apart < 0.5 < merged
    # No box is lost or moved.
    for place, boxes in before(folder).items():
        corners = sorted(box.corners for _, box in boxes)
        assert sorted(box.corners for _, box in after(folder)[place]) == corners


def test_story__labels_make_them_better_still(folder: Path) -> None:
    known = truth(folder)
    owners: dict[str, Counter[str]] = {}
    for place, here in before(folder).items():
        for name, box in here:
            best = max(known.get(place, []), key=lambda pair: overlap(pair[1], box), default=None)
            if best is not None:
                owners.setdefault(name.replace(" ", "/"), Counter())[best[0]] += 1
    with Workspace.open(folder / "shop") as workspace:
        images = workspace.images("train")
        people: dict[str, list[int]] = {}
        for image, tracklet in zip(images.image_ids.tolist(), images.tracklets, strict=True):
            people.setdefault(owners[tracklet].most_common(1)[0][0], []).append(image)
        for person, mine in sorted(people.items()):
            act = create(mine, name=f"person {person}")
            workspace.append_annotation_event(act.kind, act.payload, "ann")
    call(
        "export",
        "--workspace",
        folder / "shop",
        "--format",
        "mot-tracks",
        "--out",
        folder / "labelled",
    )
    labelled = idf1(known, after(folder, "labelled"))
    assert labelled > max(0.9, idf1(known, after(folder)))


@pytest.mark.parametrize("when", [before, after])
def test_idf1__is_that_of_motmetrics(folder: Path, when) -> None:
    known, found = truth(folder), when(folder)
    names = sorted({name for here in found.values() for name, _ in here})
    number = {name: index for index, name in enumerate(names)}  # motmetrics takes numbers only
    accumulator = motmetrics.MOTAccumulator(auto_id=True)
    for place in sorted(known.keys() | found.keys()):
        people, here = known.get(place, []), found.get(place, [])
        table = np.array([[1 - overlap(a, b) for _, b in here] for _, a in people])
        far = np.where(table > 1 - MIN_OVERLAP, np.nan, table) if table.size else table
        accumulator.update(
            [int(name) for name, _ in people], [number[name] for name, _ in here], far
        )
    summary = motmetrics.metrics.create().compute(accumulator, metrics=["idf1"])
    assert idf1(known, found) == pytest.approx(float(summary["idf1"].iloc[0]), abs=1e-9)
