"""Sorted listings of the images below a folder, with the reason for all that is left out."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pul.data.samples import Skipped
from pul.errors import DatasetError

_SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif"),
    *(".ppm", ".pgm", ".pbm"),
)
# Of pictures that no decoder here reads.
_OTHER_SUFFIXES = (
    *(".avif", ".heic", ".heif", ".jxl", ".jp2", ".j2k", ".svg", ".psd", ".tga", ".ico", ".dcm"),
    *(".exr", ".hdr", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raw"),
)


@dataclass(frozen=True, slots=True)
class Listing:
    """Image files of a folder, sorted by path, and what was left out."""

    images: tuple[Path, ...]
    skipped: tuple[Skipped, ...]


def list_images(folder: Path, *, root: Path, recursive: bool = False) -> Listing:
    """List the image files of a folder in sorted order.

    Args:
        folder: Folder to list.
        root: Folder of the dataset, resolved: links that lead out of it are not followed.
        recursive: Whether to list the sub-folders too.

    Returns:
        The images, and every file that is hidden, no image or out of reach.

    Raises:
        DatasetError: The folder cannot be listed.
    """
    reason = _leads_out(folder, root)
    if reason:
        return Listing((), (Skipped(folder, reason),))
    images: list[Path] = []
    skipped: list[Skipped] = []
    for entry in _entries(folder, recursive=recursive):
        reason = _reason(entry, root)
        if reason is None:
            images.append(Path(entry.path))
        else:
            skipped.append(Skipped(Path(entry.path), reason))
    return Listing(tuple(sorted(images)), tuple(sorted(skipped, key=lambda item: item.path)))


def suffix_reason(name: str) -> str | None:
    """Say why a file of this name is no image, judging by its suffix; None if it may be one."""
    if name.lower().endswith(_SUFFIXES):
        return None
    suffix = Path(name).suffix
    if suffix.lower() in _OTHER_SUFFIXES:
        return f"an image of a kind that is not read ({suffix}): convert it to JPEG or PNG"
    return f"not an image ({suffix or 'no suffix'})"


def subfolders(folder: Path) -> tuple[Path, ...]:
    """List the sub-folders that are not hidden, sorted.

    Raises:
        DatasetError: The folder cannot be listed.
    """
    names = [entry.name for entry in _scan(folder) if _is_folder(entry)]
    return tuple(folder / name for name in sorted(names) if not name.startswith("."))


def has_images(folder: Path) -> bool:
    """Whether any file directly in this folder is named like an image."""
    return any(
        suffix_reason(entry.name) is None and not entry.name.startswith(".") and _is_file(entry)
        for entry in _scan(folder)
    )


def is_readable(folder: Path) -> bool:
    """Whether this folder may be listed and entered."""
    return os.access(folder, os.R_OK | os.X_OK)


def _reason(entry: os.DirEntry[str], root: Path) -> str | None:
    if entry.name.startswith("."):
        return "hidden"
    if entry.is_symlink():
        reason = _leads_out(Path(entry.path), root)
        if reason:
            return reason
    if _is_folder(entry):
        return "a link to a folder" if entry.is_symlink() else "a folder that may not be read"
    return suffix_reason(entry.name) or (None if _is_file(entry) else "not a regular file")


def _entries(folder: Path, *, recursive: bool) -> Iterator[os.DirEntry[str]]:
    """Yield files and, if recursive, those folders that are not to be entered."""
    for entry in _scan(folder):
        if not _is_folder(entry) or (recursive and _is_closed(entry)):
            yield entry
        elif recursive:
            yield from _entries(Path(entry.path), recursive=True)


def _is_closed(folder: os.DirEntry[str]) -> bool:
    is_hidden = folder.name.startswith(".")
    return is_hidden or folder.is_symlink() or not is_readable(Path(folder.path))


def _leads_out(path: Path, root: Path) -> str | None:
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):
        return "a link that leads nowhere"
    return None if target.is_relative_to(root) else f"a link that leaves the folder, to {target}"


def _scan(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        raise DatasetError(
            f"Cannot list {str(folder)!r}: {error.strerror}. Give a folder that you may read."
        ) from error


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself, or through a folder that may not be entered
        return False


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False
