"""The workspace: everything a user has, in one folder, or in a database server and a folder."""

from pathlib import Path
from typing import Any, Self

from sqlalchemy import URL

from pul.errors import WorkspaceError
from pul.store.additions import AdditionSection
from pul.store.annotations import AnnotationSection
from pul.store.controls import ControlSection
from pul.store.database import Database
from pul.store.doubled_images import DoubledSection
from pul.store.experiments import ExperimentSection
from pul.store.import_lock import ImportSection
from pul.store.iterations import IterationSection
from pul.store.jobs import JobSection
from pul.store.locations import DATABASE_FILE, locate, without_password
from pul.store.named_values import read_value, write_value
from pul.store.previews import PreviewSection
from pul.store.retrying import Retries
from pul.store.row_recovery import RecoverySection
from pul.store.row_sums import RowSumSection
from pul.store.shelf import ShelfSection
from pul.store.sums import ALL_SUMMED
from pul.store.upkeep import UpkeepSection

_NAME = "workspace_name"
RETRY_S = 3.0  # a page that waits for longer looks dead; a worker sets more

__all__ = ["Workspace", "without_password"]


class Workspace(
    AdditionSection,
    ImportSection,
    DoubledSection,
    UpkeepSection,
    IterationSection,
    ShelfSection,
    ControlSection,
    JobSection,
    AnnotationSection,
    PreviewSection,
    ExperimentSection,
    RowSumSection,
    RecoverySection,
):
    """Images, runs, jobs and annotations that belong together.

    A location is a folder, which holds an SQLite database beside the arrays, or the URL of a
    PostgreSQL database with the folder of the arrays as its last part:
    `postgresql://user@host/database?artifacts=/srv/pul`. A password belongs into `~/.pgpass`.

    One workspace object may be used from several threads.

    Attributes:
        path: The folder of arrays, checkpoints, logs and caches; absolute.
        location: What `open` takes to get here again.
    """

    def __init__(self, url: URL, path: Path, location: str) -> None:
        self.path, self.location = path, location
        self.retries = Retries(RETRY_S)
        self._database = Database(url)

    @classmethod
    def create(cls, location: str | Path, *, name: str = "") -> Self:
        """Make a new workspace.

        Args:
            location: A folder that does not exist yet or is empty, or a URL of an empty database.
            name: What people call it; by default the name of the folder.

        Raises:
            WorkspaceError: The folder or the database is not empty, or cannot be made.
        """
        url, path, address = locate(location)
        _make_folder(path)
        workspace = cls(url, path, address)
        if not workspace._database.make_tables({_NAME: name or path.name, ALL_SUMMED: True}):
            workspace.close()
            raise WorkspaceError(f"{address} already holds a workspace; open it instead.")
        return workspace

    @classmethod
    def open(cls, location: str | Path, *, retry_s: float = RETRY_S) -> Self:
        """Open a workspace; one of an older version is brought up to date.

        Args:
            location: A folder, or the URL of a database.
            retry_s: How long to wait for a database server that is gone for a while, now and
                whenever the workspace is used.

        Raises:
            WorkspaceError: There is none, or it was written by a newer version.
            StoreError: It cannot be read.
        """
        url, path, address = locate(location)
        workspace = cls(url, path, address)
        workspace.retries.seconds = retry_s
        if not workspace.retries.try_until_deadline(workspace._is_there):
            raise WorkspaceError(
                f"There is no workspace at {path if '://' not in address else url}. Make one with "
                "`python -m pul import`, or the demo with `python -m pul demo`."
            )
        workspace.retries.try_until_deadline(workspace._database.migrate)
        return workspace

    @classmethod
    def open_or_create(cls, location: str | Path) -> Self:
        """Open a workspace, or make it; of several who try at once one makes it.

        Raises:
            WorkspaceError: There is something else, or it was written by a newer version.
            StoreError: It cannot be read.
        """
        if cls.exists(location):
            return cls.open(location)
        try:
            return cls.create(location)
        except WorkspaceError:
            if not cls.exists(location):
                raise
            return cls.open(location)

    @classmethod
    def exists(cls, location: str | Path) -> bool:
        """Whether there is a workspace at this location.

        Raises:
            WorkspaceError: The location cannot be understood.
            StoreError: A database server does not answer.
        """
        url, path, address = locate(location)
        workspace = cls(url, path, address)
        try:
            return workspace._is_there()
        finally:
            workspace.close()

    def _is_there(self) -> bool:
        if self._database.is_sqlite:
            return (self.path / DATABASE_FILE).is_file()
        return self._database.revision() is not None

    @property
    def is_read_only(self) -> bool:
        """Whether it lies on a disk, or belongs to somebody, that lets this process only look."""
        return self._database.is_read_only

    @property
    def secrets(self) -> dict[str, str]:
        """The environment that brings the password to a process which is given the `url`."""
        password = self._database.url.password
        return {} if password is None else {"PGPASSWORD": str(password)}

    @property
    def name(self) -> str:
        """What people call the workspace."""
        return str(self.get_setting(_NAME, self.path.name))

    def version(self) -> str:
        """Return a name that changes whenever anybody has committed something to the database.

        Raises:
            StoreError: The database refuses.
        """
        return self._database.version()

    @property
    def cache_path(self) -> Path:
        """The folder of what can be made again; it may be deleted at any time."""
        return self.path / "cache"

    def log_path(self, job_id: int) -> Path:
        """Return where the output of a job's worker goes.

        Raises:
            StoreError: There is no such job.
        """
        job = self.job(job_id)
        if job.run_id is not None:
            return self.run_path(job.run_id) / "worker.log"
        return self.path / "logs" / f"job-{job_id}.log"

    def get_setting(self, name: str, default: Any = None) -> Any:
        """Return a value that was set under a name, or the default."""
        with self._database.read() as connection:
            return read_value(connection, name, default)

    def set_setting(self, name: str, value: Any) -> None:
        """Keep a value, one that JSON knows, under a name.

        Raises:
            StoreError: The database refuses.
        """
        with self._database.write() as connection:
            write_value(connection, name, value)

    def init_setting(self, name: str, value: Any) -> Any:
        """Keep a value under a name unless there is one; return the one that is kept.

        Raises:
            StoreError: The database refuses.
        """
        with self._database.write() as connection:
            known = read_value(connection, name)
            if known is None:
                write_value(connection, name, value)
            return value if known is None else known

    def close(self) -> None:
        """Close all connections to the database."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise WorkspaceError(f"{path} is not empty; give a new or an empty folder.")
    except OSError as error:
        raise WorkspaceError(
            f"{path} cannot be made: {error.strerror}. Choose a place that this user may write to."
        ) from error
