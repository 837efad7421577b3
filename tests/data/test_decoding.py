"""Decoding of pictures of any kind, upright and in eight bits."""

import contextlib
import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from pul.data.images import decode_image
from pul.errors import ImageError

# Two rows of three pixels that differ from one another, for turns that can be read off by eye.
SIX = np.array(
    [[[10, 0, 0], [20, 0, 0], [30, 0, 0]], [[40, 0, 0], [50, 0, 0], [60, 0, 0]]], dtype=np.uint8
)


def save(array: np.ndarray, path: Path, mode: str | None = None, **options: object) -> Path:
    Image.fromarray(array, mode).save(path, **options)
    return path


def png_header(width: int, height: int) -> bytes:
    """Return the start of a PNG that claims this size."""
    body = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    checksum = zlib.crc32(b"IHDR" + body)
    chunk = struct.pack(">I", len(body)) + b"IHDR" + body + struct.pack(">I", checksum)
    data = zlib.compress(b"\0" * 100)
    idat = struct.pack(">I", len(data)) + b"IDAT" + data
    return b"\x89PNG\r\n\x1a\n" + chunk + idat + struct.pack(">I", zlib.crc32(b"IDAT" + data))


def test_decode_image__rgb_is_exact(tmp_path: Path) -> None:
    pixels = decode_image(save(SIX, tmp_path / "a.png"))
    np.testing.assert_array_equal(pixels, SIX)
    assert pixels.dtype == np.uint8


def test_decode_image__suffix_that_lies(tmp_path: Path) -> None:
    path = save(SIX, tmp_path / "a.png").rename(tmp_path / "a.jpg")
    np.testing.assert_array_equal(decode_image(path), SIX)


@pytest.mark.parametrize(
    ("orientation", "red"),
    [
        (1, [[10, 20, 30], [40, 50, 60]]),
        (2, [[30, 20, 10], [60, 50, 40]]),
        (3, [[60, 50, 40], [30, 20, 10]]),
        (4, [[40, 50, 60], [10, 20, 30]]),
        (5, [[10, 40], [20, 50], [30, 60]]),
        (6, [[40, 10], [50, 20], [60, 30]]),
        (7, [[60, 30], [50, 20], [40, 10]]),
        (8, [[30, 60], [20, 50], [10, 40]]),
    ],
)
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_decode_image__exif_orientation(
    tmp_path: Path, orientation: int, red: list[list[int]], suffix: str
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(SIX, tmp_path / f"a.{suffix}", exif=exif)
    np.testing.assert_array_equal(decode_image(path)[..., 0], red)


def test_decode_image__grey_16_bit_is_scaled(tmp_path: Path) -> None:
    grey = np.array([[0, 257, 65535]], dtype=np.uint16)
    for suffix in ("png", "tif"):
        pixels = decode_image(save(grey, tmp_path / f"a.{suffix}"))
        np.testing.assert_array_equal(pixels[0, :, 0], [0, 1, 255])
        np.testing.assert_array_equal(pixels[0, :, 2], [0, 1, 255])


def test_decode_image__float_tiff_is_scaled(tmp_path: Path) -> None:
    grey = np.array([[0.0, 0.2, 1.0, np.nan]], dtype=np.float32)
    pixels = decode_image(save(grey, tmp_path / "a.tif"))
    np.testing.assert_array_equal(pixels[0, :, 1], [0, 51, 255, 0])


def test_decode_image__transparent_is_white(tmp_path: Path) -> None:
    rgba = np.array([[[9, 8, 7, 255], [9, 8, 7, 0]]], dtype=np.uint8)
    pixels = decode_image(save(rgba, tmp_path / "a.png"))
    np.testing.assert_array_equal(pixels, [[[9, 8, 7], [255, 255, 255]]])


def test_decode_image__palette_with_transparency(tmp_path: Path) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([1, 2, 3, 200, 100, 50])
    image.putpixel((1, 0), 1)
    image.save(tmp_path / "a.png", transparency=0)
    np.testing.assert_array_equal(
        decode_image(tmp_path / "a.png"), [[[255, 255, 255], [200, 100, 50]]]
    )


def test_decode_image__cmyk(tmp_path: Path) -> None:
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=95)
    pixel = decode_image(tmp_path / "a.jpg")[8, 8].astype(int)
    assert pixel[0] > 245
    assert pixel[1:].max() < 10


def test_decode_image__one_bit_and_grey(tmp_path: Path) -> None:
    Image.new("1", (16, 16), 1).save(tmp_path / "a.png")
    Image.new("L", (16, 16), 77).save(tmp_path / "b.png")
    assert (decode_image(tmp_path / "a.png") == 255).all()
    assert (decode_image(tmp_path / "b.png") == 77).all()


def test_decode_image__animation_gives_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 4), color) for color in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(decode_image(tmp_path / "a.gif")[0, 0], [255, 0, 0])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"no image at all", "damaged, or no image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "damaged, or no image"),
        (png_header(100_000, 100_000), "more than 64,000,000"),
        (png_header(30_000, 3_000), "more than 64,000,000"),
        (png_header(1_000, 2), "more than 50 times"),
        (png_header(50, 50), "truncated or damaged"),
    ],
)
def test_decode_image__refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "bad.png"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=message) as caught:
        decode_image(path)
    assert "bad.png" in str(caught.value)


@pytest.mark.parametrize("suffix", ["jpg", "png", "bmp", "webp", "tif", "gif"])
def test_decode_image__truncated(tmp_path: Path, save_image, suffix: str) -> None:
    path = save_image(tmp_path / f"a.{suffix}", size=(32, 64))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ImageError, match=f"a.{suffix}"):
        decode_image(path)


def test_decode_image__missing_and_folder(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="does not exist"):
        decode_image(tmp_path / "none.jpg")
    with pytest.raises(ImageError, match="not a regular file"):
        decode_image(tmp_path)


def test_decode_image__pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jpg")
    with pytest.raises(ImageError, match="not a regular file"):
        decode_image(tmp_path / "a.jpg")


@pytest.mark.parametrize("suffix", ["jpg", "png", "bmp", "webp", "tif", "gif", "ppm"])
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_decode_image__damaged_bytes_give_pixels_or_image_error(
    tmp_path: Path, suffix: str, data: st.DataObject
) -> None:
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    options = {} if suffix in ("bmp", "gif", "ppm") else {"exif": exif}
    noise = np.random.default_rng(0).integers(0, 256, (16, 8, 3), dtype=np.uint8)
    kind = {"jpg": "JPEG", "tif": "TIFF"}.get(suffix, suffix.upper())
    Image.fromarray(noise).save(buffer, kind, **options)
    content = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(content)
    with contextlib.suppress(ImageError):
        assert decode_image(path).shape[2:] == (3,)
