"""Checking of images, the cache of resized pixels, and thumbnails."""

import hashlib
import io
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np
from PIL import Image

from pul.arrays import ByteArray
from pul.data.datasets import Dataset, Skipped
from pul.data.decoding import DECODE_ERRORS, decode, decode_image, image_error, open_image
from pul.errors import ConfigError, ImageError, StoreError

__all__ = ["Progress", "check_images", "decode_image", "load_pixels", "thumbnail"]

Progress = Callable[[int, int], None]
_Result = TypeVar("_Result")

_MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_MAX_THUMBNAIL_BYTES = 48 * 1024

_BATCH = 32  # images a thread decodes at a time: fewer cost more in hand-over than in decoding
_MAX_THREADS = 4  # Python holds its lock between the decodes of small images: more gain nothing
_CACHE_VERSION = 1  # raise it when decoding or resizing changes: old caches are then not read
_LEFTOVER_S = 24 * 3600.0


def check_images(dataset: Dataset, *, on_progress: Progress | None = None) -> Dataset:
    """Decode every image of a dataset and leave out those that cannot be decoded.

    Args:
        dataset: The dataset.
        on_progress: Called with (images done, images in all).

    Returns:
        The dataset with the unreadable images moved to `skipped`, each with its reason, and a
        note that counts them.
    """
    paths = [sample.path for sample in dataset.samples]
    reasons = list(_in_threads(_why_unreadable, paths, on_progress))
    bad = [Skipped(path, reason) for path, reason in zip(paths, reasons, strict=True) if reason]
    if not bad:
        return dataset
    good = zip(dataset.samples, reasons, strict=True)
    return replace(
        dataset,
        samples=tuple(sample for sample, reason in good if not reason),
        skipped=(*dataset.skipped, *bad),
        notes=(*dataset.notes, f"{len(bad)} of {len(paths)} images cannot be read: left out."),
    )


def load_pixels(
    paths: Sequence[Path],
    *,
    height: int,
    width: int,
    cache_dir: Path | None,
    padding: tuple[int, int, int] | None = None,
    on_progress: Progress | None = None,
) -> ByteArray:
    """Decode images and resize them to one size, or map the result of an earlier call.

    Args:
        paths: Image files, N of them.
        height: Height in pixels.
        width: Width in pixels.
        cache_dir: Folder of the cache, made if need be; None decodes into memory and keeps nothing.
            A file there belongs to exactly these paths in this order, their sizes and times of
            change, and this height, width and padding; it may be deleted at any time.
        padding: Colour to pad an image with on both sides, so that it keeps its shape
            (`NetworkConfig.padding`); None stretches it.
        on_progress: Called with (images done, images in all); not called if the cache has them.

    Returns:
        Pixels, shape (N, height, width, 3), uint8, RGB, read-only; mapped from the disk if
        cached. Resized bilinearly with antialiasing.

    Raises:
        ImageError: An image cannot be decoded.
        StoreError: The cache cannot be written, for example because the disk is full. Nothing
            half-written is left behind.
        ConfigError: Height or width is below 1.
    """
    if height < 1 or width < 1:
        raise ConfigError(f"height and width must be at least 1, but are {height} and {width}.")
    shape = (len(paths), height, width, 3)
    if not paths or cache_dir is None:
        return _in_memory(paths, shape, padding, on_progress)
    target = cache_dir / f"pixels-{_fingerprint(paths, height, width, padding)}.npy"
    pixels = _map(target, shape)
    if pixels is None:
        _write_aside(target, shape, _resized(paths, height, width, padding, on_progress))
        pixels = _map(target, shape)
    if pixels is None:
        raise StoreError(f"The pixel cache {str(target)!r} vanished while it was being read.")
    return pixels


def thumbnail(path: Path, *, height: int = 128) -> tuple[bytes, str]:
    """Return a small picture of an image for the screen.

    Args:
        path: The image file.
        height: Height in pixels that a picture made here has at most.

    Returns:
        The bytes and their media type: the file's own where it is a still JPEG, PNG or WebP of
        at most twice that height, else a JPEG.

    Raises:
        ImageError: The image cannot be decoded.
        ConfigError: The height is below 1.
    """
    if height < 1:
        raise ConfigError(f"height must be at least 1, but is {height}.")
    own = _own_bytes(path, height)
    if own is not None:
        return own
    image = decode(path, side=2 * height)
    if image.height > height:
        width = max(1, round(image.width * height / image.height))
        image = image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=3.0)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue(), "image/jpeg"


def _own_bytes(path: Path, height: int) -> tuple[bytes, str] | None:
    try:
        with open_image(path) as image:
            media_type = _MEDIA_TYPES.get(image.format or "")
            is_small = image.height <= 2 * height and image.width <= 4 * height
            is_still = getattr(image, "n_frames", 1) == 1
            is_plain = image.mode != "CMYK"
            if media_type and is_small and is_still and is_plain and image.fp:
                image.fp.seek(0)  # opening the file again would take as long as reading it
                content = image.fp.read(_MAX_THUMBNAIL_BYTES + 1)
                if len(content) <= _MAX_THUMBNAIL_BYTES:
                    return content, media_type
    except DECODE_ERRORS as error:
        raise image_error(path, error) from error
    return None


