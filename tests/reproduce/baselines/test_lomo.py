import itertools
from math import floor, log, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pul.arrays import ByteArray, DoubleArray
from pul.errors import FeatureError
from pul.reproduce.baselines.lomo import extract_lomo, siltp

RED, BLUE = (255, 0, 0), (0, 0, 255)
RED_BIN = 7 * 64 + 7 * 8 + 0  # value and saturation full, hue 0
BLUE_BIN = 7 * 64 + 7 * 8 + 5  # hue 2/3: floor(8 · 2/3)


def plain(color: tuple[int, int, int], height: int, width: int) -> ByteArray:
    return np.full((1, height, width, 3), color, dtype=np.uint8)


def random_images(*shape: int, seed: int = 0) -> ByteArray:
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)


# Codes


def test_siltp__patch_by_hand() -> None:
    # The pixel is 100: darker is below 70, lighter above 130.
    patch = [
        [0, 140, 0],
        [60, 100, 120],
        [0, 131, 0],
    ]
    # right 120: 0; up 140: 2 · 3; left 60: 1 · 9; down 131: 2 · 27
    assert siltp(np.array([patch], dtype=np.float64), 1)[0, 1, 1] == 6 + 9 + 54


def test_siltp__repeats_the_edge() -> None:
    grey = np.array([[[10.0, 100.0]]])
    # the left pixel sees itself up, left and down, and a lighter one at its right
    assert siltp(grey, 3).tolist() == [[[2, 1 * 9]]]


def test_siltp__radius_is_the_distance() -> None:
    grey = np.ones((1, 7, 7))
    grey[0, 3, 6] = 2.0
    assert siltp(grey, 3)[0, 3, 3] == 2
    assert siltp(grey, 2)[0, 3, 3] == 0


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), power=st.integers(-6, 6))
def test_siltp__is_the_same_in_any_light(seed: int, power: int) -> None:
    grey = np.random.default_rng(seed).random((1, 9, 8))
    np.testing.assert_array_equal(siltp(grey * 2.0**power, 3), siltp(grey, 3))


# Features


def test_extract_lomo__one_color_by_hand() -> None:
    feature = extract_lomo(plain(RED, 128, 64))[0]
    # 24 + 11 + 5 rows of blocks, each with all 100 pixels in one bin of every histogram
    expected = np.zeros(40 * (512 + 81 + 81))
    expected[RED_BIN : 40 * 512 : 512] = 1 / sqrt(40)
    expected[40 * 512 :: 81] = 1 / sqrt(40)
    np.testing.assert_allclose(feature, expected, atol=1e-12)


def test_extract_lomo__two_colors_by_hand() -> None:
    images = plain(RED, 40, 40)
    images[:, :, 20:] = BLUE
    colors = extract_lomo(images)[0, : 11 * 512].reshape(11, 512)
    # 7 and 3 rows of blocks at scales 1 and 2 have blocks all red and all blue; the one block of
    # scale 3 is half of each
    counts = np.array([log(101)] * 10 + [log(51)])
    length = sqrt(2 * np.sum(counts**2))
    np.testing.assert_allclose(colors[:, RED_BIN], counts / length, atol=1e-12)
    np.testing.assert_allclose(colors[:, BLUE_BIN], counts / length, atol=1e-12)
    assert np.count_nonzero(colors) == 22


def test_extract_lomo__128_pixels_high_has_26960_numbers() -> None:
    for width in (48, 64):
        feature = extract_lomo(random_images(1, 128, width))[0]
        assert feature.shape == (26_960,)
        for part in np.split(feature, [20_480, 23_720]):
            assert np.linalg.norm(part) == pytest.approx(1)


def test_extract_lomo__equals_loops() -> None:
    images = random_images(2, 45, 52)
    images[1] //= 8  # dark: many hues and saturations, few values
    expected = [_reference_lomo(image) for image in images]
    np.testing.assert_allclose(extract_lomo(images), expected, atol=1e-12)


def test_extract_lomo__each_image_by_itself() -> None:
    images = random_images(35, 40, 40)
    together = extract_lomo(images)
    for index in (0, 15, 16, 34):
        np.testing.assert_array_equal(together[index], extract_lomo(images[index : index + 1])[0])


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_extract_lomo__colors_bear_a_mirror(seed: int) -> None:
    images = random_images(1, 40, 40, seed=seed) // 64 * 64  # blocks of a row map to one another
    colors = slice(0, 11 * 512)
    np.testing.assert_array_equal(
        extract_lomo(images)[:, colors], extract_lomo(images[:, :, ::-1])[:, colors]
    )


