"""The 2-D map of a stored iteration as a CSV file."""

import csv
from pathlib import Path

from pul.algorithm.projection import project
from pul.data.file_names import to_text
from pul.errors import StoreError
from pul.store.workspace import Workspace

COLUMNS = ("image_id", "path", "x", "y", "cluster", "similarity", "reliable")
_ARRAYS = ("features", "points", "clusters", "similarities", "reliable")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_map(
    workspace: Workspace, run_id: int, iteration: int | None, path: Path
) -> tuple[int, int]:
    """Write the map position of each image of an iteration; compute the map if there is none.

    Args:
        workspace: Where the run is.
        run_id: The run.
        iteration: The iteration; None for the last finished one.
        path: CSV file with the columns `COLUMNS`.

    Returns:
        Number of images, and the iteration.

    Raises:
        StoreError: There is no such run or iteration, or the file cannot be written.
    """
    records = workspace.iterations(run_id)
    if not records:
        raise StoreError(f"Run {run_id} has no finished iteration yet; see `python -m pul status`.")
    used = records[-1].iteration if iteration is None else iteration
    arrays = workspace.arrays(run_id, used, *_ARRAYS)
    images = workspace.run_images(run_id, "train")
    points = arrays["points"]
    if len(points) != len(images):
        points = project(arrays["features"], seed=records[0].seed)
    rows = zip(
        images.image_ids.tolist(),
        (_neutral(to_text(path)) for path in images.paths),
        points[:, 0].tolist(),
        points[:, 1].tolist(),
        arrays["clusters"].tolist(),
        arrays["similarities"].tolist(),
        arrays["reliable"].astype(int).tolist(),
        strict=True,
    )
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(rows)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}.") from error
    return len(images), used


def _neutral(text: str) -> str:
    """Escape text that a spreadsheet would read as a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
