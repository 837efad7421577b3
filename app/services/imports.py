"""Import of images: check what a folder, a table or a video holds, and add it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import astuple, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from app.services.workspace import Contents, open_workspace
from pul import jobs
from pul.data.checking import check_dataset
from pul.data.datasets import DATASET_FORMATS, Dataset, read_dataset
from pul.data.file_names import printable
from pul.data.readers.box_columns import BOX_FORMS, NO_BOXES
from pul.data.video import VideoRequest, is_video, pair_videos
from pul.data.video.sampling import USUAL_EVERY, USUAL_MOST
from pul.exchange.videos import preview_videos
from pul.records import JobRecord
from pul.store.additions import Duplicates

BOX_READINGS = ("auto", *BOX_FORMS, NO_BOXES)

__all__ = [
    "BOX_READINGS",
    "DATASET_FORMATS",
    "USUAL_EVERY",
    "USUAL_MOST",
    "Duplicates",
    "Found",
    "inspect",
    "inspect_video",
    "is_video",
    "start_import",
]


@dataclass(frozen=True, slots=True)
class Found:
    """The dataset found in a folder or table, before it is imported.

    Attributes:
        name: Its name.
        format: One of `DATASET_FORMATS`.
        root: Its path.
        contents: What it holds.
        skipped: Path and reason of each skipped file.
        notes: Remarks to show.
        levels: What the levels of its folders mean, if given; "" if found from the names.
        understood: What they were taken for, given or found.
        video: The videos to cut crops from; None for images.
        bbox: What the boxes of a table are, if given; else `auto`.
        n_duplicates: Images whose pictures the workspace has already from other files.
        n_gone: Of how many of these the workspace's own file is gone: they were moved.
    """

    name: str
    format: str
    root: str
    contents: Contents
    skipped: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    levels: str = ""
    understood: str = ""
    video: VideoRequest | None = None
    bbox: str = "auto"
    n_duplicates: int = 0
    n_gone: int = 0


def inspect(
    location: str,
    root: str,
    format: str = "auto",
    levels: str = "",
    bbox: str = "auto",
    *,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> Found:
    """Read what a folder or table holds and decode its images, as an import does; none is added.

    Images that lie inside one big file are unpacked into the workspace, where the import takes
    them from.

    Args:
        location: The workspace that they would be added to.
        root: The folder or table.
        format: One of `DATASET_FORMATS`, or `auto`.
        levels: What the levels of its folders mean; "" to find out.
        bbox: What the boxes of a table are; `auto` to find out.
        on_progress: Called with (what is done now, images done, images in all).

    Raises:
        AmbiguousLayoutError: Its folders can be read in several ways; it names them.
        DatasetError: There is no dataset there.
    """
    options: dict[str, Any] = {} if bbox == "auto" else {"bbox": bbox}
    workspace = open_workspace(location)
    cache_dir = workspace.path / "images"
    dataset = read_dataset(
        root.strip(), format=format, levels=levels, cache_dir=cache_dir, cut=False, **options
    )
    is_cut = any(sample.box is not None for sample in dataset.samples)
    dataset = check_dataset(
        dataset,
        None,
        ranges=workspace.grey_ranges(),
        on_progress=on_progress and (lambda step: partial(on_progress, step)),
    )
    twice = None if is_cut else workspace.find_duplicates(dataset)
    found = _found(dataset, levels=levels, bbox=bbox)
    if twice is None:
        return found
    return replace(found, n_duplicates=twice.n_images, n_gone=twice.n_gone)


def inspect_video(
    location: str,
    root: str,
    tracks: str,
    *,
    start: str = "",
    every: int = USUAL_EVERY,
    per_track: int = USUAL_MOST,
) -> Found:
    """Read the tracks of a video, or of a list of cameras; no frame is decoded.

    Args:
        location: The workspace that it would be added to.
        root: Video, folder of frames, or list of cameras.
        tracks: File of the video's tracks; "" for a list, which names them.
        start: When the video begins; "" where that is not known.
        every: Every n-th frame of a track counts.
        per_track: Crops of a track at most.

    Raises:
        DatasetError: A file cannot be read, or tracks and video do not fit.
        ConfigError: Something must be said that nothing tells.
    """
    cameras = pair_videos(
        [Path(root.strip()).expanduser()],
        [Path(tracks.strip()).expanduser()] if tracks.strip() else (),
        starts=[start.strip()] if start.strip() else (),
    )
    request = VideoRequest(cameras=cameras, every=every, per_track=per_track)
    return _found(preview_videos(request, open_workspace(location)), video=request)


def _found(
    dataset: Dataset, *, levels: str = "", bbox: str = "auto", video: VideoRequest | None = None
) -> Found:
    cameras = Counter(
        (str(sample.split), -1 if sample.camid is None else sample.camid)
        for sample in dataset.samples
    )
    return Found(
        name=dataset.name,
        format=dataset.format,
        root=str(dataset.root),
        contents=Contents(
            tuple(astuple(row) for row in dataset.summary()), dict(cameras), len(dataset.skipped)
        ),
        skipped=tuple((printable(item.path), item.reason) for item in dataset.skipped),
        notes=dataset.notes,
        levels=levels,
        understood=dataset.levels,
        video=video,
        bbox=bbox,
    )


def start_import(
    location: str,
    found: Found,
    *,
    is_same_place: bool = False,
    duplicates: Duplicates = "refuse",
) -> JobRecord:
    """Start adding a dataset in the background, read as it was found."""
    workspace = open_workspace(location)
    if found.video is not None:
        return jobs.start_video_import(workspace, found.video, is_same_place=is_same_place)
    return jobs.start_import(
        workspace,
        found.root,
        found.format,
        levels=found.levels,
        bbox=found.bbox,
        is_same_place=is_same_place,
        duplicates=duplicates,
    )
