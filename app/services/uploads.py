"""Images that people send from their own computer: into the workspace's own folder."""

import os
import re
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from app.services.workspace import open_workspace
from pul.data.archives import unpack
from pul.data.readers.listing import suffix_reason
from pul.errors import DatasetError
from pul.store.shelf import UPLOADS

MAX_UPLOAD = "PUL_STUDIO_MAX_UPLOAD"
DEFAULT_MIB = 500
KEPT_DAYS = 7  # what was not imported by then goes with the next upload
IMAGE_TYPES = ("jpg", "jpeg", "png", "bmp", "webp", "tif", "tiff", "gif", "ppm", "pgm")


class Sent(NamedTuple):
    """One file that somebody sent."""

    name: str
    file: BinaryIO


def max_mib() -> int:
    """Return how large a file may be, in MiB: `--max-upload`."""
    return int(os.environ.get(MAX_UPLOAD) or DEFAULT_MIB)


def keep(location: str, sent: Sequence[Sent]) -> Path:
    """Write files into a new folder of a workspace; each zip is unpacked into one of its own.

    What others sent more than a week ago and nobody imported is removed.

    Args:
        location: The workspace.
        sent: Images, zips of images, or both.

    Returns:
        The folder, `uploads/…` of the workspace; of one zip alone the folder that it became.

    Raises:
        DatasetError: A zip cannot be unpacked, two files have one name, or a file is no image;
            nothing is kept then.
    """
    workspace = open_workspace(location)
    workspace.remove_stray_uploads(older_than_s=KEPT_DAYS * 86_400)
    folder = workspace.path / UPLOADS / uuid.uuid4().hex[:12]
    try:
        for name, file in sent:
            _keep(folder, _plain(name), file)
    except BaseException:
        discard(folder)
        raise
    made = list(folder.iterdir())
    return made[0] if len(made) == 1 and made[0].is_dir() else folder


def discard(folder: Path) -> None:
    """Remove what `keep` has written, with the folder above it that it made."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.parent.parent.name == UPLOADS:
        shutil.rmtree(folder.parent, ignore_errors=True)


def _plain(name: str) -> str:
    """Return the last part of a name, of any system, without what a file name cannot hold."""
    last = re.split(r"[/\\]", name)[-1]
    return re.sub(r"[\x00-\x1f:]", "_", last).lstrip(".") or "file"


def _keep(folder: Path, name: str, file: BinaryIO) -> None:
    is_zip = name.lower().endswith(".zip")
    target = folder / (name[:-4] or "zip" if is_zip else name)
    if target.exists():
        raise DatasetError(f"Two files are called {name}; put them into folders of one zip.")
    if is_zip:
        unpack(file, name, target)
        return
    reason = suffix_reason(name)
    if reason:
        raise DatasetError(f"{name} is {reason}; send images, or a zip of folders with images.")
    folder.mkdir(parents=True, exist_ok=True)
    file.seek(0)
    with target.open("xb") as kept:
        shutil.copyfileobj(file, kept)
