"""The part of the door to `pul` that carries labels and models in and out."""

import shlex
import tempfile
from dataclasses import dataclass
from pathlib import Path

from app.services.workspace import open_workspace
from pul.cli.repeat import repeat_command
from pul.config import RunConfig
from pul.exchange import LABEL_FORMATS, MODEL_FORMATS, ImportReport, import_annotations
from pul.jobs.export import start_export
from pul.records import JobRecord, RunRecord

__all__ = ["LABEL_FORMATS", "MODEL_FORMATS", "ImportReport"]

_N_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Export:
    """One export, asked for on the page.

    Attributes:
        job: The job that writes it.
        path: Where it is, or will be.
        text: What is in it, or why it failed; "" while it is written.
        n_bytes: Size of the file; None for a folder and for what is not there.
    """

    job: JobRecord
    path: Path
    text: str
    n_bytes: int | None

    @property
    def is_open(self) -> bool:
        """Whether it is still being written."""
        return self.job.status in ("queued", "running", "paused")


def start(location: str, format: str, *, run_id: int = 0, iteration: int = 0) -> JobRecord:
    """Start writing the labels, or the model of an iteration.

    Raises:
        JobError: The worker cannot be started.
        StoreError: There is no such iteration.
    """
    workspace = open_workspace(location)
    return start_export(workspace, format, run_id=run_id or None, iteration=iteration)


def exports(location: str) -> list[Export]:
    """Return the last exports, the newest first."""
    jobs = [job for job in open_workspace(location).jobs() if job.kind == "export"]
    return [_export(job) for job in reversed(jobs[-_N_SHOWN:])]


def _export(job: JobRecord) -> Export:
    path = Path(job.params["path"])
    text = job.error or (job.progress.message if job.progress else "")
    return Export(job, path, text, path.stat().st_size if path.is_file() else None)


def import_labels(
    location: str, source: str | tuple[str, bytes], author: str, *, dry_run: bool
) -> ImportReport:
    """Add labels made elsewhere, or only say what that would do.

    Args:
        location: The workspace.
        source: A path on the server, or name and content of a file that was sent.
        author: Who the acts are signed by.
        dry_run: Only say what would be done.

    Raises:
        DatasetError: It is missing or of no kind that is read.
    """
    workspace = open_workspace(location)
    if isinstance(source, str):
        path = Path(source.strip()).expanduser()
        return import_annotations(workspace, path, author=author, dry_run=dry_run)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"labels{Path(source[0]).suffix}"
        path.write_bytes(source[1])
        return import_annotations(workspace, path, author=author, dry_run=dry_run)


def command(location: str, run: RunRecord) -> str:
    """Return the command line that repeats a run without the screen."""
    config = RunConfig.model_validate(run.config)
    place = open_workspace(location).url
    return shlex.join(repeat_command(config, workspace=place, model=run.model))
