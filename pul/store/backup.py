"""Copies of a workspace that are whole and can be checked, made while work goes on."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import BaseModel, ValidationError

from pul.errors import ConfigError, JobError, StoreError
from pul.store.artifacts import PRUNED, UNFINISHED
from pul.store.atomic_files import new_folder
from pul.store.file_sums import FileSum
from pul.store.import_lock import LOCK_FILE
from pul.store.workspace import Workspace

MANIFEST = "backup.json"
_DATABASE = "pul.db"
_ATTEMPTS = 3  # while runs are removed for good, which takes files that rows still named
_LEFT_OUT = ("cache", LOCK_FILE, _DATABASE, f"{_DATABASE}-wal", f"{_DATABASE}-shm")

OnProgress = Callable[[int, int], None]


class _Manifest(BaseModel):
    """What a backup holds: the SHA-256 of every file by its path."""

    format: str = "pul-backup"
    version: int = 1
    name: str
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What a backup holds.

    Attributes:
        path: Its folder, which is a workspace by itself.
        n_files: Files.
        n_bytes: Bytes in all.
        n_elsewhere: Images that lie outside the workspace, which a backup does not hold.
    """

    path: Path
    n_files: int
    n_bytes: int
    n_elsewhere: int


class _ChangedMeanwhileError(StoreError):
    """A file that a row names went away while the rest was copied."""


def back_up(
    workspace: Workspace, target: Path, *, on_progress: OnProgress | None = None
) -> BackupReport:
    """Copy a workspace as it is at one moment; runs and labelling go on meanwhile.

    The rows are copied first, by SQLite's own backup or from one PostgreSQL snapshot; then the
    files, which never change once a row names them. At the end each file that a row names is there
    and is as it was written. The cache and images elsewhere are left out.

    Args:
        workspace: What to copy.
        target: A new or empty folder; it appears whole or not at all.
        on_progress: Called with files copied and files in all.

    Raises:
        ConfigError: There is something at the target, or it lies in the workspace.
        StoreError: The target cannot be written, or the workspace cannot be read or lacks a file
            that a row names.
    """
    if target.absolute().is_relative_to(workspace.path):
        raise ConfigError(f"{target} lies within the workspace; give a place outside of it.")
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with new_folder(target) as aside:
                counts = _fill(workspace, aside, on_progress)
        except _ChangedMeanwhileError:
            if attempt == _ATTEMPTS:
                raise
        else:
            break
    return BackupReport(target, *counts)


def _fill(
    workspace: Workspace, aside: Path, on_progress: OnProgress | None
) -> tuple[int, int, int]:
    """Copy rows and files into a folder; return files, bytes, and images that lie elsewhere."""
    workspace.copy_database(aside / _DATABASE)
    with Workspace.open(aside) as copy:
        named = copy.named_files()
        paths = copy.images().paths
    _copy_all(workspace.path, aside, named, on_progress)
    files = {name: _digest(aside / name) for name in _files(aside)}
    _check_named(aside, named, files)
    manifest = _Manifest(name=workspace.name, files=files)
    (aside / MANIFEST).write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
    n_bytes = sum((aside / name).stat().st_size for name in _files(aside))
    return len(files), n_bytes, sum(not Path(path).is_relative_to(aside) for path in paths)


def _check_named(
    folder: Path, named: Mapping[str, FileSum | None], files: Mapping[str, str]
) -> None:
    """Make sure that each file that a row names is there, and as it was written.

    Raises:
        StoreError: One is not.
    """
    for name, expected in named.items():
        path = Path(name)
        if name not in files:
            if path.name in _pruned(folder / path.parent):
                continue
            raise _ChangedMeanwhileError(
                f"{name} is missing in the workspace, though it is named there, so a backup would "
                "not be whole. `python -m pul doctor` says what to do."
            )
        if expected is not None and files[name] != expected.sha256:
            raise StoreError(
                f"{name} is damaged, so a backup would not be whole. `python -m pul doctor` says "
                "what to do."
            )


def _pruned(folder: Path) -> frozenset[str]:
    with suppress(OSError):
        return frozenset((folder / PRUNED).read_text(encoding="utf-8").split("\n"))
    return frozenset()


