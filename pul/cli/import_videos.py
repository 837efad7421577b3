"""Cutting crops out of videos, for `pul import`."""

from pathlib import Path
from typing import TYPE_CHECKING

from pul.cli.console import progress_bar
from pul.errors import ConfigError

if TYPE_CHECKING:
    from pul.data.datasets import Dataset
    from pul.data.video import VideoRequest


def import_videos(
    request: "VideoRequest",
    location: str | None,
    root: Path | None,
    *,
    is_same_place: bool,
    dry_run: bool,
) -> tuple["Dataset", int | None]:
    """Cut crops into a workspace; return what they are, and how many are new unless it is dry.

    Raises:
        PulError: The videos, the tracks or the workspace cannot be used.
    """
    from pul.exchange import videos
    from pul.store.workspace import Workspace

    exists = location is not None and Workspace.exists(location)
    if dry_run or location is None:
        if not exists or location is None:
            return videos.preview_videos(request), None
        with Workspace.open(location) as workspace:
            return videos.preview_videos(request, workspace, is_same_place=is_same_place), None
    if not exists:
        # A request that cannot be met leaves no empty workspace behind.
        videos.preview_videos(request)
    with (
        Workspace.open_or_create(location) as workspace,
        progress_bar("cutting crops") as on_progress,
    ):
        if root is not None:
            workspace.set_image_root(root)
        return videos.import_videos(
            workspace, request, is_same_place=is_same_place, on_progress=on_progress
        )


def parse_size(text: str) -> tuple[int, int] | None:
    """Read a size such as 1920x1080; None for "".

    Raises:
        ConfigError: It is none.
    """
    if not text:
        return None
    width, _, height = text.lower().replace("×", "x").partition("x")
    if not (width.strip().isdigit() and height.strip().isdigit()):
        raise ConfigError(f"--track-size is {text!r}. Right: width and height, as in 1920x1080.")
    return int(width), int(height)
