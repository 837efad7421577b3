"""A network on a dataset's official queries and gallery: how good is this model there?"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from pul.algorithm.features import OnProgress, extract_features
from pul.algorithm.precision_choice import PrecisionChoice, choose_for_features
from pul.arrays import ByteArray, FloatArray, IntArray, l2_normalize
from pul.config import EvaluationConfig
from pul.data.checking import grey_ranges
from pul.data.datasets import Dataset
from pul.data.grey import GreyRanges
from pul.data.images import load_pixels
from pul.data.multi_query import read_query_boxes
from pul.data.samples import Sample, to_arrays, to_sides
from pul.evaluation.reranking import k_reciprocal
from pul.evaluation.retrieval import evaluate, evaluate_distances
from pul.models.network import Network
from pul.records import RetrievalMetrics

Pooling = Literal["mean", "max"]
OnChoice = Callable[[PrecisionChoice], None]


def evaluate_network(
    network: Network,
    dataset: Dataset,
    config: EvaluationConfig,
    *,
    rerank: bool = False,
    flip: bool = False,
    multi_query: Pooling | None = None,
    device: str = "cpu",
    precision: str = "float32",
    cache_dir: Path | None = None,
    on_progress: OnProgress | None = None,
    on_choice: OnChoice | None = None,
) -> RetrievalMetrics:
    """Evaluate a network on the `query` and `gallery` splits of a dataset.

    Args:
        network: The network.
        dataset: Its queries need identities.
        config: Definitions to use.
        rerank: Rank by k-reciprocal distances (k1 20, k2 6, λ 0.3) instead of cosines.
        flip: Add the feature of the mirrored image.
        multi_query: Replace the feature of each query by the pooled one of all images of its person
            on its camera (`gt_bbox`); None is single query, the paper's.
        device: Where to run.
        precision: `float32` or `bfloat16` for the features, or `auto` for the faster one.
        cache_dir: Where decoded pixels are kept; None keeps them in memory.
        on_progress: Called with (images done, images in all).
        on_choice: Called with what `auto` came to.

    Raises:
        DataError: The dataset has no queries or no gallery, or no images for multi-query.
        EvaluationError: No query has a true match.
    """
    query, gallery = dataset.test_images()
    boxes = read_query_boxes(dataset) if multi_query else ()
    parts = (query, gallery, boxes)
    n_images, done, features = sum(map(len, parts)), 0, []
    ranges = grey_ranges(dataset)
    for samples in parts:
        pixels = _pixels(network, samples, cache_dir, ranges)
        precision = _settle(precision, network, pixels, device, on_choice)
        show = _shifted(on_progress, done, n_images)
        extracted = extract_features(
            network, pixels, device=device, precision=precision, flip=flip, on_progress=show
        )
        features.append(l2_normalize(extracted))
        done += len(samples)
    query_features, gallery_features, box_features = features
    if multi_query:
        query_features = pool_queries(
            query_features, to_arrays(query), box_features, to_arrays(boxes), how=multi_query
        )
    who = (*to_arrays(query), *to_arrays(gallery))
    options = config.model_dump() | {"sides": (to_sides(query), to_sides(gallery))}
    if rerank:
        distances = k_reciprocal(query_features, gallery_features)
        return evaluate_distances(distances, *who, **options).to_metrics()
    return evaluate(query_features, gallery_features, *who, **options).to_metrics()


def _settle(
    precision: str, network: Network, pixels: ByteArray, device: str, on_choice: OnChoice | None
) -> str:
    """Return the precision, chosen on some images where it is `auto`."""
    if precision != "auto":
        return precision
    choice = choose_for_features(network, pixels, device)
    if on_choice:
        on_choice(choice)
    return choice.precision


def pool_queries(
    query_features: FloatArray,
    query_identities: tuple[IntArray, IntArray],
    box_features: FloatArray,
    box_identities: tuple[IntArray, IntArray],
    *,
    how: Pooling = "mean",
) -> FloatArray:
    """Return for each query the pooled feature of all images of its person on its camera.

    Q queries, B images to pool, D dimensions.

    Args:
        query_features: L2-normalised features, shape (Q, D).
        query_identities: Pids and camids of the queries, each of shape (Q,).
        box_features: L2-normalised features, shape (B, D).
        box_identities: Pids and camids of the images to pool, each of shape (B,).
        how: Their `mean`, or the `max` of each dimension.

    Returns:
        L2-normalised features, shape (Q, D); a query without such images keeps its own.

    References:
        Zheng et al. 2015, Scalable person re-identification, Sec. 5.2: multiple queries.
    """
    pooled = np.array(query_features)
    boxes = np.stack(box_identities, axis=1)  # (B, 2)
    for person in np.unique(np.stack(query_identities, axis=1), axis=0):
        of = (query_identities[0] == person[0]) & (query_identities[1] == person[1])
        mine = box_features[(boxes == person).all(axis=1)]
        if len(mine):
            pooled[of] = mine.mean(axis=0) if how == "mean" else mine.max(axis=0)
    return l2_normalize(pooled)


def _pixels(
    network: Network, samples: Sequence[Sample], cache_dir: Path | None, ranges: GreyRanges
) -> ByteArray:
    return load_pixels(
        [sample.path for sample in samples],
        height=network.config.height,
        width=network.config.width,
        padding=network.config.padding,
        cache_dir=cache_dir,
        ranges=ranges,
    )


def _shifted(on_progress: OnProgress | None, before: int, total: int) -> OnProgress | None:
    if on_progress is None:
        return None
    return lambda done, _: on_progress(before + done, total)
