"""What every section of a workspace is given: the folder and the database."""

import inspect
import os
from pathlib import Path

from sqlalchemy import Connection

from pul.data.file_names import from_text, to_text
from pul.store.database import Database
from pul.store.locations import without_password
from pul.store.named_values import read_value
from pul.store.retrying import Retries, retried

IMAGE_ROOT = "image_root"  # the setting
IMAGE_ROOT_VARIABLE = "PUL_IMAGE_ROOT"  # says it for one process, as in a container
_BELOW_ROOT = "root:"


class Section:
    """Base of the sections that make up a `Workspace`.

    Public methods wait for a database server that is gone for a while.

    Attributes:
        path: The folder of arrays, checkpoints, logs and caches; absolute.
        location: What `Workspace.open` takes to get here again.
        retries: How long they try again.
    """

    path: Path
    location: str
    retries: Retries
    _database: Database

    def __init_subclass__(cls) -> None:
        for name, value in list(vars(cls).items()):
            if inspect.isfunction(value) and not name.startswith("_") and name != "close":
                setattr(cls, name, retried(value))

    @property
    def url(self) -> str:
        """The location without its password, to be shown or given to another process."""
        return without_password(self.location)

    def _image_root(self, connection: Connection) -> str:
        """Return the folder that images are stored relative to; "" where there is none."""
        given = os.environ.get(IMAGE_ROOT_VARIABLE, "")
        if given:
            return str(Path(given).absolute())
        return from_text(read_value(connection, IMAGE_ROOT, ""))

    def _portable(self, path: str | Path, root: str = "") -> str:
        """Return a path as it is stored: relative to what may move with it.

        Args:
            path: The path.
            root: The folder of the images; "" where there is none.
        """
        text = str(path)
        absolute = text if text.startswith("/") else str(Path(path).absolute())
        if is_below(absolute, str(self.path)):
            return to_text(_relative(absolute, str(self.path)))
        if root and is_below(absolute, root):
            return to_text(_BELOW_ROOT + _relative(absolute, root))
        return to_text(absolute)

    def _absolute(self, stored: str, root: str = "") -> str:
        """Return the path that `_portable` wrote."""
        path = from_text(stored)
        if path.startswith("/"):
            return path
        if path.startswith(_BELOW_ROOT):
            return f"{root.rstrip('/')}/{path.removeprefix(_BELOW_ROOT)}"
        return f"{self.path}/{path}"


# By hand: a Path of each of 100,000 images takes seconds.


def is_below(path: str, folder: str) -> bool:
    """Whether an absolute path leads into a folder."""
    return path.startswith(folder if folder.endswith("/") else f"{folder}/")


def _relative(path: str, folder: str) -> str:
    return path.removeprefix(folder).lstrip("/")
