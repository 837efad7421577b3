"""What every section of a workspace is given: the folder and the database."""

import inspect
from pathlib import Path

from pul.store.database import Database
from pul.store.patience import Patience, patient


class Section:
    """Base of the sections that make up a `Workspace`.

    Public methods wait for a database server that is gone for a while.

    Attributes:
        path: The folder of arrays, checkpoints, logs and caches; absolute.
        patience: How long they wait.
    """

    path: Path
    patience: Patience
    _database: Database

    def __init_subclass__(cls) -> None:
        for name, value in list(vars(cls).items()):
            if inspect.isfunction(value) and not name.startswith("_") and name != "close":
                setattr(cls, name, patient(value))

    def _portable(self, path: str | Path) -> str:
        """Return a path as it is stored: relative within the workspace, so that it may be moved."""
        absolute = Path(path).absolute()
        if absolute.is_relative_to(self.path):
            return absolute.relative_to(self.path).as_posix()
        return str(absolute)

    def _absolute(self, stored: str) -> str:
        # By hand: a Path of each of 100,000 images takes seconds.
        return stored if stored.startswith("/") else f"{self.path}/{stored}"
