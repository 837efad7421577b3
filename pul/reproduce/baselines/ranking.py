"""Hand-crafted features on a dataset's official queries and gallery, in bounded memory."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pul.arrays import ByteArray, FloatArray, l2_normalize
from pul.config import EvaluationConfig
from pul.data.checking import grey_ranges
from pul.data.datasets import Dataset
from pul.data.grey import NO_RANGES, GreyRanges
from pul.data.images import Progress, load_pixels
from pul.data.samples import Sample, to_arrays
from pul.evaluation.retrieval import evaluate_distances
from pul.records import RetrievalMetrics

Extract = Callable[[ByteArray], NDArray[Any]]

_CHUNK = 512  # images decoded and described at a time


def evaluate_extractor(
    extract: Extract,
    dataset: Dataset,
    config: EvaluationConfig,
    *,
    height: int,
    width: int,
    on_progress: Progress | None = None,
) -> RetrievalMetrics:
    """Evaluate features of images on the `query` and `gallery` splits of a dataset.

    Features are scaled to unit length and ranked by cosine, which is the order of their Euclidean
    distances. Features of the gallery are used chunk by chunk and never held all at once: LOMO's
    of Market-1501 would take 2 GB.

    Args:
        extract: Turns images, shape (N, height, width, 3), uint8, into features, shape (N, D).
        dataset: Its queries need identities.
        config: Definitions of the figures.
        height: Height in pixels to which images are resized.
        width: Width in pixels.
        on_progress: Called with (images done, images in total).

    Raises:
        DataError: The dataset has no queries or no gallery, or an image cannot be decoded.
        EvaluationError: No query has a true match.
    """
    query, gallery = dataset.test_images()
    n_images = len(query) + len(gallery)
    ranges = grey_ranges(dataset)
    query_features = extract_samples(
        extract,
        query,
        height=height,
        width=width,
        ranges=ranges,
        on_progress=_shifted(on_progress, 0, n_images),
    )
    distances = np.empty((len(query), len(gallery)), dtype=np.float32)
    then = _shifted(on_progress, len(query), n_images)
    done = 0
    for features in _features(extract, gallery, height, width, ranges, then):
        distances[:, done : done + len(features)] = 1 - query_features @ features.T
        done += len(features)
    identities = (*to_arrays(query), *to_arrays(gallery))
    return evaluate_distances(distances, *identities, **config.model_dump()).to_metrics()


def extract_samples(
    extract: Extract,
    samples: Sequence[Sample],
    *,
    height: int,
    width: int,
    ranges: GreyRanges = NO_RANGES,
    on_progress: Progress | None = None,
) -> FloatArray:
    """Return the unit-length features of images in files.

    Args:
        extract: Turns images, shape (N, height, width, 3), uint8, into features, shape (N, D).
        samples: At least one.
        height: Height in pixels to which images are resized.
        width: Width in pixels.
        ranges: What their dataset stretches grey values of more than 8 bits by.
        on_progress: Called with (images done, images in total).

    Returns:
        Features, shape (N, D), float32.
    """
    found = _features(extract, samples, height, width, ranges, on_progress)
    return np.concatenate(list(found))


def _features(
    extract: Extract,
    samples: Sequence[Sample],
    height: int,
    width: int,
    ranges: GreyRanges,
    on_progress: Progress | None,
) -> Iterator[FloatArray]:
    """Yield unit-length features of one chunk of images after the other, shape (B, D)."""
    for start in range(0, len(samples), _CHUNK):
        paths = [sample.path for sample in samples[start : start + _CHUNK]]
        pixels = load_pixels(paths, height=height, width=width, cache_dir=None, ranges=ranges)
        yield l2_normalize(extract(pixels))
        if on_progress is not None:
            on_progress(start + len(paths), len(samples))


def _shifted(on_progress: Progress | None, before: int, total: int) -> Progress | None:
    if on_progress is None:
        return None
    return lambda done, _: on_progress(before + done, total)
