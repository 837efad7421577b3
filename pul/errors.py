"""Every error that `pul` raises on purpose.

    PulError
    ├── ConfigError         a setting or an argument is outside what is allowed
    ├── DataError           the user's data cannot be used as it is
    │   ├── DatasetError    a folder or list is not of any layout we read
    │   │   ├── AmbiguousLayoutError    folders can be read in several ways
    │   │   ├── DuplicateImagesError    the same pictures are in the workspace already
    │   │   └── UnpackingError          images lie inside one big file, and no folder was given
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


class UnpackingError(DatasetError):
    """Images lie inside one big file, and no folder was given to unpack them into."""


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


class DuplicateImagesError(DatasetError):
    """The pictures to import are in the workspace already, from other files.

    Attributes:
        workspace: Where they are, quoted for a shell.
        folder: The folder that all the new files are in, quoted for a shell.
        n_images: How many of them are there already.
        n_gone: Of how many of these the workspace's own file is gone.
        n_files: Files to import.
    """

    def __init__(
        self,
        *,
        workspace: str,
        folder: str,
        example: tuple[str, str],
        n_images: int,
        n_gone: int,
        n_files: int,
    ) -> None:
        self.workspace, self.folder = workspace, folder
        self.n_images, self.n_gone, self.n_files = n_images, n_gone, n_files
        state = f"the files of {n_gone:,} of them are gone" if n_gone else "their files are there"
        everything = " --all" if n_gone < n_images else ""
        super().__init__(
            f"{n_images:,} of {n_files:,} images are in the workspace already, from other files, "
            f"and {state}: {example[0]} is the same picture as {example[1]}. If they were moved: "
            f"`python -m pul relocate --workspace {workspace}{everything} {folder}`; labels and "
            "runs stay. To leave them out: --duplicates skip. To add them once more as new "
            "images: --duplicates add."
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
