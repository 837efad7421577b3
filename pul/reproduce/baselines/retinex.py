"""Multi-scale Retinex: normalises the illumination of the scene."""

import numpy as np
from numpy.typing import ArrayLike

from pul.arrays import ByteArray, FloatArray
from pul.reproduce.baselines.pixels import batches, check_images

_SIGMAS = (5.0, 20.0)  # surrounds of the LOMO paper, in pixels
_GAIN = 125.0  # of the colour restoration (Jobson et al.)
_STRETCH = 3.0  # standard deviations from the mean to black and to white
_MIN_SPREAD = 1e-3  # of logarithms: below it an image has no texture but rounding


def enhance(images: ArrayLike) -> ByteArray:
    """Normalise light and shadow, and preserve the colours.

    R = mean over σ of [log(1 + I) - log(1 + I * G_σ)] in each channel, times the colour restoration
    log(1 + 125 I / ΣI), stretched so that three standard deviations about the mean of an image
    fill its range.

    Args:
        images: RGB images, shape (N, H, W, 3), uint8.

    Returns:
        Images of the same shape, uint8. An image of one colour becomes mid-grey.

    Raises:
        FeatureError: Images are misshapen.

    References:
        D. Jobson, Z. Rahman, G. Woodell: A multiscale Retinex for bridging the gap between color
        images and the human observation of scenes. IEEE Trans. Image Processing 6(7), 1997.
        Scales: S. Liao et al., CVPR 2015, whose own implementation is closed: figures differ.
    """
    array = check_images(images)
    enhanced = np.empty_like(array)
    for rows in batches(len(array)):
        enhanced[rows] = _stretch(_retinex(array[rows].astype(np.float32)))
    return enhanced


def _retinex(images: FloatArray) -> FloatArray:
    logs = np.log1p(images)
    surrounds = [np.log1p(_blur(images, sigma)) for sigma in _SIGMAS]
    detail = logs - sum(surrounds) / len(surrounds)
    total = images.sum(axis=3, keepdims=True)
    return np.asarray(detail * np.log1p(_GAIN * images / np.maximum(total, 1)))


def _blur(images: FloatArray, sigma: float) -> FloatArray:
    """Blur by a Gaussian of which only the part within the image counts, shape (B, H, W, 3)."""
    height, width = images.shape[1:3]
    down = np.einsum("ij,bjwc->biwc", _gaussian(height, sigma), images, optimize=True)
    return np.asarray(np.einsum("ij,bhjc->bhic", _gaussian(width, sigma), down, optimize=True))


def _gaussian(side: int, sigma: float) -> FloatArray:
    """Return the weight of each pixel of a line for each, rows sum to 1, shape (side, side)."""
    offsets = np.subtract.outer(np.arange(side), np.arange(side))
    weights = np.exp(-(offsets**2) / (2 * sigma**2))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float32)


def _stretch(planes: FloatArray) -> ByteArray:
    mean = planes.mean(axis=(1, 2, 3), keepdims=True)
    spread = planes.std(axis=(1, 2, 3), keepdims=True)
    scaled = 0.5 + (planes - mean) / (2 * _STRETCH * np.maximum(spread, _MIN_SPREAD))
    return np.asarray(np.clip(np.round(255 * scaled), 0, 255), dtype=np.uint8)
