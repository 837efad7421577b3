"""Iterations of runs: their figures as rows, their arrays and networks as files."""

import math
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from sqlalchemy import Connection, Row, func, insert, select, update

from pul.errors import StoreError
from pul.records import IterationArrays, IterationRankings, IterationRecord, RetrievalMetrics
from pul.store import artifacts
from pul.store.encoding import from_plain, to_plain
from pul.store.file_sums import FileSum
from pul.store.jobs import check_worker
from pul.store.runs import RunSection, read_run, update_run
from pul.store.schema import iterations, metrics

TEST_SET = "test"  # source of the metrics on the dataset's own query and gallery


class IterationSection(RunSection):
    """The part of a workspace that knows the iterations of runs."""

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
            update_run(connection, run_id, n_stored=record.iteration + 1)

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
