"""The rows of a workspace from before the first release, to be opened by the version of today."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, MetaData, insert, select

from pul.store.database import Database, _number_on, upgrade
from pul.store.locations import locate
from pul.store.schema import OLDEST_REVISION

_DUMP = Path(__file__).parent / "data" / "workspace_of_2026_11.sql"


def write_kept_workspace(location: str) -> None:
    """Make the kept workspace at a location that is still empty: a folder or a PostgreSQL URL."""
    url, path, _ = locate(location)
    path.mkdir()
    if url.get_backend_name() == "sqlite":
        write_kept_database(path / "pul.db")
        return
    file = path.with_name("kept.db")
    write_kept_database(file)
    source, target = Database(URL.create("sqlite", database=str(file))), Database(url)
    with target.write() as connection:
        upgrade(connection, OLDEST_REVISION)
    _take_old_rows(source, target)
    for database in (source, target):
        database.close()


def _take_old_rows(source: Database, target: Database) -> None:
    """Copy the rows between tables of the same old revision, whatever today's are."""
    with source.read() as reading, target.write() as writing:
        tables = MetaData()
        tables.reflect(writing)
        for table in tables.sorted_tables:
            columns = [column for column in table.c if table.name != "alembic_version"]
            rows = (
                [dict(row._mapping) for row in reading.execute(select(*columns))] if columns else []
            )
            if rows:
                writing.execute(insert(table), rows)
                _number_on(writing, table)


def write_kept_database(file: Path) -> None:
    """Write the kept workspace's SQLite file."""
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(_DUMP.read_text(encoding="utf-8"))
