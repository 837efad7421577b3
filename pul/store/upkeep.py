"""Keeping a workspace sound: what is damaged, and what can be computed again."""

from collections.abc import Collection
from pathlib import Path
from typing import Self

from sqlalchemy import delete, func, select, update

from pul.errors import JobError
from pul.store.artifacts import CHECKPOINT, OLDEST_FILES, prune, pruned
from pul.store.encoding import from_plain
from pul.store.file_sums import FileSum
from pul.store.iterations import IterationSection, folder_name
from pul.store.jobs import ACTIVE
from pul.store.runs import read_run
from pul.store.schema import images, iterations, jobs, metrics, runs, settings

FEATURES = "features.npy"


class UpkeepSection(IterationSection):
    """The part of a workspace that looks after what is stored."""

    def damage(self) -> str:
        """Return what is wrong with the database's own file; "" for nothing, and on a server.

        Raises:
            StoreError: The database refuses.
        """
        return self._database.damage()

    def missing_since(self) -> str:
        """Return since when what was stored is missing, as `pul.db` was copied without its log."""
        return "" if self._database.log is None else self._database.log.missing_since

    def take_what_is_there(self) -> None:
        """Go on from a database that was copied without its log."""
        if self._database.log is not None:
            self._database.log.forget_missing()

    def copy_database(self, file: Path) -> None:
        """Write a consistent copy of all rows to a new SQLite file, while work goes on.

        Raises:
            StoreError: The database or the disk refuses.
        """
        self._database.copy_to(file)

    def take_rows(self, source: Self) -> None:
        """Fill this empty workspace with the rows of another.

        Raises:
            StoreError: One of the databases refuses.
        """
        with self._database.write() as connection:
            connection.execute(delete(settings))  # what making it has set
        self._database.take_rows(source._database)

    def iteration_numbers(self, run_id: int) -> list[int]:
        """Return the numbers of a run's stored iterations, in order, however damaged they are."""
        query = select(iterations.c.iteration).where(iterations.c.run_id == run_id)
        with self._database.read() as connection:
            return sorted(connection.execute(query).scalars())

    def first_missing_iteration(self, run_id: int) -> int | None:
        """Return the first iteration of a run whose row is gone; None where none is.

        Raises:
            StoreError: The database refuses.
        """
        numbers = self.iteration_numbers(run_id)
        with self._database.read() as connection:
            query = select(runs.c.n_stored).where(runs.c.run_id == run_id)
            n_stored = connection.execute(query).scalar()
        expected = range(max(n_stored or 0, *(n + 1 for n in numbers), 0))
        return next((n for n in expected if n not in numbers), None)

    def named_files(self) -> dict[str, FileSum | None]:
        """Return the files that rows name, relative to the workspace, and how they were written.

        Files that were removed to save room are among them; images and models that lie elsewhere
        are not. None stands for what a file was before files had sums.

        Raises:
            StoreError: The database refuses.
        """
        with self._database.read() as connection:
            root = self._image_root(connection)
            stored_paths = [*connection.execute(select(images.c.path)).scalars()]
            stored_paths += connection.execute(select(runs.c.model)).scalars()
            stored = connection.execute(select(iterations)).all()
        own = f"{self.path}/"
        paths = (self._absolute(path, root) for path in stored_paths)
        named: dict[str, FileSum | None] = {
            path.removeprefix(own): None for path in paths if path.startswith(own)
        }
        for row in stored:
            folder = self.iteration_path(row.run_id, row.iteration).relative_to(self.path)
            sums = from_plain(dict[str, FileSum], row.files or {})
            for name in sums or OLDEST_FILES:
                named[f"{folder.as_posix()}/{name}"] = sums.get(name)
        return named

    def prune_run(self, run_id: int, *, keep_features: int, checkpoints: Collection[int]) -> None:
        """Remove large files of a run's earlier iterations; maps, figures and rankings stay.

        Args:
            run_id: The run.
            keep_features: Features are kept of so many last iterations.
            checkpoints: The iterations whose networks are kept.

        Raises:
            StoreError: There is no such run, or the disk refuses.
        """
        query = select(iterations.c.iteration, iterations.c.folder)
        query = query.where(iterations.c.run_id == run_id).order_by(iterations.c.iteration)
        with self._database.write() as connection:  # two at once would forget what the other noted
            read_run(connection, run_id)
            rows = connection.execute(query).all()
            kept = {row.iteration for row in rows[-keep_features:]}
            for row in rows:
                names = [] if row.iteration in kept else [FEATURES]
                names += [] if row.iteration in checkpoints else [CHECKPOINT]
                prune(self.run_path(run_id) / (row.folder or folder_name(row.iteration)), names)

    def pruned(self, run_id: int, iteration: int) -> frozenset[str]:
        """Return the names of the files of an iteration that were removed to save room."""
        return pruned(self.iteration_path(run_id, iteration))

    def drop_iterations(self, run_id: int, first: int) -> None:
        """Forget the iterations of a run from one on, so that a resumption computes them again.

        Their folders are rubbish from then on, and are overwritten.

        Args:
            run_id: The run.
            first: The first iteration to forget.

        Raises:
            JobError: The run is being worked on.
            StoreError: There is no such run.
        """
        at_work = select(jobs.c.job_id).where(jobs.c.run_id == run_id, jobs.c.status.in_(ACTIVE))
        with self._database.write() as connection:
            read_run(connection, run_id)
            if connection.execute(at_work).first() is not None:
                raise JobError(f"Run {run_id} is being worked on; stop it first.")
            for table in (metrics, iterations):
                late = (table.c.run_id == run_id) & (table.c.iteration >= first)
                connection.execute(delete(table).where(late))
            left = select(func.count()).where(iterations.c.run_id == run_id).scalar_subquery()
            stopped = update(runs).where(runs.c.run_id == run_id)
            connection.execute(stopped.values(status="stopped", n_stored=left))
