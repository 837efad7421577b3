"""The job of an import: read a dataset, or cut crops out of videos, and add the images."""

from pathlib import Path
from typing import Any

from pul.data.checking import check_dataset
from pul.data.datasets import Dataset, read_dataset
from pul.data.video import VideoRequest
from pul.exchange.videos import import_videos
from pul.jobs.heartbeat import Heartbeat
from pul.records import JobProgress, JobRecord
from pul.store.workspace import Workspace


def do_import(workspace: Workspace, job: JobRecord, heartbeat: Heartbeat) -> None:
    """Add the images of the dataset, or the crops of the videos, that the job names.

    Raises:
        DatasetError: There is no dataset there.
        ConfigError: There is no such format.
        DuplicateImagesError: The same pictures are in the workspace already, from other files.
        StoreError: The database or the disk refuses.
    """
    is_same_place = job.params.get("place") == "same"

    def on_wait() -> None:
        message = "waiting until another import has ended"
        heartbeat.report_progress(JobProgress(step="import", message=message))

    if "video" in job.params:
        heartbeat.report_progress(JobProgress(step="import", message="reading the tracks"))
        dataset, n_new = import_videos(
            workspace,
            VideoRequest(**job.params["video"]),
            is_same_place=is_same_place,
            on_progress=heartbeat.progress_callback("import", "cutting crops"),
            on_wait=on_wait,
        )
    else:
        options: dict[str, Any] = {"duplicates": job.params.get("duplicates", "refuse")}
        with workspace.importing(on_wait):
            dataset = _read_images(workspace, job, heartbeat)
            n_new = workspace.add_dataset(dataset, is_same_place=is_same_place, **options)
    n_images = len(dataset.samples)
    message = (
        f"{n_new} new images, {n_images - n_new} known already, {len(dataset.skipped)} left out"
    )
    heartbeat.report_progress(
        JobProgress(step="import", done=n_images, total=n_images, message=message)
    )


def _read_images(workspace: Workspace, job: JobRecord, heartbeat: Heartbeat) -> Dataset:
    """Read the list of images that the job names, and leave out those that cannot be decoded."""
    root, format = Path(job.params["root"]), job.params["format"]
    heartbeat.report_progress(JobProgress(step="import", message=f"reading {root}"))
    levels = job.params.get("levels", "")  # jobs of older versions have none
    cache_dir = workspace.path / "images"
    options = {"bbox": job.params["bbox"]} if job.params.get("bbox", "auto") != "auto" else {}
    dataset = read_dataset(
        root, format=format, levels=levels, cache_dir=cache_dir, cut=False, **options
    )
    return check_dataset(
        dataset,
        cache_dir,
        ranges=workspace.grey_ranges(),
        on_progress=lambda step: heartbeat.progress_callback("import", f"{step} of {root.name}"),
    )
