"""Runs and their iterations."""

import hashlib
import math
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from sqlalchemy import Connection, Row, Select, func, insert, select, update

from pul.config import RunConfig
from pul.errors import ModelError, StoreError
from pul.records import (
    ImageTable,
    IterationArrays,
    IterationRankings,
    IterationRecord,
    RetrievalMetrics,
    RunRecord,
    RunStatus,
    Shelf,
)
from pul.store import artifacts
from pul.store.encoding import from_plain, to_plain
from pul.store.file_sums import FileSum
from pul.store.images import ImageSection
from pul.store.jobs import check_worker
from pul.store.named_values import read_value, write_value
from pul.store.schema import images, iterations, metrics, runs
from pul.store.sums import with_sum

TEST_SET = "test"  # source of the metrics on the dataset's own query and gallery


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
                _update_run(connection, run_id, name=f"run {run_id}")
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
            _update_run(connection, run_id, status=status)

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

    def iteration_path(self, run_id: int, iteration: int) -> Path:
        """Return the folder of one iteration; one that is not stored gets the name of its number.

        Its name holds the job that wrote it, so that a worker that was thought dead and writes on
        replaces no file of the worker after it.
        """
        query = select(iterations.c.folder).where(
            iterations.c.run_id == run_id, iterations.c.iteration == iteration
        )
        with self._database.read() as connection:
            folder = connection.execute(query).scalar()
        return self.run_path(run_id) / (folder or folder_name(iteration))

    def remove_stray_folders(self, run_id: int) -> None:
        """Remove what no row names: of workers that were killed, or of iterations dropped since.

        For a run's only worker to call, before it writes anything.
        """
        query = select(iterations.c.iteration, iterations.c.folder)
        with self._database.read() as connection:
            rows = connection.execute(query.where(iterations.c.run_id == run_id)).all()
        named = {row.folder or folder_name(row.iteration) for row in rows}
        for pattern in (f"{artifacts.UNFINISHED}*", folder_name("*")):
            for folder in sorted(self.run_path(run_id).glob(pattern)):
                if folder.name not in named:
                    shutil.rmtree(folder, ignore_errors=True)

    def add_iteration(
        self,
        run_id: int,
        record: IterationRecord,
        arrays: IterationArrays,
        checkpoint: bytes | Path,
        *,
        rankings: IterationRankings | None = None,
        worker: tuple[int, str] | None = None,
        before_row: Callable[[Mapping[str, FileSum]], None] = lambda _: None,
    ) -> None:
        """Keep an iteration: all of it, or after any crash nothing that is taken for it.

        The files come first, into a folder that is named after the worker's job; the row, which
        names the folder, comes last and only if the worker still has the job. Files without a row
        are removed by the run's next worker.

        Args:
            run_id: The run.
            record: Its figures; iterations come in order, from 0.
            arrays: Its arrays.
            checkpoint: The network it ended with, as the bytes or the path of a safetensors file.
            rankings: What its network finds for each query, where there are queries.
            worker: Job and name of the worker that says so; one that has lost its job is refused.
            before_row: Called when the files are written, with what they are, to prepare what is
                wanted as soon as the iteration is seen.

        Raises:
            StoreError: The iteration is not the next one, or disk or database refuse.
            JobError: The worker no longer has the job.
        """
        with self._database.read() as connection:
            _check_next(connection, run_id, record.iteration)
        folder = self.run_path(run_id) / folder_name(
            record.iteration, worker[0] if worker else None
        )
        sums = artifacts.write_iteration(folder, to_plain(record), arrays, checkpoint, rankings)
        before_row(sums)
        with self._database.write() as connection:
            if worker is not None:
                check_worker(connection, *worker)
            _check_next(connection, run_id, record.iteration)
            _insert_iteration(connection, run_id, record, folder.name, sums)
            _update_run(connection, run_id, n_stored=record.iteration + 1)

    def iterations(self, run_id: int) -> list[IterationRecord]:
        """Return the whole iterations of a run, in order.

        Raises:
            StoreError: There is no such run.
        """
        figures = (metrics.c.run_id == iterations.c.run_id) & (
            metrics.c.iteration == iterations.c.iteration
        )
        query = (
            select(iterations.c.record, metrics)
            .outerjoin(metrics, figures & (metrics.c.source == TEST_SET))
            .where(iterations.c.run_id == run_id)
            .order_by(iterations.c.iteration)
        )
        with self._database.read() as connection:
            read_run(connection, run_id)
            return [_to_iteration(row) for row in connection.execute(query)]

    def arrays(self, run_id: int, iteration: int, *names: str) -> dict[str, NDArray[Any]]:
        """Return arrays of an iteration by name, mapped from disk: only what is used is read.

        Args:
            run_id: The run.
            iteration: One of its whole iterations.
            names: Fields of `IterationArrays`; none for all of them.

        Raises:
            StoreError: There is no such run or iteration.
            ArtifactError: An array is missing or damaged.
        """
        folder, sums = self._whole_iteration(run_id, iteration)
        return {
            name: artifacts.read_array(folder, name, sums) for name in names or artifacts.ARRAYS
        }

    def rankings(self, run_id: int, iteration: int) -> IterationRankings | None:
        """Return what an iteration finds for each query; None where it had no queries.

        Raises:
            StoreError: There is no such run or iteration.
            ArtifactError: An array is damaged.
        """
        return artifacts.read_rankings(*self._whole_iteration(run_id, iteration))

    def checkpoint_path(self, run_id: int, iteration: int) -> Path:
        """Return the file of the network that an iteration ended with.

        Raises:
            StoreError: There is no such run or iteration.
            ArtifactError: The file is missing.
        """
        return artifacts.find_checkpoint(*self._whole_iteration(run_id, iteration))

    def file_sums(self, run_id: int, iteration: int) -> dict[str, FileSum]:
        """Return what was written of an iteration, by the name of the file.

        It is empty for an iteration that was stored before files had sums.

        Raises:
            StoreError: There is no such run or iteration.
        """
        return self._whole_iteration(run_id, iteration)[1]

    def set_file_sums(self, run_id: int, iteration: int, sums: Mapping[str, FileSum]) -> None:
        """Keep what the files of an iteration are now, for one stored before files had sums.

        Raises:
            StoreError: The database refuses.
        """
        change = update(iterations).where(
            iterations.c.run_id == run_id,
            iterations.c.iteration == iteration,
            iterations.c.files.is_(None),  # it may have been computed again meanwhile
        )
        with self._database.write() as connection:
            connection.execute(change.values(files=to_plain(dict(sums))))

    def _whole_iteration(self, run_id: int, iteration: int) -> tuple[Path, dict[str, FileSum]]:
        """Return the folder of a stored iteration, and what was written into it."""
        query = select(iterations.c.folder, iterations.c.files).where(
            iterations.c.run_id == run_id, iterations.c.iteration == iteration
        )
        with self._database.read() as connection:
            row = connection.execute(query).first()
            if row is None:
                n_whole = _count_iterations(connection, run_id)
                raise StoreError(
                    f"Run {run_id} has no iteration {iteration}; {n_whole} are stored, from 0."
                )
        folder = self.run_path(run_id) / (row.folder or folder_name(iteration))
        return folder, from_plain(dict[str, FileSum], row.files or {})


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


