"""The images behind the queries: those of a person on its camera, for multi-query evaluation."""

from pul.data.datasets import Dataset
from pul.data.readers.listing import list_images
from pul.data.samples import Sample, parse_name
from pul.errors import DataError

_FOLDER = "gt_bbox"


def read_query_boxes(dataset: Dataset) -> tuple[Sample, ...]:
    """Read the images that Market-1501 gives beside its queries.

    Args:
        dataset: A dataset in the layout of Market-1501.

    Returns:
        The images of `gt_bbox`, by name; files whose name says no person are left out.

    Raises:
        DataError: There is no such folder, or no image in it.
    """
    folder = dataset.root / _FOLDER
    images = list_images(folder, root=dataset.root).images if folder.is_dir() else ()
    named = [(path, parse_name(path.name)) for path in images]
    samples = tuple(
        Sample(path, pid=name.person, camid=name.camid, split="query", frame=name.frame)
        for path, name in named
        if name is not None
    )
    if not samples:
        raise DataError(
            f"{dataset.name} has no images in a folder {_FOLDER}, which multi-query evaluation "
            "pools; leave --multi-query out, or give Market-1501 as it was published."
        )
    return samples
