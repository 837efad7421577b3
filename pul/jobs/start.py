"""Create jobs and start a worker on them; light, so that the studio can import it."""

import hashlib
import shutil
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from filecmp import cmp
from functools import partial
from pathlib import Path
from typing import Any

from pul.config import RunConfig
from pul.data.video import VideoRequest
from pul.errors import JobError, StoreError
from pul.jobs.control import reap_lost_jobs
from pul.jobs.process import WorkerProcess, start_worker
from pul.jobs.steps import Step, apply_steps, check_steps
from pul.jobs.trackers import check_trackers
from pul.models.file_kinds import require_own_checkpoint
from pul.records import ImageTable, JobRecord
from pul.store.additions import Duplicates
from pul.store.workspace import Workspace


def start_run(
    workspace: Workspace, config: RunConfig, model: str | Path, name: str = ""
) -> JobRecord:
    """Make a run of the images in a workspace and start a worker on it.

    Raises:
        ModelError: There is no such start model.
        JobError: There is nothing to train on, or the worker cannot be started.
        StoreError: The store refuses.
    """
    return start_job(workspace, create_run(workspace, config, model, name).job_id)


def create_run(
    workspace: Workspace,
    config: RunConfig,
    model: str | Path,
    name: str = "",
    *,
    parent: tuple[int, int] | None = None,
    key: str = "",
    settings: Callable[[int], Mapping[str, Any]] = lambda _: {},
    steps: Sequence[Step] = (),
) -> JobRecord:
    """Make a run and its job without starting a worker.

    Where the camera of a test image is not known, no image can be junk because of it: the run's
    evaluation is made without cameras then, and its settings say so.

    Args:
        workspace: Where the images are.
        config: The run's settings.
        model: The start model, a safetensors file.
        name: What to call it.
        parent: Run and iteration that the model is of, if it is of one.
        key, settings: As in `Workspace.create_run`.
        steps: What it uses from later iterations on.

    Raises:
        ConfigError: A package that the settings need is missing, or a step cannot be gone.
        ModelError: There is no such start model, or it must be converted first.
        JobError: There is nothing to train on.
        StoreError: The store refuses.
    """
    check_trackers(config)
    require_own_checkpoint(Path(model).expanduser())
    check_steps(workspace, steps)
    run = workspace.create_run(
        partial(_fit_images, config),
        model=model,
        name=name,
        parent=parent,
        key=key,
        settings=settings,
    )
    known = workspace.active_job(run.run_id)
    if known is not None:
        return known
    apply_steps(workspace, run.run_id, steps)  # before there is a job that a worker could take
    return workspace.create_job("run", run_id=run.run_id)


def _fit_images(config: RunConfig, images: ImageTable) -> RunConfig:
    """Return settings that images allow.

    Raises:
        JobError: There is nothing to train on.
    """
    if "train" not in images.splits:
        raise JobError("There are no training images in this workspace; import some first.")
    tested = [split != "train" for split in images.splits]
    if (images.camids[tested] < 0).any():
        return config.replace(**{"evaluation.camera_aware": False})
    return config


def create_fork(
    workspace: Workspace,
    run_id: int,
    iteration: int,
    config: RunConfig,
    name: str = "",
) -> JobRecord:
    """Make a run that starts from the model of an iteration, and its job, without a worker.

    The model is stored in `models/` too, so that the fork outlives the run it comes from.

    Args:
        workspace: Where the run is.
        run_id: The run to fork.
        iteration: One of its finished iterations.
        config: Settings of the fork.
        name: What to call it; by default after the run and the iteration.

    Raises:
        StoreError: There is no such iteration, or the disk refuses.
        ArtifactError: Its checkpoint is missing.
    """
    model = _keep_model(workspace, run_id, iteration)
    name = name or f"{workspace.run(run_id).name}, from iteration {iteration}"
    return create_run(workspace, config, model, name, parent=(run_id, iteration))


def _keep_model(workspace: Workspace, run_id: int, iteration: int) -> Path:
    """Return the network of an iteration in `models/`, where it outlives the run.

    An iteration that was dropped and computed again may have another network than the one that
    was kept before: it gets a name of its own.
    """
    checkpoint = workspace.checkpoint_path(run_id, iteration)
    name = f"run-{run_id}-iteration-{iteration}"
    model = workspace.path / "models" / f"{name}.safetensors"
    if model.is_file() and not cmp(checkpoint, model, shallow=False):
        digest = hashlib.sha256(checkpoint.read_bytes()).hexdigest()[:8]
        model = model.with_name(f"{name}-{digest}.safetensors")
    if not model.is_file():
        _link_file(checkpoint, model)
    return model


