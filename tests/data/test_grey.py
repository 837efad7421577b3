"""Grey values of more than 8 bits: one range for a data set, for the model and for the screen."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pul.data.checking import check_images, grey_ranges
from pul.data.datasets import Dataset
from pul.data.decoding import decode_image
from pul.data.grey import GreyRange, GreyRanges, is_nearly_one_colour
from pul.data.images import load_pixels, thumbnail
from pul.data.samples import Sample

RAMP = np.linspace(0, 255, 64 * 32).reshape(64, 32)  # a picture in 8 bits


def save(values: np.ndarray, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)
    return path


def dataset(*paths: Path) -> Dataset:
    return Dataset("thermal", "folders", paths[0].parent, tuple(Sample(path) for path in paths))


@pytest.mark.parametrize(
    ("dtype", "factor", "suffix"),
    [
        (np.uint16, 1, "png"),
        (np.uint16, 16, "png"),  # 12 bits
        (np.uint16, 64, "tif"),  # 14 bits
        (np.uint16, 257, "png"),
        (np.uint16, 257, "pgm"),
        (np.int32, 1_000_000, "tif"),
        (np.float32, 0.01, "tif"),  # metres
        (np.float32, 300.0, "tif"),
    ],
)
def test_check_images__the_range_is_the_data_sets(
    tmp_path: Path, dtype: type, factor: float, suffix: str
) -> None:
    dark, bright = RAMP / 2, 127.5 + RAMP / 2
    paths = [
        save((values * factor).astype(dtype), tmp_path / f"{name}.{suffix}")
        for name, values in (("dark", dark), ("bright", bright))
    ]
    checked = check_images(dataset(*paths))
    for path, expected in zip(paths, (dark, bright), strict=True):
        pixels = decode_image(path, checked.ranges)
        # 0.1 % are cut off at either end: at most a level and a half, and one of rounding
        assert np.abs(pixels.astype(float) - expected[..., None]).max() < 2.5
    (note,) = checked.notes
    assert note.startswith("2 images have grey values of")
    assert checked.nearly_one_colour == ()


def test_check_images__a_hot_pixel_does_not_make_the_rest_dark(tmp_path: Path) -> None:
    values = (RAMP * 16).astype(np.uint16)
    values[3, 3] = 65535
    path = save(values, tmp_path / "a.png")
    assert check_images(dataset(path)).ranges.integer.high < 4096


def test_check_images__a_range_by_hand(tmp_path: Path) -> None:
    # 1,001 values from 0 to 10,000 in steps of 10: the 0.1st percentile is the second of them.
    path = save(np.arange(0, 10_001, 10, dtype=np.uint16).reshape(77, 13), tmp_path / "a.png")
    assert check_images(dataset(path)).ranges == GreyRanges(integer=GreyRange(10.0, 9990.0))


def test_check_images__floats_without_a_value(tmp_path: Path) -> None:
    values = (RAMP / 255).astype(np.float32)
    values[0, 0], values[0, 1], values[0, 2] = np.nan, np.inf, -np.inf
    path = save(values, tmp_path / "a.tif")
    ranges = check_images(dataset(path)).ranges
    assert 0 <= ranges.real.low < ranges.real.high <= 1
    assert decode_image(path, ranges)[0, :3, 0].tolist() == [0, 255, 0]


def test_check_images__later_images_take_the_range_that_is_settled(tmp_path: Path) -> None:
    first = save((RAMP * 16).astype(np.uint16), tmp_path / "a.png")
    settled = check_images(dataset(first)).ranges
    second = save((RAMP * 257).astype(np.uint16), tmp_path / "b.png")
    checked = check_images(dataset(second), ranges=settled)
    assert checked.ranges == settled
    outside = next(note for note in checked.notes if "outside of that range" in note)
    stored = (RAMP * 257).astype(np.uint16)
    share = ((stored < settled.integer.low) | (stored > settled.integer.high)).mean()
    assert outside.startswith(f"{share:.1%} of their pixels")
    same = check_images(dataset(first), ranges=settled)
    assert not any("outside" in note for note in same.notes)


def test_grey_ranges__of_a_folder_are_those_of_its_import(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    paths = [
        save(rng.integers(100 * n, 9000, (16, 8)).astype(np.uint16), tmp_path / f"{n:03}.png")
        for n in range(40)
    ]
    paths += [save(RAMP.astype(np.float32), tmp_path / "x.tif")]
    paths += [save(RAMP.astype(np.uint8), tmp_path / "y.jpg")]
    data = dataset(*paths)
    assert data.ranges is None
    assert grey_ranges(data) == check_images(data).ranges == grey_ranges(check_images(data))
    assert grey_ranges(dataset(paths[-1])) == GreyRanges()


def test_load_pixels__are_stretched_as_the_thumbnail_is(tmp_path: Path) -> None:
    path = save((RAMP * 16).astype(np.uint16), tmp_path / "a.png")
    ranges = check_images(dataset(path)).ranges
    pixels = load_pixels([path], height=64, width=32, cache_dir=tmp_path / "cache", ranges=ranges)
    content, media_type = thumbnail(path, ranges=ranges)
    assert media_type == "image/jpeg"
    shown = np.asarray(Image.open(io.BytesIO(content)))
    assert np.abs(shown.astype(int) - pixels[0]).mean() < 2
    assert pixels[0].mean() == pytest.approx(127.5, abs=1)
    # The cache keeps both, as another range is another picture.
    plain = load_pixels([path], height=64, width=32, cache_dir=tmp_path / "cache")
    assert plain[0].mean() < 10


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32])
@pytest.mark.parametrize("orientation", [1, 2, 3, 4, 5, 6, 7, 8])
def test_decode_image__grey_is_turned_too(tmp_path: Path, orientation: int, dtype: type) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    values = (np.arange(64 * 32).reshape(64, 32) % 256 * 16).astype(dtype)
    turned = values.T if orientation > 4 else values
    flips = {2: (1,), 3: (0, 1), 4: (0,), 6: (1,), 7: (0, 1), 8: (0,)}
    expected = np.flip(turned, flips.get(orientation, ())) / 16
    ranges = GreyRanges(GreyRange(0, 255 * 16), GreyRange(0, 255 * 16))
    for suffix in ("png", "tif") if dtype is np.uint16 else ("tif",):
        path = tmp_path / f"a.{suffix}"
        Image.fromarray(values).save(path, exif=exif)
        np.testing.assert_array_equal(decode_image(path, ranges)[..., 0], expected)
        with Image.open(io.BytesIO(thumbnail(path, ranges=ranges)[0])) as shown:
            assert shown.size == expected.shape[::-1]


@pytest.mark.parametrize(
    ("colour", "noise", "expected"),
    [
        ((0, 0, 0), 6, True),
        ((255, 255, 255), 6, True),
        ((90, 90, 90), 7, True),
        ((10, 40, 200), 6, True),
        ((90, 90, 90), 40, False),
        ((0, 0, 0), 30, False),
    ],
)
def test_is_nearly_one_colour(colour: tuple[int, ...], noise: int, expected: bool) -> None:
    rng = np.random.default_rng(1)
    pixels = np.array(colour) + rng.integers(-noise, noise + 1, (64, 32, 3))
    pixels[0, 0] = 255 - np.array(colour)  # a date that is printed in, or a dead pixel
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    spread = np.percentile(np.asarray(image).reshape(-1, 3), (1, 99), axis=0, method="lower")
    assert bool((spread[1] - spread[0] < 16).all()) is expected  # the same, by its definition
    assert is_nearly_one_colour(image) is expected


def test_check_images__names_those_that_show_nothing(tmp_path: Path, save_image) -> None:
    empty = [save(np.full((16, 8), n, np.uint8), tmp_path / f"n{n}\n.png") for n in range(7)]
    dim = save((RAMP / 100 * 257).astype(np.uint16), tmp_path / "z12.png")
    full = save((RAMP * 257).astype(np.uint16), tmp_path / "z16.png")
    good = save_image(tmp_path / "good.jpg")
    checked = check_images(dataset(*empty, dim, full, good))
    assert checked.nearly_one_colour == (*empty, dim)
    note = checked.notes[-1]
    assert note.startswith("8 images are nearly one colour")
    assert "n0\\n.png, n1\\n.png, n2\\n.png, n3\\n.png, n4\\n.png and 3 more" in note
    assert len(checked.samples) == 10  # they are said, not left out
