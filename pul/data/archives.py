"""Unpacking a zip of images that somebody sent, so that nothing of it leaves its folder."""

import shutil
import stat
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from pul.errors import DatasetError

_MAC_FOLDER = "__MACOSX"
_UTF8_FLAG, _ENCRYPTED_FLAG = 0x800, 0x1


@dataclass(frozen=True, slots=True)
class UnpackLimits:
    """What a zip may grow to.

    Attributes:
        n_files: Files at most.
        ratio: Bytes of all files at most, for each byte of the zip. Images hardly shrink; even
            uncompressed ones shrink to a tenth.
        free_bytes: Bytes that must stay free on the disk.
    """

    n_files: int = 500_000
    ratio: float = 50.0
    free_bytes: int = 2**30


def unpack(
    file: BinaryIO, name: str, folder: Path, limits: UnpackLimits | None = None
) -> tuple[str, ...]:
    """Unpack a zip into a folder with its sub-folders; hidden files and links are left out.

    Args:
        file: The zip, open for reading.
        name: What people call it, for messages.
        folder: Where to; made if missing. It may be half full after an error.
        limits: What it may grow to.

    Returns:
        The files, relative to the folder, sorted; `/` between folders.

    Raises:
        DatasetError: It is no zip or not whole, needs a password, leads out of the folder, holds a
            name twice or nothing at all, or would grow too large.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            entries = _entries(archive, name)
            _check_size(entries, name, folder, limits or UnpackLimits(), _n_bytes(file))
            for path, entry in sorted(entries.items()):
                _write(archive, entry, folder / path)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise DatasetError(
            f"{name} is not a whole zip file ({error}); it may have been cut off on its way. Pack "
            "it again, or send it again."
        ) from error
    except NotImplementedError as error:
        raise DatasetError(
            f"{name} is packed in a way that is not read ({error}); pack it as an ordinary zip."
        ) from error
    except OSError as error:
        raise DatasetError(f"{name} cannot be unpacked: {error.strerror or error}.") from error
    return tuple(sorted(map(str, entries)))


def _n_bytes(file: BinaryIO) -> int:
    file.seek(0, 2)
    return file.tell()


def _entries(archive: zipfile.ZipFile, name: str) -> dict[PurePosixPath, zipfile.ZipInfo]:
    """Return what is to be unpacked, by its path below the folder."""
    found: dict[PurePosixPath, zipfile.ZipInfo] = {}
    for entry in archive.infolist():
        path = _path(entry, name)
        is_link = stat.S_ISLNK(entry.external_attr >> 16)
        is_hidden = any(part.startswith(".") or part == _MAC_FOLDER for part in path.parts)
        if entry.filename.endswith(("/", "\\")) or is_link or is_hidden:
            continue
        if entry.flag_bits & _ENCRYPTED_FLAG:
            raise DatasetError(f"{name} needs a password; pack it again without one.")
        if path in found:
            raise DatasetError(f"{name} holds {str(path)!r} twice; pack it again.")
        found[path] = entry
    if not found:
        raise DatasetError(f"{name} holds no files; pack the folder with the images.")
    for path in found:
        inside = next((parent for parent in path.parents if parent in found), None)
        if inside is not None:
            raise DatasetError(
                f"{name} holds {str(inside)!r} as a file and a folder; pack it again."
            )
    return found


def _path(entry: zipfile.ZipInfo, name: str) -> PurePosixPath:
    """Return where an entry goes; Windows' names have `\\` between folders.

    Raises:
        DatasetError: That is not below the folder.
    """
    written = entry.orig_filename
    if not entry.flag_bits & _UTF8_FLAG:
        written = _as_utf8(written)
    path = PurePosixPath(written.replace("\\", "/"))
    is_outside = path.is_absolute() or ".." in path.parts or path.parts[:1] == ("~",)
    if is_outside or "\0" in written or (path.parts and path.parts[0].endswith(":")):
        raise DatasetError(
            f"{name} holds a name that leads out of its folder, {written!r}; nothing was unpacked. "
            "Pack the folder itself, without paths before it."
        )
    return path


def _as_utf8(written: str) -> str:
    # Some programs write UTF-8 without saying so; zipfile then reads the bytes as code page 437.
    try:
        return written.encode("cp437").decode("utf-8")
    except UnicodeError:
        return written


def _check_size(
    entries: dict[PurePosixPath, zipfile.ZipInfo],
    name: str,
    folder: Path,
    limits: UnpackLimits,
    n_bytes: int,
) -> None:
    # zipfile never reads more of an entry than its stated size.
    total = sum(entry.file_size for entry in entries.values())
    if len(entries) > limits.n_files:
        raise DatasetError(
            f"{name} holds {len(entries):,} files, and at most {limits.n_files:,} are unpacked; "
            "send it in parts."
        )
    if total > limits.ratio * n_bytes:
        raise DatasetError(
            f"{name} would grow from {n_bytes:,} to {total:,} bytes, over {limits.ratio:g} times "
            "its size, which no images do; nothing was unpacked."
        )
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free - limits.free_bytes
    if total > free:
        raise DatasetError(
            f"{name} needs {total:,} bytes, but only {max(free, 0):,} are free; make room first."
        )


def _write(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(entry) as source, target.open("xb") as file:
        shutil.copyfileobj(source, file)
