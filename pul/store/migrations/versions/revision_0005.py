"""Stored settings lose `kmeans_backend`, which a run no longer has."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_REMOVED = "kmeans_backend"
_RUNS = sa.table("runs", sa.column("run_id", sa.Integer), sa.column("config", sa.JSON))
_SETTINGS = sa.table("settings", sa.column("name", sa.Text), sa.column("value", sa.JSON))


def upgrade() -> None:
    _rewrite(_RUNS, _RUNS.c.run_id, _RUNS.c.config)
    is_experiment = _SETTINGS.c.name.startswith("experiment:")
    _rewrite(_SETTINGS, _SETTINGS.c.name, _SETTINGS.c.value, is_experiment)


def _rewrite(
    table: sa.TableClause,
    key: sa.ColumnClause[Any],
    column: sa.ColumnClause[Any],
    is_affected: sa.ColumnElement[bool] | None = None,
) -> None:
    """Store the values of a JSON column without the setting."""
    query = sa.select(key, column).where(sa.true() if is_affected is None else is_affected)
    connection = op.get_bind()
    for name, value in connection.execute(query).all():
        change = sa.update(table).where(key == name)
        connection.execute(change.values({column.name: _without(value)}))


def _without(value: Any) -> Any:
    """Return plain values without the setting, however deep it lies."""
    if isinstance(value, dict):
        return {name: _without(each) for name, each in value.items() if name != _REMOVED}
    if isinstance(value, list):
        return [_without(each) for each in value]
    return value
