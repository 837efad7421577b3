"""What is out of the way: runs that are archived or deleted, images that nobody imported."""

import shutil
import time
from pathlib import Path

from sqlalchemy import delete, select, update

from pul.errors import JobError
from pul.records import RunRecord, Shelf
from pul.store.jobs import ACTIVE
from pul.store.runs import read_run
from pul.store.schema import images, jobs, metadata, runs
from pul.store.section import Section

UPLOADS = "uploads"


class ShelfSection(Section):
    """The part of a workspace that puts runs aside, brings them back, and removes them."""

    def shelve_run(self, run_id: int, shelf: Shelf) -> RunRecord:
        """Archive a run, delete it, or bring it back; nothing is lost before it is removed.

        Args:
            run_id: The run.
            shelf: `archived`, `deleted`, or "" to bring it back.

        Raises:
            JobError: It is to be deleted while it is being worked on.
            StoreError: There is no such run.
        """
        at_work = select(jobs.c.job_id).where(jobs.c.run_id == run_id, jobs.c.status.in_(ACTIVE))
        with self._database.write() as connection:
            read_run(connection, run_id)
            if shelf == "deleted" and connection.execute(at_work).first() is not None:
                raise JobError(f"Run {run_id} is being worked on; stop it, then delete it.")
            connection.execute(update(runs).where(runs.c.run_id == run_id).values(shelf=shelf))
            return read_run(connection, run_id)

    def remove_deleted_runs(self) -> None:
        """Remove the deleted runs for good: their rows, then all folders of runs without a row.

        Checkpoints that were kept for forks and the annotations stay.

        Raises:
            StoreError: The database refuses; then nothing is removed.
        """
        gone = select(runs.c.run_id).where(runs.c.shelf == "deleted")
        with self._database.write() as connection:
            run_ids = list(connection.execute(gone).scalars())
            for table in reversed(metadata.sorted_tables):
                if "run_id" in table.c:
                    connection.execute(delete(table).where(table.c.run_id.in_(run_ids)))
        for folder in self.stray_run_folders():
            shutil.rmtree(folder, ignore_errors=True)

    def stray_run_folders(self) -> list[Path]:
        """Return the folders of runs that have no row: what a removal left when it was killed."""
        # Listed before the rows are read: a run has its row before it has a folder.
        folders = sorted((self.path / "runs").glob("[0-9]*"))
        with self._database.read() as connection:
            known = {str(run_id) for run_id in connection.execute(select(runs.c.run_id)).scalars()}
        return [folder for folder in folders if folder.is_dir() and folder.name not in known]

    def stray_uploads(self, *, older_than_s: float) -> list[Path]:
        """Return the folders of what was sent to the workspace and never imported.

        Args:
            older_than_s: Their age at least, in seconds: somebody may be about to import one.

        Raises:
            StoreError: The database refuses.
        """
        latest = time.time() - older_than_s
        folders = [
            folder
            for folder in sorted((self.path / UPLOADS).glob("*"))
            if folder.is_dir() and folder.stat().st_mtime < latest
        ]
        if not folders:
            return []
        active = select(jobs.c.params).where(jobs.c.kind == "import", jobs.c.status.in_(ACTIVE))
        with self._database.read() as connection:
            root = self._image_root(connection)
            stored = connection.execute(select(images.c.path)).scalars()
            used = [self._absolute(path, root) for path in stored]
            used += [str(params.get("root", "")) for params in connection.execute(active).scalars()]
        above = f"{self.path}/{UPLOADS}/"
        names = {path.removeprefix(above).split("/")[0] for path in used if path.startswith(above)}
        return [folder for folder in folders if folder.name not in names]

    def remove_stray_uploads(self, *, older_than_s: float) -> None:
        """Remove what `stray_uploads` returns.

        Raises:
            StoreError: The database refuses; then nothing is removed.
        """
        for folder in self.stray_uploads(older_than_s=older_than_s):
            shutil.rmtree(folder, ignore_errors=True)
