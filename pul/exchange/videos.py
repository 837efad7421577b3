"""Videos into a workspace: crops of the people in their tracks, and what is known of each."""

from collections.abc import Callable
from pathlib import Path

from pul.data.datasets import Dataset
from pul.data.video import (
    FOLDER,
    CameraPlan,
    VideoRequest,
    cut_videos,
    describe_plans,
    plan_videos,
    read_recordings,
)
from pul.errors import ConfigError
from pul.records import ImageTable
from pul.store.workspace import Workspace


def preview_videos(
    request: VideoRequest, workspace: Workspace | None = None, *, is_same_place: bool = False
) -> Dataset:
    """Return what an import of videos would add; no frame is decoded and nothing is written.

    Args:
        request: What is asked for.
        workspace: Where it would be added; None stands for a new one.
        is_same_place: As in `import_videos`.

    Raises:
        DatasetError: A file cannot be read, or tracks and video do not fit.
        ConfigError: Something must be said that nothing tells.
    """
    plans = _plan(request, workspace, is_same_place=is_same_place)
    return describe_plans(plans, request, Path() if workspace is None else workspace.path)


def import_videos(
    workspace: Workspace,
    request: VideoRequest,
    *,
    is_same_place: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
    on_wait: Callable[[], None] = lambda: None,
) -> tuple[Dataset, int]:
    """Cut crops out of videos into the workspace's folder, and add them to its images.

    A video that was imported before keeps its camera and adds only crops that are not there yet.

    Args:
        workspace: Where to.
        request: What is asked for.
        is_same_place: Whether a number in a camera's name is that of a camera of other images in
            the workspace. Cameras of earlier videos are known by their names anyway.
        on_progress: Called with (crops cut, crops in all).
        on_wait: As in `Workspace.importing`.

    Returns:
        The crops as a data set, and how many were new.

    Raises:
        DatasetError: A file cannot be read, or tracks and video do not fit.
        ConfigError: Something must be said that nothing tells.
        StoreError: The disk or the database refuses.
    """
    with workspace.importing(on_wait):
        plans = _plan(request, workspace, is_same_place=is_same_place)
        dataset = cut_videos(plans, request, workspace.path, on_progress=on_progress)
        # Cameras and tracklets were numbered beside what is there already. A crop may look as
        # another camera's does to the last bit: they are two all the same.
        return dataset, workspace.add_dataset(dataset, is_same_place=True, duplicates="add")


def _plan(
    request: VideoRequest, workspace: Workspace | None, *, is_same_place: bool
) -> list[CameraPlan]:
    if workspace is None:
        return plan_videos(request)
    known = read_recordings(workspace.path)
    images = workspace.images()
    if request.has_people and not is_same_place:
        _check_people(images, workspace.path / FOLDER)
    others = set(images.camids.tolist()) - {-1, *(r.camid for r in known)}
    return plan_videos(request, known, frozenset() if is_same_place else frozenset(others))


def _check_people(images: ImageTable, footage: Path) -> None:
    """Make sure that ids of tracks cannot be taken for those of other people.

    Raises:
        ConfigError: Images that were not cut from videos have identities.
    """
    inside = f"{footage}/"
    n_others = sum(
        pid > 0 and not path.startswith(inside)
        for path, pid in zip(images.paths, images.pids.tolist(), strict=True)
    )
    if n_others:
        raise ConfigError(
            f"{n_others:,} images of this workspace have identities of their own. If the ids of "
            "the tracks are the same people, say so with --same-place; else give another workspace."
        )
