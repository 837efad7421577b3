"""The paper's tables and figures as they stand in a workspace."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, select

from pul.errors import StoreError
from pul.records import ExperimentRecord, ExperimentRow
from pul.store.encoding import from_plain, to_plain
from pul.store.named_values import write_value
from pul.store.schema import settings
from pul.store.section import Section

_PREFIX = "experiment:"


class ExperimentSection(Section):
    """The part of a workspace that knows the experiments."""

    def experiments(self) -> list[ExperimentRecord]:
        """Return all experiments in the order they were made."""
        query = select(settings.c.value).where(settings.c.name.startswith(_PREFIX))
        with self._database.read() as connection:
            values = connection.execute(query).scalars().all()
        found = [from_plain(ExperimentRecord, value) for value in values]
        return sorted(found, key=lambda record: (record.created_at, record.experiment_id))

    def experiment(self, experiment_id: str) -> ExperimentRecord:
        """Return one experiment.

        Raises:
            StoreError: There is no such experiment.
        """
        with self._database.read() as connection:
            return _read(connection, experiment_id)

    def add_experiment(self, record: ExperimentRecord) -> ExperimentRecord:
        """Keep an experiment, unless it is there already.

        Returns:
            The experiment as it is kept, with the time it was made.

        Raises:
            StoreError: The database refuses.
        """
        with self._database.write() as connection:
            if _value(connection, record.experiment_id) is None:
                made = replace(record, created_at=self._database.now(connection))
                write_value(connection, _PREFIX + record.experiment_id, to_plain(made))
            return _read(connection, record.experiment_id)

    def update_experiment_row(self, experiment_id: str, row: ExperimentRow) -> None:
        """Keep what became of one row; the others stay as they are.

        Raises:
            StoreError: There is no such experiment or row.
        """
        with self._database.write() as connection:
            record = _read(connection, experiment_id)
            if row.key not in {known.key for known in record.rows}:
                raise StoreError(f"{experiment_id} has no row {row.key!r}.")
            rows = tuple(row if known.key == row.key else known for known in record.rows)
            value = to_plain(replace(record, rows=rows))
            write_value(connection, _PREFIX + experiment_id, value)


def _value(connection: Connection, experiment_id: str) -> Any:
    query = select(settings.c.value).where(settings.c.name == _PREFIX + experiment_id)
    return connection.execute(query).scalar()


def _read(connection: Connection, experiment_id: str) -> ExperimentRecord:
    value = _value(connection, experiment_id)
    if value is None:
        raise StoreError(f"There is no experiment {experiment_id!r} in this workspace.")
    return from_plain(ExperimentRecord, value)
