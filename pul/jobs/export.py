"""The job of an export: started by the studio, which loads no torch; done by a worker."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pul.exchange.exporting import LABEL_FORMATS, MODEL_FORMATS, export_identities
from pul.jobs import start_job
from pul.jobs.heartbeat import Heartbeat
from pul.records import JobProgress, JobRecord
from pul.store.atomic_files import new_file
from pul.store.workspace import Workspace

_FOLDER = "exports"
_RULE = "cosine of two l2-normalised features: above the threshold one person, else unknown"


@dataclass(frozen=True, slots=True)
class KeptThreshold:
    """The cosine above which two pictures are taken for one person.

    Attributes:
        threshold: It.
        false_accept_rate: Share of different pairs above it when it was measured.
        true_accept_rate: Share of same pairs above it.
        n_same, n_different: Pairs it was measured on.
        measured_on: Whose pairs, as text.
    """

    threshold: float
    false_accept_rate: float
    true_accept_rate: float
    n_same: int
    n_different: int
    measured_on: str


def keep_threshold(
    workspace: Workspace, run_id: int, iteration: int, threshold: KeptThreshold
) -> None:
    """Keep the threshold of an iteration's model; every export of the model writes it too.

    Raises:
        StoreError: The database refuses.
    """
    workspace.set_setting(_threshold_name(run_id, iteration), asdict(threshold))


def kept_threshold(workspace: Workspace, run_id: int, iteration: int) -> KeptThreshold | None:
    """Return the threshold of an iteration's model; None if none was kept."""
    plain = workspace.get_setting(_threshold_name(run_id, iteration))
    return KeptThreshold(**plain) if plain else None


def threshold_path(model: Path) -> Path:
    """Return the file of the threshold of an exported model, beside it."""
    return model.with_name(f"{model.name}.threshold.json")


def _threshold_name(run_id: int, iteration: int) -> str:
    return f"threshold of run {run_id}, iteration {iteration}"


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
    threshold = kept_threshold(workspace, job.params["run_id"], job.params["iteration"])
    if threshold is not None:
        text = json.dumps(asdict(threshold) | {"rule": _RULE}, indent=2)
        with new_file(threshold_path(path)) as temporary:
            temporary.write_text(f"{text}\n", encoding="utf-8")
    with_threshold = f", threshold {threshold.threshold:.3f}" if threshold else ""
    return (
        f"{model.backbone}, {model.height}×{model.width} images ({model.resize}), "
        f"{model.n_features:,} features, at most {model.difference:.1g} from the original"
        f"{with_threshold}"
    )
