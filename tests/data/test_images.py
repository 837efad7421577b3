"""Checking the images of a data set, and the cache of their pixels."""

import os
import resource
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pul.data.datasets import Dataset
from pul.data.images import check_images, decode_image, load_pixels
from pul.data.samples import Sample
from pul.errors import ConfigError, ImageError, StoreError


def save(array: np.ndarray, path: Path, mode: str | None = None, **options: object) -> Path:
    Image.fromarray(array, mode).save(path, **options)
    return path


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