def test_extract_lomo__retinex_changes_colors_alone() -> None:
    images = random_images(1, 40, 40)
    plainly, enhanced = extract_lomo(images)[0], extract_lomo(images, retinex=True)[0]
    assert not np.allclose(plainly[: 11 * 512], enhanced[: 11 * 512])
    np.testing.assert_array_equal(plainly[11 * 512 :], enhanced[11 * 512 :])


def test_extract_lomo__no_images() -> None:
    assert extract_lomo(np.empty((0, 128, 48, 3), dtype=np.uint8)).shape == (0, 26_960)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((1, 39, 64, 3), dtype=np.uint8), "at least 40 × 40 pixels, not 39 × 64"),
        (np.zeros((128, 48, 3), dtype=np.uint8), r"shape \(N, H, W, 3\)"),
        (np.zeros((1, 128, 48, 3)), "but are float64"),
    ],
)
def test_extract_lomo__says_what_is_wrong(images: np.ndarray, message: str) -> None:
    with pytest.raises(FeatureError, match=message):
        extract_lomo(images)


# An independent implementation, pixel by pixel


def _reference_lomo(image: ByteArray) -> DoubleArray:
    hsv = [[_hsv_levels(*(int(c) for c in pixel)) for pixel in row] for row in image]
    grey = [
        [floor(0.298936 * r + 0.587043 * g + 0.114021 * b + 0.5) / 255 for r, g, b in row]
        for row in image.astype(float).tolist()
    ]
    parts = [
        _reference_part(np.array(hsv), lambda plane: plane @ [1, 8, 64], 512, floored=True),
        *(
            _reference_part(np.array(grey), lambda plane, r=r: _reference_siltp(plane, r), 81)
            for r in (3, 5)
        ),
    ]
    return np.concatenate(parts)


def _hsv_levels(r: int, g: int, b: int) -> list[int]:
    """In whole numbers; pixels on the very edge of a level are nudged as the doubles fall."""
    top, spread = max(r, g, b), max(r, g, b) - min(r, g, b)
    scaled = [channel / 255 for channel in (r, g, b)]
    high, low = max(scaled), min(scaled)
    width = high - low
    if spread == 0:
        hue = 0.0
    elif r == top:
        hue = 1 / 6 * (scaled[1] - scaled[2]) / width
    elif g == top:
        hue = 1 / 3 + 1 / 6 * (scaled[2] - scaled[0]) / width
    else:
        hue = 2 / 3 + 1 / 6 * (scaled[0] - scaled[1]) / width
    hue += hue < 0
    saturation = 1 - low / high if high else 0.0
    return [min(floor(8 * value), 7) for value in (hue, saturation, high)]


def _reference_part(plane, codes_of, n_bins: int, *, floored: bool = False) -> DoubleArray:
    logs: list[float] = []
    for scale in range(3):
        codes = codes_of(plane).astype(int)
        height, width = codes.shape
        for y in range(0, height - 9, 5):
            best = [0] * n_bins
            for x in range(0, width - 9, 5):
                counts = [0] * n_bins
                for code in codes[y : y + 10, x : x + 10].ravel():
                    counts[code] += 1
                best = [max(pair) for pair in zip(best, counts, strict=True)]
            logs += [log(1 + count) for count in best]
        if scale < 2:
            plane = _reference_pool(plane, floored)
    return np.array(logs) / sqrt(sum(value**2 for value in logs))


def _reference_pool(plane, floored: bool):
    half = np.zeros((plane.shape[0] // 2, plane.shape[1] // 2, *plane.shape[2:]))
    for y, x in np.ndindex(half.shape[:2]):
        corners = [plane[2 * y + dy, 2 * x + dx] for dx, dy in itertools.product((0, 1), (0, 1))]
        half[y, x] = sum(corners[1:], corners[0]) / 4
    return np.floor(half) if floored else half


def _reference_siltp(grey, radius: int):
    height, width = grey.shape
    codes = np.zeros(grey.shape)
    for y, x in np.ndindex(height, width):
        for digit, (dy, dx) in enumerate([(0, 1), (-1, 0), (0, -1), (1, 0)]):
            ny = min(max(y + radius * dy, 0), height - 1)
            nx = min(max(x + radius * dx, 0), width - 1)
            if grey[ny, nx] < (1 - 0.3) * grey[y, x]:
                codes[y, x] += 3**digit
            elif grey[ny, nx] > (1 + 0.3) * grey[y, x]:
                codes[y, x] += 2 * 3**digit
    return codes
