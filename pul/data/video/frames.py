"""The frames of a film: a video file, or a folder with an image for each frame."""

import configparser
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from pul.arrays import DoubleArray
from pul.data.decoding import decode
from pul.data.readers.listing import list_images
from pul.errors import ConfigError, DatasetError

if TYPE_CHECKING:
    from av.container import InputContainer

USUAL_FPS = 25.0
SEQINFO = "seqinfo.ini"
_TURNS = {
    1: Image.Transpose.ROTATE_90,
    2: Image.Transpose.ROTATE_180,
    3: Image.Transpose.ROTATE_270,
}  # quarter turns, counter-clockwise


@dataclass(frozen=True)
class Film:
    """The frames of one camera, in the order in which they are shown.

    Attributes:
        path: The video file, or the folder of the images.
        size: Width and height of a frame as it is shown, turned upright.
        stored_size: Width and height of a frame as it is stored.
        times: Seconds of each frame since the first, shape (N,), ascending.
        images: The image of each frame; () for a video file.
        quarter_turns: How often a stored frame is turned by 90° counter-clockwise to be upright.
        notes: Remarks for people.
    """

    path: Path
    size: tuple[int, int]
    stored_size: tuple[int, int]
    times: DoubleArray
    images: tuple[Path, ...] = ()
    quarter_turns: int = 0
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.times)

    def read(self, indices: Sequence[int]) -> Iterator[tuple[int, Image.Image]]:
        """Yield (index, upright RGB picture) of some frames, by index.

        Args:
            indices: Which, from 0, ascending.

        Raises:
            DatasetError: The video cannot be decoded that far.
            ImageError: The image of a frame cannot be decoded.
        """
        if self.images:
            for index in indices:
                yield index, decode(self.images[index])
        elif indices:
            yield from _decode(self, indices)


def open_film(path: Path, *, fps: float | None = None) -> Film:
    """Look at a video file or a folder of frames, without decoding it.

    Args:
        path: A video file; or a folder of images, as MOTChallenge's `img1` or the folder around it,
            whose `seqinfo.ini` is read.
        fps: Frames a second of a folder that does not say it; a video knows the time of each frame.

    Raises:
        DatasetError: There is no video and no folder of images, or it cannot be read.
        ConfigError: PyAV, which reads videos, is not installed; or fps is not above 0.
    """
    if fps is not None and not 0 < fps <= 1000:
        raise ConfigError(f"fps must be above 0 and at most 1000, but is {fps:g}.")
    if path.is_dir():
        return _open_folder(path, fps)
    if not path.is_file():
        raise DatasetError(f"There is no video or folder of frames at {str(path)!r}.")
    return _open_video(path)


def import_av() -> Any:
    """Return PyAV.

    Raises:
        ConfigError: It is not installed; the message says how to install it.
    """
    try:
        import av
    except ImportError as error:
        raise ConfigError(
            "Reading a video needs PyAV: pip install av (or give a folder with its frames as "
            "images)."
        ) from error
    return av


def _open_folder(path: Path, fps: float | None) -> Film:
    inner = path / "img1"
    folder = inner if inner.is_dir() else path
    images = list_images(folder, root=folder).images
    if not images:
        raise DatasetError(f"The folder {str(folder)!r} holds no images that could be frames.")
    images = tuple(sorted(images, key=_frame_order))
    notes: list[str] = []
    if fps is None:
        fps = read_seqinfo(path).get("framerate")
        if fps is None:
            fps = USUAL_FPS
            notes.append(
                f"{USUAL_FPS:g} frames a second, as the folder does not say; --fps says another "
                "number."
            )
    size = decode(images[0]).size
    times = np.arange(len(images)) / fps
    return Film(path, size, size, times, images, notes=tuple(notes))


def read_seqinfo(path: Path) -> dict[str, float]:
    """Return the numbers of MOTChallenge's `seqinfo.ini` in a folder or beside it, by name."""
    for place in (path / SEQINFO, path.parent / SEQINFO):
        parser = configparser.ConfigParser()
        try:
            read = parser.read(place, encoding="utf-8-sig")
        except (configparser.Error, UnicodeDecodeError):
            continue
        if read and parser.has_section("Sequence"):
            items = parser["Sequence"].items()
            numbers = {name: _number(value) for name, value in items}
            return {name: value for name, value in numbers.items() if value and value > 0}
    return {}


def frame_number(path: Path) -> int | None:
    """Return the last number in a file's name: `cam1_000123.jpg` is frame 123."""
    numbers = re.findall(r"\d{1,18}", path.stem, re.ASCII)
    return int(numbers[-1]) if numbers else None


def _frame_order(path: Path) -> tuple[int, str]:
    number = frame_number(path)
    return (-1 if number is None else number, path.name)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _open_video(path: Path) -> Film:
    with _opened(path) as container:
        stream = container.streams.video[0]
        # Counted, as what a file says of itself is often missing or wrong.
        packets = [
            packet.pts
            for packet in container.demux(stream)
            if packet.size and not packet.is_discard
        ]
        rate = float(stream.average_rate or USUAL_FPS)
        base = float(stream.time_base or 0)
        stored_size = (stream.width, stream.height)
    with _opened(path) as container:  # again, as not every format can go back
        first = next(container.decode(video=0), None)
    if first is None or not packets:
        raise DatasetError(f"The video {str(path)!r} has no frame that can be decoded.")
    turns = round(first.rotation / 90) % 4
    size = stored_size if turns % 2 == 0 else stored_size[::-1]
    stamps = [pts for pts in packets if pts is not None]
    if len(stamps) == len(packets) and base:
        times = np.sort(np.array(stamps, dtype=np.float64)) * base
        times -= times[0]
    else:
        times = np.arange(len(packets)) / rate
    return Film(path, size, stored_size, times, (), turns, _video_notes(times, turns))


def _video_notes(times: DoubleArray, turns: int) -> tuple[str, ...]:
    notes = []
    steps = np.diff(times)
    if len(steps) and steps.max() > 1.5 * np.median(steps):
        notes.append(
            "Frames do not follow each other evenly: they are counted in the order they are shown, "
            "and their times are those in the video."
        )
    if turns:
        notes.append(f"Its frames are stored turned by {90 * turns}°: they are set upright.")
    return tuple(notes)


@contextmanager
def _opened(path: Path) -> Iterator["InputContainer"]:
    """Open a video, and word what FFmpeg says of it while it is open."""
    av = import_av()
    try:
        # Only files of this disk, whatever the name or the file says.
        with av.open(f"file:{path}", options={"protocol_whitelist": "file"}) as container:
            if not container.streams.video or container.format.name == "tty":  # text, as a picture
                raise DatasetError(f"{str(path)!r} holds no video.")
            yield container
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DatasetError(f"{str(path)!r} cannot be read as a video: {reason}.") from error


def _decode(film: Film, indices: Sequence[int]) -> Iterator[tuple[int, Image.Image]]:
    wanted = set(indices)
    last = max(wanted)
    with _opened(film.path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        index = -1
        for index, frame in enumerate(container.decode(stream)):
            if index in wanted:
                image: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]
                turn = _TURNS.get(film.quarter_turns)
                yield index, image if turn is None else image.transpose(turn)
            if index >= last:
                return
    raise DatasetError(
        f"The video {str(film.path)!r} ends after {index + 1} frames, {len(film)} were announced: "
        "it is damaged or was not copied whole."
    )
