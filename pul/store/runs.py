"""Runs: their settings, their start models, how they stand."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select, update

from pul.config import RunConfig
from pul.errors import ModelError, StoreError
from pul.records import ImageTable, RunRecord, RunStatus, Shelf
from pul.store.images import ImageSection
from pul.store.named_values import read_value, write_value
from pul.store.schema import images, iterations, runs
from pul.store.sums import SUMMED, is_as_written, with_sum


class RunSection(ImageSection):
    """The part of a workspace that knows the runs."""

    def create_run(
        self,
        config: RunConfig | Callable[[ImageTable], RunConfig],
        *,
        model: str | Path,
        name: str = "",
        parent: tuple[int, int] | None = None,
        key: str = "",
        settings: Callable[[int], Mapping[str, Any]] = lambda _: {},
    ) -> RunRecord:
        """Make a run of the images that are in the workspace now.

        Args:
            config: Its settings; or what gives them for the images that it works on, which
                nobody adds to meanwhile.
            model: The start model, a safetensors file.
            name: What people call it; by default `run <number>`.
            parent: Run and iteration that the start model is of, if it is of one.
            key: Names the run, so that making it again returns the one there is; "" for none. It
                is kept as a setting.
            settings: Given its number, what to keep under a name together with it.

        Raises:
            ModelError: There is no such file.
            StoreError: The database refuses.
        """
        parent_run_id, parent_iteration = parent or (None, None)
        values: dict[str, Any] = {
            "model": self._portable(model),
            "model_hash": _hash_model(Path(model)),
            "name": name,
            "status": "created",
            "parent_run_id": parent_run_id,
            "parent_iteration": parent_iteration,
        }
        with self._database.write() as connection:
            known = read_value(connection, key) if key else None
            if known is not None and _is_there(connection, known):
                return read_run(connection, known)
            if callable(config):
                config = config(self._read_images(connection))
            last = connection.execute(select(func.max(images.c.image_id))).scalar()
            values |= {"last_image_id": last or 0, "created_at": self._database.now(connection)}
            values["config"] = config.model_dump(mode="json")
            row = insert(runs).values(with_sum(runs, values))
            run_id = connection.execute(row.returning(runs.c.run_id)).scalar_one()
            if not name:
                update_run(connection, run_id, name=f"run {run_id}")
            for setting, value in {**settings(run_id), **({key: run_id} if key else {})}.items():
                write_value(connection, setting, value)
            return read_run(connection, run_id)

    def run(self, run_id: int) -> RunRecord:
        """Return one run.

        Raises:
            StoreError: There is no such run.
        """
        with self._database.read() as connection:
            return read_run(connection, run_id)

    def runs(self, *, shelf: Shelf | None = "") -> list[RunRecord]:
        """Return runs in the order they were made.

        Args:
            shelf: Those that are `archived` or `deleted`; "" for those that are neither, None for
                all of them.
        """
        query = _select_runs()
        if shelf is not None:
            query = query.where(runs.c.shelf == shelf)
        with self._database.read() as connection:
            return [_to_run(row) for row in connection.execute(query)]

    def set_run_status(self, run_id: int, status: RunStatus) -> None:
        """Set the status of a run; its jobs do this by themselves.

        Raises:
            StoreError: There is no such run.
        """
        with self._database.write() as connection:
            read_run(connection, run_id)
            update_run(connection, run_id, status=status)

    def set_run_config(self, run_id: int, config: RunConfig) -> None:
        """Change the settings of a run: to what it chose where they said `auto`.

        Raises:
            StoreError: There is no such run, or its row is damaged.
        """
        columns = (runs.c[name] for name in ("row_sum", *SUMMED[runs]))
        with self._database.write() as connection:
            read_run(connection, run_id)
            row = connection.execute(select(*columns).where(runs.c.run_id == run_id)).one()
            values = row._asdict()
            if values["row_sum"] is not None and not is_as_written(runs, values):
                raise StoreError(
                    f"Run {run_id} is not stored as it was written; `python -m pul doctor` says "
                    "how to repair it."
                )
            values["config"] = config.model_dump(mode="json")
            update_run(connection, run_id, **with_sum(runs, values))

    def start_model(self, run_id: int) -> Path:
        """Return the file of the start model, after a check that it is still the same.

        Raises:
            StoreError: There is no such run.
            ModelError: The file is gone, or was changed after the run was made.
        """
        query = select(runs.c.model, runs.c.model_hash).where(runs.c.run_id == run_id)
        with self._database.read() as connection:
            read_run(connection, run_id)
            row = connection.execute(query).one()
        path = Path(self._absolute(row.model))
        if _hash_model(path) != row.model_hash:
            raise ModelError(
                f"{path} is no longer the file that run {run_id} started from, so resuming would "
                "mix two models. Put the old file back, or start a new run."
            )
        return path

    def run_path(self, run_id: int) -> Path:
        """Return the folder of a run's iterations and log."""
        return self.path / "runs" / str(run_id)


def _hash_model(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(
            f"The start model {path} cannot be read ({error.strerror}); give a .safetensors file."
        ) from error


def _select_runs() -> Select[Any]:
    done = (
        select(func.count())
        .where(iterations.c.run_id == runs.c.run_id, iterations.c.iteration > 0)
        .scalar_subquery()
    )
    return select(runs, done.label("n_iterations_done")).order_by(runs.c.run_id)


def _is_there(connection: Connection, run_id: int) -> bool:
    return (
        connection.execute(select(runs.c.run_id).where(runs.c.run_id == run_id)).first() is not None
    )


def read_run(connection: Connection, run_id: int) -> RunRecord:
    """Return a run within a transaction.

    Raises:
        StoreError: There is no such run.
    """
    row = connection.execute(_select_runs().where(runs.c.run_id == run_id)).first()
    if row is None:
        known = connection.execute(select(runs.c.run_id).order_by(runs.c.run_id)).scalars()
        numbers = ", ".join(map(str, known)) or "none"
        raise StoreError(f"There is no run {run_id} in this workspace; there are: {numbers}.")
    return _to_run(row)


def _to_run(row: Row[Any]) -> RunRecord:
    return RunRecord(
        run_id=row.run_id,
        name=row.name,
        config=row.config,
        model=row.model,
        status=row.status,
        n_iterations_done=row.n_iterations_done,
        created_at=row.created_at,
        parent_run_id=row.parent_run_id,
        parent_iteration=row.parent_iteration,
        shelf=row.shelf,
    )


def update_run(connection: Connection, run_id: int, **values: Any) -> None:
    """Change columns of a run within a transaction."""
    connection.execute(update(runs).where(runs.c.run_id == run_id).values(**values))
