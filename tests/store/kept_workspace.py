"""The rows of a workspace from before the first release, to be opened by the version of today."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL

from pul.store.database import Database, upgrade
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
    target.take_rows(source)
    for database in (source, target):
        database.close()


def write_kept_database(file: Path) -> None:
    """Write the kept workspace's SQLite file."""
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(_DUMP.read_text(encoding="utf-8"))