def check_backup(backup: Path, *, on_progress: OnProgress | None = None) -> int:
    """Make sure that every file of a backup is as it was written; return how many there are.

    What its rows name is part of that, whatever its list of files says.

    Raises:
        StoreError: It is no backup, or a file is missing or damaged.
    """
    files = _read_manifest(backup).files
    for done, (name, digest) in enumerate(sorted(files.items()), start=1):
        path = backup / name
        if not path.resolve().is_relative_to(backup.resolve()):
            raise StoreError(f"The backup {backup} names a file outside of itself: {name!r}.")
        if not path.is_file() or _digest(path) != digest:
            state = "damaged" if path.is_file() else "missing"
            raise StoreError(f"{path} is {state}: this backup is not whole; use another one.")
        if on_progress is not None:
            on_progress(done, len(files))
    with TemporaryDirectory() as aside:  # opening it may bring it up to date
        _copy(backup, Path(aside), [_DATABASE])
        with Workspace.open(aside) as rows:
            _check_named(backup, rows.named_files(), files)
    return len(files)


def restore(backup: Path, location: str | Path) -> None:
    """Make a workspace from a backup that is whole.

    Jobs that were at work when it was made are stopped; their runs can be resumed.

    Args:
        backup: The backup's folder.
        location: A new or empty folder, or the URL of an empty PostgreSQL database.

    Raises:
        ConfigError: There is something at the location.
        StoreError: The backup is not whole, or the location cannot be written.
    """
    check_backup(backup)
    names = list(_read_manifest(backup).files)
    if "://" not in str(location):
        with new_folder(Path(location).expanduser()) as aside:
            _copy(backup, aside, names)
    else:
        with TemporaryDirectory() as aside, Workspace.create(location) as workspace:
            _copy(backup, Path(aside), [_DATABASE])  # opening it may bring it up to date
            with Workspace.open(aside) as source:
                workspace.take_rows(source)
            _copy(backup, workspace.path, [name for name in names if name != _DATABASE])
    with Workspace.open(location) as workspace:
        _stop_jobs(workspace)


def _stop_jobs(workspace: Workspace) -> None:
    for status in ("queued", "running", "paused"):
        for job in workspace.jobs(status=status):
            with suppress(JobError):
                workspace.finish_job(
                    job.job_id, "stopped", error="The workspace was restored from a backup."
                )


def _copy_all(
    source: Path,
    target: Path,
    named: Mapping[str, FileSum | None],
    on_progress: OnProgress | None,
) -> None:
    whole = {Path(name).parent for name in named if name.startswith("runs/")}
    kept = [name for name in _files(source) if _is_kept(Path(name), whole)]
    for done, name in enumerate(kept, start=1):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # if a row names it, it is missed at the end
            shutil.copy2(source / name, target / name)
        if on_progress is not None:
            on_progress(done, len(kept))
    for folder in whole:  # it says what was removed meanwhile, and is written before that
        with suppress(FileNotFoundError):
            shutil.copy2(source / folder / PRUNED, target / folder / PRUNED)


def _is_kept(name: Path, whole: set[Path]) -> bool:
    if name.parts[0] in _LEFT_OUT or any(part.startswith(UNFINISHED) for part in name.parts):
        return False
    if name.parts[0] == "runs" and any(part.startswith("iteration-") for part in name.parts[:-1]):
        return name.parent in whole  # the others came after the rows were copied
    return True


def _copy(source: Path, target: Path, names: list[str]) -> None:
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / name, target / name)


def _files(folder: Path) -> Iterator[str]:
    """Yield the files below a folder, sorted; one that goes away meanwhile is passed over."""
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(parent, name)
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(folder).as_posix()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_manifest(backup: Path) -> _Manifest:
    try:
        return _Manifest.model_validate(json.loads((backup / MANIFEST).read_bytes()))
    except (OSError, ValueError, ValidationError) as error:
        raise StoreError(
            f"{backup} is no backup that `python -m pul backup` has made whole: its {MANIFEST} is "
            "missing or damaged."
        ) from error
