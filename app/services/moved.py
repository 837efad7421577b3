"""Images that were moved: which files are gone, and where they are now."""

from pathlib import Path

from app.services.workspace import image_path, open_workspace, sample_images
from pul.data.file_names import printable
from pul.store.relocation import Relocation

__all__ = ["Relocation", "find", "is_any_gone", "printable", "relocate"]

N_SAMPLE = 32  # images whose files are looked for whenever the page is shown


def is_any_gone(location: str) -> bool:
    """Whether files of images are gone, judging by some of them."""
    paths = (image_path(location, image) for image in sample_images(location, N_SAMPLE))
    return any(not Path(path).is_file() for path in paths)


def find(location: str, folder: str, *, everything: bool = False) -> Relocation:
    """Look below a folder for the images whose files are gone, or for all; nothing is changed.

    Raises:
        ConfigError: There is no such folder.
        StoreError: The database refuses.
    """
    return open_workspace(location).find_moved(folder.strip(), everything=everything)


def relocate(location: str, found: Relocation) -> int:
    """Take images from where they were found from now on; return how many moved.

    Raises:
        JobError: Images are being imported.
        StoreError: The images changed since they were looked for, or the database refuses.
    """
    return open_workspace(location).relocate(found)
