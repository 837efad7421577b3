"""Runs: start, control, compare and report them."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app import services
from app.services.cache import cached
from app.services.settings import run_settings
from app.services.workspace import ROOT, WorkspaceStatus, n_train_images, open_workspace
from pul import demo, jobs
from pul.config import NetworkConfig, RunConfig, load_preset, preset_names, suggest_n_clusters
from pul.config.base import flatten
from pul.errors import JobError, ModelError
from pul.labelling.guidance import Guidance, pinned_labels, read_guidance
from pul.records import IterationRecord, RunRecord, Shelf
from pul.reports import changes as run_changes
from pul.reports.changes import Difference, changes, setting_text
from pul.reports.html import render_report
from pul.store.workspace import Workspace

__all__ = [
    "Difference",
    "RunConfig",
    "changes",
    "flatten",
    "preset_names",
    "setting_text",
]

IMAGENET_NETWORKS = {
    "ResNet-50, ImageNet (torchvision, for a GPU)": NetworkConfig(),
    "MobileNetV2, ImageNet (torchvision)": NetworkConfig(
        backbone="mobilenet_v2", height=128, width=64
    ),
}
_MAKE_MODEL = """
import json, pathlib, sys
from pul.config import NetworkConfig
from pul.errors import PulError
from pul.models.network import build_network, save_network
try:
    network = build_network(NetworkConfig(**json.loads(sys.argv[1])))
    save_network(network, pathlib.Path(sys.argv[2]))
except PulError as error:
    sys.exit(str(error))
"""
_LOG_BYTES = 8_000


def start_models(location: str) -> dict[str, str]:
    """Return the start models to choose from: what `start_run` takes, by display name.

    Those of the workspace's runs come first, the newest first: another run most likely starts from
    the same model.
    """
    workspace = open_workspace(location)
    used = [workspace.path / run.model for run in reversed(workspace.runs())]
    in_workspace = sorted((workspace.path / "models").glob("*.safetensors"))
    names = {demo.START_MODEL: "Small network, trained on synthetic people"}
    found: dict[str, str] = {}
    for path in dict.fromkeys((*used, demo.START_MODEL, *in_workspace)):
        name = names.get(path, path.stem)
        if path.is_file():
            found[name if name not in found else str(path)] = str(path)
    return found | {name: name for name in IMAGENET_NETWORKS}


def start_model(location: str, run: RunRecord) -> str:
    """Return the path of the model that a run started from, whether it is still there or not."""
    return str(open_workspace(location).path / run.model)


def not_tracked(location: str, run_id: int) -> str:
    """Return why the newest figures did not reach TensorBoard or MLflow; "" where they did."""
    return jobs.not_tracked(open_workspace(location), run_id)


def usual_preset(location: str) -> str:
    """Return the preset of a workspace's settings, or the one for CPUs."""
    return str(open_workspace(location).get_setting("preset", "quick"))


def first_config(location: str, preset: str) -> RunConfig:
    """Return the initial settings of a form: a preset's, with a K for these images.

    The preset in the workspace's settings already fits its images and keeps its K.
    """
    config = load_preset(preset)
    if preset == open_workspace(location).get_setting("preset"):
        return config
    return config.replace(n_clusters=suggest_n_clusters(n_train_images(location)))


def start_run(location: str, config: RunConfig, model: str, name: str = "") -> None:
    """Create a run and start it in the background.

    Args:
        location: The workspace.
        config: The settings.
        model: Path of the start model, or one of `IMAGENET_NETWORKS`.
        name: Name of the run.

    Raises:
        ModelError: There is no such start model, or it cannot be downloaded.
        JobError: There is nothing to train on, or no worker can be started.
    """
    workspace = open_workspace(location)
    if model in IMAGENET_NETWORKS:
        model = _imagenet_model(workspace.path / "models", model)
    jobs.start_run(workspace, config, model, name)


