"""Arrays and checkpoints on disk: a folder for each iteration, whole or absent."""

import json
import os
import shutil
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from pul.errors import ArtifactError, StoreError
from pul.records import IterationArrays, IterationRankings
from pul.store.file_sums import ASK_DOCTOR, FileSum, damaged, load_array, write_and_sum

ARRAYS: tuple[str, ...] = tuple(field.name for field in fields(IterationArrays))
RANKINGS: tuple[str, ...] = tuple(field.name for field in fields(IterationRankings))
RANKING_FILE = "ranking-{name}.npy"
CHECKPOINT = "model.safetensors"
RECORD = "record.json"
OLDEST_FILES = (*(f"{name}.npy" for name in ARRAYS), CHECKPOINT, RECORD)  # in each iteration
PRUNED = "pruned.txt"  # says what was removed to save room, before it is removed
UNFINISHED = ".unfinished-"  # a folder of this prefix is not whole and never will be


def write_iteration(
    folder: Path,
    record: dict[str, Any],
    arrays: IterationArrays,
    checkpoint: bytes | Path,
    rankings: IterationRankings | None = None,
) -> dict[str, FileSum]:
    """Write an iteration's folder: after any crash it is whole, as it was before, or absent.

    Everything goes into a folder aside, reaches the disk, and is renamed in one step.

    Args:
        folder: Where to write it; replaced if it is there.
        record: The iteration's record, as plain values.
        arrays: Its arrays.
        checkpoint: The network as the bytes or the path of a safetensors file.
        rankings: What it finds for each query; None where there are no queries.

    Returns:
        What was written, by the name of the file.

    Raises:
        StoreError: The disk is full or refuses; nothing is left behind.
    """
    aside = folder.with_name(f"{UNFINISHED}{uuid.uuid4().hex}")
    try:
        aside.mkdir(parents=True)
        sums = _fill(aside, record, arrays, checkpoint, rankings)
        if folder.exists():
            shutil.rmtree(folder)
        os.rename(aside, folder)  # noqa: PTH104 - the crash tests stop the process at this call
        _sync_folder(folder.parent)
    except OSError as error:
        shutil.rmtree(aside, ignore_errors=True)
        raise StoreError(
            f"{folder} cannot be written: {error.strerror or error}. "
            "Free some disk space or make the folder writable, then resume the run."
        ) from error
    return sums


def prune(folder: Path, names: Iterable[str]) -> None:
    """Remove files of an iteration to save room; a list of them is left, so that none is missed.

    Raises:
        StoreError: The disk refuses.
    """
    present = [name for name in names if (folder / name).exists()]
    if not present:
        return
    try:
        listed = sorted({*pruned(folder), *present})
        aside = folder / f"{UNFINISHED}{PRUNED}"
        with aside.open("wb") as file:
            file.write("\n".join(listed).encode())
            _sync(file)
        aside.replace(folder / PRUNED)
        for name in present:
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"{folder} cannot be pruned: {error.strerror or error}.") from error


def pruned(folder: Path) -> frozenset[str]:
    """Return the names of the files of an iteration that were removed to save room."""
    try:
        return frozenset((folder / PRUNED).read_text(encoding="utf-8").split("\n"))
    except OSError:
        return frozenset()


def _was_pruned(path: Path) -> ArtifactError:
    return ArtifactError(
        f"{path} was removed to save room, as the run's settings keep_features and keep_models "
        "say; choose a later iteration."
    )


def read_array(folder: Path, name: str, sums: Mapping[str, FileSum]) -> NDArray[Any]:
    """Return an array of an iteration, mapped from disk read-only.

    Args:
        folder: The iteration's.
        name: One of `ARRAYS`.
        sums: What was written, by the name of the file; empty where that is not known.

    Raises:
        ArtifactError: There is none of that name, or the file is missing or damaged.
    """
    if name not in ARRAYS:
        raise ArtifactError(f"There is no array {name!r}; there are {', '.join(ARRAYS)}.")
    return _read(folder / f"{name}.npy", sums)


def read_rankings(folder: Path, sums: Mapping[str, FileSum]) -> IterationRankings | None:
    """Return what an iteration found for each query; None where nothing is kept.

    Raises:
        ArtifactError: An array is missing or damaged.
    """
    paths = {name: folder / RANKING_FILE.format(name=name) for name in RANKINGS}
    if not any(path.exists() or path.name in sums for path in paths.values()):
        return None
    return IterationRankings(**{name: _read(path, sums) for name, path in paths.items()})


def _read(path: Path, sums: Mapping[str, FileSum]) -> NDArray[Any]:
    expected = sums.get(path.name)
    try:
        if expected is None:
            return load_array(path)
        expected.check(path)
        array = load_array(path)
    except FileNotFoundError as error:
        raise _is_missing(path) from error
    except OSError as error:
        raise damaged(path, f"it cannot be read: {error.strerror or error}") from error
    expected.check_array(path, array)
    return array


def find_checkpoint(folder: Path, sums: Mapping[str, FileSum]) -> Path:
    """Return the file of an iteration's network.

    Raises:
        ArtifactError: The file is missing or damaged.
    """
    path = folder / CHECKPOINT
    if not path.is_file():
        raise _is_missing(path)
    if path.name in sums:
        sums[path.name].check(path)
    return path


def _is_missing(path: Path) -> ArtifactError:
    if path.name in pruned(path.parent):
        return _was_pruned(path)
    return ArtifactError(f"{path} is missing.{ASK_DOCTOR}")


def _fill(
    folder: Path,
    record: dict[str, Any],
    arrays: IterationArrays,
    checkpoint: bytes | Path,
    rankings: IterationRankings | None,
) -> dict[str, FileSum]:
    named = {f"{name}.npy": getattr(arrays, name) for name in ARRAYS}
    for name in RANKINGS if rankings else ():
        named[RANKING_FILE.format(name=name)] = getattr(rankings, name)
    sums = {name: _write_array(folder / name, array) for name, array in named.items()}
    sums[CHECKPOINT] = write_and_sum(folder / CHECKPOINT, lambda file: _copy(checkpoint, file))
    text = json.dumps(record, indent=1, sort_keys=True).encode()
    sums[RECORD] = write_and_sum(folder / RECORD, lambda file: file.write(text))
    _sync_folder(folder)
    return sums


def _write_array(path: Path, array: NDArray[Any]) -> FileSum:
    array = np.ascontiguousarray(array)
    written = write_and_sum(path, lambda file: np.save(file, array, allow_pickle=False))
    return replace(written, dtype=array.dtype.str, shape=array.shape)


def _copy(checkpoint: bytes | Path, file: BinaryIO) -> None:
    if isinstance(checkpoint, Path):
        with checkpoint.open("rb") as source:
            shutil.copyfileobj(source, file)
    else:
        file.write(checkpoint)


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder reach the disk, and not only the files behind them."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
