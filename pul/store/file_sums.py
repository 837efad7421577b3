"""What a stored file was when it was written, and whether it still is that."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from pul.errors import ArtifactError

CHECKED_WHOLE = 64 << 20  # bytes; a larger file is checked whole by `pul doctor` alone
ASK_DOCTOR = " `python -m pul doctor` says how to have it computed again."
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class FileSum:
    """A file as it was written.

    Attributes:
        sha256: Of its bytes, in hex.
        n_bytes: Its size.
        dtype: Of an array, as numpy writes it (`<f4`); "" for other files.
        shape: Of an array; empty for other files.
    """

    sha256: str
    n_bytes: int
    dtype: str = ""
    shape: tuple[int, ...] = ()

    @classmethod
    def of(cls, path: Path) -> Self:
        """Return what a file is now.

        Raises:
            OSError: It cannot be read.
        """
        with path.open("rb") as file:
            digest, n_bytes = _digest(file)
        if path.suffix != ".npy":
            return cls(digest, n_bytes)
        array = load_array(path)
        return cls(digest, n_bytes, array.dtype.str, array.shape)

    def check(self, path: Path) -> None:
        """Make sure that a file is what it was: its size, and its bytes where it is not large.

        A file that was checked and has not been written since is not read again.

        Raises:
            OSError: It cannot be read.
            ArtifactError: It is not.
        """
        stat = path.stat()
        if stat.st_size != self.n_bytes:
            raise damaged(path, f"it has {stat.st_size:,} bytes instead of {self.n_bytes:,}")
        if self.n_bytes <= CHECKED_WHOLE and not _is_as_written(
            str(path), stat.st_mtime_ns, stat.st_ino, self
        ):
            raise damaged(path, "its bytes are not those that were written")

    def check_array(self, path: Path, array: NDArray[Any]) -> None:
        """Make sure that an array is of the kind that was written.

        Raises:
            ArtifactError: It is not.
        """
        if (array.dtype.str, array.shape) != (self.dtype, self.shape):
            raise damaged(
                path,
                f"it is {array.dtype.str} of shape {array.shape} instead of {self.dtype} of shape "
                f"{self.shape}",
            )

    def check_whole(self, path: Path) -> None:
        """Make sure that each byte of a file is as it was written, however large it is.

        Raises:
            OSError: It cannot be read.
            ArtifactError: One is not.
        """
        with path.open("rb") as file:
            digest, _ = _digest(file)
        if digest != self.sha256:
            raise damaged(path, "its bytes are not those that were written")


def damaged(path: Path, reason: str) -> ArtifactError:
    """Return the error that says what is wrong with a file, and what to do."""
    return ArtifactError(f"{path} is damaged: {reason}.{ASK_DOCTOR}")


def load_array(path: Path) -> NDArray[Any]:
    """Map an array from disk read-only.

    Raises:
        FileNotFoundError: There is no such file.
        ArtifactError: It is no array.
    """
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise
    except Exception as error:  # a damaged header makes numpy raise all kinds of errors
        raise damaged(path, "it is no array") from error
    return array


def write_and_sum(path: Path, write: Callable[[Any], object]) -> FileSum:
    """Write a file, let it reach the disk, and return what was written.

    Raises:
        OSError: The disk is full or refuses.
    """
    with path.open("wb") as file:
        summing = _Summing(file)
        write(summing)
        file.flush()
        os.fsync(file.fileno())
    return FileSum(summing.sha256, summing.n_bytes)


class _Summing:
    """A file to write to that sums what goes through."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._sum, self.n_bytes = file, hashlib.sha256(), 0

    @property
    def sha256(self) -> str:
        return self._sum.hexdigest()

    def write(self, content: bytes | memoryview) -> int:
        self._sum.update(content)
        self.n_bytes += memoryview(content).nbytes
        return self._file.write(content)


def _digest(file: BinaryIO) -> tuple[str, int]:
    found = hashlib.sha256()
    n_bytes = 0
    while block := file.read(_BLOCK):
        found.update(block)
        n_bytes += len(block)
    return found.hexdigest(), n_bytes


@lru_cache(maxsize=4096)
def _is_as_written(path: str, _mtime_ns: int, _inode: int, expected: FileSum) -> bool:
    with Path(path).open("rb") as file:
        return _digest(file)[0] == expected.sha256
