"""Films of invented people who walk past several cameras, with their tracks and the truth."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

import numpy as np
from PIL import Image
from pydantic import Field, model_validator

from pul.config import Settings, derive_seed
from pul.data.synthetic.cameras import Camera, expose
from pul.data.synthetic.painting import Picture
from pul.data.synthetic.people import invent_person
from pul.data.synthetic.places import PLACES, PlaceName
from pul.data.synthetic.scenes import WIDTH, from_image, paint_scene, to_image
from pul.data.synthetic.walkers import Box, Walker, height_px, paint_walker, send_walker
from pul.data.tracks import TrackBox
from pul.data.video.frames import import_av
from pul.data.video.sampling import measure_hidden
from pul.errors import DatasetError

CAMERA_NAMES = ("gate", "yard", "hall", "stairs", "shop", "exit")
TRUTH = "truth"
_OPENING = datetime(2024, 5, 3, 8, 0, 0)
_EACH_S = 1.6  # somebody new comes every so many seconds
_WAY_S = 9.0  # from one camera to the next
_LONGEST_S = 8.0  # that anybody stays in a picture
_STRIDE_M = 1.4  # way of one cycle of the legs
_LOST = 0.55  # share of a person that is hidden when the tracker loses them
_BOX_ERROR = 0.015  # deviation of a tracker's edges, as a fraction of the height
_MARGIN = 0.02  # of the picture's width outside which nobody is seen


class FilmConfig(Settings):
    """What is filmed.

    Attributes:
        place: `a`, a campus in summer, or `b`, a station in winter.
        n_people: People who walk past every camera once, numbered from `first_person`.
        first_person: Number of the first of them.
        n_cameras: Cameras of the place that are used.
        fps: Frames a second.
        width: Of a frame in pixels; its height is 9/16 of it.
        seed: The same seed gives the same pictures.
    """

    place: PlaceName = "b"
    n_people: int = Field(default=12, ge=1, le=2000)
    first_person: int = Field(default=1, ge=1)
    n_cameras: int = Field(default=3, ge=1, le=len(CAMERA_NAMES))
    fps: int = Field(default=10, ge=2, le=60)
    width: int = Field(default=WIDTH, ge=160, le=WIDTH)
    seed: int = Field(default=0, ge=0, lt=2**31)

    @model_validator(mode="after")
    def _is_even(self) -> Self:
        if self.width % 32:
            raise ValueError("width must be a multiple of 32, so that both sides are even")
        return self


@dataclass(frozen=True, slots=True)
class _Visit:
    """One person's way past one camera: where they are in each frame."""

    person: int
    first: int
    walkers: tuple[Walker, ...]


