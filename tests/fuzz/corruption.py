"""Sound files, made when they are needed, and what can become of them."""

import io
import json
import struct
import zlib
from functools import cache
from pathlib import Path

import h5py
import numpy as np
import torch
from hypothesis import strategies as st
from PIL import Image
from safetensors.numpy import save as save_tensors
from scipy.io import savemat

from pul.models.network import dump_network
from tests.support.networks import tiny_network

NASTY = (
    "",
    " ",
    "-",
    "..",
    "../../outside",
    "/dev/null",
    "a\nb",
    "a\tb",
    'quo"te',
    "it's",
    "<img src=x onerror=alert(1)>",
    "=cmd|' /C calc'!A0",
    "@SUM(1)",
    "\u202egnp.exe",
    "שלום",
    "\0",
    "\ud800",
    "NaN",
    "inf",
    "-1",
    "1e309",
    "9" * 400,
    "٣",
    "x" * 5000,
    "%00",
    "${HOME}",
    "$(touch outside)",
    "`touch outside`",
    "'; DROP TABLE images; --",
)
texts = st.one_of(st.sampled_from(NASTY), st.text(max_size=30))
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@st.composite
def corrupted(draw: st.DrawFn, sound: bytes) -> bytes:
    """Draw what is left of a sound file: cut, flipped, blanked, doubled, spliced, or whole."""
    content = bytearray(sound)
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, max(0, len(content) - 1)))
        length = draw(st.sampled_from([1, 2, 4, 16, 256]))
        match draw(st.sampled_from(["cut", "flip", "blank", "double", "noise", "drop"])):
            case "cut":
                del content[place:]
            case "flip" if content:
                content[place] ^= 1 << draw(st.integers(0, 7))
            case "blank":
                content[place : place + length] = bytes(len(content[place : place + length]))
            case "double":
                content[place:place] = content[place : place + length]
            case "noise":
                content[place : place + length] = draw(st.binary(max_size=length))
            case "drop":
                del content[place : place + length]
    return bytes(content)


@cache
def images() -> tuple[tuple[str, bytes], ...]:
    """Return sound images of every kind that occurs, each with a file name."""
    random = np.random.default_rng(0)
    rgb = Image.fromarray(random.integers(0, 256, (24, 12, 3), dtype=np.uint8))
    grey = Image.fromarray(random.integers(0, 2**16, (24, 12), dtype=np.uint16))
    turned = Image.Exif()
    turned[0x0112] = 6
    frames = {"save_all": True, "append_images": [rgb.rotate(90), rgb.rotate(180)]}
    made = [
        ("a.jpg", rgb, "JPEG", {}),
        ("cmyk.jpg", rgb.convert("CMYK"), "JPEG", {}),
        ("turned.jpg", rgb, "JPEG", {"exif": turned}),
        ("progressive.jpg", rgb, "JPEG", {"progressive": True}),
        ("a.png", rgb, "PNG", {}),
        ("sixteen.png", grey, "PNG", {}),
        ("clear.png", rgb.convert("RGBA"), "PNG", {}),
        ("palette.png", rgb.convert("P"), "PNG", {}),
        ("animated.gif", rgb, "GIF", frames),
        ("animated.webp", rgb, "WEBP", frames),
        ("a.tiff", rgb, "TIFF", {"compression": "tiff_lzw"}),
        ("a.bmp", rgb, "BMP", {}),
        ("a.ppm", rgb, "PPM", {}),
        ("wrong.png", rgb, "JPEG", {}),
    ]
    files = [(name, _saved(image, kind, options)) for name, image, kind, options in made]
    files += [(f"{w}x{h}.png", _bomb(w, h)) for w, h in ((20_000, 20_000), (1, 20_000), (0, 5))]
    files += [("empty.jpg", b""), ("text.jpg", b"not an image"), ("page.png", b"<svg onload=1>")]
    return (*files, ("huge.png", _bomb(2**31 - 1, 2**31 - 1)))


