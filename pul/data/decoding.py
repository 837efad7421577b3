"""Decoding of image files of all kinds, sound or damaged, to upright RGB."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISREG
from threading import Condition

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.ImageFile import ImageFile

from pul.arrays import ByteArray
from pul.data.deep_colours import has_deep_colours, load
from pul.data.grey import NO_RANGES, GreyRanges, grey_kind, to_bytes
from pul.errors import ImageError

MAX_PIXELS = 64_000_000
MAX_DECODED_BYTES = 768 * 2**20  # that one image may take up on the way to RGB
MAX_ASPECT = 50  # of the longer to the shorter side; a crop of a person is 2 to 4

# Only these decoders: some of Pillow's others start programs (EPS) or read vector files.
_FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF", "GIF", "PPM")

# What Pillow's decoders were seen to raise on damaged bytes.
DECODE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    ArithmeticError,
    LookupError,
    TypeError,
    AttributeError,
    EOFError,
    MemoryError,
    RuntimeError,
    Warning,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)

_ORIENTATION_TAG = 0x0112
_EXIF = {"exif", "Raw profile type exif"}  # the second is how ImageMagick wrote it into a PNG
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode_image(path: Path, ranges: GreyRanges = NO_RANGES) -> ByteArray:
    """Decode an image file completely.

    The EXIF orientation is applied; CMYK, palette, grey and 16-bit images become RGB; transparent
    pixels become white; of an animation the first frame is taken.

    Args:
        path: The file.
        ranges: What its data set stretches grey values of more than 8 bits by.

    Returns:
        Pixels, shape (H, W, 3), uint8, RGB.

    Raises:
        ImageError: Missing, empty, truncated or damaged; of a format that we do not read; more
            than 64 megapixels, 768 MiB to decode, or more than 50 times as long as wide.
    """
    return np.array(decode(path, ranges=ranges))


def decode(path: Path, side: int | None = None, *, ranges: GreyRanges = NO_RANGES) -> Image.Image:
    """Decode to an upright RGB image.

    Args:
        path: The file.
        side: If given, a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size, which is faster, as
            long as neither side becomes shorter than this.
        ranges: What its data set stretches grey values of more than 8 bits by.

    Returns:
        The image, mode RGB.

    Raises:
        ImageError: As for `decode_image`.
    """
    try:
        with open_image(path) as image:
            if side is not None:
                image.draft(None, (side, side))
            load_image(image, path)
            return to_upright_rgb(image, ranges)
    except DECODE_ERRORS as error:
        raise image_error(path, error) from error


def load_image(image: ImageFile, path: Path) -> None:
    """Decode an image that `open_image` opened, with all bits of its colours.

    Raises:
        Exception: One of `DECODE_ERRORS`; `image_error` words it.
    """
    if not has_deep_colours(image):
        image.load()
        return
    with open_image(path) as again:
        load(image, again)


def to_upright_rgb(image: ImageFile, ranges: GreyRanges) -> Image.Image:
    """Return a loaded image as RGB, turned as its EXIF data say."""
    turn = _TURNS.get(orientation(image))
    rgb = _to_rgb(image, ranges)
    return rgb if turn is None else rgb.transpose(turn)


def upright_size(path: Path) -> tuple[int, int]:
    """Return width and height of an image as `decode` gives it; its header alone is read.

    Raises:
        ImageError: It cannot be read.
    """
    try:
        with open_image(path) as image:
            is_turned = orientation(image) >= 5
            width, height = image.size
    except DECODE_ERRORS as error:
        raise image_error(path, error) from error
    return (height, width) if is_turned else (width, height)


def open_image(path: Path) -> ImageFile:
    """Open an image, its header read and its size found sane; the caller closes it.

    Raises:
        ImageError: Not a regular file, empty, or of a size that is no crop's.
        Exception: One of `DECODE_ERRORS`; `image_error` words it.
    """
    status = path.stat()
    if not S_ISREG(status.st_mode):
        raise ImageError(f"{str(path)!r} is not a regular file. Give an image file.")
    if status.st_size == 0:
        raise ImageError(f"{str(path)!r} is empty (0 bytes). Copy it again or leave it out.")
    image = Image.open(path, formats=_FORMATS)
    if image.format == "TIFF":
        # Pillow 13 would map an uncompressed grey one, and mix up the rows of one that its EXIF
        # data turn by 90°; without its name it reads the file.
        image.filename = ""
    width, height = image.size
    if width * height > MAX_PIXELS:
        image.close()
        raise ImageError(
            f"{str(path)!r} has {width}×{height} pixels, more than {MAX_PIXELS:,} in all. "
            "Crop or shrink it."
        )
    if max(width, height) > MAX_ASPECT * min(width, height):
        image.close()
        raise ImageError(
            f"{str(path)!r} has {width}×{height} pixels: one side is more than {MAX_ASPECT} times "
            "the other. Give a crop of one person."
        )
    if decoded_bytes(image) > MAX_DECODED_BYTES:
        image.close()
        raise ImageError(
            f"{str(path)!r} has {width}×{height} pixels of a kind ({image.mode}) that would take "
            f"{decoded_bytes(image) / 2**20:,.0f} MiB to decode, more than "
            f"{MAX_DECODED_BYTES // 2**20} MiB. Crop or shrink it."
        )
    return image


def decoded_bytes(image: Image.Image) -> int:
    """Return about how many bytes an image takes up on the way to RGB: all copies at once."""
    width, height = image.size
    # Pillow keeps 4 bytes a pixel: as loaded, as RGB, and turned. Transparency is laid upon white,
    # which is two images more; grey values are stretched as float64.
    kind = grey_kind(image)
    each = 80 if kind == "colour" else 40 if kind else 20 if image.has_transparency_data else 12
    return width * height * each


class DecodingRoom:
    """Memory for images that threads decode at once; who finds none free waits."""

    def __init__(self, n_bytes: int) -> None:
        self._n_bytes = self._n_free = n_bytes
        self._changed = Condition()

    @contextmanager
    def take(self, n_bytes: int) -> Iterator[None]:
        """Hold some bytes, at most all that there are."""
        taken = min(n_bytes, self._n_bytes)
        with self._changed:
            self._changed.wait_for(lambda: self._n_free >= taken)
            self._n_free -= taken
        try:
            yield
        finally:
            with self._changed:
                self._n_free += taken
                self._changed.notify_all()

    @contextmanager
    def take_for(self, path: Path) -> Iterator[None]:
        """Hold what decoding an image takes up.

        Raises:
            ImageError: As for `decode_image`.
        """
        try:
            with open_image(path) as image:
                n_bytes = decoded_bytes(image)
        except DECODE_ERRORS as error:
            raise image_error(path, error) from error
        with self.take(n_bytes):
            yield


def orientation(image: Image.Image) -> int:
    """Return how an image is still to be turned: 1 is not at all, as EXIF numbers it.

    It is known for certain once the image is loaded: a PNG may have it at its end.
    """
    # Pillow has already turned a TIFF when it was loaded.
    if not _EXIF & image.info.keys() or image.format == "TIFF":
        return 1
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except DECODE_ERRORS:
        return 1  # damaged metadata beside good pixels


def _to_rgb(image: Image.Image, ranges: GreyRanges) -> Image.Image:
    kind = grey_kind(image)
    if image.mode == "RGB" and not kind:
        return image.copy()
    if kind:
        stretched = Image.fromarray(to_bytes(image, ranges))
        if image.mode == "RGBA":
            stretched.putalpha(image.getchannel("A"))
        image = stretched
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.new("RGBA", layer.size, "white")
        image.alpha_composite(layer)
    return image.convert("RGB")


def image_error(path: Path, error: BaseException) -> ImageError:
    """Word what went wrong in reading an image file, and what to do about it."""
    if isinstance(error, FileNotFoundError):
        return ImageError(f"{str(path)!r} does not exist. Was it moved or deleted?")
    if isinstance(error, PermissionError):
        return ImageError(f"{str(path)!r} may not be read. Change its permissions.")
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return ImageError(f"{str(path)!r} has more than {MAX_PIXELS:,} pixels. Crop or shrink it.")
    if isinstance(error, UnidentifiedImageError):
        return ImageError(
            f"{str(path)!r} is damaged, or no image of a kind we read "
            f"({', '.join(_FORMATS)}). Convert it or leave it out."
        )
    return ImageError(
        f"{str(path)!r} cannot be decoded ({error}): truncated or damaged. "
        "Copy it again or leave it out."
    )
