"""What a model is given and what the screen shows of a picture is the same, for every kind."""

import io
import struct
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from pul.data.decoding import MAX_DECODED_BYTES, DecodingRoom, decode_image, decoded_bytes
from pul.data.images import thumbnail
from pul.errors import ImageError

# Four colours in the corners of a picture that is higher than wide: every turn looks different.
RED, GREEN, BLUE, GREY = (220, 30, 30), (30, 200, 40), (40, 50, 210), (128, 128, 128)
CORNERS = np.zeros((48, 32, 3), dtype=np.uint8)
CORNERS[:24, :16], CORNERS[:24, 16:] = RED, GREEN
CORNERS[24:, :16], CORNERS[24:, 16:] = BLUE, GREY

# Row 0 and column 0 of the stored picture are this side of the upright one: EXIF 2.32, 4.6.4.
UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: a.transpose(1, 0, 2)[:, ::-1],
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: a.transpose(1, 0, 2)[::-1],
}
KINDS = {
    "jpg": {"quality": 95},
    "webp": {"quality": 95},
    "lossless.webp": {"lossless": True},
    "png": {},
    "tif": {},
    "lzw.tif": {"compression": "tiff_lzw"},
}


def exif(orientation: int) -> Image.Exif:
    data = Image.Exif()
    data[0x0112] = orientation
    return data


def shown(path: Path, **options: object) -> np.ndarray:
    """Return the pixels of a thumbnail as a program sees them that knows no EXIF at all."""
    content, _ = thumbnail(path, **options)
    with Image.open(io.BytesIO(content)) as image:
        if image.format != "TIFF":
            assert image.getexif().get(0x0112, 1) == 1
        return np.asarray(image.convert("RGB"))


def colours(pixels: np.ndarray) -> np.ndarray:
    """Return the colours in the middles of the four quarters."""
    height, width = pixels.shape[:2]
    rows, columns = (height // 4, 3 * height // 4), (width // 4, 3 * width // 4)
    return np.array([[pixels[y, x] for x in columns] for y in rows]).astype(int)


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("kind", KINDS)
def test_orientation__in_the_model_and_on_the_screen(
    tmp_path: Path, kind: str, orientation: int
) -> None:
    path = tmp_path / f"a.{kind}"
    Image.fromarray(CORNERS).save(path, exif=exif(orientation), **KINDS[kind])
    expected = UPRIGHT[orientation](CORNERS)
    for pixels in (decode_image(path), shown(path)):
        assert pixels.shape == expected.shape
        assert np.abs(colours(pixels) - colours(expected)).max() <= 12


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("kind", ["png", "tif", "lzw.tif", "lossless.webp"])
def test_orientation__of_grey_pictures(tmp_path: Path, kind: str, orientation: int) -> None:
    # Every pixel differs from its neighbours: mixed-up rows would show.
    grey = (np.arange(48 * 32).reshape(48, 32) % 251).astype(np.uint8)
    path = tmp_path / f"a.{kind}"
    Image.fromarray(grey).save(path, exif=exif(orientation), **KINDS[kind])
    expected = UPRIGHT[orientation](np.repeat(grey[..., None], 3, axis=2))
    np.testing.assert_array_equal(decode_image(path), expected)
    assert shown(path).shape == expected.shape


def test_orientation__in_a_webp_whose_header_does_not_announce_it(tmp_path: Path) -> None:
    # Every decoder ignores it then: the model and the screen both show the picture as it is stored.
    path = tmp_path / "a.webp"
    Image.fromarray(CORNERS).save(path, exif=exif(6), lossless=True)
    content = bytearray(path.read_bytes())
    assert content[12:16] == b"VP8X"
    content[20] &= ~0x08  # the flag "has EXIF data"
    path.write_bytes(content)
    np.testing.assert_array_equal(decode_image(path), CORNERS)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(thumbnail(path)[0]))), CORNERS)


