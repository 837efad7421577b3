"""Decoding, checking, the pixel cache and thumbnails."""

import contextlib
import io
import os
import resource
import signal
import struct
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from pul.data.datasets import Dataset
from pul.data.images import check_images, decode_image, load_pixels, thumbnail
from pul.data.samples import Sample
from pul.errors import ConfigError, ImageError, StoreError

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


def test_check_images__unreadable_are_moved(tmp_path: Path, save_image) -> None:
    good = [save_image(tmp_path / f"{i}.jpg", seed=i) for i in range(70)]
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(good[0].read_bytes()[:200])
    samples = tuple(Sample(path) for path in (*good[:40], bad, *good[40:]))
    seen: list[tuple[int, int]] = []
    checked = check_images(
        Dataset("d", "folder", tmp_path, samples),
        on_progress=lambda done, total: seen.append((done, total)),
    )
    assert [sample.path for sample in checked.samples] == good
    assert [item.path for item in checked.skipped] == [bad]
    assert "truncated" in checked.skipped[0].reason
    assert checked.notes == ("1 of 71 images cannot be read: left out.",)
    assert seen[-1] == (71, 71)
    assert seen == sorted(seen)


def test_check_images__nothing_wrong(tmp_path: Path, save_image) -> None:
    dataset = Dataset("d", "folder", tmp_path, (Sample(save_image(tmp_path / "a.png")),))
    checked = check_images(dataset)
    assert (checked.samples, checked.skipped, checked.notes) == (dataset.samples, (), ())
    assert checked.nearly_one_colour == ()


def test_load_pixels__same_size_is_exact_and_in_order(tmp_path: Path, save_image) -> None:
    paths = [save_image(tmp_path / f"{i}.png", seed=i) for i in range(100)]
    pixels = load_pixels(paths[::-1], height=16, width=8, cache_dir=None)
    expected = np.stack([np.asarray(Image.open(path)) for path in paths[::-1]])
    np.testing.assert_array_equal(pixels, expected)


def test_load_pixels__shrinks_with_antialiasing(tmp_path: Path) -> None:
    # Columns black and white in turn: without antialiasing, every other one would be left.
    stripes = np.zeros((64, 64, 3), dtype=np.uint8)
    stripes[:, ::2] = 255
    path = save(stripes, tmp_path / "a.png")
    pixels = load_pixels([path], height=16, width=16, cache_dir=None)[0].astype(int)
    assert np.abs(pixels[:, 1:-1] - 127.5).max() < 2


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_load_pixels__large_images_agree_with_the_exact_filter(tmp_path: Path, suffix: str) -> None:
    y, x = np.mgrid[0:1024, 0:512]
    waves = 127 + 60 * np.sin(x / 40)[..., None] + 60 * np.cos(y / 70)[..., None]
    path = save(np.repeat(waves, 3, axis=2).astype(np.uint8), tmp_path / f"a.{suffix}")
    pixels = load_pixels([path], height=64, width=32, cache_dir=None)[0]
    exact = Image.open(path).resize((32, 64), Image.Resampling.BILINEAR)
    assert np.abs(pixels.astype(int) - np.asarray(exact).astype(int)).max() <= 2


def test_load_pixels__cache_is_mapped_and_reused(tmp_path: Path, save_image) -> None:
    paths = [save_image(tmp_path / f"{i}.png", seed=i) for i in range(3)]
    calls: list[int] = []

    def load() -> np.ndarray:
        return load_pixels(
            paths,
            height=4,
            width=2,
            cache_dir=tmp_path / "cache",
            on_progress=lambda done, _: calls.append(done),
        )

    first, again = load(), load()
    assert calls == [3]
    assert isinstance(again, np.memmap)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first, load_pixels(paths, height=4, width=2, cache_dir=None))
    assert len(list((tmp_path / "cache").iterdir())) == 1


@pytest.mark.parametrize("cached", [True, False])
def test_load_pixels__read_only(tmp_path: Path, save_image, cached: bool) -> None:
    cache_dir = tmp_path / "cache" if cached else None
    path = save_image(tmp_path / "a.png")
    pixels = load_pixels([path], height=4, width=2, cache_dir=cache_dir)
    with pytest.raises(ValueError, match="read-only"):
        pixels[0] = 0


def test_load_pixels__key_covers_order_size_and_change(tmp_path: Path, save_image) -> None:
    cache = tmp_path / "cache"
    paths = [save_image(tmp_path / f"{i}.png", seed=i) for i in range(2)]
    for arguments in [(paths, 4, 2), (paths[::-1], 4, 2), (paths[:1], 4, 2), (paths, 2, 4)]:
        load_pixels(arguments[0], height=arguments[1], width=arguments[2], cache_dir=cache)
    assert len(list(cache.iterdir())) == 4
    save_image(paths[0], seed=9)
    os.utime(paths[0], ns=(1, 1))
    pixels = load_pixels(paths, height=16, width=8, cache_dir=cache)
    np.testing.assert_array_equal(pixels[0], decode_image(paths[0]))
    before = pixels.copy()
    save_image(paths[0], seed=10)
    os.utime(paths[0], ns=(2, 2))
    after = load_pixels(paths, height=16, width=8, cache_dir=cache)
    assert (before[0] != after[0]).any()
    np.testing.assert_array_equal(before[1], after[1])


def test_load_pixels__damaged_cache_is_rebuilt(tmp_path: Path, save_image) -> None:
    cache = tmp_path / "cache"
    path = save_image(tmp_path / "a.png")
    load_pixels([path], height=16, width=8, cache_dir=cache)
    (file,) = cache.iterdir()
    content = file.read_bytes()
    for damaged in (b"", content[:40], content[:-1]):
        file.write_bytes(damaged)
        pixels = load_pixels([path], height=16, width=8, cache_dir=cache)
        np.testing.assert_array_equal(pixels[0], decode_image(path))