def _saved(image: Image.Image, kind: str, options: dict[str, object]) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _bomb(width: int, height: int) -> bytes:
    """Return a PNG of a few bytes that claims to be of any size."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(10**6))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


@cache
def tables() -> tuple[tuple[str, bytes], ...]:
    """Return sound tables of images and of labels."""
    import pyarrow as pa
    from pyarrow import parquet

    columns = {"path": ["a.jpg", "b.jpg"], "pid": [1, 2], "camid": [1, 2], "split": ["train"] * 2}
    buffer = io.BytesIO()
    parquet.write_table(pa.table(columns), buffer)
    lines = "path,pid,camid,split\na.jpg,1,1,train\nb.jpg,2,2,query\n"
    labels = "path;identity;role\na.jpg;=anna;training\nb.jpg;;junk\n"
    foreign = 'sep=;\nIMG_Path;Identity;cam;bbox\nC:\\x\\a.jpg;P 1;c1;"[1, 2, 3.5, 4]"\n'
    return (
        ("images.csv", lines.encode()),
        ("foreign.csv", foreign.encode("utf-16")),
        ("images.tsv", lines.replace(",", "\t").encode("utf-8-sig")),
        ("images.parquet", buffer.getvalue()),
        ("labels.csv", labels.encode()),
    )


@cache
def documents() -> tuple[tuple[str, bytes], ...]:
    """Return sound labels: ours, and those of other tools."""
    person = {"name": "anna", "role": "validation", "images": ["a.jpg", "b.jpg"]}
    ours = {"format": "pul-identities", "version": 1, "identities": [person], "junk": ["c.jpg"]}
    coco = {
        "images": [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "b.jpg", "junk": True}],
        "annotations": [{"image_id": 1, "track_id": 3}, {"image_id": 1, "identity": "anna"}],
    }
    result = {"from_name": "who", "type": "choices", "value": {"choices": ["anna"]}}
    studio = [
        {"data": {"image": "/data/local-files/?d=a.jpg"}, "annotations": [{"result": [result]}]}
    ]
    boxes = {"_cls": "Detections", "detections": [{"label": "person", "index": 3}]}
    samples = [{"filepath": "data/a.jpg", "identity": {"label": "anna"}, "boxes": boxes}]
    by_name = {"classes": ["anna", "bo"], "labels": {"a": 1, "b": [{"label": "bo"}]}}
    box = '<box frame="0" outside="0" occluded="0" xtl="0" ytl="0" xbr="5" ybr="8"/>'
    image = f'<image id="0" name="a.jpg">{box}<tag label="anna"/></image>'
    xml = "<?xml version='1.0'?><annotations>{}</annotations>"
    return (
        ("ours.json", json.dumps(ours).encode()),
        ("coco.json", json.dumps(coco).encode()),
        ("studio.json", json.dumps(studio).encode()),
        ("fiftyone.json", json.dumps({"samples": samples}).encode()),
        ("classes.json", json.dumps(by_name).encode()),
        ("images.xml", xml.format(image).encode()),
        ("video.xml", xml.format(f'<track id="1" label="person">{box}</track>').encode()),
        ("gt.txt", b"1,2,1,1,5,8,1,1,1\n2,2,1,1,5,8,1,1,1\n"),
    )


@cache
def checkpoints() -> tuple[tuple[str, bytes], ...]:
    """Return sound checkpoints, and pickles that run programs."""
    weights = {"layer.weight": torch.zeros(2, 2)}
    pickled, program = io.BytesIO(), io.BytesIO()
    torch.save({"state_dict": weights}, pickled)
    torch.save({"state_dict": _Program()}, program)
    return (
        ("ours.safetensors", dump_network(tiny_network())),
        ("plain.safetensors", save_tensors({"weight": np.zeros((2, 2), dtype=np.float32)})),
        ("weights.pth", pickled.getvalue()),
        ("program.pth", program.getvalue()),
    )


class _Program:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, ("touch outside",)


def mat_files(folder: Path) -> tuple[bytes, bytes]:
    """Return a sound cuhk-03.mat of one pair of cameras with one person, and its split file."""
    with h5py.File(folder / "m.mat", "w") as file:
        cells = []
        for number in range(10):
            pixels = np.full((3, 4, 8), number * 20, dtype=np.uint8)
            cells.append(file.create_dataset(f"refs/{number}", data=pixels).ref)
        pair = file.create_dataset("pair", data=np.array(cells, dtype=h5py.ref_dtype)[:, None])
        for boxes in ("detected", "labeled"):
            file[boxes] = np.array([[pair.ref]], dtype=h5py.ref_dtype)
    names = np.array([f"1_001_{1 + n // 5}_{n + 1:02}.png" for n in range(10)], dtype=object)
    content = {"filelist": names[:, None], "labels": np.ones(10)}
    parts = {"train_idx": [1, 2], "query_idx": [3], "gallery_idx": [6, 7]}
    savemat(folder / "s.mat", content | parts)
    return (folder / "m.mat").read_bytes(), (folder / "s.mat").read_bytes()
