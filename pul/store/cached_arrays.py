"""Folders of arrays in a cache: written whole or not at all, checked and mapped when read."""

import json
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pul.arrays import FloatArray
from pul.errors import ArtifactError, StoreError
from pul.store.artifacts import UNFINISHED
from pul.store.encoding import from_plain, to_plain
from pul.store.file_sums import FileSum, load_array, write_and_sum

_CONTENT = "content.json"
_LEFTOVER_S = 24 * 3600.0

Arrays = dict[str, NDArray[Any]]


class NewArrays:
    """A folder that is being filled."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mapped: Arrays = {}
        self._sums: dict[str, FileSum] = {}
        self._plain: dict[str, Any] = {}

    def allocate(self, name: str, shape: tuple[int, int]) -> FloatArray:
        """Return an array on the disk to be filled, which is kept by its name.

        Raises:
            OSError: The disk is full. Without the reservation, writing to it would be a bus error.
        """
        path = self._path(name)
        array: FloatArray = np.lib.format.open_memmap(
            path, mode="w+", dtype=np.float32, shape=shape
        )
        if hasattr(os, "posix_fallocate"):
            with path.open("rb+") as file:
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        self._mapped[name] = array
        return array

    def drop(self, name: str) -> None:
        """Remove an array that was needed on the way only."""
        del self._mapped[name]
        self._path(name).unlink()

    def put(self, name: str, array: NDArray[Any]) -> None:
        """Keep an array by a name, unless it is there already."""
        if name in self._mapped:
            return
        array = np.ascontiguousarray(array)
        written = write_and_sum(
            self._path(name), lambda file: np.save(file, array, allow_pickle=False)
        )
        self._sums[name] = replace(written, dtype=array.dtype.str, shape=array.shape)

    def put_plain(self, **values: Any) -> None:
        """Keep plain values by their names."""
        self._plain |= values

    def finish(self) -> None:
        """Let all reach the disk, and write down what it is."""
        for name in self._mapped:
            with self._path(name).open("rb+") as file:
                os.fsync(file.fileno())
            self._sums[name] = FileSum.of(self._path(name))
        content = json.dumps({"plain": self._plain, "sums": to_plain(self._sums)}).encode()
        write_and_sum(self._folder / _CONTENT, lambda file: file.write(content))

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.npy"


@contextmanager
def new_arrays(target: Path) -> Iterator[NewArrays]:
    """Yield a folder to fill, which takes the place of the target if nothing goes wrong.

    Raises:
        StoreError: The disk is full or refuses; nothing is left behind.
    """
    aside = target.with_name(f"{UNFINISHED}{uuid.uuid4().hex}")
    try:
        aside.mkdir(parents=True)
        _remove_leftovers(target.parent)
        made = NewArrays(aside)
        yield made
        made.finish()
        shutil.rmtree(target, ignore_errors=True)
        aside.rename(target)
    except OSError as error:
        if read_arrays(target) is None:  # else another process was quicker
            raise StoreError(
                f"{target} cannot be written: {error.strerror or error}. Free some disk space, or "
                "make the folder writable."
            ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def read_arrays(target: Path) -> tuple[Arrays, dict[str, Any]] | None:
    """Map the arrays of a folder, and read its plain values; None if missing or damaged."""
    try:
        content = json.loads((target / _CONTENT).read_bytes())
        sums = from_plain(dict[str, FileSum], content["sums"])
        arrays = {name: _read(target / f"{name}.npy", known) for name, known in sums.items()}
        plain: dict[str, Any] = content["plain"]
    except (OSError, ValueError, KeyError, TypeError, ArtifactError, StoreError):
        return None
    return arrays, plain


def _read(path: Path, expected: FileSum) -> NDArray[Any]:
    expected.check(path)
    array = load_array(path)
    expected.check_array(path, array)
    return np.asarray(array)


def _remove_leftovers(folder: Path) -> None:
    """Remove what processes that were killed a day ago or earlier left behind."""
    for path in folder.glob(f"{UNFINISHED}*"):
        if path.stat().st_mtime < time.time() - _LEFTOVER_S:
            shutil.rmtree(path, ignore_errors=True)
