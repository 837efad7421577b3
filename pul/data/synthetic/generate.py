"""A whole data set of invented people in the layout of Market-1501."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from typing import Literal, Self, get_args

import numpy as np
from PIL import Image
from pydantic import Field, model_validator

from pul.arrays import IntArray
from pul.config import Settings, derive_seed
from pul.data.synthetic.cameras import Mishaps, take_crop
from pul.data.synthetic.people import Person, invent_person
from pul.data.synthetic.places import PLACES, PlaceName
from pul.data.synthetic.scenes import paint_scene
from pul.data.synthetic.walkers import Walker, send_walker
from pul.errors import DatasetError

Folder = Literal["bounding_box_train", "bounding_box_test", "query"]
_IMAGES_PER_ID = 12_936 / 751  # of Market-1501: 17.2
_FRAMES_APART = 25
_USUAL = Mishaps()
_HALF_BODY = Mishaps(passer_by=0.3, occlusion=0.3, box_error=0.22)


class SyntheticConfig(Settings):
    """What is generated.

    Attributes:
        place: `a`, a campus in summer, or `b`, a station in winter.
        n_train_ids: People to train on.
        n_test_ids: Other people, in query and gallery.
        n_train_images: Training images; None makes 17.2 of a person, as Market-1501 has. The
            gallery has as many of a person.
        n_cameras: Cameras of the place that are used.
        distractor_share: Distractors (pid 0) in the gallery, as a share of its good images.
        junk_share: Bad detections (pid -1) in the gallery, as a share of its good images.
        seed: The same seed gives the same bytes.
    """

    place: PlaceName
    n_train_ids: int = Field(ge=1, le=5000)
    n_test_ids: int = Field(ge=1, le=4999)
    n_train_images: int | None = Field(default=None, ge=2)
    n_cameras: int = Field(default=6, ge=2, le=6)
    distractor_share: float = Field(default=0.21, ge=0, le=10)
    junk_share: float = Field(default=0.29, ge=0, le=10)
    seed: int = Field(default=0, ge=0, lt=2**31)

    @model_validator(mode="after")
    def _give_everyone_two_images(self) -> Self:
        if self.images_per_id < 2:
            raise ValueError(
                f"{self.n_train_images} images are too few for {self.n_train_ids} people, who "
                "must each be seen by two cameras; allow at least two images of a person"
            )
        return self

    @property
    def images_per_id(self) -> float:
        """Images of a person in train, and in the gallery."""
        n_images = self.n_train_images
        return _IMAGES_PER_ID if n_images is None else n_images / self.n_train_ids


def generate_dataset(
    root: Path,
    *,
    place: PlaceName,
    n_train_ids: int,
    n_test_ids: int,
    n_train_images: int | None = None,
    n_cameras: int = 6,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Generate a data set in the folders and by the names of Market-1501.

    Args:
        root: Where; it appears when it is whole.
        place: `a` or `b`: other cameras, other clothes, other people.
        n_train_ids: People to train on.
        n_test_ids: Other people, in query and gallery.
        n_train_images: Training images; None makes 17.2 of a person.
        n_cameras: Cameras of the place that are used.
        seed: The same seed gives the same bytes.
        on_progress: Called with images done and images in all.

    Returns:
        `root`.

    Raises:
        ConfigError: A number is outside what is allowed.
        DatasetError: There is something at `root` already.
    """
    config = SyntheticConfig(
        place=place, n_train_ids=n_train_ids, n_test_ids=n_test_ids,
        n_train_images=n_train_images, n_cameras=n_cameras, seed=seed,
    )  # fmt: skip
    if root.exists():
        raise DatasetError(f"{root} is there already; name a folder that is not there yet.")
    aside = root.with_name(root.name + ".partial")
    shutil.rmtree(aside, ignore_errors=True)
    for folder in get_args(Folder):
        (aside / folder).mkdir(parents=True)
    shots = [*_plan_train(config), *_plan_test(config), *_plan_strangers(config)]
    _take(config, shots, aside, on_progress)
    aside.rename(root)
    return root


@dataclass(frozen=True, slots=True)
class _Shot:
    """One image to take."""

    folder: Folder
    name: str
    camera: int  # from 0
    walker: Walker
    mishaps: Mishaps = _USUAL
    visible: bool = True


def _take(
    config: SyntheticConfig,
    shots: Sequence[_Shot],
    root: Path,
    on_progress: Callable[[int, int], None] | None,
) -> None:
    place = PLACES[config.place]
    scenes = _paint_scenes(config)
    for done, shot in enumerate(shots, start=1):
        rng = _chance(config, shot.folder, shot.name)
        camera, scene = place.cameras[shot.camera], scenes[shot.camera]
        crop = take_crop(
            rng, camera, scene, shot.walker, place.wardrobe, shot.mishaps, visible=shot.visible
        )
        quality = int(rng.integers(*camera.sensor.jpeg))
        crop.save(root / shot.folder / shot.name, "JPEG", quality=quality)
        if on_progress and (done % 20 == 0 or done == len(shots)):
            on_progress(done, len(shots))


