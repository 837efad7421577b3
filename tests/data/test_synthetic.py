"""Invented people: repeatable, named as in Market-1501, and neither trivial nor hopeless."""

import hashlib
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pul.data.datasets import Dataset, read_dataset
from pul.data.samples import parse_name
from pul.data.synthetic import SyntheticConfig, generate_dataset
from pul.data.synthetic.clothes import Cloth
from pul.data.synthetic.painting import Light, Picture
from pul.data.synthetic.people import Person, invent_person
from pul.data.synthetic.places import PLACES
from pul.data.synthetic.poses import Pose, View
from pul.data.synthetic.walkers import Box, Walker, paint_walker
from pul.errors import ConfigError, DatasetError

N_IDS, N_IMAGES = 10, 80


@pytest.fixture(scope="module")
def campus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("synthetic") / "a"
    return generate_dataset(
        root, place="a", n_train_ids=N_IDS, n_test_ids=3, n_train_images=N_IMAGES, seed=3
    )


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("synthetic") / "b"
    return generate_dataset(
        root, place="b", n_train_ids=N_IDS, n_test_ids=3, n_train_images=N_IMAGES, seed=3
    )


@pytest.fixture(scope="module")
def dataset(campus: Path) -> Dataset:
    return read_dataset(campus, format="market1501")


def tiny(root: Path, *, seed: int, **settings) -> Path:
    return generate_dataset(
        root, place="b", n_train_ids=2, n_test_ids=1, n_train_images=5, n_cameras=2, seed=seed,
        **settings,
    )  # fmt: skip


def contents(root: Path) -> dict[str, str]:
    files = sorted(root.rglob("*.jpg"))
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def pictures(dataset: Dataset) -> np.ndarray:
    """Return the training images, shape (N, 128, 64, 3), in [0, 1]."""
    return np.stack([np.asarray(Image.open(s.path)) for s in dataset.split("train")]) / 255


def test_generate_dataset__same_seed_same_bytes(tmp_path):
    first = contents(tiny(tmp_path / "first", seed=7))
    assert first == contents(tiny(tmp_path / "second", seed=7))
    assert not set(first.values()) & set(contents(tiny(tmp_path / "other", seed=8)).values())


def test_generate_dataset__every_name_parses_and_every_image_is_a_crop(campus):
    files = [path for path in campus.rglob("*") if path.is_file()]
    assert {path.parent.name for path in files} == {
        "bounding_box_train", "bounding_box_test", "query",
    }  # fmt: skip
    for path in files:
        parsed = parse_name(path.name)
        assert parsed is not None
        assert parsed.frame is not None
        with Image.open(path) as image:
            assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (64, 128))


def test_generate_dataset__counts(dataset):
    train, query, gallery = dataset.summary()
    assert (train.n_images, train.n_pids, train.n_camids) == (N_IMAGES, N_IDS, 6)
    assert (train.n_junk, train.n_distractors) == (0, 0)
    assert (query.n_pids, query.n_junk, query.n_distractors) == (3, 0, 0)
    # 3 people of 80 / 10 images each; 21 % and 29 % of them as distractors and junk
    assert (gallery.n_distractors, gallery.n_junk) == (round(0.21 * 24), round(0.29 * 24))
    assert gallery.n_images == 24 + 5 + 7


def test_generate_dataset__every_query_has_a_match_by_another_camera(dataset):
    train_pids = {sample.pid for sample in dataset.split("train")}
    seen = {(sample.pid, sample.camid) for sample in dataset.split("gallery")}
    queries = [(sample.pid, sample.camid) for sample in dataset.split("query")]
    assert len(queries) == len(set(queries))
    for pid, camid in queries:
        assert pid not in train_pids
        assert any(other == pid and camera != camid for other, camera in seen)


def test_generate_dataset__a_track_is_of_near_frames(dataset):
    frames: dict[tuple, list[int]] = {}
    for sample in dataset.split("train"):
        frames.setdefault((sample.pid, sample.camid), []).append(sample.frame)
    for track in frames.values():
        gaps = np.diff(sorted(track))
        assert ((gaps > 0) & (gaps < 50)).all()
    assert {len(track) > 1 for track in frames.values()} == {True, False}


def test_generate_dataset__appears_whole_or_not_at_all(tmp_path):
    def fail(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tiny(tmp_path / "place", seed=0, on_progress=fail)
    assert not (tmp_path / "place").exists()
    told = []
    tiny(tmp_path / "place", seed=0, on_progress=lambda done, total: told.append((done, total)))
    n_images = len(contents(tmp_path / "place"))
    assert told[-1] == (n_images, n_images)
    assert [path.name for path in tmp_path.iterdir()] == ["place"]


def test_generate_dataset__overwrites_nothing(tmp_path):
    with pytest.raises(DatasetError, match="already"):
        tiny(tmp_path, seed=0)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("place", "c"), ("n_train_ids", 0), ("n_test_ids", 5000), ("n_cameras", 7), ("seed", -1)],
)
def test_synthetic_config__refuses_what_cannot_be(setting, value):
    settings = {"place": "a", "n_train_ids": 2, "n_test_ids": 2, setting: value}
    with pytest.raises(ConfigError, match=setting):
        SyntheticConfig(**settings)


def test_synthetic_config__everyone_is_seen_twice():
    with pytest.raises(ConfigError, match="two images of a person"):
        SyntheticConfig(place="a", n_train_ids=4, n_test_ids=1, n_train_images=7)
    market = SyntheticConfig(place="a", n_train_ids=751, n_test_ids=1)
    assert round(market.images_per_id * 751) == 12_936


