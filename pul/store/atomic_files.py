"""Files and folders that appear whole or not at all, and never over somebody's work."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pul.errors import ConfigError, StoreError


@contextmanager
def new_file(target: Path) -> Iterator[Path]:
    """Yield a place beside the target to write to; it becomes the target when the block ends.

    Raises:
        ConfigError: There is something at the target.
        StoreError: It cannot be written.
    """
    _check_free(target)
    if target.is_dir():
        raise ConfigError(f"{target} is a folder; give the name of a new file.")
    aside = _aside(target)
    try:
        with _explained(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            yield aside
            _flush(aside)
            aside.replace(target)
    finally:
        with suppress(OSError):  # it is the target by now, or was never made
            aside.unlink()


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Yield a folder beside the target to fill; it becomes the target when the block ends.

    Raises:
        ConfigError: There is something at the target.
        StoreError: It cannot be written.
    """
    _check_free(target)
    if target.is_file():
        raise ConfigError(f"{target} is a file; give the name of a new folder.")
    aside = _aside(target)
    try:
        with _explained(target):
            aside.mkdir(parents=True)
            yield aside
            if target.is_dir():
                target.rmdir()  # an empty one; not every system renames onto it
            aside.rename(target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def place_file(source: Path, target: Path) -> None:
    """Put a file to another place without its bytes where the disk can (a hard link), or a copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    source = source.resolve()
    try:
        os.link(source, target)
    except FileExistsError as error:  # this disk takes it for the name of another image
        raise StoreError(
            f"{str(target)!r} is there already: two images have names that this disk does not tell "
            "apart, as they differ in case or accents only. Write to another disk."
        ) from error
    except OSError:  # another disk, or one without links
        shutil.copyfile(source, target)


def _check_free(target: Path) -> None:
    if target.is_dir():
        is_taken = any(target.iterdir())
    else:
        is_taken = target.exists() and target.stat().st_size > 0
    if is_taken:
        raise ConfigError(
            f"{target} is there already and is not empty. Give another name, or delete it first."
        )


def _aside(target: Path) -> Path:
    return target.absolute().with_name(f".{target.absolute().name}.{os.getpid()}.part")


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


@contextmanager
def _explained(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{target} cannot be written: {error.strerror or error}. Choose a place that this "
            "user may write to, with enough room."
        ) from error