def _why_unreadable(path: Path) -> str | None:
    try:
        decode(path)
    except ImageError as error:
        return str(error)
    return None


def _resized(
    paths: Sequence[Path],
    height: int,
    width: int,
    padding: tuple[int, int, int] | None,
    on_progress: Progress | None,
) -> Iterator[ByteArray]:
    def resize(path: Path) -> ByteArray:
        image = decode(path, side=2 * max(height, width))
        size = (width, height) if padding is None else _fitting(image, height, width)
        if image.size != size:
            # reducing_gap shrinks a large image in whole steps first; at 3 the difference to
            # the exact antialiased filter is below what 8 bits show.
            image = image.resize(size, Image.Resampling.BILINEAR, reducing_gap=3.0)
        if padding is not None and size != (width, height):
            whole = Image.new("RGB", (width, height), padding)
            whole.paste(image, ((width - size[0]) // 2, (height - size[1]) // 2))
            image = whole
        return np.asarray(image)

    return _in_threads(resize, paths, on_progress)


def _fitting(image: Image.Image, height: int, width: int) -> tuple[int, int]:
    """Return the largest (width, height) of an image's own shape inside another."""
    scale = min(width / image.width, height / image.height)
    return (
        min(width, max(1, round(image.width * scale))),
        min(height, max(1, round(image.height * scale))),
    )


def _in_threads(
    function: Callable[[Path], _Result], paths: Sequence[Path], on_progress: Progress | None
) -> Iterator[_Result]:
    """Apply a function to every path in order, never more than a few batches ahead."""

    def apply(batch: Sequence[Path]) -> list[_Result]:
        return [function(path) for path in batch]

    n_threads = min(_MAX_THREADS, os.cpu_count() or 1)
    n_ahead = _BATCH * n_threads * 2
    with ThreadPoolExecutor(n_threads) as pool:
        for start in range(0, len(paths), n_ahead):
            stop = min(start + n_ahead, len(paths))
            batches = [paths[i : min(i + _BATCH, stop)] for i in range(start, stop, _BATCH)]
            for results in pool.map(apply, batches):
                yield from results
            if on_progress is not None:
                on_progress(stop, len(paths))


def _in_memory(
    paths: Sequence[Path],
    shape: tuple[int, int, int, int],
    padding: tuple[int, int, int] | None,
    on_progress: Progress | None,
) -> ByteArray:
    pixels = np.empty(shape, dtype=np.uint8)
    for index, image in enumerate(_resized(paths, shape[1], shape[2], padding, on_progress)):
        pixels[index] = image
    pixels.setflags(write=False)
    return pixels


def _fingerprint(
    paths: Sequence[Path], height: int, width: int, padding: tuple[int, int, int] | None
) -> str:
    fit = "" if padding is None else f" {padding}"
    digest = hashlib.sha256(f"{_CACHE_VERSION} {height} {width}{fit}".encode())
    for path in paths:
        try:
            status = path.stat()
        except OSError as error:
            raise image_error(path, error) from error
        # No path holds a zero byte, so no two lists of paths run together to the same bytes.
        digest.update(b"\0" + os.fsencode(path) + b"\0")
        digest.update(f"{status.st_size} {status.st_mtime_ns}".encode())
    return digest.hexdigest()[:32]


def _map(path: Path, shape: tuple[int, ...]) -> ByteArray | None:
    """Map a whole cache file read-only; None if there is none or it is damaged."""
    try:
        pixels: ByteArray = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return pixels if pixels.shape == shape and pixels.dtype == np.uint8 else None


def _write_aside(
    target: Path, shape: tuple[int, int, int, int], images: Iterator[ByteArray]
) -> None:
    """Write images as one .npy under another name, then rename it: whole or absent."""
    folder = target.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(folder)
        handle, name = tempfile.mkstemp(prefix=".pixels-", suffix=".tmp", dir=folder)
    except OSError as error:
        raise _cache_error(folder, error) from error
    aside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            _write_npy(file, shape, images)
        aside.replace(target)
    except OSError as error:
        raise _cache_error(folder, error) from error
    finally:
        with suppress(OSError):  # it has its own name by now, or the disk refuses this too
            aside.unlink()


def _write_npy(
    file: BinaryIO, shape: tuple[int, int, int, int], images: Iterator[ByteArray]
) -> None:
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    # Written, not mapped: a full disk is an error here, but a bus error under a mapping.
    for image in images:
        file.write(image.tobytes())
    file.flush()
    os.fsync(file.fileno())


def _remove_leftovers(folder: Path) -> None:
    """Remove what builders killed a day ago or earlier left behind."""
    oldest = time.time() - _LEFTOVER_S
    for path in folder.glob(".pixels-*.tmp"):
        with suppress(OSError):
            if path.stat().st_mtime < oldest:
                path.unlink()


def _cache_error(folder: Path, error: OSError) -> StoreError:
    return StoreError(
        f"Cannot write the pixel cache in {str(folder)!r}: {error.strerror or error}. "
        "Free some space, or choose a folder that you may write to."
    )
