"""Colours of 16 bits: read whole, and stretched by the range of their data set as grey is.

The files are written here byte by byte, as Pillow writes no such image.
"""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from pul.data.checking import check_images
from pul.data.datasets import Dataset
from pul.data.decoding import decode_image, open_image
from pul.data.deep_colours import deep_colours, has_deep_colours, load
from pul.data.images import load_pixels, thumbnail
from pul.data.samples import Sample

RANDOM = np.random.default_rng(0)
COARSE = RANDOM.integers(0, 256, (16, 8, 3)).repeat(4, axis=0).repeat(4, axis=1)  # 64×32, 8 bits


def png(values: np.ndarray, path: Path) -> Path:
    """Write values (H, W, 3 or 4) of 16 bits as a PNG, each row with another filter."""
    height, width, channels = values.shape
    rows = [values[y].astype(">u2").tobytes() for y in range(height)]
    data = b""
    above, step = bytes(len(rows[0])), 2 * channels
    for y, row in enumerate(rows):
        left = bytes(step) + row[:-step]
        kind, off = [(0, bytes(len(row))), (1, left), (2, above)][y % 3]
        data += bytes([kind]) + bytes((a - b) % 256 for a, b in zip(row, off, strict=True))
        above = row

    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content))
            + name
            + content
            + struct.pack(">I", zlib.crc32(name + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(data))
        + chunk(b"IEND", b"")
    )
    return path


def tiff(values: np.ndarray, path: Path, order: str = "<") -> Path:
    """Write values (H, W, 3) of 16 bits as an uncompressed TIFF, in either order of bytes."""
    height, width, _ = values.shape
    data = values.astype(f"{order}u2").tobytes()
    end = 8 + 2 + 12 * 10 + 4
    fields = [(256, 3, 1, width), (257, 3, 1, height), (258, 3, 3, end), (259, 3, 1, 1)]
    fields += [(262, 3, 1, 2), (273, 4, 1, end + 6), (277, 3, 1, 3), (278, 3, 1, height)]
    fields += [(279, 4, 1, len(data)), (284, 3, 1, 1)]
    out = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HIH", 42, 8, len(fields))
    for tag, kind, count, value in fields:
        is_short = kind == 3 and count == 1
        shape, content = ("HH", [value, 0]) if is_short else ("I", [value])
        packed = struct.pack(order + shape, *content)
        out += struct.pack(f"{order}HHI", tag, kind, count) + packed
    out += struct.pack(f"{order}IHHH", 0, 16, 16, 16) + data
    path.write_bytes(out)
    return path


def tiff_of_motorola(values: np.ndarray, path: Path) -> Path:
    return tiff(values, path, ">")


@pytest.mark.parametrize("write", [png, tiff, tiff_of_motorola])
def test_load__has_both_bytes(tmp_path: Path, write) -> None:
    values = RANDOM.integers(0, 65_536, (64, 32, 3)).astype(np.uint16)
    path = write(values, tmp_path / "x")
    with open_image(path) as image, open_image(path) as again:
        assert has_deep_colours(image)
        load(image, again)
        assert np.array_equal(deep_colours(image), values)


@pytest.mark.parametrize("write", [png, tiff])
@pytest.mark.parametrize("factor", [1, 16, 64, 257])
def test_check_images__colours_are_stretched_by_one_range(
    tmp_path: Path, write, factor: int
) -> None:
    """8, 12, 14 and 16 bits in 16; one picture is dark, the other bright, and stays so."""
    pictures = COARSE // 2, 127 + COARSE // 2
    paths = [write(v * factor, tmp_path / f"{n}.img") for n, v in enumerate(pictures)]
    samples = tuple(Sample(path) for path in paths)
    checked = check_images(Dataset("deep", "folders", tmp_path, samples))
    (note,) = checked.notes
    assert note.startswith("2 images have colours of 16 bits: ")
    low, high = checked.ranges.colour.low / factor, checked.ranges.colour.high / factor
    for path, values in zip(paths, pictures, strict=True):
        expected = np.clip((values - low) / (high - low), 0, 1) * 255
        assert np.abs(decode_image(path, checked.ranges) - expected).max() <= 0.51
    model = load_pixels(paths, height=64, width=32, cache_dir=None, ranges=checked.ranges)
    assert np.array_equal(model[0], decode_image(paths[0], checked.ranges))
    media_type = thumbnail(paths[0], ranges=checked.ranges)[1]
    assert media_type == "image/jpeg"  # not the file itself, which a browser shows otherwise


def test_decode_image__a_picture_of_no_data_set_has_all_16_bits(tmp_path: Path) -> None:
    path = png(COARSE.astype(np.uint16) * 257, tmp_path / "x.png")
    assert np.array_equal(decode_image(path), COARSE)


def test_decode_image__transparent_pixels_become_white(tmp_path: Path) -> None:
    alpha = np.full((64, 32, 1), 65_535)
    alpha[:32] = 0
    path = png(np.concatenate([COARSE * 257, alpha], axis=2), tmp_path / "x.png")
    pixels = decode_image(path)
    assert (pixels[:32] == 255).all()
    assert np.array_equal(pixels[32:], COARSE[32:])
