"""What people wear, as colours from head to foot: likeness that no network needs to be taught."""

import numpy as np
from PIL import Image

from pul.arrays import ByteArray, FloatArray, IntArray, row_blocks

HEIGHT, WIDTH = 64, 32  # pixels that are looked at
_STRIPS = 8  # from head to foot
_BINS = (8, 3, 3)  # of hue, saturation and value
N_COLOURS = _STRIPS * int(np.prod(_BINS))
_BLOCK = 64  # images at a time
_MIDDLE = 0.28  # standard deviation, in widths, of the weight that columns get around the middle


def describe_colours(pixels: ByteArray) -> FloatArray:
    """Return how much of each colour is in each strip of images of people.

    Args:
        pixels: Images, shape (N, H, W, 3), uint8, RGB.

    Returns:
        Square roots of the shares of colours within each strip, where a strip takes in half of its
        neighbours; shape (N, 576), float32, in [0, 1].
    """
    n_colours = int(np.prod(_BINS))
    n_images, height, width = pixels.shape[:3]
    rows = np.arange(height) * _STRIPS // height * n_colours
    columns = np.linspace(-0.5, 0.5, width)
    weights = np.exp(-((columns / _MIDDLE) ** 2) / 2)
    tables = _tables()
    shares = np.empty((n_images, N_COLOURS), dtype=np.float32)
    for block in row_blocks(n_images, _BLOCK):
        some = np.ascontiguousarray(pixels[block])
        # One tall picture: a call of PIL for each image takes longer than its colours.
        tall = Image.fromarray(some.reshape(-1, width, 3)).convert("HSV")
        hsv = np.asarray(tall).reshape(len(some), height, width, 3)
        bins = sum(table[hsv[..., n]] for n, table in enumerate(tables)) + rows[:, None]
        bins = bins + N_COLOURS * np.arange(len(some))[:, None, None]
        spread = np.broadcast_to(weights, bins.shape)
        sums = np.bincount(bins.ravel(), spread.ravel(), minlength=len(some) * N_COLOURS)
        shares[block] = _shares(sums.astype(np.float32).reshape(len(some), _STRIPS, n_colours))
    return shares


def _tables() -> list[IntArray]:
    """Return what each hue, saturation and value adds to the number of its colour, (256,) each."""
    levels = np.arange(256, dtype=np.int64)
    steps = (_BINS[1] * _BINS[2], _BINS[2], 1)
    return [levels * n // 256 * np.int64(step) for n, step in zip(_BINS, steps, strict=True)]


def _shares(counts: FloatArray) -> FloatArray:
    wide = counts.copy()
    wide[:, 1:] += counts[:, :-1] / 2
    wide[:, :-1] += counts[:, 1:] / 2
    shares: FloatArray = np.sqrt(wide / wide.sum(axis=2, keepdims=True))
    return shares.reshape(len(counts), -1)
