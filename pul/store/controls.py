"""What people ask a run to change on its way."""

from typing import Any

from sqlalchemy import Row, insert, select, update

from pul.config import RunConfig
from pul.errors import ConfigError
from pul.records import ControlRecord
from pul.store.runs import read_run
from pul.store.schema import controls
from pul.store.section import Section
from pul.store.sums import with_sum

CONTROLS = ("lambda_", "n_clusters")


class ControlSection(Section):
    """The part of a workspace that carries λ and K to a run that is going."""

    def set_control(
        self,
        run_id: int,
        name: str,
        value: float,
        *,
        author: str = "",
        iteration: int | None = None,
    ) -> ControlRecord:
        """Ask a run to use another λ or K from its next iteration on, or from a later one.

        Args:
            run_id: The run.
            name: `lambda_` or `n_clusters`.
            value: The new value; λ = 0 selects all.
            author: Who asks.
            iteration: The first iteration to use it; None for the next one.

        Raises:
            ConfigError: The name or the value is not allowed.
            StoreError: There is no such run.
        """
        _check_control(name, value)
        with self._database.write() as connection:
            read_run(connection, run_id)
            values = {
                "run_id": run_id,
                "name": name,
                "value": value,
                "author": author,
                "created_at": self._database.now(connection),
                "applied_at_iteration": iteration,
            }
            row = insert(controls).values(with_sum(controls, values))
            return _to_control(connection.execute(row.returning(controls)).one())

    def controls(self, run_id: int) -> list[ControlRecord]:
        """Return all that was asked of a run, in order."""
        query = select(controls).where(controls.c.run_id == run_id).order_by(controls.c.control_id)
        with self._database.read() as connection:
            return [_to_control(row) for row in connection.execute(query)]

    def take_controls(self, run_id: int, iteration: int) -> dict[str, float]:
        """Return the values in force from an iteration on, and mark the waiting ones as applied.

        An iteration that is repeated after a crash gets the values that it had.
        """
        waiting = (controls.c.run_id == run_id) & controls.c.applied_at_iteration.is_(None)
        query = (
            select(controls.c.name, controls.c.value)
            .where(controls.c.run_id == run_id, controls.c.applied_at_iteration <= iteration)
            .order_by(controls.c.control_id)
        )
        with self._database.write() as connection:
            connection.execute(
                update(controls).where(waiting).values(applied_at_iteration=iteration)
            )
            return {row.name: row.value for row in connection.execute(query)}  # the last one counts


def _check_control(name: str, value: float) -> None:
    if name not in CONTROLS:
        raise ConfigError(f"{name!r} cannot change during a run; {' and '.join(CONTROLS)} can.")
    RunConfig(**{name: value})


def _to_control(row: Row[Any]) -> ControlRecord:
    return ControlRecord(
        control_id=row.control_id,
        run_id=row.run_id,
        name=row.name,
        value=row.value,
        author=row.author,
        created_at=row.created_at,
        applied_at_iteration=row.applied_at_iteration,
    )
