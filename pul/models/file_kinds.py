"""What kind of file somebody calls a model, told from its first bytes; loads no torch."""

import json
import re
import shlex
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pul.errors import ModelError

METADATA_KEY = "pul_network"  # under which a checkpoint of ours says which network it is
_HEAD_BYTES = 4096
_LEGACY_TORCH = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19"  # torch's number at the start of its older files
_DOWNLOAD_AGAIN = "Download it again"
_EXPORTED = "Name the checkpoint that it was exported from instead"

Use = Literal["model", "weights", "nothing"]


@dataclass(frozen=True, slots=True)
class FileKind:
    """What a file is.

    Attributes:
        name: Its kind, with an article: "an ONNX model".
        use: `model` for a checkpoint of ours, `weights` for what `pul convert` may read, else
            `nothing`.
        remedy: What to do instead, where nothing can be done with it.
    """

    name: str
    use: Use = "nothing"
    remedy: str = "Name a checkpoint: .safetensors, .pth, .pt, .ckpt or .pth.tar"


_MAGIC = (  # offset, bytes, kind
    (0, b"\x89HDF\r\n\x1a\n", FileKind("an HDF5 file, as Keras writes it")),
    (0, b"\x93NUMPY", FileKind("a NumPy array")),
    (0, b"GGUF", FileKind("a GGUF model")),
    (4, b"TFL3", FileKind("a TensorFlow Lite model", remedy=_EXPORTED)),
    (4, b"ftyp", FileKind("a video")),
    (0, b"\x89PNG", FileKind("a PNG image")),
    (0, b"\xff\xd8\xff", FileKind("a JPEG image")),
    (0, b"%PDF", FileKind("a PDF document")),
    (0, b"MATLAB", FileKind("a MATLAB file")),
    (0, b"SQLite format", FileKind("a SQLite database")),
    (0, b"\x1f\x8b", FileKind("a gzip archive", remedy="Unpack it first")),
    (0, b"BZh", FileKind("a bzip2 archive", remedy="Unpack it first")),
    (0, b"\xfd7zXZ", FileKind("an xz archive", remedy="Unpack it first")),
    (0, b"7z\xbc\xaf", FileKind("a 7z archive", remedy="Unpack it first")),
    (0, b"Rar!", FileKind("a RAR archive", remedy="Unpack it first")),
    (257, b"ustar", FileKind("a tar archive", remedy="Unpack it first")),
)
_TEXTS = (  # a pattern at the start of a text, kind
    (
        r"version https://git-lfs",
        FileKind("a Git LFS pointer", remedy="Get the file itself with `git lfs pull`"),
    ),
    (
        r"\s*<(!doctype html|html)",
        FileKind("a web page", remedy=_DOWNLOAD_AGAIN + "; some sites ask before a large file"),
    ),
    (r"\s*<\?xml|\s*<net ", FileKind("an XML file, as OpenVINO writes it", remedy=_EXPORTED)),
)


def read_kind(path: Path) -> FileKind:
    """Return what kind of file is at a path.

    Raises:
        ModelError: There is no file, or it cannot be read.
    """
    if path.is_dir():
        return FileKind("a folder", remedy="Name one file in it")
    if not path.is_file():
        raise ModelError(f"There is no model at {path}.")
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
        return _kind_of(path, head)
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.") from error


def require_own_checkpoint(path: Path) -> None:
    """Refuse a model file that no run can start from, and say what to do with it.

    Raises:
        ModelError: There is no file, it is no weights, or it is another program's weights, which
            `pul convert` makes a start model of.
    """
    kind = read_kind(path)
    if kind.use == "weights":
        raise ModelError(
            f"{path} is {kind.name}, not a start model. Convert it first: {advise_command(path)}."
        )
    if kind.use == "nothing":
        raise refuse(path, kind)


def refuse(path: Path, kind: FileKind) -> ModelError:
    """Return the error for a file that holds no weights we can read."""
    return ModelError(f"{path} is {kind.name}, not weights that can be read. {kind.remedy}.")


def advise_command(path: Path) -> str:
    """Return the command that makes a start model of another program's weights."""
    stem = re.sub(r"(\.(pth?|tar|ckpt|bin|safetensors|pkl)(-\d+)?)+$", "", path.name)
    out = f"{stem}-start.safetensors"
    return f"`python -m pul convert {shlex.quote(str(path))} --out {shlex.quote(out)}`"


def _kind_of(path: Path, head: bytes) -> FileKind:
    if not head.strip(b"\0"):
        return FileKind("an empty file", remedy=_DOWNLOAD_AGAIN)
    if head.startswith(b"PK\x03\x04"):
        return _kind_of_zip(path)
    if len(head) > 9 and head[8:9] == b"{":
        return _kind_of_safetensors(path, head)
    for offset, magic, kind in _MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return kind
    if head[:1] == b"\x80":  # a pickle; its text form is older than torch
        return _kind_of_pickle(head)
    if path.suffix.lower() == ".onnx" or (head[:1] == b"\x08" and head[2:3] == b"\x12"):
        return FileKind("an ONNX model", remedy=_EXPORTED)
    return _kind_of_text(head)


def _kind_of_zip(path: Path) -> FileKind:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, struct.error):
        return FileKind("a checkpoint or archive that is cut off", remedy=_DOWNLOAD_AGAIN)
    if any(name.endswith("constants.pkl") or "/code/" in name for name in names):
        return FileKind("a TorchScript program", remedy=_EXPORTED)
    if any(name.endswith("/data.pkl") or name == "data.pkl" for name in names):
        return FileKind("a PyTorch checkpoint of another program", "weights")
    if names and all(name.endswith(".npy") for name in names):
        return FileKind("an archive of NumPy arrays")
    if any(name.endswith((".pth", ".pt", ".ckpt", ".safetensors", ".tar")) for name in names):
        return FileKind("a zip archive with checkpoints inside", remedy="Unpack it first")
    if any(name.endswith(".py") for name in names):
        return FileKind("a zip archive of program code")
    return FileKind("a zip archive")


def _kind_of_safetensors(path: Path, head: bytes) -> FileKind:
    (length,) = struct.unpack("<Q", head[:8])
    size = path.stat().st_size
    if length > 100 * 2**20:  # as safetensors allows; else `{` is there by chance
        return FileKind("a file of no kind that is known here")
    cut = FileKind("a safetensors file that is cut off or damaged", remedy=_DOWNLOAD_AGAIN)
    try:
        with path.open("rb") as file:
            file.seek(8)
            header = json.loads(file.read(length))
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name[:2] != "__"]
        metadata = header.get("__metadata__") or {}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return cut
    if not isinstance(metadata, dict) or 8 + length + max(ends, default=0) != size:
        return cut
    if METADATA_KEY in metadata:
        return FileKind("a start model", "model")
    return FileKind("a safetensors file of another program", "weights")


def _kind_of_pickle(head: bytes) -> FileKind:
    if _LEGACY_TORCH in head[:32]:
        return FileKind("a PyTorch checkpoint of another program", "weights")
    return FileKind(
        "a Python pickle",
        remedy="A pickle may run any code, so it is not opened; load it with the program that "
        "wrote it and save its state dict with `torch.save`",
    )


def _kind_of_text(head: bytes) -> FileKind:
    text = head.decode("utf-8", "ignore")
    for pattern, kind in _TEXTS:
        if re.match(pattern, text, re.IGNORECASE):
            return kind
    if b"\0" not in head and len(text.encode()) > len(head) - 4:
        return FileKind("a text file")
    return FileKind("a file of no kind that is known here")
