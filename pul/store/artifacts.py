"""Arrays and checkpoints on disk: a folder for each iteration, whole or absent."""

import json
import os
import shutil
import uuid
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from pul.errors import ArtifactError, StoreError
from pul.records import IterationArrays, IterationRankings

ARRAYS: tuple[str, ...] = tuple(field.name for field in fields(IterationArrays))
RANKINGS: tuple[str, ...] = tuple(field.name for field in fields(IterationRankings))
RANKING_FILE = "ranking-{name}.npy"
CHECKPOINT = "model.safetensors"
RECORD = "record.json"
PRUNED = "pruned.txt"  # says what was removed to save room, before it is removed
UNFINISHED = ".unfinished-"  # a folder of this prefix is not whole and never will be


def write_iteration(
    folder: Path,
    record: dict[str, Any],
    arrays: IterationArrays,
    checkpoint: bytes | Path,
    rankings: IterationRankings | None = None,
) -> None:
    """Write an iteration's folder: after any crash it is whole, as it was before, or absent.

    Everything goes into a folder aside, reaches the disk, and is renamed in one step.

    Args:
        folder: Where it shall lie; replaced if it is there.
        record: The iteration's record, as plain values.
        arrays: Its arrays.
        checkpoint: The network as the bytes or the path of a safetensors file.
        rankings: What it finds for each query; None where there are no queries.

    Raises:
        StoreError: The disk is full or refuses; nothing is left behind.
    """
    aside = folder.with_name(f"{UNFINISHED}{uuid.uuid4().hex}")
    try:
        aside.mkdir(parents=True)
        _fill(aside, record, arrays, checkpoint, rankings)
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


def remove_unfinished(run_folder: Path) -> None:
    """Remove what workers that were killed left half-written; for a run's only worker to call."""
    for folder in sorted(run_folder.glob(f"{UNFINISHED}*")):
        shutil.rmtree(folder, ignore_errors=True)


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
        f"{path} was removed to save room, as the run's setting keep_features says; choose a later "
        "iteration."
    )


def read_array(folder: Path, name: str) -> NDArray[Any]:
    """Return an array of an iteration, mapped from disk read-only.

    Raises:
        ArtifactError: There is none of that name, or the file is missing or damaged.
    """
    if name not in ARRAYS:
        raise ArtifactError(f"There is no array {name!r}; there are {', '.join(ARRAYS)}.")
    return _read(folder / f"{name}.npy")


def read_rankings(folder: Path) -> IterationRankings | None:
    """Return what an iteration found for each query; None where nothing is kept.

    Raises:
        ArtifactError: An array is missing or damaged.
    """
    paths = {name: folder / RANKING_FILE.format(name=name) for name in RANKINGS}
    if not any(path.exists() for path in paths.values()):
        return None
    return IterationRankings(**{name: _read(path) for name, path in paths.items()})


def _read(path: Path) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        if path.name in pruned(path.parent):
            raise _was_pruned(path) from error
        state = "missing" if isinstance(error, FileNotFoundError) else "damaged"
        raise ArtifactError(
            f"{path} is {state}. `python -m pul doctor` says how to have it computed again."
        ) from error
    return array


def find_checkpoint(folder: Path) -> Path:
    """Return the file of an iteration's network.

    Raises:
        ArtifactError: The file is missing.
    """
    path = folder / CHECKPOINT
    if not path.is_file():
        if path.name in pruned(folder):
            raise _was_pruned(path)
        raise ArtifactError(
            f"The checkpoint {path} is missing. `python -m pul doctor` says how to have it "
            "computed again."
        )
    return path


def _fill(
    folder: Path,
    record: dict[str, Any],
    arrays: IterationArrays,
    checkpoint: bytes | Path,
    rankings: IterationRankings | None,
) -> None:
    for name in ARRAYS:
        _write(folder / f"{name}.npy", getattr(arrays, name))
    for name in RANKINGS if rankings else ():
        _write(folder / RANKING_FILE.format(name=name), getattr(rankings, name))
    with (folder / CHECKPOINT).open("wb") as file:
        if isinstance(checkpoint, Path):
            with checkpoint.open("rb") as source:
                shutil.copyfileobj(source, file)
        else:
            file.write(checkpoint)
        _sync(file)
    with (folder / RECORD).open("wb") as file:
        file.write(json.dumps(record, indent=1, sort_keys=True).encode())
        _sync(file)
    _sync_folder(folder)


def _write(path: Path, array: NDArray[Any]) -> None:
    with path.open("wb") as file:
        np.save(file, np.ascontiguousarray(array), allow_pickle=False)
        _sync(file)


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