def test_people__are_alike_by_colour_but_not_only_by_colour(dataset):
    """Nearest neighbours of other cameras by colours: better than chance, far from perfect."""
    colours = (pictures(dataset)[:, 16:112, 20:44] * 3.999).astype(int)  # (N, 96, 24, 3)
    bins = colours[..., 0] * 16 + colours[..., 1] * 4 + colours[..., 2]
    halves = np.split(bins, 2, axis=1)  # upper and lower body
    histograms = np.stack(
        [np.concatenate([np.bincount(half[i].ravel(), minlength=64) for half in halves])
         for i in range(len(bins))]
    )  # fmt: skip
    pids = np.array([sample.pid for sample in dataset.split("train")])
    camids = np.array([sample.camid for sample in dataset.split("train")])
    distances = np.abs(histograms[:, None] - histograms[None]).sum(axis=2).astype(float)
    distances[camids[:, None] == camids[None]] = np.inf
    found = (pids[distances.argmin(axis=1)] == pids).mean()
    other_camera = camids[:, None] != camids[None]
    chance = ((pids[:, None] == pids[None]) & other_camera).sum() / other_camera.sum()
    assert 2 * chance < found < 0.95


def test_cameras__are_told_apart_by_what_surrounds_a_person(dataset):
    images = pictures(dataset)
    edges = np.concatenate([images[:, :, :6], images[:, :, -6:]], axis=2)
    colours = np.concatenate([edges.mean(axis=(1, 2)), edges.std(axis=(1, 2))], axis=1)
    camids = np.array([sample.camid for sample in dataset.split("train")])
    distances = np.linalg.norm(colours[:, None] - colours[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    found = (camids[distances.argmin(axis=1)] == camids).mean()
    chance = max(Counter(camids.tolist()).values()) / len(camids)
    assert found > 2 * chance


def test_places__differ_in_light_and_in_clothes(dataset, station):
    campus_images = pictures(dataset)
    station_images = pictures(read_dataset(station, format="market1501"))
    clothes = [images[:, 32:96, 24:40] for images in (campus_images, station_images)]
    brightness = [part.mean() for part in clothes]
    colourfulness = [(part.max(axis=3) - part.min(axis=3)).mean() for part in clothes]
    assert brightness[0] > brightness[1] + 0.1
    assert colourfulness[0] > 1.3 * colourfulness[1]


def test_view__projects_as_worked_out_by_hand():
    view = View(yaw=0, pitch=0, distance=4, foot=(32, 120), height=100, stretch=1.5)
    assert view.project(0, 1, 0) == ((32, 20), 0)
    # half a stature to the right is 0.5 * 100 * 1.5 pixels
    assert view.project(0.5, 0, 0) == ((107, 120), 0)
    # one stature nearer at a distance of four: larger by 1 / (1 - 1/4)
    (x, y), near = view.project(0.3, 0.6, 1.0)
    assert (x, y, near) == pytest.approx((32 + 60, 120 - 80, 1.0))
    turned = View(yaw=np.pi / 2, pitch=0, distance=4, foot=(32, 120), height=100, stretch=1.0)
    (x, y), near = turned.project(0.0, 0.5, 0.2)  # faces the right edge
    assert (x, y, near) == pytest.approx((52, 70, 0.0))


def test_paint_walker__a_print_shows_from_the_front_only():
    person = printed_person()
    front, back = paint(person, yaw=0.0), paint(person, yaw=np.pi)
    assert count_red(front) > 200
    assert count_red(back) == 0


def test_paint_walker__a_backpack_shows_from_the_back_only():
    person = printed_person(bag="backpack")
    assert count_red(paint(person, yaw=np.pi)) > 4 * count_red(paint(person, yaw=0.0))


def printed_person(*, bag: str = "none") -> Person:
    """Return someone in blue and grey, with one red thing: a print, or a backpack."""
    red, blue, grey = (0.9, 0.05, 0.05), (0.05, 0.05, 0.9), (0.5, 0.5, 0.5)
    someone = invent_person(np.random.default_rng(0), PLACES["a"].wardrobe)
    pattern = "print" if bag == "none" else "plain"
    return replace(
        someone,
        head=replace(someone.head, skin=grey, hair=grey, hat="none", beard=False, style="short"),
        top=replace(someone.top, kind="t-shirt", cloth=Cloth(blue, red, pattern), opening=0.0),
        bottom=replace(someone.bottom, kind="trousers", length=1.0, cloth=Cloth(blue, blue)),
        bag=replace(someone.bag, kind=bag, colour=red, accent=red),
        shoes=grey, socks=grey, soles=grey, scarf=None,
    )  # fmt: skip


def paint(person: Person, *, yaw: float) -> np.ndarray:
    picture = Picture(np.full((3, 256, 128), 0.5, dtype=np.float32), Light((0, -0.6, 0.8), 0.6))
    pose = Pose(phase=0.5, stride=0.3, lean=0.0, arms=("swing", "swing"), nod=0.0)
    walker = Walker(person, right_m=0.0, depth_m=6.0, heading=yaw, pose=pose)
    scene = PLACES["a"].cameras[0].scene
    x, y = scene.foot(0.0, 6.0)
    box = Box(left=x - 64 / 1.1, top=y - 245 / 1.1, scale=1.1, stretch=1.0)
    paint_walker(picture, walker, scene, box, (0, 0))
    return picture.pixels


def count_red(pixels: np.ndarray) -> int:
    red, green, blue = pixels
    return int(((red > 0.3) & (green < 0.15) & (blue < 0.15)).sum())
