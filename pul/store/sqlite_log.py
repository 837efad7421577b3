"""SQLite's write-ahead log: kept short, and missed where a database was copied without it.

What was committed last is in `pul.db-wal` until SQLite moves it into `pul.db`. Whoever copies
`pul.db` alone loses it without a word. So the log is moved as soon as writing pauses; and while
there may be a log, the database itself says so.
"""

import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

IDLE_S, LONGEST_S = 2.0, 10.0  # after the last write, and after the first since the log was moved
_BUSY_S = 5.0
_FLAG = "log_since"  # the setting: since when there may be a log
_MISSING = "log_missing_since"  # the setting: what was in the log is lost
NAMES_OF_LOG = (_FLAG, _MISSING)  # written here, without sums
_READ = "SELECT value FROM settings WHERE name = ?"
_SET = "INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)"
_CLEAR = "DELETE FROM settings WHERE name = ?"
_MOVE = "PRAGMA wal_checkpoint(PASSIVE)"
_VERSION = "PRAGMA data_version"  # changes whenever another connection has committed something


class WriteAheadLog:
    """The log of one database file, as one process sees it.

    Attributes:
        missing_since: Since when what was committed is missing, as the file was copied without its
            log; "" where nothing is missing.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._dirty_at: float | None = None
        self._written_at = 0.0
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self.missing_since = _missing_since(file)
        self._end = weakref.finalize(self, _settle, file)  # at the end of the process, too

    def is_noted(self, connection: Connection) -> bool:
        """Whether the database says that there is a log, within a transaction that writes.

        As long as that lasts, no other process can take the note for settled.
        """
        try:
            noted = connection.exec_driver_sql(_READ, (_FLAG,)).first()
        except SQLAlchemyError:  # no such table yet
            return True
        return noted is not None

    def note(self) -> bool:
        """Note in the database itself that there is a log from now on; return whether it worked."""
        try:
            with self._connected() as connection:
                now = datetime.now(UTC).isoformat(timespec="seconds")
                connection.execute(_SET, (_FLAG, f'"{now}"'))
                connection.execute(_MOVE)
        except sqlite3.Error:  # a full disk: the write itself will say it
            return False
        return True

    def after_write(self) -> None:
        """Have the log moved into the database when writing pauses."""
        with self._lock:
            self._written_at = time.monotonic()
            self._dirty_at = self._dirty_at or self._written_at
            if self._thread is None:
                self._thread = threading.Thread(
                    target=_watch, args=(weakref.ref(self), self._ended), daemon=True
                )
                self._thread.start()

    def close(self) -> None:
        """Move the log into the database."""
        self._ended.set()
        self._end()

    def forget_missing(self) -> None:
        """Take what is there for all there is."""
        self.missing_since = ""
        with suppress(sqlite3.Error), self._connected() as connection:
            connection.execute(_CLEAR, (_MISSING,))

    def settle_if_due(self) -> bool:
        """Move the log if writing has paused; return whether to go on watching."""
        with self._lock:
            now = time.monotonic()
            first = self._dirty_at
            is_due = first is not None and (
                now - self._written_at >= IDLE_S or now - first >= LONGEST_S
            )
            if is_due:
                self._dirty_at = None
        if is_due:
            _settle(self._file)
        return not self._ended.is_set()

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        with closing(_connect(self._file)) as connection:
            yield connection


def describe_missing(since: str) -> str:
    """Say what a database lacks that was copied without its log."""
    return (
        "pul.db was copied without its log, pul.db-wal: labels and iterations that were stored "
        f"after {since} are missing here."
    )


def forget_log(connection: sqlite3.Connection) -> None:
    """Note in a whole copy of a database that nothing of it is in a log."""
    with suppress(sqlite3.OperationalError):  # no such table yet
        connection.execute(_CLEAR, (_FLAG,))
        connection.commit()


def _watch(log: "weakref.ref[WriteAheadLog]", ended: threading.Event) -> None:
    while not ended.wait(IDLE_S / 4):
        watched = log()
        if watched is None or not watched.settle_if_due():
            return
        del watched


def _settle(file: Path) -> None:
    """Move the log into the database, and note there that all of it is there."""
    with suppress(sqlite3.Error, OSError):
        if not file.is_file():
            return
        with closing(_connect(file)) as connection:
            before = connection.execute(_VERSION).fetchone()
            _busy, n_pages, n_moved = connection.execute(_MOVE).fetchone()
            if n_pages == n_moved and connection.execute(_READ, (_FLAG,)).fetchone() is not None:
                connection.execute("BEGIN IMMEDIATE")
                if connection.execute(_VERSION).fetchone() == before:  # nobody wrote meanwhile
                    connection.execute(_CLEAR, (_FLAG,))
                connection.execute("COMMIT")
                connection.execute(_MOVE)


def _connect(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(file, timeout=_BUSY_S, isolation_level=None)


def _missing_since(file: Path) -> str:
    """Return since when a database lacks what was committed; "" where it does not."""
    log = file.with_name(f"{file.name}-wal")
    if not file.is_file():
        return ""
    with suppress(sqlite3.Error), closing(_connect(file)) as connection:
        if _is_log_lost(connection, log):
            connection.execute("BEGIN IMMEDIATE")  # nobody writes the note meanwhile
            if _is_log_lost(connection, log):  # kept until somebody takes what is there
                since = connection.execute(_READ, (_FLAG,)).fetchone()
                connection.execute(_SET, (_MISSING, since[0]))
                connection.execute(_CLEAR, (_FLAG,))
            connection.execute("COMMIT")
        row = connection.execute(_READ, (_MISSING,)).fetchone()
        return "" if row is None else str(row[0]).strip('"')
    return ""


def _is_log_lost(connection: sqlite3.Connection, log: Path) -> bool:
    """Whether a database says that there is a log where there is none."""
    # Read first: who writes the note keeps the log from then on until the note is taken back.
    if connection.execute(_READ, (_FLAG,)).fetchone() is None:
        return False
    return not (log.is_file() and log.stat().st_size > 0)