def _paint_scenes(config: SyntheticConfig) -> list[Image.Image]:
    """Paint the cameras' scenes: a place stays the same whatever the seed."""
    return [
        paint_scene(camera.scene, camera.light, np.random.default_rng(index))
        for index, camera in enumerate(PLACES[config.place].cameras[: config.n_cameras])
    ]


def _plan_train(config: SyntheticConfig) -> Iterator[_Shot]:
    n_images = round(config.images_per_id * config.n_train_ids)
    counts = _spread(_chance(config, "train"), config.n_train_ids, n_images, config.n_cameras)
    for pid, camera in np.argwhere(counts):
        track = _follow(config, int(pid) + 1, int(camera), int(counts[pid, camera]))
        for name, walker in track:
            yield _Shot("bounding_box_train", name, int(camera), walker)


def _plan_test(config: SyntheticConfig) -> Iterator[_Shot]:
    n_images = round(config.images_per_id * config.n_test_ids)
    counts = _spread(_chance(config, "test"), config.n_test_ids, n_images, config.n_cameras)
    for index, camera in np.argwhere(counts):
        pid = config.n_train_ids + 1 + int(index)
        track = _follow(config, pid, int(camera), int(counts[index, camera]) + 1)
        folders: Iterator[Folder] = chain(("query",), repeat("bounding_box_test"))
        for folder, (name, walker) in zip(folders, track, strict=False):
            yield _Shot(folder, name, int(camera), walker)


def _plan_strangers(config: SyntheticConfig) -> Iterator[_Shot]:
    """Yield distractors, half bodies and false alarms."""
    place = PLACES[config.place]
    n_good = round(config.images_per_id * config.n_test_ids)
    n_distractors = round(config.distractor_share * n_good)
    for index in range(n_distractors + round(config.junk_share * n_good)):
        rng = _chance(config, "stranger", index)
        number = int(rng.integers(config.n_cameras))
        camera = place.cameras[number]
        walker = send_walker(
            rng, invent_person(rng, place.wardrobe), camera.heading, camera.depth_m
        )
        if index < n_distractors:
            yield _Shot("bounding_box_test", _name(0, number, index, 1), number, walker)
        else:
            name = _name(-1, number, index, 1)
            visible = bool(rng.random() < 0.6)
            yield _Shot("bounding_box_test", name, number, walker, _HALF_BODY, visible)


def _spread(rng: np.random.Generator, n_ids: int, n_images: int, n_cameras: int) -> IntArray:
    """Share images out among people and cameras.

    Returns:
        Images of each person by each camera, shape (n_ids, n_cameras): `n_images` in all, and
        everyone is seen by at least two cameras.
    """
    most = min(n_cameras, n_images // n_ids)
    n_seen = np.minimum(rng.integers(2, n_cameras + 1, n_ids), most)
    ranks = rng.random((n_ids, n_cameras)).argsort(axis=1).argsort(axis=1)
    seen = ranks < n_seen[:, None]
    weights = seen * rng.gamma(4.0, size=seen.shape)
    extra = rng.multinomial(n_images - int(seen.sum()), weights.ravel() / weights.sum())
    counts: IntArray = seen + extra.reshape(seen.shape)
    return counts


def _follow(
    config: SyntheticConfig, pid: int, camera: int, n_images: int
) -> Iterator[tuple[str, Walker]]:
    """Yield the names and moments of one person's way past one camera."""
    spec = PLACES[config.place].cameras[camera]
    rng = _chance(config, "track", pid, camera)
    walker = send_walker(rng, _person(config, pid), spec.heading, spec.depth_m)
    frame = int(rng.integers(1, 90_000))
    for index in range(n_images):
        yield _name(pid, camera, frame, index + 1), walker
        frame += int(rng.integers(1, 2 * _FRAMES_APART))
        walker = walker.next(rng, spec.depth_m)


def _person(config: SyntheticConfig, pid: int) -> Person:
    return invent_person(_chance(config, "person", pid), PLACES[config.place].wardrobe)


def _chance(config: SyntheticConfig, *purpose: str | int) -> np.random.Generator:
    """Return the random numbers of one purpose, whatever else is generated."""
    return np.random.default_rng(derive_seed(config.seed, config.place, *purpose))


def _name(pid: int, camera: int, frame: int, index: int) -> str:
    number = "-1" if pid < 0 else f"{pid:04d}"
    return f"{number}_c{camera + 1}s1_{frame:06d}_{index:02d}.jpg"