@pytest.mark.parametrize("place", ["after the pixels", "as ImageMagick wrote it"])
def test_orientation__wherever_a_png_has_it(tmp_path: Path, place: str) -> None:
    path = tmp_path / "a.png"
    data = exif(8).tobytes()
    if place == "after the pixels":
        Image.fromarray(CORNERS).save(path)
        body = b"eXIf" + data[6:]
        chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
        content = path.read_bytes()
        path.write_bytes(content[:-12] + chunk + content[-12:])
    else:
        text = PngImagePlugin.PngInfo()
        text.add_text("Raw profile type exif", f"\nexif\n{len(data):8}\n{data.hex()}\n", zip=True)
        Image.fromarray(CORNERS).save(path, pnginfo=text)
    expected = UPRIGHT[8](CORNERS)
    np.testing.assert_array_equal(decode_image(path), expected)
    assert shown(path).shape == expected.shape


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("RGBA", (9, 8, 7, 0), (255, 255, 255)),
        ("RGBA", (9, 8, 7, 255), (9, 8, 7)),
        ("RGBA", (0, 0, 0, 51), (204, 204, 204)),  # a fifth black over white
        ("LA", (10, 0), (255, 255, 255)),
        ("LA", (10, 255), (10, 10, 10)),
        ("L", 77, (77, 77, 77)),
        ("1", 1, (255, 255, 255)),
        ("P", 0, (0, 0, 0)),
    ],
)
def test_kinds__are_the_same_for_the_model_and_the_screen(
    tmp_path: Path, mode: str, colour: object, expected: tuple[int, int, int]
) -> None:
    path = tmp_path / "a.png"
    Image.new(mode, (8, 16), colour).save(path)
    for pixels in (decode_image(path), shown(path)):
        assert np.abs(pixels.astype(int) - expected).max() <= 1


def test_kinds__palette_with_several_transparent_colours(tmp_path: Path) -> None:
    image = Image.new("P", (3, 1))
    image.putpalette([1, 2, 3, 200, 100, 50, 0, 0, 0])
    image.putdata([0, 1, 2])
    image.save(tmp_path / "a.png", transparency=bytes([0, 255, 51]))
    expected = [[[255, 255, 255], [200, 100, 50], [204, 204, 204]]]
    np.testing.assert_array_equal(decode_image(tmp_path / "a.png"), expected)
    assert (
        np.abs(shown(tmp_path / "a.png").astype(int).mean(axis=(0, 1)) - [220, 186, 170]).max() < 40
    )


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_kinds__cmyk(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(path)  # no cyan: red
    for pixels in (decode_image(path), shown(path)):
        assert (pixels[8, 8] > 200).tolist() == [True, False, False]


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "tif"])
def test_kinds__of_an_animation_the_first_picture(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    frames = [Image.new("RGB", (8, 16), colour) for colour in (RED, BLUE, GREEN)]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    for pixels in (decode_image(path), shown(path)):
        assert pixels.shape == (16, 8, 3)
        assert np.abs(pixels.astype(int) - RED).max() <= 12


# How much memory a picture may take up


def header_only(path: Path, width: int, height: int, *, depth: int, color: int) -> Path:
    """Write a PNG that has a size, and hardly a pixel."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    head = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
    path.write_bytes(start + chunk(b"IDAT", zlib.compress(b"\0" * 100)))
    return path


@pytest.mark.parametrize(
    ("depth", "color", "mode", "mib"),  # 63 million pixels of 20 and 40 bytes
    [(8, 6, "RGBA", "1,202"), (8, 4, "LA", "1,202"), (16, 0, "I;16", "2,403")],
)
def test_thumbnail__more_bytes_than_there_is_room_for_are_refused(
    tmp_path: Path, depth: int, color: int, mode: str, mib: str
) -> None:
    path = header_only(tmp_path / "large.png", 9000, 7000, depth=depth, color=color)
    for read in (decode_image, thumbnail):
        with pytest.raises(ImageError, match=rf"9000×7000 pixels of a kind \({mode}\).* {mib} MiB"):
            read(path)
    smaller = header_only(tmp_path / "less.png", 4500, 3500, depth=depth, color=color)
    with pytest.raises(ImageError, match="truncated or damaged"):  # it was begun
        thumbnail(smaller)


def test_decoded_bytes__a_plain_image_of_64_megapixels_has_room() -> None:
    assert decoded_bytes(Image.new("1", (8000, 8000))) == 8000 * 8000 * 12 <= MAX_DECODED_BYTES


def test_room__holds_no_more_at_once_than_it_has_and_serves_everybody() -> None:
    room, lock, held, most = DecodingRoom(10), threading.Lock(), [0], [0]

    def decode_one(n_bytes: int) -> None:
        with room.take(n_bytes):
            with lock:
                held[0] += min(n_bytes, 10)
                most[0] = max(most[0], held[0])
            threading.Event().wait(0.001)  # lets others in, if they may
            with lock:
                held[0] -= min(n_bytes, 10)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(decode_one, [3, 6, 2, 7, 11, 100] * 20))
    assert 5 <= most[0] <= 10


def test_room__is_given_back_after_an_error(tmp_path: Path) -> None:
    room = DecodingRoom(10)
    with pytest.raises(ImageError), room.take_for(tmp_path / "none.png"):
        pass
    for _ in range(2):
        with pytest.raises(KeyError), room.take(10):
            raise KeyError
