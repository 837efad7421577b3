"""Labelling on a workspace: what suggestions and runs read from it, and the autopilot."""

from pathlib import Path

import numpy as np

from pul.arrays import FloatArray, IntArray
from pul.config import RunConfig
from pul.data.images import load_pixels
from pul.data.samples import parse_name
from pul.errors import ImageError, StoreError
from pul.labelling.suggestions import Footage, SuggestionIndex, build_index
from pul.labelling.suggestions.colours import HEIGHT, WIDTH, describe_colours
from pul.records import ImageTable
from pul.store.workspace import Workspace


def load_index(
    workspace: Workspace,
    run_id: int,
    iteration: int,
    *,
    colours: FloatArray | None = None,
    second_clusters: IntArray | None = None,
) -> SuggestionIndex:
    """Prepare a stored iteration for suggestions: seconds, once an iteration.

    Args:
        workspace: Where the run is.
        run_id: The run.
        iteration: One of its whole iterations.
        colours: What `read_colours` gave for the run's images; read where not given.
        second_clusters: Another k-means run on its features, shape (N,).

    Raises:
        StoreError: There is no such run or iteration.
        ArtifactError: An array is missing or damaged.
    """
    arrays = workspace.arrays(run_id, iteration, "features", "clusters", "similarities")
    records = {record.iteration: record for record in workspace.iterations(run_id)}
    images = workspace.run_images(run_id, "train")
    config = RunConfig(**workspace.run(run_id).config)
    if colours is None:
        colours = read_colours(workspace, images)
    return build_index(
        arrays["features"],
        np.asarray(arrays["clusters"]),
        arrays["similarities"],
        images.image_ids,
        read_footage(images, side_aware=config.evaluation.side_aware),
        lambda_=records[iteration].lambda_,
        colours=colours,
        second_clusters=second_clusters,
    )


def read_footage(images: ImageTable, *, side_aware: bool = False) -> Footage:
    """Return where and when images were taken; the recording is read from their names.

    Args:
        images: The images.
        side_aware: Whether images of two sides are never to be compared.
    """
    names = (parse_name(Path(path).name) for path in images.paths)
    recordings = [name.sequence if name and name.sequence is not None else 0 for name in names]
    return Footage.of(
        images.camids,
        frames=images.frames,
        tracklets=images.tracklets,
        recordings=np.array(recordings, dtype=np.int64),
        sides=images.sides if side_aware else None,
    )


def read_colours(workspace: Workspace, images: ImageTable) -> FloatArray | None:
    """Return what people wear, shape (N, C); None where an image cannot be read (any more).

    It is the same for all iterations of a run, and takes seconds for 10,000 images.
    """
    paths = [Path(path) for path in images.paths]
    try:
        pixels = load_pixels(
            paths,
            height=HEIGHT,
            width=WIDTH,
            cache_dir=workspace.cache_path,
            ranges=workspace.grey_ranges(),
        )
    except (ImageError, StoreError):
        return None
    return describe_colours(pixels)
