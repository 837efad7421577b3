"""Export and import of labels and models."""

import shlex
import tempfile
from dataclasses import dataclass
from pathlib import Path

from app.services.uploads import Sent
from app.services.workspace import open_workspace
from pul.cli.repeat import repeat_command
from pul.config import RunConfig
from pul.data.archives import unpack
from pul.data.video import read_recordings
from pul.exchange import LABEL_FORMATS, MODEL_FORMATS, ImportReport, import_annotations
from pul.exchange.exporting import LabelFormat
from pul.jobs.export import start_export, threshold_path
from pul.jobs.steps import has_unknown_labels, read_steps
from pul.records import JobRecord, RunRecord

__all__ = ["MODEL_FORMATS", "ImportReport"]

_N_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Export:
    """One export.

    Attributes:
        job: The job that writes it.
        path: Path of the file or folder, even before it is written.
        text: Its summary, or its error; "" while it is being written.
        n_bytes: Size of the file; None for a folder or a missing file.
        threshold: File of the threshold beside a model; None if there is none.
    """

    job: JobRecord
    path: Path
    text: str
    n_bytes: int | None
    threshold: Path | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is still being written."""
        return self.job.status in ("queued", "running", "paused")


def label_formats(location: str) -> dict[str, LabelFormat]:
    """Return the formats of labels by name; those of tracks only if there are videos."""
    has_tracks = bool(read_recordings(open_workspace(location).path))
    return {
        name: known for name, known in LABEL_FORMATS.items() if has_tracks or not known.needs_tracks
    }


def start(location: str, format: str, *, run_id: int = 0, iteration: int = 0) -> JobRecord:
    """Start writing the labels, or the model of an iteration.

    With labels, an iteration's clusters say who images show that nobody labelled.

    Raises:
        JobError: The worker cannot be started.
        StoreError: There is no such iteration.
    """
    workspace = open_workspace(location)
    return start_export(
        workspace, format, run_id=run_id or None, iteration=iteration if run_id else None
    )


def exports(location: str) -> list[Export]:
    """Return the last exports, the newest first."""
    jobs = [job for job in open_workspace(location).jobs() if job.kind == "export"]
    return [_export(job) for job in reversed(jobs[-_N_SHOWN:])]


def _export(job: JobRecord) -> Export:
    path = Path(job.params["path"])
    text = job.error or (job.progress.message if job.progress else "")
    beside = threshold_path(path)
    size = path.stat().st_size if path.is_file() else None
    return Export(job, path, text, size, beside if beside.is_file() else None)


def import_labels(location: str, source: str | Sent, author: str, *, dry_run: bool) -> ImportReport:
    """Import labels made elsewhere, or only report what would change.

    Args:
        location: The workspace.
        source: A path on the server, or an uploaded file: labels, or a zip of such a file or of
            folders.
        author: Author of the labels.
        dry_run: Only report what would change.

    Raises:
        DatasetError: It is missing or has an unknown format.
    """
    workspace = open_workspace(location)
    if isinstance(source, str):
        path = Path(source.strip()).expanduser()
        return import_annotations(workspace, path, author=author, dry_run=dry_run)
    with tempfile.TemporaryDirectory() as folder:
        path = _unpacked(source, Path(folder))
        return import_annotations(workspace, path, author=author, dry_run=dry_run)


def _unpacked(sent: Sent, folder: Path) -> Path:
    """Write an uploaded file into a folder, and return the file or folder to read."""
    if not sent.name.lower().endswith(".zip"):
        path = folder / f"labels{Path(sent.name).suffix}"
        sent.file.seek(0)
        path.write_bytes(sent.file.read())
        return path
    files = unpack(sent.file, sent.name, folder / "labels")
    return folder / "labels" / files[0] if len(files) == 1 else _outermost(folder / "labels")


def _outermost(folder: Path) -> Path:
    """Return the first folder, from the outside, that holds more than one thing."""
    inside = list(folder.iterdir())
    return _outermost(inside[0]) if len(inside) == 1 and inside[0].is_dir() else folder


@dataclass(frozen=True, slots=True)
class Command:
    """The command that repeats a run.

    Attributes:
        text: The command.
        lacks_labels: Whether the run trained with labels that the command cannot name.
        is_steered: Whether it repeats what was changed on the way.
    """

    text: str
    lacks_labels: bool
    is_steered: bool


def command(location: str, run: RunRecord) -> Command:
    """Return the command that repeats a run, with what was steered on its way."""
    workspace = open_workspace(location)
    config = RunConfig.model_validate(run.config)
    steps = read_steps(workspace, run.run_id)
    words = repeat_command(
        config, workspace=workspace.url, model=str(workspace.path / run.model), steps=steps
    )
    return Command(
        text=shlex.join(words),
        lacks_labels=has_unknown_labels(workspace, run.run_id),
        is_steered=any(step.name != "labels" or step.iteration for step in steps),
    )
