"""A network on a dataset's official queries and gallery: how good is this model there?"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pul.arrays import ByteArray, IntArray, l2_normalize
from pul.config import EvaluationConfig
from pul.data.datasets import Dataset
from pul.data.images import load_pixels
from pul.data.samples import Sample
from pul.errors import DataError
from pul.evaluation import evaluate, evaluate_distances
from pul.features import OnProgress, extract_features
from pul.model import Network
from pul.records import RetrievalMetrics
from pul.reranking import k_reciprocal

UNKNOWN_PID, UNKNOWN_CAMID = -2, -1


def evaluate_network(
    network: Network,
    dataset: Dataset,
    config: EvaluationConfig,
    *,
    rerank: bool = False,
    flip: bool = False,
    device: str = "cpu",
    precision: str = "float32",
    cache_dir: Path | None = None,
    on_progress: OnProgress | None = None,
) -> RetrievalMetrics:
    """Evaluate a network on the `query` and `gallery` splits of a dataset.

    Args:
        network: The network.
        dataset: Its queries need identities.
        config: Definitions to use.
        rerank: Rank by k-reciprocal distances (k1 20, k2 6, λ 0.3) instead of cosines.
        flip: Add the feature of the mirrored image.
        device: Where to run.
        precision: `float32` or `bfloat16` for the features.
        cache_dir: Where decoded pixels are kept; None keeps them in memory.
        on_progress: Called with (images done, images in all).

    Raises:
        DataError: The dataset has no queries or no gallery.
        EvaluationError: No query has a true match.
    """
    query, gallery = dataset.split("query"), dataset.split("gallery")
    if not query or not gallery:
        raise DataError(
            f"{dataset.name} has {len(query)} queries and {len(gallery)} gallery images; both are "
            "needed. Give a dataset with `query` and `bounding_box_test`, or a table with a split "
            "column."
        )
    n_images = len(query) + len(gallery)
    features = []
    for done_before, samples in ((0, query), (len(query), gallery)):
        pixels = _pixels(network, samples, cache_dir)
        extracted = extract_features(
            network,
            pixels,
            device=device,
            precision=precision,
            flip=flip,
            on_progress=_shifted(on_progress, done_before, n_images),
        )
        features.append(l2_normalize(extracted))
    who = (*_identities(query), *_identities(gallery))
    options = config.model_dump()
    query_features, gallery_features = features
    if rerank:
        distances = k_reciprocal(query_features, gallery_features)
        return evaluate_distances(distances, *who, **options).to_metrics()
    return evaluate(query_features, gallery_features, *who, **options).to_metrics()


def _pixels(network: Network, samples: Sequence[Sample], cache_dir: Path | None) -> ByteArray:
    return load_pixels(
        [sample.path for sample in samples],
        height=network.config.height,
        width=network.config.width,
        cache_dir=cache_dir,
    )


def _identities(samples: Sequence[Sample]) -> tuple[IntArray, IntArray]:
    pids = [UNKNOWN_PID if sample.pid is None else sample.pid for sample in samples]
    camids = [UNKNOWN_CAMID if sample.camid is None else sample.camid for sample in samples]
    return np.array(pids, dtype=np.int64), np.array(camids, dtype=np.int64)


def _shifted(on_progress: OnProgress | None, before: int, total: int) -> OnProgress | None:
    if on_progress is None:
        return None
    return lambda done, _: on_progress(before + done, total)
