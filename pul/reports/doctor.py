"""Checks of this machine and of a workspace: what is wrong, and how to fix it."""

import os
import platform
import shlex
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import threadpoolctl
import torch

from pul.data.file_names import printable
from pul.demo import START_MODEL
from pul.errors import ArtifactError, ModelError, PulError, StoreError
from pul.jobs import reap_lost_jobs
from pul.models.network import load_network
from pul.models.resources import default_n_threads
from pul.records import RunRecord
from pul.reports.workspace_diagnosis import examine_images, examine_iteration
from pul.store.artifacts import ARRAYS, CHECKPOINT
from pul.store.workspace import Workspace

_LIBRARIES = (
    "torch",
    "torchvision",
    "numpy",
    "faiss-cpu",
    "umap-learn",
    "streamlit",
    "plotly",
    "sqlalchemy",
    "pillow",
)
_OLDEST_PYTHON = (3, 11)
_LOW_DISK_BYTES = 2 * 2**30


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Attributes:
        level: `ok`, `warning` (it works with limits) or `error` (it does not work).
        subject: What was checked.
        message: What was found and, if something is wrong, how to fix it.
    """

    level: Literal["ok", "warning", "error"]
    subject: str
    message: str


def examine_machine() -> list[Finding]:
    """Check Python, the libraries, the devices, the threads and the weights."""
    return [*_check_versions(), _check_device(), _check_threads(), *_check_weights()]


def examine_workspace(location: str | Path, *, repair: bool = False) -> list[Finding]:
    """Check a workspace: its database, images, jobs, and every stored iteration.

    Args:
        location: Folder or URL.
        repair: Whether to drop the iterations of a run from the first damaged one on, so that
            `pul resume` computes them again.
    """
    try:
        with Workspace.open(location) as workspace:
            return [
                Finding("ok", "workspace", f"{workspace.name} at {workspace.url}"),
                _check_database(workspace),
                _check_disk(workspace.path),
                *_check_images(workspace),
                *_check_jobs(workspace),
                *_check_iterations(workspace, repair=repair),
                *_diagnose(workspace),
            ]
    except PulError as error:
        return [Finding("error", "workspace", str(error))]


def describe_libraries() -> dict[str, str]:
    """Return the versions of the libraries, by name; `absent` where one is not installed."""
    return {name: _version(name) or "absent" for name in _LIBRARIES}


def describe_thread_pools() -> list[dict[str, Any]]:
    """Return the BLAS and OpenMP libraries that are loaded, with their threads."""
    return [dict(pool) for pool in threadpoolctl.threadpool_info()]


def _check_versions() -> Iterator[Finding]:
    python = platform.python_version()
    if sys.version_info < _OLDEST_PYTHON:
        yield Finding("error", "python", f"{python} is too old; use Python 3.11, 3.12 or 3.13.")
    else:
        yield Finding("ok", "python", python)
    for name, version in describe_libraries().items():
        if version == "absent":
            fix = "`pip install -r requirements.txt`, or run `make app`"
            yield Finding("warning", name, f"not installed: {fix}.")
        else:
            yield Finding("ok", name, version)


def _check_device() -> Finding:
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        return Finding("ok", "device", f"cuda: {', '.join(names)}")
    return Finding(
        "warning",
        "device",
        "no GPU that torch can use: preset `paper` (ResNet-50 at 224×224) takes days here; use "
        "`quick` with a small backbone.",
    )


def _check_threads() -> Finding:
    n_cores, n_threads = os.cpu_count() or 1, default_n_threads()
    return Finding(
        "ok", "threads", f"{n_threads} of {n_cores} cores train, the others are left to the studio"
    )


def _check_weights() -> Iterator[Finding]:
    if START_MODEL.is_file():
        yield Finding("ok", "start model", f"{START_MODEL.name}, for the demo")
    else:
        yield Finding(
            "error",
            "start model",
            f"{START_MODEL} is missing; restore it from the repository or reinstall pul.",
        )
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    files = sorted(path.name for path in folder.glob("*.pth")) if folder.is_dir() else []
    if files:
        yield Finding("ok", "torchvision weights", ", ".join(files))
    else:
        yield Finding(
            "warning",
            "torchvision weights",
            f"none in {folder}: they are downloaded at first use. Without a network, put the "
            "file there or name one with --weights.",
        )


def _check_database(workspace: Workspace) -> Finding:
    damage = workspace.damage()
    if damage:
        fix = "Restore a backup with `python -m pul restore`."
        return Finding("error", "database", f"the file is damaged: {damage}. {fix}")
    return Finding("ok", "database", "the file is intact")


def _check_disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    text = f"{free / 2**30:.1f} GiB free at {folder}"
    if free < _LOW_DISK_BYTES:
        return Finding("warning", "disk", f"{text}: free some, or delete {folder / 'cache'}.")
    return Finding("ok", "disk", text)


def _check_images(workspace: Workspace) -> Iterator[Finding]:
    images = workspace.images()
    if not len(images):
        yield Finding("warning", "images", "none yet: `python -m pul import FOLDER --workspace …`.")
        return
    advice = workspace.advise_missing()
    if advice:
        yield Finding("error", "images", advice)
    else:
        yield Finding("ok", "images", f"{len(images):,}, no file is missing")
    skipped = workspace.skipped()
    if skipped:
        path, reason = skipped[0]
        yield Finding(
            "warning", "skipped files", f"{len(skipped):,}, such as {printable(path)}: {reason}"
        )


def _check_jobs(workspace: Workspace) -> Iterator[Finding]:
    for job in reap_lost_jobs(workspace):
        yield Finding("error", f"job {job.job_id}", job.error)
    for status in ("running", "paused", "queued"):
        for job in workspace.jobs(status=status):
            yield Finding("ok", f"job {job.job_id}", f"{job.kind}, {status}")


def _check_iterations(workspace: Workspace, *, repair: bool) -> Iterator[Finding]:
    for run in workspace.runs():
        last_read = None  # without the start model nothing can be recomputed
        try:
            workspace.start_model(run.run_id)
            for record in workspace.iterations(run.run_id):
                last_read = record.iteration
                _read_all(workspace, run.run_id, record.iteration)
        except PulError as error:
            if last_read is None or not isinstance(error, ArtifactError | ModelError):
                yield Finding("error", run.name, str(error))
            else:
                yield _repair(workspace, run, last_read, error, repair=repair)
        else:
            yield Finding(
                "ok", run.name, f"{run.status}, {run.n_iterations_done} finished iterations"
            )


def _read_all(workspace: Workspace, run_id: int, iteration: int) -> None:
    pruned = workspace.pruned(run_id, iteration)
    workspace.arrays(run_id, iteration, *(n for n in ARRAYS if f"{n}.npy" not in pruned))
    workspace.rankings(run_id, iteration)
    if CHECKPOINT not in pruned:
        load_network(workspace.checkpoint_path(run_id, iteration))


def _repair(
    workspace: Workspace, run: RunRecord, first: int, damage: PulError, *, repair: bool
) -> Finding:
    while first > 0 and CHECKPOINT in workspace.pruned(run.run_id, first - 1):
        first -= 1  # resuming needs the network of the iteration before
    place = shlex.quote(workspace.url)
    resume = f"`python -m pul resume {run.run_id} --workspace {place}`"
    if not repair:
        doctor = f"`python -m pul doctor --repair --workspace {place}`"
        way = f"Restore a backup, or recompute iterations {first} and later: {doctor}"
        return Finding("error", run.name, f"{damage} {way}, then {resume}.")
    try:
        workspace.drop_iterations(run.run_id, first)
    except PulError as error:
        return Finding("error", run.name, f"{damage} {error}")
    message = f"damaged iterations {first} and later were dropped; recompute them with {resume}."
    return Finding("warning", run.name, message)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _diagnose(workspace: Workspace) -> Iterator[Finding]:
    """Yield problems of the images and of each run's last iteration."""
    for found in examine_images(workspace):
        yield Finding("warning", "data", f"{found.observed} {found.why} {found.fix}")
    for run in workspace.runs():
        records = workspace.iterations(run.run_id)
        if not records:
            continue
        last = records[-1].iteration
        try:
            for found in examine_iteration(workspace, run.run_id, last):
                text = f"{found.observed} {found.why} {found.fix}"
                yield Finding("warning", f"{run.name}, iteration {last}", text)
        except StoreError:
            continue  # `_check_iterations` reported it
