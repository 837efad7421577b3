"""The database behind a workspace: SQLite by default, PostgreSQL by URL."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Integer,
    Table,
    create_engine,
    func,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from pul.errors import ServerLostError, StoreError, WorkspaceError
from pul.store.named_values import GAPS, write_value
from pul.store.schema import (
    HEAD_REVISION,
    OLDEST_REVISION,
    annotation_events,
    images,
    metadata,
)
from pul.store.sqlite_files import LOCK_WAIT_S, is_read_only, open_read_only, open_sqlite
from pul.store.sqlite_log import WriteAheadLog, forget_log

_WRITE_LOCK = 7085  # any number, the same in every PUL process
_MIGRATIONS = Path(__file__).parent / "migrations"
_RESTORE = "go back to a backup with `python -m pul restore`"
_HINTS = {
    "locked": "Another program holds it; close that or try again.",
    "lock timeout": "Another program holds it; close that or try again.",
    "full": "Free some disk space and try again.",
    "readonly": "Make the folder and the file writable for this user.",
    "unable to open": "Check that the folder exists and is writable for this user.",
    "i/o error": "The disk is full or failing; free some space, look at the disk, and try again.",
    "malformed": f"The file is damaged; {_RESTORE}.",
    "not a database": f"The file is damaged or of another program; {_RESTORE}.",
}


class Database:
    """Transactions on one database.

    One writes at a time, on PostgreSQL too, as on SQLite: numbers are given in the order in which
    rows appear, so that "all after n" misses none, and what was checked holds until the commit.
    """

    def __init__(self, url: URL) -> None:
        self.url = url
        self.is_sqlite = url.get_backend_name() == "sqlite"
        self.is_read_only = self.is_sqlite and is_read_only(Path(str(url.database)))
        if self.is_read_only:
            self._engine = open_read_only(Path(str(url.database)))
        else:
            self._engine = open_sqlite(url) if self.is_sqlite else _make_postgres(url)
        self.log: WriteAheadLog | None = None
        if self.is_sqlite and not self.is_read_only:
            self.log = WriteAheadLog(Path(str(url.database)))
        self._watching: sqlite3.Connection | None = None
        self._watch_lock = Lock()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that only reads.

        Raises:
            StoreError: The database refuses.
        """
        with self._translated(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that alone may write; it is kept if the block ends, else undone.

        Raises:
            StoreError: The database refuses.
        """
        if self.is_read_only:
            raise StoreError(
                f"{self.describe()} can only be looked at: its disk or its owner lets this user "
                "not write. Copy the workspace to a disk that can be written."
            )
        with self._translated(), self._engine.connect() as connection:
            connection.execution_options(pul_writes=True)
            transaction = connection.begin()
            is_notable = True
            while self.log and is_notable and not self.log.is_noted(connection):
                transaction.rollback()  # the note must be there before anything else
                is_notable = self.log.note()
                transaction = connection.begin()
            try:
                if not self.is_sqlite:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _WRITE_LOCK})
                yield connection
            except BaseException:
                with suppress(SQLAlchemyError):  # of a server that is gone
                    transaction.rollback()
                raise
            with self._translated(is_commit=True):
                transaction.commit()
        if self.log is not None:
            self.log.after_write()

    def now(self, connection: Connection) -> str:
        """Return the time in UTC, ISO 8601; a server's own, as workers may be on many hosts."""
        return self._moment(connection).isoformat(timespec="milliseconds")

    def seconds_since(self, connection: Connection, moment: str) -> float:
        """Return the seconds from a moment that `now` gave until now."""
        return (self._moment(connection) - datetime.fromisoformat(moment)).total_seconds()

    def version(self) -> str:
        """Return a name that changes whenever anybody, in any process, has committed something.

        It costs some microseconds on SQLite, so that who polls need not read what stayed the same.

        Raises:
            StoreError: The database refuses.
        """
        if not self.is_sqlite:
            with self.read() as connection:
                said = connection.execute(text("SELECT pg_current_snapshot()::text"))
                return str(said.scalar_one())
        with self._translated(), self._watch_lock:
            # SQLite counts the commits of all connections but the one that asks: it never writes.
            if self.is_read_only:
                return "read-only"
            if self._watching is None:
                self._watching = sqlite3.connect(
                    str(self.url.database), timeout=LOCK_WAIT_S, check_same_thread=False
                )
            return str(self._watching.execute("PRAGMA data_version").fetchone()[0])

    def revision(self) -> str | None:
        """Return the revision of the tables; None for an empty database.

        Raises:
            WorkspaceError: The database holds tables that are not of a workspace.
            StoreError: The database refuses.
        """
        with self.read() as connection:
            tables = inspect(connection).get_table_names()
            if "alembic_version" in tables:
                version: str | None = connection.execute(
                    text("SELECT version_num FROM alembic_version")
                ).scalar()
                return version
        if tables:
            raise WorkspaceError(
                f"{self.describe()} holds tables of another program: {', '.join(tables[:3])}; "
                "give a workspace, or an empty place to make one."
            )
        return None

    def migrate(self) -> None:
        """Bring the tables to the newest revision, in one transaction with the record of it.

        Raises:
            WorkspaceError: The tables are of a newer version of this program, or of one from long
                before its first release.
            StoreError: The database refuses.
        """
        if self.is_sqlite and not self.is_read_only:
            self._keep_write_ahead_log()
        revision = self.revision()
        if revision == HEAD_REVISION:
            return
        self._check_known(revision)
        if self.is_read_only:
            self._engine.dispose()
            self._engine = open_read_only(Path(str(self.url.database)), as_copy=True)
            with self._translated(), self._engine.connect() as connection, connection.begin():
                upgrade(connection, HEAD_REVISION)
            return
        with self.write() as connection:
            upgrade(connection, HEAD_REVISION)

    def make_tables(self, values: Mapping[str, Any]) -> bool:
        """Make the tables of a new workspace, unless it has some; return whether they are new.

        Of two processes that try, one makes them.

        Args:
            values: What to keep under which name, together with them.

        Raises:
            WorkspaceError: The database holds tables that are not of a workspace.
            StoreError: The database refuses.
        """
        if self.is_sqlite:
            self._keep_write_ahead_log()
        if self.revision() is not None:
            return False
        with self.write() as connection:
            if inspect(connection).get_table_names():
                return False
            upgrade(connection, HEAD_REVISION)
            for name, value in values.items():
                write_value(connection, name, value)
        if self.log is not None:
            self.log.note()
        return True

    def _check_known(self, revision: str | None) -> None:
        if revision is None or revision in _known_revisions():
            return
        if not revision.isdigit():
            raise WorkspaceError(
                f"{self.describe()} names a revision that no version of PUL Studio has: "
                f"{revision!r}. The file is damaged or of another program; {_RESTORE}."
            )
        if revision > HEAD_REVISION:
            raise WorkspaceError(
                f"{self.describe()} was written by a newer version of PUL Studio (its revision is "
                f"{revision}, this version knows up to {HEAD_REVISION}). Update the program."
            )
        raise WorkspaceError(
            f"{self.describe()} was written by a version of PUL Studio that was never released "
            f"(its revision is {revision}, this version reads from {OLDEST_REVISION} on). Open it "
            "once with a version of November 2026, which brings it up to date, or import its "
            "images into a new workspace."
        )

    def damage(self) -> str:
        """Return what is wrong with the database's own file; "" for nothing, and on a server.

        Raises:
            StoreError: The database refuses.
        """
        if not self.is_sqlite:
            return ""
        with self.read() as connection:
            said = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one()
        return "" if said == "ok" else str(said)

    def copy_to(self, file: Path) -> None:
        """Write a consistent copy to a new SQLite file, while others may write.

        Raises:
            StoreError: The database or the disk refuses.
        """
        if self.is_sqlite:
            with self._translated(), closing(sqlite3.connect(file)) as copy:
                source = self._engine.raw_connection()
                try:
                    source.driver_connection.backup(copy)  # type: ignore[union-attr]
                    forget_log(copy)
                finally:
                    source.close()
            return
        copied = Database(URL.create("sqlite", database=str(file)))
        try:
            copied.migrate()
            copied.take_rows(self)
        finally:
            copied.close()

    def take_rows(self, source: "Database") -> None:
        """Fill empty tables with the rows of a database of the same revision, as of one moment.

        Raises:
            StoreError: One of the databases refuses.
        """
        with source.read() as reading, self.write() as writing:
            if not source.is_sqlite:
                reading.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            for table in metadata.sorted_tables:
                rows = [dict(row._mapping) for row in reading.execute(select(table))]
                if rows:
                    writing.execute(insert(table), rows)
                if not self.is_sqlite:
                    _number_on(writing, table)
            if self.is_sqlite and source.is_sqlite:  # numbers of what is gone are not given again
                given = reading.exec_driver_sql("SELECT seq, name FROM sqlite_sequence").all()
                for row in given:
                    change = "UPDATE sqlite_sequence SET seq = ? WHERE name = ?"
                    writing.exec_driver_sql(change, tuple(row))
            elif self.is_sqlite:
                for table in (images, annotation_events):
                    (key,) = table.primary_key.columns
                    last, n_rows = writing.execute(select(func.max(key), func.count())).one()
                    write_value(writing, f"{GAPS}{table.name}", (last or 0) - n_rows)

    def close(self) -> None:
        """Close all connections."""
        if self.log is not None:  # first: with the last connection the log goes away
            self.log.close()
        self._engine.dispose()
        with self._watch_lock:
            if self._watching is not None:
                self._watching.close()
                self._watching = None

    def describe(self) -> str:
        """Return where the database is, for people: the file, or the URL without its password."""
        return str(self.url.database) if self.is_sqlite else self.url.render_as_string()

    def _moment(self, connection: Connection) -> datetime:
        if self.is_sqlite:
            return datetime.now(UTC)
        moment: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        return moment.astimezone(UTC)

    def _keep_write_ahead_log(self) -> None:
        # A property of the file, not of a connection; it cannot change within a transaction.
        with self._translated():
            connection = self._engine.raw_connection()
            try:
                connection.cursor().execute("PRAGMA journal_mode=WAL")
            finally:
                connection.close()

    @contextmanager
    def _translated(self, *, is_commit: bool = False) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error) as error:
            if not self.is_sqlite and _is_lost(error):
                raise ServerLostError(
                    f"The database server of {self.describe()} does not answer, or went away. "
                    "Check that it runs and that the address is right; then try again.",
                    is_undone=not is_commit,
                ) from error
            raise StoreError(self._explain(getattr(error, "orig", None) or error)) from error
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise StoreError(
                f"A row of the database {self.describe()} is damaged: {error}. "
                "`python -m pul doctor` says which, and what to do."
            ) from error

    def _explain(self, error: BaseException) -> str:
        reason = str(error).strip() or type(error).__name__
        hints = [hint for word, hint in _HINTS.items() if word in reason.lower()]
        return " ".join(
            [f"The database {self.describe()} refused: {reason.rstrip('.')}.", *hints[:1]]
        )


