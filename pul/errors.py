"""Every error that `pul` raises on purpose.

    PulError
    ├── ConfigError         a setting or an argument is outside what is allowed
    ├── DataError           the user's data cannot be used as it is
    │   ├── DatasetError    a folder or list is not of any layout we read
    │   │   └── AmbiguousLayoutError    folders can be read in several ways
    │   └── ImageError      one image file cannot be decoded
    ├── FeatureError        an array of features is misshapen or not finite
    ├── ModelError          a network, its weights or a checkpoint cannot be used
    ├── EvaluationError     no figure can be computed from these queries and this gallery
    ├── StoreError          a workspace cannot be read or written
    │   ├── ServerLostError     the database server does not answer
    │   ├── WorkspaceError  there is no workspace, or one of another version
    │   └── ArtifactError   a stored array or checkpoint is missing or damaged
    └── JobError            a job cannot be started, steered or finished

A message says what is wrong, the value, and what would be right: the screen shows it as it stands.
"""

from collections.abc import Sequence
from pathlib import Path


class PulError(Exception):
    """Base of all errors of this package; catch it to catch them all."""


class ConfigError(PulError):
    """A setting or an argument is outside what is allowed."""


class DataError(PulError):
    """The user's data cannot be used as it is."""


class DatasetError(DataError):
    """A folder or a list is not of any layout that we read."""


class AmbiguousLayoutError(DatasetError):
    """Folders can be read in several ways, and evidence does not decide between them.

    Attributes:
        folder: The folder.
        readings: The `levels` of each way, and what it makes of the folders; the likeliest first.
    """

    def __init__(self, folder: Path, readings: Sequence[tuple[str, str]]) -> None:
        self.folder, self.readings = folder, tuple(readings)
        ways = "".join(f"\n  --levels {levels}   {text}" for levels, text in readings)
        super().__init__(
            f"The folders in {str(folder)!r} can be read in {len(readings)} ways, and nothing in "
            f"them decides. Choose one:{ways}"
        )


class ImageError(DataError):
    """One image file cannot be decoded."""


class FeatureError(PulError):
    """An array of features is misshapen or holds values that are not finite."""


class ModelError(PulError):
    """A network, its weights or a checkpoint cannot be used."""


class EvaluationError(PulError):
    """No figure can be computed from these queries and this gallery."""


class StoreError(PulError):
    """A workspace cannot be read or written."""


class ServerLostError(StoreError):
    """The database server does not answer, or went away; what was under way is undone.

    Attributes:
        is_undone: Whether it is certain that nothing of it was stored.
    """

    def __init__(self, message: str, *, is_undone: bool) -> None:
        super().__init__(message)
        self.is_undone = is_undone


class WorkspaceError(StoreError):
    """There is no workspace at this place, or one of another version."""


class ArtifactError(StoreError):
    """A stored array or checkpoint is missing or damaged."""


class JobError(PulError):
    """A job cannot be started, steered or finished."""
