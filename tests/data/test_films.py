"""Films of invented people: the truth is where they are painted, and tracks are near it."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from pul.data.synthetic.films import CAMERA_NAMES, FilmConfig, draw_film_set, draw_films
from pul.data.tracks import TrackBox, read_tracks
from pul.data.video import read_manifest
from pul.data.video.frames import open_film
from pul.errors import ConfigError, DatasetError
from tests.support.identities import overlap

SMALL = FilmConfig(n_people=3, n_cameras=2, width=320)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films") / "f"
    draw_films(folder, SMALL)
    return folder


def boxes(path: Path) -> dict[int, list[TrackBox]]:
    found: dict[int, list[TrackBox]] = {}
    for box in read_tracks(path).boxes:
        found.setdefault(box.frame, []).append(box)
    return found


@pytest.mark.parametrize("name", CAMERA_NAMES[:2])
def test_draw_films__the_truth_is_where_people_are_painted(films: Path, name: str) -> None:
    film, truth = open_film(films / f"{name}.mp4"), boxes(films / f"{name}_truth.txt")
    pictures = {
        index: np.asarray(image).astype(int) for index, image in film.read(range(len(film)))
    }
    empty = np.median(list(pictures.values()), axis=0)  # people pass, the place stays
    n_seen = 0
    for frame, here in truth.items():
        if len(here) != 1 or here[0].visibility != 1:
            continue
        (box,) = here
        changed = np.abs(pictures[frame - 1] - empty).max(axis=2) > 60
        rows, columns = np.nonzero(changed)
        middle = (columns.mean(), rows.mean())
        left, top, right, low = box.corners
        assert left < middle[0] < right
        assert top < middle[1] < low
        inside = (columns > left - 4) & (columns < right + 4) & (rows > top - 4) & (rows < low + 4)
        n_seen += inside.mean() > 0.8  # the rest are arms, bags and shadows
    assert n_seen > 10


def test_draw_films__everybody_passes_every_camera_once(films: Path) -> None:
    for name in CAMERA_NAMES[:2]:
        frames: dict[str, list[int]] = {}
        for frame, here in boxes(films / f"{name}_truth.txt").items():
            for box in here:
                frames.setdefault(box.track, []).append(frame)
        assert frames.keys() == {"1", "2", "3"}
        for seen in frames.values():
            assert sorted(seen) == list(range(min(seen), max(seen) + 1))
        assert max(map(max, frames.values())) <= len(open_film(films / f"{name}.mp4"))


def test_draw_films__a_tracker_s_boxes_are_near_the_truth_under_other_numbers(films: Path) -> None:
    for name in CAMERA_NAMES[:2]:
        truth, found = boxes(films / f"{name}_truth.txt"), boxes(films / f"{name}.txt")
        owners: dict[str, Counter[str]] = {}
        overlaps = []
        for frame, here in found.items():
            for box in here:
                best = max(truth[frame], key=lambda true: overlap(true, box))
                owners.setdefault(box.track, Counter())[best.track] += 1
                overlaps.append(overlap(best, box))
        assert np.mean(overlaps) > 0.85
        # A track is of one person, and whoever was hidden has several.
        assert sum(len(people) > 1 for people in owners.values()) <= 1
        n_boxes = sum(map(len, truth.values()))
        assert 0.7 * n_boxes < len(overlaps) <= n_boxes


def test_draw_films__lists_its_cameras(films: Path) -> None:
    cameras = read_manifest(films / "cameras.toml")
    assert [(c.name, c.video.name, c.tracks.name) for c in cameras] == [
        ("gate", "gate.mp4", "gate.txt"),
        ("yard", "yard.mp4", "yard.txt"),
    ]
    assert cameras[1].start is not None
    assert cameras[0].start is not None
    assert cameras[1].start.seconds - cameras[0].start.seconds == 9
    truth = read_manifest(films / "truth.toml")
    assert [c.tracks.name for c in truth] == ["gate_truth.txt", "yard_truth.txt"]


def test_draw_films__one_seed_one_film(tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        draw_films(tmp_path / name, FilmConfig(n_people=1, n_cameras=1, width=160, seed=seed))
    first, again, other = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in "abc"
    )
    assert first == again
    assert first["gate.txt"] != other["gate.txt"]


def test_draw_films__writes_over_nothing(films: Path) -> None:
    with pytest.raises(DatasetError, match="is not empty"):
        draw_films(films, SMALL)


def test_draw_film_set__films_other_people_to_measure_on(tmp_path: Path) -> None:
    lists = draw_film_set(tmp_path / "f", n_people=2, n_test_people=1, n_cameras=1, width=160)
    assert [path.relative_to(tmp_path).as_posix() for path in lists] == [
        *("f/cameras.toml", "f/test/truth.toml")
    ]
    assert {b.track for b in read_tracks(tmp_path / "f/test/gate_truth.txt").boxes} == {"3"}
    with pytest.raises(ConfigError, match="width must be a multiple of 32"):
        draw_film_set(tmp_path / "g", width=250)
    assert not (tmp_path / "g").exists()
