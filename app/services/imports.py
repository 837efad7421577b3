"""Import of images: check what a folder or table holds, and add it."""

from collections import Counter
from dataclasses import astuple, dataclass

from app.services.workspace import Contents, open_workspace
from pul import jobs
from pul.data.datasets import DATASET_FORMATS, read_dataset
from pul.data.file_names import printable
from pul.records import JobRecord
from pul.store.additions import Duplicates

__all__ = ["DATASET_FORMATS", "Duplicates", "Found", "inspect", "start_import"]


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
    n_duplicates: int = 0
    n_gone: int = 0


def inspect(location: str, root: str, format: str = "auto", levels: str = "") -> Found:
    """Read what a folder or table holds, and whether the workspace has it; nothing is written.

    Raises:
        AmbiguousLayoutError: Its folders can be read in several ways; it names them.
        DatasetError: There is no dataset there.
    """
    dataset = read_dataset(root.strip(), format=format, levels=levels)
    twice = open_workspace(location).find_duplicates(dataset)
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
        n_duplicates=0 if twice is None else twice.n_images,
        n_gone=0 if twice is None else twice.n_gone,
    )


def start_import(
    location: str,
    found: Found,
    *,
    is_same_place: bool = False,
    duplicates: Duplicates = "refuse",
) -> JobRecord:
    """Start adding a dataset in the background, read as it was found."""
    return jobs.start_import(
        open_workspace(location),
        found.root,
        found.format,
        levels=found.levels,
        is_same_place=is_same_place,
        duplicates=duplicates,
    )
