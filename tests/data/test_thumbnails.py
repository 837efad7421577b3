"""Pictures as the screen gets them: small and upright."""

import io
from pathlib import Path

import pytest
from PIL import Image

from pul.data.images import thumbnail
from pul.errors import ConfigError, ImageError


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