def _number_on(connection: Connection, table: Table) -> None:
    """Let PostgreSQL number further rows after those that were brought."""
    (key, *others) = table.primary_key.columns
    if others or not isinstance(key.type, Integer):
        return
    highest = connection.execute(select(func.max(key))).scalar()
    if highest is not None:
        place = text("SELECT setval(pg_get_serial_sequence(:table, :column), :n)")
        connection.execute(place, {"table": table.name, "column": key.name, "n": highest})


def upgrade(connection: Connection, revision: str) -> None:
    """Bring the tables behind an open transaction to a revision that this program knows."""
    # Slow to import, and needed once in the life of a workspace.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _is_lost(error: Exception) -> bool:
    """Whether a server is down, shutting down, starting, or out of reach."""
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    is_new = isinstance(error, OperationalError) and state is None  # it never let us in
    return is_new or error.connection_invalidated or str(state)[:2] in ("08", "57")


def _known_revisions() -> frozenset[str]:
    files = (_MIGRATIONS / "versions").glob("revision_*.py")
    return frozenset(file.stem.removeprefix("revision_") for file in files)


def _make_postgres(url: URL) -> Engine:
    options = f"-c lock_timeout={LOCK_WAIT_S * 1000}"
    return create_engine(url, connect_args={"options": options}, pool_pre_ping=True)
