"""SQLite's files: opened to be written, or only to be looked at."""

import os
import shutil
import sqlite3
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event

LOCK_WAIT_S = 30


def open_sqlite(url: URL) -> Engine:
    """Open a database to read and write."""
    return _listened(create_engine(url, connect_args={"timeout": LOCK_WAIT_S}))


def open_read_only(file: Path, *, as_copy: bool = False) -> Engine:
    """Open a database that this process cannot write, with all that was committed.

    SQLite cannot use its write-ahead log on such a disk; where there is one, a copy is opened.

    Args:
        file: The database.
        as_copy: Whether to open a copy anyhow, which may be written and is gone afterwards.
    """
    log = file.with_name(f"{file.name}-wal")
    has_log = log.is_file() and log.stat().st_size > 0
    if not (has_log or as_copy):
        return _listened(create_engine("sqlite://", creator=partial(_look_at, file)))
    folder = TemporaryDirectory(prefix="pul-read-only-")
    copy = Path(folder.name) / file.name
    shutil.copyfile(file, copy)
    if has_log:
        shutil.copyfile(log, copy.with_name(log.name))
    return _listened(create_engine("sqlite://", creator=partial(_use_copy, copy, folder)))


def is_read_only(file: Path) -> bool:
    """Whether a file is there that this process cannot write, or in a folder that it cannot."""
    return file.is_file() and not (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK))


def _look_at(file: Path) -> sqlite3.Connection:
    address = f"file:{quote(str(file))}?immutable=1"
    return sqlite3.connect(address, uri=True, check_same_thread=False)


def _use_copy(copy: Path, _folder: TemporaryDirectory[str]) -> sqlite3.Connection:
    """Connect to a copy; its folder is kept as long as anything may connect to it."""
    return sqlite3.connect(copy, check_same_thread=False)


def _set_up(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver would commit before CREATE TABLE otherwise
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA synchronous=FULL")  # a committed annotation survives a power cut


def _begin(connection: Connection) -> None:
    # A transaction that reads first and writes later may fail half-way; so a writer locks at once.
    writes = connection.get_execution_options().get("pul_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _listened(engine: Engine) -> Engine:
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine
