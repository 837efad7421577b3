"""Crops cut out of whole pictures: which part a box names, and the file that it becomes."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from pul.data.decoding import MAX_ASPECT

JPEG_QUALITY = 95
MIN_SHORT_SIDE, MIN_LONG_SIDE = 8, 16  # pixels; nobody is known again on less
_SHARPNESS_SIZE = (64, 128)

Corners = tuple[float, float, float, float]
Region = tuple[int, int, int, int]


def clip_box(corners: Corners, size: tuple[int, int]) -> Region | str:
    """Return the pixels of a picture that a box covers, or why it gives no crop.

    Edges are rounded to the nearest whole pixel, halves up; what lies outside is cut off.

    Args:
        corners: Left, top, right and lower edge in pixels; 0 is the edge of the picture.
        size: Width and height of the picture.

    Returns:
        Left, top, right, lower edge, right and lower exclusive; or the reason, for people.
    """
    left, top, right, low = (int(np.floor(edge + 0.5)) for edge in corners)
    if right <= left or low <= top:
        return "has no area"
    left, top = max(left, 0), max(top, 0)
    right, low = min(right, size[0]), min(low, size[1])
    if right <= left or low <= top:
        return "lies outside the picture"
    short, long = sorted((right - left, low - top))
    if short < MIN_SHORT_SIDE or long < MIN_LONG_SIDE:
        return f"smaller than {MIN_SHORT_SIDE}×{MIN_LONG_SIDE} pixels"
    if long > MAX_ASPECT * short:
        return f"one side is more than {MAX_ASPECT} times the other"
    return left, top, right, low


def encode_crop(image: Image.Image) -> bytes:
    """Return a crop as JPEG of quality 95, its colours at full resolution."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return buffer.getvalue()


def write_crop(path: Path, content: bytes) -> None:
    """Write a crop, whole or not at all; one that is there with the same bytes stays untouched.

    Raises:
        OSError: The disk refuses.
    """
    if path.is_file() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.part")
    aside.write_bytes(content)
    aside.replace(path)


def measure_sharpness(image: Image.Image) -> float:
    """Return the variance of the Laplacian of a crop at 64×128 pixels: more is sharper.

    At one size for all, a small crop counts as the blurred large one that it is.
    """
    grey = image.convert("L").resize(_SHARPNESS_SIZE, Image.Resampling.BILINEAR)
    pixels = np.asarray(grey, dtype=np.float32)
    middle = 4 * pixels[1:-1, 1:-1]
    around = pixels[:-2, 1:-1] + pixels[2:, 1:-1] + pixels[1:-1, :-2] + pixels[1:-1, 2:]
    return float((middle - around).var())
