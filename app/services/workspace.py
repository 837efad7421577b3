"""Opens workspaces, with cached reads. No Streamlit here.

A finished iteration never changes, so its arrays are cached by (run, iteration).
"""

import itertools
import os
from collections.abc import Callable, Collection
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.services.cache import cached
from pul import demo, jobs
from pul.data.file_names import printable
from pul.data.grey import GreyRanges
from pul.data.images import thumbnail
from pul.errors import PulError, StoreError, WorkspaceError
from pul.records import Command, ImageTable, IterationRecord, JobRecord, RunRecord
from pul.store.sqlite_log import describe_missing
from pul.store.workspace import Workspace, without_password

ROOT = (
    Path(__file__).resolve().parents[2]
)  # the checkout, or site-packages: `python -m` starts here
_END_OF_JPEG = b"\xff\xd9"
_N_PATHS = 1024  # images whose paths are read at once
_ACTIVE = ("queued", "running", "paused")


@dataclass(frozen=True, slots=True)
class WorkspaceStatus:
    """The status of a workspace and of one run.

    Attributes:
        name: Name of the workspace.
        n_images: Images of all splits.
        runs: The runs that are not archived or deleted, and the selected one; oldest first.
        run: The selected run; None if there is none.
        iterations: Its finished iterations, from the baseline on.
        job: The last job on that run; None if it never had one.
        requested: Command that the job has not acknowledged yet.
        import_job: The last import, if it is active or has failed; None otherwise.
    """

    name: str
    n_images: int
    runs: tuple[RunRecord, ...]
    run: RunRecord | None
    iterations: tuple[IterationRecord, ...]
    job: JobRecord | None
    requested: Command | None
    import_job: JobRecord | None

    @property
    def is_active(self) -> bool:
        """Whether the run has a queued, running or paused job."""
        return self.job is not None and self.job.status in _ACTIVE

    @property
    def is_importing(self) -> bool:
        """Whether images are being imported."""
        return self.import_job is not None and self.import_job.status in _ACTIVE


@dataclass(frozen=True, slots=True)
class Contents:
    """The contents of a workspace or a dataset.

    Attributes:
        splits: Of each split its name, images, people, cameras, junk and distractors.
        cameras: Number of images by split and camera; camera -1 is unknown.
        n_skipped: Skipped files.
    """

    splits: tuple[tuple[Any, ...], ...]
    cameras: dict[tuple[str, int], int]
    n_skipped: int


# Workspaces


def default_location() -> str:
    """Return the workspace that the studio was started on: `PUL_WORKSPACE`, or the demo."""
    return os.environ.get("PUL_WORKSPACE") or demo_location()


def demo_location() -> str:
    """Return where the demo is, or will be: `PUL_DEMO`, or `demo` in the current folder."""
    return str(Path(os.environ.get("PUL_DEMO") or "demo").absolute())


def free_location() -> str:
    """Return a folder for a new workspace, beside the demo, that does not exist yet."""
    folder = Path(demo_location()).parent
    names = ("my-images", *(f"my-images-{number}" for number in range(2, 1000)))
    return str(next(folder / name for name in names if not (folder / name).exists()))


def demo_pictures(n: int) -> list[bytes]:
    """Return the first pictures of the demo that is being made, at most n."""
    place = demo_location()
    folder = Path(f"{place}.making") / "images"
    found = (path for path in folder.rglob("*.jpg"))
    pictures = []
    for path in itertools.islice(found, n):
        content = path.read_bytes()
        if content.endswith(_END_OF_JPEG):  # the last one may be half written
            pictures.append(content)
    return pictures


def make_demo(location: str, on_progress: Callable[[int, int], None]) -> None:
    """Create the demo workspace; takes seconds.

    Raises:
        WorkspaceError: The location holds something else.
    """
    demo.make_demo(Path(location), on_progress=on_progress).close()


def start_demo_run() -> None:
    """Start the demo's run in the background, unless it already has one.

    Raises:
        ModelError: The start model is missing.
        JobError: The worker cannot be started.
    """
    workspace = open_workspace(demo_location())
    if not workspace.runs():
        demo.start_demo_run(workspace)


def exists(location: str) -> bool:
    """Whether a location holds a workspace; "" is none."""
    if not location:
        return False
    try:
        if "://" in location:  # the connection to a database server is opened once and cached
            return bool(open_workspace(location))
        return Workspace.exists(location)
    except PulError:
        return False


def vacant(location: str) -> str:
    """Return a location without a workspace, as text to show; "" if there is a workspace.

    Raises:
        PulError: The workspace cannot be opened, the database server does not answer, or the
            location is malformed.
    """
    if not Workspace.exists(location):
        return without_password(location)
    open_workspace(location)
    return ""


def open_workspace(location: str) -> Workspace:
    """Return the open workspace of a location; a recreated folder is opened again.

    Raises:
        WorkspaceError: There is none, or it has a newer version.
    """
    return _opened(location, database_number(location))


def missing_since(location: str) -> str:
    """Say what a workspace lacks whose database was copied without its log; "" for nothing."""
    since = open_workspace(location).missing_since()
    return describe_missing(since) if since else ""