def _link_file(source: Path, target: Path) -> None:
    """Give a file that never changes a second name; a copy where the disk has no hard links."""
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        target.parent.mkdir(exist_ok=True)
        try:
            temporary.hardlink_to(source)
        except OSError:
            shutil.copyfile(source, temporary)
        temporary.replace(target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StoreError(f"{target} cannot be written: {error.strerror or error}.") from error


def resume_run(workspace: Workspace, run_id: int) -> JobRecord:
    """Start a worker that continues a run from its last finished iteration.

    Raises:
        JobError: The run is finished or is being worked on, or the worker cannot be started.
        StoreError: There is no such run.
    """
    return start_job(workspace, create_resumption(workspace, run_id).job_id)


def create_resumption(workspace: Workspace, run_id: int) -> JobRecord:
    """Make the job that continues a run from its last finished iteration, without a worker.

    Raises:
        JobError: The run is finished or is being worked on.
        StoreError: There is no such run.
    """
    reap_lost_jobs(workspace, wait=True)
    waiting = workspace.active_job(run_id)
    if waiting is not None and waiting.status == "queued" and not waiting.worker:
        return waiting  # made by a process that died before it could start a worker
    return workspace.create_job("run", run_id=run_id)


def start_import(
    workspace: Workspace,
    root: str | Path,
    format: str = "auto",
    *,
    levels: str = "",
    bbox: str = "auto",
    is_same_place: bool = False,
    duplicates: Duplicates = "refuse",
) -> JobRecord:
    """Start a worker that reads a dataset and adds its images.

    Args:
        workspace: Where to add them.
        root: The dataset's folder or file.
        format: One of `pul.data.datasets.DATASET_FORMATS`, or `auto`.
        levels: What the levels of its folders mean, where it is not found by itself.
        bbox: What the boxes of a table are, where it is not found by itself.
        is_same_place: Whether its people and cameras are those of the images that are there.
        duplicates: What to do where the same pictures are in the workspace from other files.

    Raises:
        JobError: The worker cannot be started.
        StoreError: The store refuses.
    """
    params = {"root": str(Path(root).expanduser().absolute()), "format": format, "levels": levels}
    params |= {"bbox": bbox, "place": "same" if is_same_place else "new", "duplicates": duplicates}
    return start_job(workspace, workspace.create_job("import", params=params).job_id)


def start_video_import(
    workspace: Workspace, request: VideoRequest, *, is_same_place: bool = False
) -> JobRecord:
    """Start a worker that cuts crops out of videos and adds them.

    Args:
        workspace: Where to add them.
        request: Which videos, and how their tracks are read.
        is_same_place: Whether numbers of cameras are those of the images that are there.

    Raises:
        JobError: The worker cannot be started.
        StoreError: The store refuses.
    """
    params = {"video": request.model_dump(mode="json"), "place": "same" if is_same_place else "new"}
    return start_job(workspace, workspace.create_job("import", params=params).job_id)


def start_preview(
    workspace: Workspace, run_id: int, iteration: int, n_clusters: int | None = None
) -> JobRecord:
    """Start a worker that clusters the stored features of an iteration again, beside any run.

    Args:
        workspace: Where the run is.
        run_id: The run.
        iteration: One of its finished iterations.
        n_clusters: K; None compares several around the present one.

    Raises:
        ConfigError: K is less than 1.
        JobError: Another preview of the run is being made, or the worker cannot be started.
        StoreError: There is no such run or iteration.
    """
    if n_clusters is not None:
        RunConfig(n_clusters=n_clusters)
    workspace.arrays(run_id, iteration, "features")  # raises where there is none
    # Not a job *on* the run: it changes nothing of it, and the run may be worked on meanwhile.
    params = {"run_id": run_id, "iteration": iteration, "n_clusters": n_clusters}
    job = workspace.create_job("preview", params=params, alone={"run_id": run_id})
    return start_job(workspace, job.job_id)


def active_preview(workspace: Workspace, run_id: int) -> JobRecord | None:
    """Return the job that makes a preview of a run, if any."""
    previews = (job for job in workspace.active_jobs() if job.kind == "preview")
    return next((job for job in previews if job.params["run_id"] == run_id), None)


def start_suggest(workspace: Workspace, run_id: int, iteration: int) -> JobRecord:
    """Start a worker that makes the suggestion index of an iteration, unless one is at work on it.

    Args:
        workspace: Where the run is.
        run_id: The run.
        iteration: One of its finished iterations.

    Returns:
        The job, this one's or another's: several studios may ask for the same.

    Raises:
        JobError: The worker cannot be started.
        StoreError: There is no such run or iteration.
        ArtifactError: An array that it needs is missing or damaged.
    """
    workspace.arrays(run_id, iteration, "features", "clusters", "similarities")
    params = {"run_id": run_id, "iteration": iteration}
    for job in workspace.active_jobs():
        if job.kind == "suggest" and job.params == params:
            return job
    return start_job(workspace, workspace.create_job("suggest", params=params).job_id)


def start_job(workspace: Workspace, job_id: int) -> JobRecord:
    """Start a worker on a queued job: a process of its own that outlives this one.

    Its output goes to `workspace.log_path(job_id)`.

    Raises:
        JobError: The job is not queued, or the worker cannot be started.
        StoreError: There is no such job.
    """
    job = workspace.job(job_id)
    if job.status != "queued":
        raise JobError(f"Job {job_id} is {job.status}; only a queued job can be started.")
    try:
        process = start_worker(workspace, job_id)
    except OSError as error:
        reason = f"The worker of job {job_id} cannot be started: {error}."
        workspace.finish_job(job_id, "failed", error=reason)
        raise JobError(reason) from error
    workspace.assign_job(job_id, str(WorkerProcess.of(process.pid)))
    # A process must be waited for by its parent, or it stays a zombie.
    threading.Thread(target=process.wait, daemon=True).start()
    return workspace.job(job_id)
