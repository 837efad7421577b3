"""The folders of the server that people may look through, for those without a shell there."""

import os
from dataclasses import dataclass
from pathlib import Path

from pul.data.readers.listing import list_images, subfolders
from pul.errors import DatasetError

ROOT = "PUL_STUDIO_BROWSE_ROOT"
N_SHOWN = 1000  # sub-folders in one list


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder below the root.

    Attributes:
        path: Where it is, resolved.
        place: The same, relative to the root; "" for the root.
        folders: Names of its sub-folders, sorted; at most `N_SHOWN`.
        n_folders: How many there are.
        n_images: Image files directly in it.
    """

    path: Path
    place: str
    folders: tuple[str, ...]
    n_folders: int
    n_images: int


def root() -> Path:
    """Return the folder that people may look through: `--browse-root`, by default the home."""
    given = os.environ.get(ROOT)
    return Path(given).resolve() if given else Path.home().resolve()


def look(place: str) -> Folder:
    """Return what a folder holds; hidden folders, and links that lead out, are not shown.

    Args:
        place: Its path relative to the root.

    Raises:
        DatasetError: It is outside the root, is gone, or may not be read; or there is no root.
    """
    path = _inside(place)
    if not root().is_dir():
        raise DatasetError(_no_root())
    if not path.is_dir():
        raise DatasetError(f"There is no folder {place!r} any more; go up and choose another.")
    names = [folder.name for folder in subfolders(path) if _is_inside(folder)]
    n_images = len(list_images(path, root=root()).images)
    shown = path.relative_to(root()).as_posix()
    return Folder(path, "" if shown == "." else shown, tuple(names[:N_SHOWN]), len(names), n_images)


def _no_root() -> str:
    if not os.environ.get(ROOT):
        return (
            f"There is no home folder {str(root())!r}: start the studio with --browse-root FOLDER."
        )
    return (
        f"There is no folder {str(root())!r}, with which the studio was started (--browse-root): "
        "make it, or start the studio with another one."
    )


def _inside(place: str) -> Path:
    try:
        path = (root() / place).resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise DatasetError(f"{place!r} is no folder.") from error
    if not path.is_relative_to(root()):
        raise DatasetError(f"{place!r} is outside the folders that may be looked through.")
    return path


def _is_inside(folder: Path) -> bool:
    try:
        return folder.resolve(strict=True).is_relative_to(root())
    except (OSError, RuntimeError):
        return False