def draw_films(
    folder: Path,
    config: FilmConfig,
    *,
    opening: datetime = _OPENING,
    on_progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Film people who walk past several cameras.

    For each camera there are `NAME.mp4`; `NAME.txt`, what a tracker makes of it, in MOTChallenge's
    form: edges a little off, and a new track where somebody was hidden; and `NAME_truth.txt`, the
    truth in the same form, where the id is the person's number. `cameras.toml` and `truth.toml`
    list them for `pul import`.

    Args:
        folder: Where; made if need be.
        config: What is filmed.
        opening: When the first camera starts; the others start some seconds later.
        on_progress: Called with (frames drawn, frames in all).

    Returns:
        The list of cameras with the tracker's tracks, `cameras.toml`.

    Raises:
        ConfigError: PyAV is not installed.
        DatasetError: There is something in the folder already.
    """
    import_av()
    if folder.exists() and any(folder.iterdir()):
        raise DatasetError(f"{folder} is not empty; name a folder that is not there yet.")
    folder.mkdir(parents=True, exist_ok=True)
    films = [_plan_visits(config, number) for number in range(config.n_cameras)]
    counts = [1 + max(v.first + len(v.walkers) for v in visits) for visits in films]
    done = 0
    for number, (visits, n_frames) in enumerate(zip(films, counts, strict=True)):
        name = CAMERA_NAMES[number]
        frames = _paint(config, number, visits, n_frames)
        for drawn in _write_video(folder / f"{name}.mp4", frames, config):
            if on_progress is not None:
                on_progress(done + drawn, sum(counts))
        done += n_frames
        truth = _true_boxes(config, number, visits)
        _write_truth(folder / f"{name}_{TRUTH}.txt", truth)
        _write_results(folder / f"{name}.txt", _track(config, number, truth))
    _write_lists(folder, config, opening)
    return folder / "cameras.toml"


def draw_film_set(
    folder: Path,
    *,
    n_people: int = 12,
    n_test_people: int = 8,
    n_cameras: int = 3,
    width: int = WIDTH,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Film people to adapt a model to, and other people to measure it on.

    Args:
        folder: Where; the films of the other people are in its folder `test`.
        n_people: People to adapt to.
        n_test_people: Other people, filmed an hour later; 0 films none.
        n_cameras: Cameras.
        width: Of a frame in pixels.
        seed: The same seed gives the same pictures.
        on_progress: Called with (frames drawn, frames in all) for each part.

    Returns:
        The lists of cameras: with the tracker's tracks, and of the test with the truth.

    Raises:
        ConfigError: A number is outside what is allowed, or PyAV is not installed.
        DatasetError: There is something in the folder already.
    """
    films = FilmConfig(n_people=n_people, n_cameras=n_cameras, width=width, seed=seed)
    lists = [draw_films(folder, films, on_progress=on_progress)]
    if n_test_people:
        others = films.replace(n_people=n_test_people, first_person=n_people + 1)
        opening = _OPENING + timedelta(hours=1)
        draw_films(folder / "test", others, opening=opening, on_progress=on_progress)
        lists.append(folder / "test" / f"{TRUTH}.toml")
    return lists


def _plan_visits(config: FilmConfig, number: int) -> list[_Visit]:
    """Let everybody pass a camera once; a camera further on the way sees them later."""
    rng = _chance(config, "visits", number)
    visits = []
    for index in range(config.n_people):
        person = config.first_person + index
        starts_s = index * _EACH_S + float(rng.uniform(0, 0.8))
        walkers = _walk(config, number, person)
        visits.append(_Visit(person, 1 + round(starts_s * config.fps), walkers))
    return visits


def _walk(config: FilmConfig, number: int, person: int) -> tuple[Walker, ...]:
    """Send a person straight through the picture; return where they are in each frame seen."""
    place = PLACES[config.place]
    camera = place.cameras[number]
    rng = _chance(config, "walk", person, number)
    who = invent_person(
        np.random.default_rng(derive_seed(config.seed, "person", person)), place.wardrobe
    )
    middle = send_walker(rng, who, camera.heading, camera.depth_m)
    middle = replace(
        middle,
        right_m=float(rng.uniform(-1, 1)),
        depth_m=float(np.mean(camera.depth_m)) + float(rng.uniform(-0.7, 0.7)),
        pose=replace(middle.pose, stride=float(rng.uniform(0.3, 0.5))),
    )
    step = float(rng.uniform(0.9, 1.4)) / config.fps
    half = round(_LONGEST_S * config.fps / 2)
    way = [_step(middle, step * index) for index in range(-half, half + 1)]
    seen = [_is_seen(walker, camera) for walker in way]
    first, last = half, half
    while first > 0 and seen[first - 1]:
        first -= 1
    while last < 2 * half and seen[last + 1]:
        last += 1
    return tuple(way[first : last + 1])


def _step(walker: Walker, way_m: float) -> Walker:
    return replace(
        walker,
        right_m=walker.right_m + way_m * float(np.sin(walker.heading)),
        depth_m=walker.depth_m - way_m * float(np.cos(walker.heading)),
        pose=replace(walker.pose, phase=walker.pose.phase + 2 * np.pi * way_m / _STRIDE_M),
    )


def _is_seen(walker: Walker, camera: Camera) -> bool:
    near, far = camera.depth_m
    if not near - 0.5 <= walker.depth_m <= far + 0.5:
        return False
    x, _ = camera.scene.foot(walker.right_m, walker.depth_m)
    return _MARGIN * WIDTH <= x <= (1 - _MARGIN) * WIDTH


def _paint(
    config: FilmConfig, number: int, visits: Sequence[_Visit], n_frames: int
) -> Iterator[Image.Image]:
    camera = PLACES[config.place].cameras[number]
    scene = paint_scene(camera.scene, camera.light, np.random.default_rng(number))
    scale = config.width / WIDTH
    empty = from_image(scene.resize((config.width, config.width * 9 // 16)))
    view = Box(0.0, 0.0, scale, 1.0)
    for frame in range(1, n_frames + 1):
        picture = Picture(empty.copy(), camera.light)
        here = [v.walkers[frame - v.first] for v in visits if 0 <= frame - v.first < len(v.walkers)]
        for walker in sorted(here, key=lambda walker: -walker.depth_m):
            paint_walker(picture, walker, camera.scene, view, camera.shadow)
        # The same chance for each frame: a film does not flicker.
        yield to_image(expose(np.random.default_rng(number), picture.pixels, camera.sensor))


def _write_video(path: Path, frames: Iterator[Image.Image], config: FilmConfig) -> Iterator[int]:
    av = import_av()
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=config.fps)
        stream.width, stream.height = config.width, config.width * 9 // 16
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "20", "preset": "veryfast", "threads": "1"}
        for drawn, image in enumerate(frames, start=1):
            container.mux(stream.encode(av.VideoFrame.from_image(image)))
            yield drawn
        container.mux(stream.encode())


def _true_boxes(config: FilmConfig, number: int, visits: Sequence[_Visit]) -> list[TrackBox]:
    """Return everybody's box in each frame, with the share of it that is seen."""
    boxes = [
        _box(config, number, visit.person, visit.first + index, walker)
        for visit in visits
        for index, walker in enumerate(visit.walkers)
    ]
    hidden = measure_hidden(boxes, (config.width, config.width * 9 // 16))
    return [replace(box, visibility=1 - hidden[box.frame, box.track]) for box in boxes]


def _box(config: FilmConfig, number: int, person: int, frame: int, walker: Walker) -> TrackBox:
    scale = config.width / WIDTH
    x, foot = PLACES[config.place].cameras[number].scene.foot(walker.right_m, walker.depth_m)
    height = height_px(walker)
    wide, tall = 0.46 * height, 1.08 * height
    left, top = x - wide / 2, foot + 0.03 * height - tall
    return TrackBox(str(person), frame, scale * left, scale * top, scale * wide, scale * tall)


def _track(config: FilmConfig, number: int, truth: Sequence[TrackBox]) -> list[TrackBox]:
    """Return what a tracker makes of it: numbers of its own, a new one after each gap."""
    rng = _chance(config, "tracker", number)
    by_person: dict[str, list[TrackBox]] = defaultdict(list)
    for box in truth:
        if box.visibility is not None and 1 - box.visibility < _LOST:
            by_person[box.track].append(box)
    found: list[TrackBox] = []
    n_tracks = 0
    for boxes in by_person.values():
        last = None
        for box in boxes:
            if last is None or box.frame > last + 1:
                n_tracks += 1
            last = box.frame
            edges = rng.normal(0, _BOX_ERROR * box.height, 4)
            found.append(
                replace(
                    box, track=str(n_tracks), left=box.left + edges[0], top=box.top + edges[1],
                    width=box.width + edges[2], height=box.height + edges[3],
                    confidence=float(rng.uniform(0.6, 0.99)),
                )
            )  # fmt: skip
    return sorted(found, key=lambda box: (box.frame, int(box.track)))


def _write_truth(path: Path, boxes: Sequence[TrackBox]) -> None:
    ordered = sorted(boxes, key=lambda box: (box.frame, int(box.track)))
    path.write_text("".join(f"{_columns(b)},1,1,{b.visibility:.3f}\n" for b in ordered))


def _write_results(path: Path, boxes: Sequence[TrackBox]) -> None:
    path.write_text("".join(f"{_columns(b)},{b.confidence:.3f},-1,-1,-1\n" for b in boxes))


def _columns(box: TrackBox) -> str:
    """The first six columns of MOTChallenge, where the first pixel is 1."""
    corners = (box.left + 1, box.top + 1, box.width, box.height)
    return ",".join([str(box.frame), box.track, *(f"{value:.2f}" for value in corners)])


def _write_lists(folder: Path, config: FilmConfig, opening: datetime) -> None:
    for listed, suffix in (("cameras", ""), (TRUTH, f"_{TRUTH}")):
        parts = [
            f'[[camera]]\nname = "{name}"\nvideo = "{name}.mp4"\ntracks = "{name}{suffix}.txt"\n'
            f"start = {(opening + timedelta(seconds=_WAY_S * number)).isoformat()}\n"
            for number, name in enumerate(CAMERA_NAMES[: config.n_cameras])
        ]
        (folder / f"{listed}.toml").write_text("\n".join(parts))


def _chance(config: FilmConfig, *purpose: str | int) -> np.random.Generator:
    return np.random.default_rng(derive_seed(config.seed, config.place, "film", *purpose))
