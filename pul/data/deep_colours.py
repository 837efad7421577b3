"""Colours of more than 8 bits, of which Pillow reads the upper byte: here both bytes are read."""

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.ImageFile import ImageFile

from pul.arrays import ByteArray

_KEY = "deep_colours"  # in the info of a loaded image
_NATIVE = "L" if sys.byteorder == "little" else "B"
# Read with its bytes the other way round, Pillow's upper byte is the lower one.
_OTHER_WAY = {"B": "L", "L": "B", "N": "B" if _NATIVE == "L" else "L"}


def has_deep_colours(image: Image.Image) -> bool:
    """Whether an image has colours of 16 bits; asked before it is loaded, or after `load`."""
    return _KEY in image.info or _raw_mode(image) is not None


def deep_colours(image: Image.Image) -> NDArray[np.uint16] | None:
    """Return the colours of 16 bits of an image that `load` loaded, shape (H, W, 3)."""
    found: NDArray[np.uint16] | None = image.info.get(_KEY)
    return found


def load(image: ImageFile, again: ImageFile | None) -> None:
    """Load an image; its colours of 16 bits, if it has some, are kept beside its pixels.

    Args:
        image: The image, opened.
        again: The same file opened once more, where `has_deep_colours` holds.
    """
    if again is None or _raw_mode(image) is None:
        image.load()
        return
    again.tile = [tile._replace(args=_swapped(tile.args)) for tile in again.tile]
    image.load()
    again.load()
    upper, lower = (_rgb(each).astype(np.uint16) for each in (image, again))
    image.info[_KEY] = upper * 256 + lower


def _rgb(image: Image.Image) -> ByteArray:
    return np.asarray(image)[..., :3]


def _raw_mode(image: Image.Image) -> str | None:
    """Return how the bytes of a 16-bit colour image lie in its file; None for all others."""
    tiles = getattr(image, "tile", None)
    if image.mode not in ("RGB", "RGBA") or not tiles:
        return None
    args: Any = tiles[0].args
    raw = args if isinstance(args, str) else args[0] if args else ""
    is_deep = isinstance(raw, str) and raw[:-1].endswith(";16") and raw.startswith("RGB")
    return raw if is_deep else None


def _swapped(args: Any) -> Any:
    if isinstance(args, str):
        return args[:-1] + _OTHER_WAY[args[-1]]
    return (args[0][:-1] + _OTHER_WAY[args[0][-1]], *args[1:])
