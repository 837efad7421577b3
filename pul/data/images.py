"""The cache of resized pixels, and thumbnails."""

import hashlib
import io
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image
from PIL.ImageFile import ImageFile

from pul.arrays import ByteArray
from pul.data.checking import check_images
from pul.data.decoding import (
    DECODE_ERRORS,
    MAX_DECODED_BYTES,
    DecodingRoom,
    decode,
    decode_image,
    image_error,
    open_image,
    orientation,
)
from pul.data.deep_colours import has_deep_colours
from pul.data.grey import NO_RANGES, GreyRanges
from pul.data.threads import Progress, in_threads
from pul.errors import ConfigError, StoreError

__all__ = ["Progress", "check_images", "decode_image", "fingerprint", "load_pixels", "thumbnail"]

_THUMBNAIL_ROOM = DecodingRoom(MAX_DECODED_BYTES)  # however many threads ask for pictures
_MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_MAX_THUMBNAIL_BYTES = 48 * 1024
_PLAIN_MODES = ("RGB", "L", "P", "1")
_PNG_EXIF = (b"eXIf", b"Raw profile type")  # may come after the pixels

_CACHE_VERSION = 2  # raise it when decoding or resizing changes: old caches are then not read
_LEFTOVER_S = 24 * 3600.0


def load_pixels(
    paths: Sequence[Path],
    *,
    height: int,
    width: int,
    cache_dir: Path | None,
    ranges: GreyRanges = NO_RANGES,
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
            change, and this height, width, ranges and padding; it may be deleted at any time.
        ranges: What their data set stretches grey values of more than 8 bits by.
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
        return _in_memory(paths, shape, ranges, padding, on_progress)
    target = cache_dir / f"pixels-{fingerprint(paths, height, width, ranges, padding)}.npy"
    pixels = _map(target, shape)
    if pixels is None:
        resized = _resized(paths, height, width, ranges, padding, on_progress)
        _write_aside(target, shape, resized)
        pixels = _map(target, shape)
    if pixels is None:
        raise StoreError(f"The pixel cache {str(target)!r} vanished while it was being read.")
    return pixels


def thumbnail(
    path: Path, *, height: int = 128, ranges: GreyRanges = NO_RANGES
) -> tuple[bytes, str]:
    """Return a small picture of an image for the screen, which shows what a model is given.

    Args:
        path: The image file.
        height: Height in pixels that a picture made here has at most.
        ranges: What its data set stretches grey values of more than 8 bits by.

    Returns:
        The bytes and their media type: the file's own where any program shows it as we decode it
        (a still JPEG, PNG or WebP of 8 bits, upright and opaque) and where it has at most twice
        that height, else a JPEG.

    Raises:
        ImageError: The image cannot be decoded.
        ConfigError: The height is below 1.
    """
    if height < 1:
        raise ConfigError(f"height must be at least 1, but is {height}.")
    own = _own_bytes(path, height)
    if own is not None:
        return own
    with _THUMBNAIL_ROOM.take_for(path):
        image = decode(path, side=2 * height, ranges=ranges)
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
            if media_type and is_small and _is_plain(image) and image.fp:
                image.fp.seek(0)  # opening the file again would take as long as reading it
                content = image.fp.read(_MAX_THUMBNAIL_BYTES + 1)
                is_late = image.format == "PNG" and any(mark in content for mark in _PNG_EXIF)
                if len(content) <= _MAX_THUMBNAIL_BYTES and not is_late:
                    return content, media_type
    except DECODE_ERRORS as error:
        raise image_error(path, error) from error
    return None


def _is_plain(image: ImageFile) -> bool:
    """Whether a browser shows an image as we decode it: many ignore the EXIF data of some kinds."""
    is_still = getattr(image, "n_frames", 1) == 1
    is_opaque = image.mode in _PLAIN_MODES and not image.has_transparency_data
    is_opaque &= not has_deep_colours(image)  # the screen shows them stretched, as the model does
    return is_still and is_opaque and orientation(image) == 1


def _resized(
    paths: Sequence[Path],
    height: int,
    width: int,
    ranges: GreyRanges,
    padding: tuple[int, int, int] | None,
    on_progress: Progress | None,
) -> Iterator[ByteArray]:
    def resize(path: Path) -> ByteArray:
        image = decode(path, side=2 * max(height, width), ranges=ranges)
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

    return in_threads(resize, paths, on_progress)


def _fitting(image: Image.Image, height: int, width: int) -> tuple[int, int]:
    """Return the largest (width, height) of an image's own shape inside another."""
    scale = min(width / image.width, height / image.height)
    return (
        min(width, max(1, round(image.width * scale))),
        min(height, max(1, round(image.height * scale))),
    )


def _in_memory(
    paths: Sequence[Path],
    shape: tuple[int, int, int, int],
    ranges: GreyRanges,
    padding: tuple[int, int, int] | None,
    on_progress: Progress | None,
) -> ByteArray:
    pixels = np.empty(shape, dtype=np.uint8)
    resized = _resized(paths, shape[1], shape[2], ranges, padding, on_progress)
    for index, image in enumerate(resized):
        pixels[index] = image
    pixels.setflags(write=False)
    return pixels


def fingerprint(
    paths: Sequence[Path],
    height: int,
    width: int,
    ranges: GreyRanges,
    padding: tuple[int, int, int] | None,
) -> str:
    """Return a name of image files as they are now, and of how they are decoded.

    Raises:
        ImageError: There is no such file.
    """
    stretched = f" {ranges}" if ranges != NO_RANGES else ""
    fit = "" if padding is None else f" {padding}"
    digest = hashlib.sha256(f"{_CACHE_VERSION} {height} {width}{stretched}{fit}".encode())
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