def create_workspace(location: str) -> str:
    """Create a workspace and return its absolute location.

    Raises:
        WorkspaceError: The folder is not empty, or cannot be created.
    """
    if not location.strip():
        raise WorkspaceError("No folder is given; enter a new or an empty one.")
    with Workspace.create(location.strip()) as workspace:
        return str(workspace.location)


def workspace_status(location: str, run_id: int | None = None) -> WorkspaceStatus:
    """Return the status of a workspace and one of its runs.

    Args:
        location: The workspace.
        run_id: The run, archived or not; the newest if None or deleted.

    Raises:
        StoreError: It cannot be read.
    """
    workspace = open_workspace(location)
    jobs.reap_lost_jobs(workspace)
    return _status(workspace, run_id, workspace.version())


@cached(maxsize=64)
def _status(workspace: Workspace, run_id: int | None, _version: str) -> WorkspaceStatus:
    everything = workspace.runs(shelf=None)
    runs = tuple(
        run
        for run in everything
        if not run.shelf or (run.run_id == run_id and run.shelf == "archived")
    )
    run = next((run for run in runs if run.run_id == run_id), runs[-1] if runs else None)
    imports = [job for job in workspace.jobs() if job.kind == "import"]
    job = next(iter(reversed(workspace.jobs(run_id=run.run_id))), None) if run else None
    return WorkspaceStatus(
        name=workspace.name,
        n_images=workspace.n_images(),
        runs=runs,
        run=run,
        iterations=tuple(workspace.iterations(run.run_id)) if run else (),
        job=job,
        requested=workspace.requested(job.job_id) if job else None,
        import_job=imports[-1] if imports and imports[-1].status != "finished" else None,
    )


def job(location: str, job_id: int) -> JobRecord:
    """Return a job."""
    return open_workspace(location).job(job_id)


def contents(location: str) -> Contents:
    """Count what a workspace holds, per split and camera."""
    held = open_workspace(location).summary()
    cameras = {(str(row.split), row.camid): row.n_images for row in held.cameras}
    return Contents(tuple(astuple(row) for row in held.splits), cameras, held.n_skipped)


def n_train_images(location: str) -> int:
    """Return the number of training images."""
    splits = open_workspace(location).summary().splits
    return sum(split.n_images for split in splits if split.split == "train")


def skipped(location: str) -> list[tuple[str, str]]:
    """Return path and reason of each skipped file."""
    return [(printable(path), reason) for path, reason in open_workspace(location).skipped()]


def sample_images(location: str, n: int) -> list[int]:
    """Return the ids of up to n training images, spread evenly over the workspace."""
    image_ids = open_workspace(location).images("train").image_ids
    places = np.linspace(0, len(image_ids) - 1, min(n, len(image_ids))).astype(int)
    return [int(image_ids[place]) for place in places]


def image_path(location: str, image_id: int) -> Path:
    """Return the file of an image.

    Raises:
        StoreError: There is no such image.
    """
    key = (database_number(location), n_relocations(location))
    block = image_id // _N_PATHS
    paths = _paths(location, key, block)
    if image_id not in paths:  # it may have been imported since
        _paths.cache_clear()
        paths = _paths(location, key, block)
    if image_id not in paths:
        raise StoreError(f"There is no image {image_id} in this workspace.")
    return Path(paths[image_id])


def missing_images(location: str, image_ids: Collection[int]) -> list[int]:
    """Return which of some images a workspace does not have, ascending."""
    return open_workspace(location).unknown_images(image_ids)


def picture(location: str, image_id: int) -> tuple[bytes, str]:
    """Return a small picture of an image, and its media type.

    Raises:
        StoreError: There is no such image.
        ImageError: It cannot be decoded.
    """
    workspace = open_workspace(location)
    ranges = _grey_ranges(workspace, workspace.version())
    return thumbnail(image_path(location, image_id), ranges=ranges)


@cached(maxsize=4)
def _grey_ranges(workspace: Workspace, _version: str) -> GreyRanges:
    return workspace.grey_ranges()


def run_images(location: str, run_id: int) -> ImageTable:
    """Return the training images of a run; row i is image i of its arrays.

    Raises:
        StoreError: There is no such run.
    """
    key = (database_number(location), n_relocations(location))
    return _run_images(location, key, run_id)


@cached(maxsize=8)
def _opened(location: str, _number: int) -> Workspace:
    return Workspace.open(location)


def n_relocations(location: str) -> int:
    """Return how often images were moved or merged: what was read before is old."""
    workspace = open_workspace(location)
    return _read_n_relocations(workspace, workspace.version())


@cached(maxsize=4)
def _read_n_relocations(workspace: Workspace, _version: str) -> int:
    return workspace.n_relocations()


@cached(maxsize=64)
def _paths(location: str, _key: tuple[int, int], block: int) -> dict[int, str]:
    first = block * _N_PATHS
    return open_workspace(location).image_paths(first, first + _N_PATHS - 1)


@cached(maxsize=8)
def _run_images(location: str, _key: tuple[int, int], run_id: int) -> ImageTable:
    return open_workspace(location).run_images(run_id, "train")


def database_number(location: str) -> int:
    """Return a number that differs when a workspace is recreated at the same location."""
    # The inode of the database changes when the workspace is deleted and created again.
    try:
        return (Path(location) / "pul.db").stat().st_ino
    except OSError:
        return 0