def _update_run(connection: Connection, run_id: int, **values: str | int) -> None:
    connection.execute(update(runs).where(runs.c.run_id == run_id).values(**values))


def _count_iterations(connection: Connection, run_id: int) -> int:
    read_run(connection, run_id)
    query = select(func.count()).where(iterations.c.run_id == run_id)
    return connection.execute(query).scalar_one()


def _check_next(connection: Connection, run_id: int, iteration: int) -> None:
    expected = _count_iterations(connection, run_id)
    if iteration != expected:
        raise StoreError(
            f"The next iteration of run {run_id} is {expected}, not {iteration}: "
            "a finished iteration never changes and none is left out."
        )


def folder_name(iteration: int | str, job_id: int | None = None) -> str:
    """Return the name of an iteration's folder, within that of its run."""
    return f"iteration-{iteration}" if job_id is None else f"iteration-{iteration}-job-{job_id}"


def _insert_iteration(
    connection: Connection,
    run_id: int,
    record: IterationRecord,
    folder: str,
    sums: Mapping[str, FileSum],
) -> None:
    key = {"run_id": run_id, "iteration": record.iteration}
    plain = to_plain(replace(record, metrics=None))
    row = {"record": plain, "folder": folder, "files": to_plain(dict(sums))}
    connection.execute(insert(iterations).values(**key, **row))
    if record.metrics is not None:
        row = asdict(record.metrics)
        connection.execute(insert(metrics).values(**key, source=TEST_SET, **row))


def _to_iteration(row: Row[Any]) -> IterationRecord:
    record = from_plain(IterationRecord, row.record)
    if row.source is None:
        return record
    figures = {name: getattr(row, name) for name in RetrievalMetrics.__dataclass_fields__}
    # SQLite keeps NaN as NULL.
    known = {name: math.nan if value is None else value for name, value in figures.items()}
    return replace(record, metrics=from_plain(RetrievalMetrics, known))
