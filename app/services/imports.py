"""Import of images: check what a folder or table holds, and add it."""

from collections import Counter
from dataclasses import astuple, dataclass

from app.services.workspace import Contents, open_workspace
from pul import jobs
from pul.data.datasets import DATASET_FORMATS, read_dataset
from pul.records import JobRecord

__all__ = ["DATASET_FORMATS", "Found", "inspect", "start_import"]


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
    """

    name: str
    format: str
    root: str
    contents: Contents
    skipped: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def inspect(root: str, format: str = "auto") -> Found:
    """Read what a folder or table holds; nothing is written and no image is opened.

    Raises:
        DatasetError: There is no dataset there.
    """
    dataset = read_dataset(root.strip(), format=format)
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
        skipped=tuple((str(item.path), item.reason) for item in dataset.skipped),
        notes=dataset.notes,
    )


def start_import(
    location: str, root: str, format: str = "auto", *, is_same_place: bool = False
) -> JobRecord:
    """Start adding a dataset in the background."""
    workspace = open_workspace(location)
    return jobs.start_import(workspace, root.strip(), format, is_same_place=is_same_place)
