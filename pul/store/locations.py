"""Where a workspace is: a folder, or the URL of a database with a folder."""

from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from pul.errors import WorkspaceError

DATABASE_FILE = "pul.db"


def without_password(location: str) -> str:
    """Return a location as it may be shown, or given to another process.

    Raises:
        WorkspaceError: The location cannot be understood.
    """
    if "://" not in location:
        return location
    full = _parse_url(location)
    bare = URL.create(
        full.drivername,
        username=full.username,
        host=full.host,
        port=full.port,
        database=full.database,
        query=full.query,
    )
    return str(bare)


def locate(location: str | Path) -> tuple[URL, Path, str]:
    """Return the database, the folder and the full form of a location."""
    if "://" not in str(location):
        path = Path(location).expanduser().absolute()
        return URL.create("sqlite", database=str(path / DATABASE_FILE)), path, str(path)
    url = _parse_url(str(location))
    folder = url.query.get("artifacts")
    if url.get_backend_name() != "postgresql" or not isinstance(folder, str):
        raise WorkspaceError(
            f"{url.render_as_string()} is not a workspace: give a folder, or a URL such as "
            "postgresql://user@host/database?artifacts=/srv/pul."
        )
    path = Path(folder).expanduser().absolute()
    url = url.set(drivername="postgresql+psycopg").difference_update_query(["artifacts"])
    address = url.update_query_dict({"artifacts": str(path)})
    return url, path, address.render_as_string(hide_password=False)


def _parse_url(text: str) -> URL:
    try:
        return make_url(text)
    except (ArgumentError, ValueError) as error:
        raise WorkspaceError(f"{text!r} is neither a folder nor a database URL.") from error
