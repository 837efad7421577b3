"""Values under a name in a workspace, read and written within a transaction."""

import json
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from pul.store.schema import settings
from pul.store.sums import with_sum

GAPS = "number_gaps:"  # the setting of each table: numbers that a server gave to nothing


def read_value(connection: Connection, name: str, default: Any = None) -> Any:
    """Return a value that was written under a name, or the default."""
    row = connection.execute(select(settings.c.value).where(settings.c.name == name)).first()
    return default if row is None else row.value


def write_value(connection: Connection, name: str, value: Any) -> None:
    """Keep a value, one that JSON knows, under a name."""
    row = {"name": name, "value": json.loads(json.dumps(value))}  # as it will be read
    connection.execute(delete(settings).where(settings.c.name == name))
    connection.execute(insert(settings).values(with_sum(settings, row)))
