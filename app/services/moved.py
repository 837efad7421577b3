"""Images that were moved: which files are gone, and where they are now."""

from collections.abc import Callable
from pathlib import Path

from app.services.workspace import image_path, open_workspace, sample_images
from pul.data.file_names import printable
from pul.labelling import doubled_images
from pul.store.doubled_images import IN_RUNS, LABELLED_APART, DoubledImages
from pul.store.relocation import Relocation

__all__ = [
    "DoubledImages",
    "Relocation",
    "advise",
    "find",
    "find_doubled",
    "is_any_gone",
    "merge_doubled",
    "printable",
    "relocate",
]

N_SAMPLE = 32  # images whose files are looked for whenever the page is shown


def is_any_gone(location: str) -> bool:
    """Whether files of images are gone, judging by some of them."""
    paths = (image_path(location, image) for image in sample_images(location, N_SAMPLE))
    return any(not Path(path).is_file() for path in paths)


def find(
    location: str,
    folder: str,
    *,
    everything: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> Relocation:
    """Look below a folder for the images whose files are gone, or for all; nothing is changed.

    Args:
        location: The workspace.
        folder: The folder that they are in now, or any above it.
        everything: Whether to look for all images.
        on_progress: Called with (files read, files to read).

    Raises:
        ConfigError: There is no such folder.
        StoreError: The database refuses.
    """
    return open_workspace(location).find_moved(
        folder.strip(), everything=everything, on_progress=on_progress
    )


def relocate(location: str, found: Relocation) -> int:
    """Take images from where they were found from now on; return how many moved.

    Raises:
        JobError: Images are being imported.
        StoreError: The images changed since they were looked for, or the database refuses.
    """
    return open_workspace(location).relocate(found)


def find_doubled(location: str, found: Relocation) -> tuple[DoubledImages, ...]:
    """Return the pictures that are there twice, by the two folders they are from.

    Raises:
        StoreError: The database refuses.
    """
    workspace = open_workspace(location)
    return tuple(
        doubled_images.find_doubled(workspace, old, new) for old, new, _ in found.doubled_folders()
    )


def merge_doubled(location: str, doubled: DoubledImages) -> int:
    """Make one image of each picture that is there twice; return how many images went.

    Raises:
        JobError: A job is at work.
        StoreError: Images, runs or labels changed since they were looked at.
    """
    return open_workspace(location).merge_doubled(doubled)


def advise(doubled: DoubledImages) -> list[str]:
    """Return why pictures stay there twice, and what to do."""
    advice = {
        IN_RUNS: "Their arrays have a row for each image: delete "
        f"{_runs(doubled.run_ids)} for good, then find the images again; or export the labels "
        "as CSV, import the folder into a new workspace, and import the labels there.",
        LABELLED_APART: "Merge the two identities, or remove the wrong image, on the page "
        "Identities; then find the images again.",
    }
    return [
        f"{n:,} stay there twice: {reason}, such as {example}. {advice.get(reason, '')}".strip()
        for reason, n, example in doubled.reasons()
    ]


def _runs(run_ids: tuple[int, ...]) -> str:
    return f"run{'s' if len(run_ids) > 1 else ''} {', '.join(map(str, run_ids))}"
