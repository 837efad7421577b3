import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from pul.arrays import ByteArray, DoubleArray
from pul.errors import FeatureError
from pul.reproduce.baselines.retinex import enhance


def test_enhance__one_color_is_mid_grey() -> None:
    images = np.full((1, 20, 10, 3), (200, 90, 10), dtype=np.uint8)
    assert np.abs(enhance(images).astype(int) - 127.5).max() <= 0.5


def test_enhance__evens_out_a_shadow() -> None:
    rng = np.random.default_rng(0)
    texture = rng.integers(120, 200, (1, 64, 64, 3))
    images = texture.copy()
    images[:, :, 32:] //= 3
    before, after = (_contrast(array) for array in (images, enhance(images.astype(np.uint8))))
    assert after < before / 2


def _contrast(images) -> float:
    """Difference of the halves in units of the spread within the left one."""
    left, right = images[:, :, :26].astype(float), images[:, :, 38:].astype(float)
    return abs(left.mean() - right.mean()) / left.std()


def test_enhance__equals_the_formula() -> None:
    images = np.random.default_rng(1).integers(0, 256, (2, 30, 18, 3), dtype=np.uint8)
    for image, enhanced in zip(images, enhance(images), strict=True):
        difference = enhanced.astype(float) - _reference_retinex(image)
        assert np.abs(difference).max() <= 0.51  # rounding


def _reference_retinex(image: ByteArray) -> DoubleArray:
    pixels = image.astype(np.float64)
    detail = np.zeros(image.shape)
    for channel in range(3):
        plane = pixels[..., channel]
        for sigma in (5.0, 20.0):
            options = {"sigma": sigma, "mode": "constant", "truncate": 10}
            inside = gaussian_filter(np.ones(plane.shape), **options)
            surround = gaussian_filter(plane, **options) / inside
            detail[..., channel] += (np.log(1 + plane) - np.log(1 + surround)) / 2
    total = np.maximum(pixels.sum(axis=2, keepdims=True), 1)
    restored = detail * np.log(1 + 125 * pixels / total)
    return np.clip(255 * (0.5 + (restored - restored.mean()) / (6 * restored.std())), 0, 255)


def test_enhance__says_what_is_wrong() -> None:
    with pytest.raises(FeatureError, match="but are float64"):
        enhance(np.zeros((1, 8, 8, 3)))