def test_load_pixels__bad_image_leaves_nothing(tmp_path: Path, save_image) -> None:
    good = save_image(tmp_path / "a.png")
    bad = tmp_path / "b.png"
    bad.write_bytes(b"x")
    with pytest.raises(ImageError, match=r"b\.png"):
        load_pixels([good, bad], height=4, width=2, cache_dir=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []
    with pytest.raises(ImageError, match="does not exist"):
        load_pixels([tmp_path / "c.png"], height=4, width=2, cache_dir=tmp_path / "cache")


def test_load_pixels__full_disk_is_said_and_leaves_nothing(tmp_path: Path, save_image) -> None:
    paths = [save_image(tmp_path / f"{i}.png", seed=i) for i in range(4)]
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(StoreError, match="Free some space"):
            load_pixels(paths, height=64, width=64, cache_dir=tmp_path / "cache")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert list((tmp_path / "cache").iterdir()) == []


def test_load_pixels__cache_dir_that_is_a_file(tmp_path: Path, save_image) -> None:
    path = save_image(tmp_path / "a.png")
    with pytest.raises(StoreError, match="Cannot write the pixel cache"):
        load_pixels([path], height=4, width=2, cache_dir=path)


def test_load_pixels__builders_at_once(tmp_path: Path, save_image) -> None:
    paths = [save_image(tmp_path / f"{i}.png", seed=i) for i in range(40)]
    expected = load_pixels(paths, height=16, width=8, cache_dir=None)

    def build(_: int) -> np.ndarray:
        return load_pixels(paths, height=16, width=8, cache_dir=tmp_path / "cache")

    with ThreadPoolExecutor(4) as pool:
        for pixels in pool.map(build, range(4)):
            np.testing.assert_array_equal(pixels, expected)
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_load_pixels__leftovers_of_killed_builders_go(tmp_path: Path, save_image) -> None:
    path = save_image(tmp_path / "a.png")
    old, new = tmp_path / ".pixels-old.tmp", tmp_path / ".pixels-new.tmp"
    old.write_bytes(b"x")
    new.write_bytes(b"x")
    os.utime(old, (1, 1))
    load_pixels([path], height=4, width=2, cache_dir=tmp_path)
    assert not old.exists()
    assert new.exists()


def test_load_pixels__no_images(tmp_path: Path) -> None:
    assert load_pixels([], height=4, width=2, cache_dir=tmp_path).shape == (0, 4, 2, 3)
    assert load_pixels([], height=4, width=2, cache_dir=None).shape == (0, 4, 2, 3)


def test_load_pixels__size_below_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        load_pixels([], height=0, width=2, cache_dir=None)


def test_load_pixels__names_of_any_bytes(tmp_path: Path, save_image) -> None:
    path = save_image(tmp_path / os.fsdecode(b"a\xff\n'\".png"))
    pixels = load_pixels([path], height=16, width=8, cache_dir=tmp_path / "cache")
    np.testing.assert_array_equal(pixels[0], decode_image(path))


@pytest.mark.parametrize(
    ("suffix", "media_type"),
    [("jpg", "image/jpeg"), ("png", "image/png"), ("webp", "image/webp")],
)
def test_thumbnail__small_files_are_sent_as_they_are(
    tmp_path: Path, save_image, suffix: str, media_type: str
) -> None:
    path = save_image(tmp_path / f"a.{suffix}", size=(64, 128))
    assert thumbnail(path) == (path.read_bytes(), media_type)


@pytest.mark.parametrize("suffix", ["jpg", "bmp", "png"])
def test_thumbnail__large_or_other_kinds_become_jpeg(
    tmp_path: Path, save_image, suffix: str
) -> None:
    path = save_image(tmp_path / f"a.{suffix}", size=(300, 600))
    content, media_type = thumbnail(path, height=100)
    assert media_type == "image/jpeg"
    with Image.open(io.BytesIO(content)) as image:
        assert image.format == "JPEG"
        assert image.size == (50, 100)


def test_thumbnail__animations_and_cmyk_are_redrawn(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 4), color) for color in ("red", "blue")]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:])
    Image.new("CMYK", (4, 4)).save(tmp_path / "a.jpg")
    for name in ("a.webp", "a.jpg"):
        content, media_type = thumbnail(tmp_path / name)
        assert media_type == "image/jpeg"
        with Image.open(io.BytesIO(content)) as image:
            assert image.mode == "RGB"


def test_thumbnail__is_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "a.jpg"
    Image.new("RGB", (600, 300)).save(path, exif=exif)
    with Image.open(io.BytesIO(thumbnail(path, height=100)[0])) as image:
        assert image.size == (50, 100)


def test_thumbnail__refused(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    with pytest.raises(ImageError, match=r"a\.jpg"):
        thumbnail(tmp_path / "a.jpg")
    with pytest.raises(ConfigError, match="at least 1"):
        thumbnail(tmp_path / "a.jpg", height=0)


def test_load_pixels__progress_comes_from_the_callers_thread(tmp_path: Path, save_image) -> None:
    paths = [save_image(tmp_path / f"{i}.png") for i in range(3)]
    threads: list[int] = []
    load_pixels(
        paths,
        height=4,
        width=2,
        cache_dir=None,
        on_progress=lambda *_: threads.append(threading.get_ident()),
    )
    assert threads == [threading.get_ident()]
