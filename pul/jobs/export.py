"""The job of an export: started by the studio, which loads no torch; done by a worker."""

from pathlib import Path
from typing import Any

from pul.exchange.exporting import LABEL_FORMATS, MODEL_FORMATS, export_identities
from pul.jobs import start_job
from pul.jobs.heartbeat import Heartbeat
from pul.records import JobProgress, JobRecord
from pul.store.workspace import Workspace

_FOLDER = "exports"


def start_export(
    workspace: Workspace, format: str, *, run_id: int | None = None, iteration: int | None = None
) -> JobRecord:
    """Start a worker that writes the labels, or an iteration's model, into the workspace's exports.

    Args:
        workspace: What to export from.
        format: One of `LABEL_FORMATS` for labels, one of `MODEL_FORMATS` for a model.
        run_id, iteration: Whose model; or, for labels, whose clusters say who images show that
            nobody labelled.

    Raises:
        JobError: The worker cannot be started.
        StoreError: There is no such iteration.
    """
    suffix = (LABEL_FORMATS.get(format) or MODEL_FORMATS[format]).suffix
    name = "identities"
    if format not in LABEL_FORMATS:
        workspace.checkpoint_path(run_id or 0, iteration or 0)  # raises where there is none
        name = f"run-{run_id}-iteration-{iteration}"

    def params(job_id: int) -> dict[str, Any]:
        path = workspace.path / _FOLDER / f"{job_id:03d}-{name}-{format}{suffix}"
        return {"format": format, "path": str(path), "run_id": run_id, "iteration": iteration}

    return start_job(workspace, workspace.create_job("export", params=params).job_id)


def do_export(workspace: Workspace, job: JobRecord, heartbeat: Heartbeat) -> None:
    """Write labels or a model to the place that the job names.

    Raises:
        ConfigError: There is no such format.
        DataError: Nothing is labelled yet, or an image is gone.
        ModelError: The model cannot be written in this format.
        StoreError: The disk refuses.
    """
    heartbeat.report_progress(JobProgress(step="export", total=1))
    message = _write(workspace, job)
    heartbeat.report_progress(JobProgress(step="export", done=1, total=1, message=message))


def _write(workspace: Workspace, job: JobRecord) -> str:
    """Write the file or folder; return a summary for people."""
    path, format = Path(job.params["path"]), job.params["format"]
    if format in LABEL_FORMATS:
        run_id, iteration = job.params["run_id"], job.params["iteration"]
        clusters = None if run_id is None else (run_id, iteration)
        labels = export_identities(workspace, path, format=format, clusters=clusters)
        return f"{labels.n_identities:,} identities, {labels.n_images:,} images"
    from pul.exchange.models import export_model

    checkpoint = workspace.checkpoint_path(job.params["run_id"], job.params["iteration"])
    model = export_model(checkpoint, path, format=format)
    return (
        f"{model.backbone}, {model.height}×{model.width} images ({model.resize}), "
        f"{model.n_features:,} features, at most {model.difference:.1g} from the original"
    )
