"""LOMO: local maximal occurrence of joint HSV colours and of SILTP texture codes."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pul.arrays import ByteArray, DoubleArray, IntArray
from pul.errors import FeatureError
from pul.reproduce.baselines.pixels import batches, check_images
from pul.reproduce.baselines.retinex import enhance

_N_SCALES = 3
_STEP = 5  # a block is two steps high and wide: 10×10
_MIN_SIDE = 2 * _STEP * 2 ** (_N_SCALES - 1)
_COLOR_LEVELS = 8  # of each of hue, saturation and value
_RADII = (3, 5)
_TAU = 0.3
_GREY = (0.298936, 0.587043, 0.114021)  # BT.601 in six digits, as MATLAB has it
_NEIGHBORS = ((0, 1), (-1, 0), (0, -1), (1, 0))  # right, up, left, down: the digits of a code

_LOG_COUNTS = np.log1p(np.arange((2 * _STEP) ** 2 + 1))


def extract_lomo(images: ArrayLike, *, retinex: bool = False) -> DoubleArray:
    """Describe images by which colours and textures occur most in each horizontal strip.

    At 3 scales, 10×10 blocks at a step of 5 are counted into histograms: 8×8×8 joint HSV colours,
    and SILTP codes of radius 3 and 5. Blocks of the same row of blocks are merged by the maximum of
    each bin, which makes the feature robust to changes of viewpoint. With n rows of blocks at all
    scales together (40 where H = 128) the three parts have 512 n, 81 n and 81 n numbers.

    Args:
        images: RGB images, shape (N, H, W, 3), uint8, H and W at least 40. The authors take
            H = 128 and W = 48. The feature's length does not depend on W.
        retinex: Normalise illumination before colours are read. The original does, with a Retinex
            that was never published; ours is `pul.reproduce.baselines.retinex`.

    Returns:
        Features, shape (N, 674 n), float64: 26,960 numbers where H = 128. Each of the three parts
        has unit length.

    Raises:
        FeatureError: Images are misshapen or too small.

    References:
        S. Liao, Y. Hu, X. Zhu, S. Z. Li: Person re-identification by local maximal occurrence
        representation and metric learning. CVPR 2015. Without Retinex it equals the authors' code.
    """
    array = check_images(images)
    n_rows = sum(_block_counts(*array.shape[1:3]))
    n_bins = (_COLOR_LEVELS**3, *(3 ** len(_NEIGHBORS) for _ in _RADII))
    features = np.empty((len(array), n_rows * sum(n_bins)))
    for rows in batches(len(array)):
        grey = _grey(array[rows])
        colored = enhance(array[rows]) if retinex else array[rows]
        parts = [_color_part(colored), *(_texture_part(grey, radius) for radius in _RADII)]
        np.concatenate(parts, axis=1, out=features[rows])
    return features


def _block_counts(height: int, width: int) -> list[int]:
    """Return how many rows of blocks there are at each scale."""
    if min(height, width) < _MIN_SIDE:
        raise FeatureError(
            f"LOMO needs images of at least {_MIN_SIDE} × {_MIN_SIDE} pixels, not "
            f"{height} × {width}: resize them to 128 × 48 or 128 × 64."
        )
    return [(height // 2**scale) // _STEP - 1 for scale in range(_N_SCALES)]


def _color_part(images: ByteArray) -> DoubleArray:
    """Return the unit-length part of the joint HSV colours, shape (B, 512 n)."""
    histograms = []
    for hue, saturation, value in _pyramid(_color_levels(images)):
        codes = (value * _COLOR_LEVELS + saturation) * _COLOR_LEVELS + hue
        histograms.append(_max_histograms(codes, _COLOR_LEVELS**3))
    return _unit_part(histograms)


def _texture_part(grey: DoubleArray, radius: int) -> DoubleArray:
    """Return the unit-length part of the SILTP codes of one radius, shape (B, 81 n)."""
    n_codes = 3 ** len(_NEIGHBORS)
    return _unit_part(
        [_max_histograms(siltp(scaled, radius), n_codes) for scaled in _pyramid(grey)]
    )


def _color_levels(images: ByteArray) -> IntArray:
    """Return the level in [0, 8) of hue, saturation and value of each pixel, shape (3, B, H, W).

    The order of operations decides about colours on the edge of a level; it is MATLAB's.
    """
    red, green, blue = np.moveaxis(images / 255.0, -1, 0)
    value, lowest = np.maximum(np.maximum(red, green), blue), np.minimum(red, green)
    np.minimum(lowest, blue, out=lowest)
    spread = np.where(value > lowest, value - lowest, 1.0)
    hue = 2 / 3 + 1 / 6 * (red - green) / spread
    np.copyto(hue, 1 / 3 + 1 / 6 * (blue - red) / spread, where=value == green)
    np.copyto(hue, 1 / 6 * (green - blue) / spread, where=value == red)
    hue[hue < 0] += 1
    saturation = np.where(value > 0, 1 - lowest / np.where(value > 0, value, 1.0), 0.0)
    levels = np.stack([hue, saturation, value]) * _COLOR_LEVELS
    return np.minimum(levels.astype(np.int64), _COLOR_LEVELS - 1)


def _grey(images: ByteArray) -> DoubleArray:
    """Return grey images in [0, 1], shape (B, H, W), in steps of 1/255 as the original has them."""
    return np.asarray(np.floor(images @ np.array(_GREY) + 0.5) / 255)


def siltp(grey: DoubleArray, radius: int) -> IntArray:
    """Return the scale-invariant local ternary pattern of each pixel.

    Each neighbour gives a digit to the base 3: 1 where it is darker than (1 - τ) times the pixel,
    2 where it is lighter than (1 + τ) times the pixel, else 0; τ = 0.3. Right, up, left and down
    count 1, 3, 9 and 27. Beyond the edge, the pixel at the edge is repeated.

    Args:
        grey: Grey images, shape (B, H, W), not negative.
        radius: Distance of the neighbours in pixels.

    Returns:
        Codes, shape (B, H, W), values in [0, 81).
    """
    height, width = grey.shape[1:]
    padded = np.pad(grey, ((0, 0), (radius, radius), (radius, radius)), mode="edge")
    low, high = (1 - _TAU) * grey, (1 + _TAU) * grey
    codes = np.zeros(grey.shape, dtype=np.int64)
    for place, (down, right) in enumerate(_NEIGHBORS):
        top, left = radius * (1 + down), radius * (1 + right)
        neighbor = padded[:, top : top + height, left : left + width]
        digit = (neighbor < low) + 2 * (neighbor > high)
        codes += 3**place * digit
    return codes


def _pyramid(planes: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Yield planes (..., H, W) at each scale; means of whole numbers are rounded down.

    The order of the sum decides about neighbours that are just τ darker or lighter.
    """
    yield planes
    for _ in range(_N_SCALES - 1):
        height, width = (side // 2 * 2 for side in planes.shape[-2:])
        even = planes[..., :height, :width]
        left, right = even[..., ::2], even[..., 1::2]
        total = left[..., ::2, :] + left[..., 1::2, :] + right[..., ::2, :] + right[..., 1::2, :]
        planes = total // 4 if np.issubdtype(planes.dtype, np.integer) else total / 4
        yield planes


def _max_histograms(codes: IntArray, n_bins: int) -> ByteArray:
    """Count codes in each block, and take each bin's maximum along a row of blocks.

    Blocks overlap by half, so tiles of half a block are counted once and added up.

    Args:
        codes: Shape (B, H, W), values in [0, n_bins).
        n_bins: Number of codes.

    Returns:
        Counts, shape (B, rows of blocks, n_bins).
    """
    n_images, n_rows, n_columns = len(codes), codes.shape[1] // _STEP, codes.shape[2] // _STEP
    shape = (n_images, n_rows, n_columns, n_bins)
    image, row, column = np.ogrid[:n_images, : n_rows * _STEP, : n_columns * _STEP]
    tile = (image * n_rows + row // _STEP) * n_columns + column // _STEP
    cells = tile * n_bins + codes[:, : n_rows * _STEP, : n_columns * _STEP]
    counts = np.bincount(cells.ravel(), minlength=int(np.prod(shape)))
    tiles = counts.astype(np.uint8).reshape(shape)  # a block has 100 pixels
    pairs = tiles[:, :-1] + tiles[:, 1:]
    blocks = pairs[:, :, :-1] + pairs[:, :, 1:]
    return np.asarray(blocks.max(axis=2))


def _unit_part(histograms: list[ByteArray]) -> DoubleArray:
    """Return the logarithms of all scales' counts, scaled to unit length, shape (B, n · bins)."""
    flat = np.concatenate([counts.reshape(len(counts), -1) for counts in histograms], axis=1)
    logs = _LOG_COUNTS[flat]
    return np.asarray(logs / np.linalg.norm(logs, axis=1, keepdims=True))
