"""Source training: labelled images of another place in, an original model θ_o out."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pul.algorithm.features import OnProgress
from pul.algorithm.finetuning import FinetuneResult, finetune
from pul.arrays import IntArray
from pul.config import NetworkConfig, TrainConfig
from pul.data.checking import grey_ranges
from pul.data.datasets import Dataset
from pul.data.images import load_pixels
from pul.data.samples import Sample
from pul.errors import DataError
from pul.models.devices import seeded
from pul.models.network import Network, build_network


def train_source(
    dataset: Dataset,
    network_config: NetworkConfig,
    config: TrainConfig,
    *,
    seed: int,
    device: str = "cpu",
    cache_dir: Path | None = None,
    on_progress: OnProgress | None = None,
) -> tuple[Network, FinetuneResult]:
    """Train a network on the training images of a labelled dataset.

    Args:
        dataset: Its `train` split needs identities; junk and distractors are left out.
        network_config: Backbone, start weights, input size.
        config: The paper trains 40 epochs.
        seed: Seed of everything random.
        device: Where to run.
        cache_dir: Where decoded pixels are kept; None keeps them in memory. It changes no figure.
        on_progress: Called with (batches done, batches in all).

    Returns:
        The trained network and what its training came to.

    Raises:
        DataError: No training image has an identity, or there is only one identity.

    References:
        Sec. III, "original model initialization"; Sec. IV-C.
    """
    samples = [sample for sample in dataset.split("train") if (sample.pid or 0) > 0]
    classes = source_classes(samples)
    with seeded(seed, "cpu"):  # start weights may be random
        network = build_network(network_config)
    pixels = load_pixels(
        [sample.path for sample in samples],
        height=network_config.height,
        width=network_config.width,
        padding=network_config.padding,
        cache_dir=cache_dir,
        ranges=grey_ranges(dataset),
    )
    result = finetune(
        network, pixels, classes, config, seed=seed, device=device, on_progress=on_progress
    )
    return network, result


def source_classes(samples: Sequence[Sample]) -> IntArray:
    """Number the identities of labelled images from 0, in ascending order of pid.

    Raises:
        DataError: There are fewer than two identities.
    """
    pids = np.array([sample.pid for sample in samples], dtype=np.int64)
    known, classes = np.unique(pids, return_inverse=True)
    if len(known) < 2:
        raise DataError(
            f"Source training needs at least two identities in the train split, but found "
            f"{len(known)} in {len(samples)} labelled images. Give a dataset with identities, such "
            "as Market-1501's layout or a folder per identity."
        )
    return classes.astype(np.int64)