def _imagenet_model(folder: Path, name: str) -> str:
    """Write torchvision's network to a file, in a separate process because it needs torch."""
    path = folder / f"{name.split(',')[0]}, ImageNet.safetensors"
    if not path.is_file():
        folder.mkdir(exist_ok=True)
        settings = IMAGENET_NETWORKS[name].model_dump_json()
        made = subprocess.run(
            [sys.executable, "-c", _MAKE_MODEL, settings, str(path)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise ModelError(made.stderr.strip().rpartition("\n")[2])
    return str(path)


def differences(location: str, runs: Sequence[RunRecord]) -> list[Difference]:
    """Return in what runs differ: start model, settings, and what was steered on the way.

    Args:
        location: The workspace.
        runs: The runs.
    """
    rows = run_changes.differences(runs, [iterations(location, run.run_id) for run in runs])
    names = {path: setting.label for path, setting in run_settings().items()}
    names |= {"start model": "Start model", "labels": "Labels"}
    return [Difference(names.get(row.setting, row.setting), row.values) for row in rows]


def _last_trained(iterations: Sequence[IterationRecord]) -> IterationRecord | None:
    """Return the last iteration that trained; the baseline did not."""
    return next((record for record in reversed(iterations) if record.iteration), None)


def steer(location: str, run_id: int, act: str) -> None:
    """Pause, unpause or stop the job on a run, or resume the run from the last finished iteration.

    Raises:
        JobError: The run has no job, the job has ended meanwhile, or another one is active.
    """
    workspace = open_workspace(location)
    if act == "resume":
        jobs.resume_run(workspace, run_id)
        return
    job = next(iter(reversed(workspace.jobs(run_id=run_id))), None)
    if job is None:
        raise JobError(f"Run {run_id} has no job to {act}.")
    control_job(location, job.job_id, act)


def control_job(location: str, job_id: int, act: str) -> None:
    """Pause, unpause or stop a job.

    Raises:
        JobError: The job has ended meanwhile.
    """
    commands = {"pause": jobs.pause_job, "unpause": jobs.resume_job, "stop": jobs.stop_job}
    commands[act](open_workspace(location), job_id)


def fork_run(location: str, run_id: int, iteration: int, config: RunConfig, name: str = "") -> None:
    """Create a run that starts from an iteration's model, and start it.

    Raises:
        StoreError: There is no such iteration.
        JobError: The worker cannot be started.
    """
    workspace = open_workspace(location)
    job = jobs.create_fork(workspace, run_id, iteration, config, name)
    jobs.start_job(workspace, job.job_id)


@dataclass(frozen=True, slots=True)
class Untrained:
    """Labels that a run has not trained with.

    Attributes:
        n_identities: Labelled people.
        n_images: Their images.
        is_first: Whether the run has trained without any labels.
    """

    n_identities: int
    n_images: int
    is_first: bool


def untrained(
    location: str, run_id: int, iterations: Sequence[IterationRecord]
) -> Untrained | None:
    """Return the labels that a run has not trained with; None if there are none.

    Args:
        location: The workspace.
        run_id: The run.
        iterations: Its finished iterations.
    """
    if pinned_labels(open_workspace(location), run_id):
        return None  # it was asked for with the labels that it has
    n_acts = services.labels.version(location)
    guidance = _guidance(open_workspace(location), run_id, n_acts)
    last = _last_trained(iterations)
    if not guidance.annotations or (last and last.annotations_hash == guidance.content_hash):
        return None
    return Untrained(
        n_identities=len(set(guidance.annotations.values())),
        n_images=len(guidance.annotations),
        is_first=last is None or not last.n_annotated_images,
    )


@cached(maxsize=16)
def _guidance(workspace: Workspace, run_id: int, _n_acts: int) -> Guidance:
    return read_guidance(workspace, run_id)


def train_with_labels(location: str, run: RunRecord, name: str) -> None:
    """Create a run that repeats another with the current labels, and start it.

    It has the start model and settings of the old run, with its last λ and K, so that only the
    labels differ. If the old run only grouped, the iterations are those of the workspace's preset.

    Raises:
        ModelError: The start model is missing or was changed.
        JobError: The worker cannot be started.
    """
    workspace = open_workspace(location)
    last_used = current_settings(location, run)
    config = RunConfig(**run.config).replace(
        lambda_=last_used.lambda_,
        n_clusters=last_used.n_clusters,
        n_iterations=run.config["n_iterations"] or load_preset(usual_preset(location)).n_iterations,
    )
    parent = None
    if run.parent_run_id is not None and run.parent_iteration is not None:
        parent = run.parent_run_id, run.parent_iteration
    model = workspace.start_model(run.run_id)
    jobs.start_job(workspace, jobs.create_run(workspace, config, model, name, parent=parent).job_id)


def ask_change(
    location: str, run_id: int, *, lambda_: float | None = None, n_clusters: int | None = None
) -> None:
    """Request another λ or K from a run's next iteration on; None for unchanged.

    Raises:
        ConfigError: A value is not allowed.
    """
    workspace = open_workspace(location)
    for name, value in (("lambda_", lambda_), ("n_clusters", n_clusters)):
        if value is not None:
            workspace.set_control(run_id, name, value, author="studio")


@dataclass(frozen=True, slots=True)
class CurrentSettings:
    """λ and K of a run from its next iteration on.

    Attributes:
        lambda_: λ; 0 selects all.
        n_clusters: K.
        waiting: Requested values that are not used yet, by name.
    """

    lambda_: float
    n_clusters: int
    waiting: dict[str, float]


def current_settings(location: str, run: RunRecord) -> CurrentSettings:
    """Return λ and K that a run will use next: the last requested ones, else its settings."""
    controls = [
        control
        for control in open_workspace(location).controls(run.run_id)
        if (control.applied_at_iteration or 0) <= run.n_iterations_done + 1  # --steer plans ahead
    ]
    requested = {control.name: control.value for control in controls}
    waiting = {c.name: c.value for c in controls if c.applied_at_iteration is None}
    return CurrentSettings(
        lambda_=float(requested.get("lambda_", run.config["lambda_"] or 0.0)),
        n_clusters=int(requested.get("n_clusters", run.config["n_clusters"])),
        waiting=waiting,
    )


def finds_k(run: RunRecord) -> bool:
    """Whether the method of a run finds K by itself: then no K can be asked for."""
    return bool(run.config["clustering"] == "dbscan")


def report(location: str, run_id: int) -> bytes:
    """Return the report of a run, an HTML file without pictures.

    Raises:
        StoreError: It has no finished iteration yet.
    """
    return render_report(open_workspace(location), run_id).encode()


def shelve(location: str, run_id: int, shelf: Shelf) -> RunRecord:
    """Archive, delete or restore a run.

    Raises:
        JobError: It cannot be deleted while it is running.
    """
    return open_workspace(location).shelve_run(run_id, shelf)


def shelved(location: str) -> list[RunRecord]:
    """Return the runs that are archived or deleted."""
    return [run for run in open_workspace(location).runs(shelf=None) if run.shelf]


def checkpoint(location: str, run_id: int, iteration: int) -> Path:
    """Return the file of an iteration's model.

    Raises:
        StoreError: There is no such iteration, or its file is missing.
    """
    return open_workspace(location).checkpoint_path(run_id, iteration)


def iterations(location: str, run_id: int) -> tuple[IterationRecord, ...]:
    """Return the finished iterations of a run, from the baseline on."""
    return tuple(open_workspace(location).iterations(run_id))


def newest_iteration(location: str, now: WorkspaceStatus) -> tuple[int, int] | None:
    """Return the run and iteration to label on; None if there is none yet.

    It is the newest iteration of the selected run. If that has none, as when it has just started,
    it is that of the newest other run: training never blocks labelling.
    """
    if now.run is not None and now.iterations:
        return now.run.run_id, now.iterations[-1].iteration
    finished = ((run.run_id, iterations(location, run.run_id)) for run in reversed(now.runs))
    return next(((run_id, found[-1].iteration) for run_id, found in finished if found), None)


def log_tail(location: str, job_id: int) -> str:
    """Return the end of the log of a job's worker; "" if it is empty."""
    path = open_workspace(location).log_path(job_id)
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - _LOG_BYTES))
            return log.read().decode("utf-8", "replace").strip()
    except OSError:
        return ""
