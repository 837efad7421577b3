"""Videos whose every pixel says where it is: red is the column, green the row, blue the frame."""

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

BLUE_STEP = 8  # by frame


def picture(index: int, size: tuple[int, int]) -> Image.Image:
    """Return a frame: pixel (x, y) is (x, y, 8·index)."""
    rows, columns = np.indices((size[1], size[0]))
    blue = np.full_like(rows, BLUE_STEP * index)
    return Image.fromarray(np.stack([columns, rows, blue], axis=2).astype(np.uint8))


def write_video(
    path: Path,
    n_frames: int,
    size: tuple[int, int] = (96, 64),
    *,
    fps: int = 25,
    times_ms: Sequence[int] | None = None,
    quarter_turns: int = 0,
) -> Path:
    """Write a lossless MP4 of `picture`s.

    Args:
        path: Where.
        n_frames: Frames.
        size: Width and height as stored.
        fps: Frames a second.
        times_ms: Time of each frame, for a variable rate.
        quarter_turns: How often a player turns it by 90° counter-clockwise, as telephones say it.
    """
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264rgb", rate=fps)
        stream.width, stream.height, stream.pix_fmt = *size, "rgb24"
        stream.options = {"qp": "0", "preset": "ultrafast"}
        if times_ms is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for index in range(n_frames):
            frame = av.VideoFrame.from_image(picture(index, size))
            if times_ms is not None:
                frame.pts, frame.time_base = times_ms[index], Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    if quarter_turns:
        _turn(path, quarter_turns)
    return path


def write_frames(folder: Path, numbers: Sequence[int], size: tuple[int, int] = (96, 64)) -> Path:
    """Write images 000001.png, ... of `picture`s: the n-th of them is frame n - 1."""
    folder.mkdir(parents=True)
    for index, number in enumerate(numbers):
        picture(index, size).save(folder / f"{number:06d}.png")
    return folder


def _turn(path: Path, quarter_turns: int) -> None:
    """Write the display matrix into the track header: ISO/IEC 14496-12, 8.3.2."""
    cos, sin = {1: (0, 1), 2: (-1, 0), 3: (0, -1)}[quarter_turns]
    one = 1 << 16
    matrix = (cos * one, -sin * one, 0, sin * one, cos * one, 0, 0, 0, 1 << 30)
    content = bytearray(path.read_bytes())
    start = content.find(b"tkhd") + 4 + 4 + 20 + 16  # version 0
    content[start : start + 36] = struct.pack(">9i", *matrix)
    path.write_bytes(content)
