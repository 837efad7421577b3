"""Extractors of hand-crafted features that are fitted on images of datasets."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from pul.arrays import FloatArray
from pul.data.checking import grey_ranges
from pul.data.datasets import Dataset
from pul.data.images import load_pixels
from pul.data.samples import UNKNOWN_CAMID, Sample
from pul.errors import DataError
from pul.reproduce.baselines.bow import BowExtractor
from pul.reproduce.baselines.ranking import Extract, extract_samples
from pul.reproduce.baselines.umdl import UmdlConfig, choose_images, choose_people, fit_umdl

HEIGHT, WIDTH = 128, 64  # the size of Market-1501's images
BOW_TABLES = ("w2c.mat", "codebook_350.mat", "params_350.mat")

OnProgress = Callable[[int, int], None]


def bow_extractor(
    dataset: Dataset, *, tables: Path | None, seed: int, on_progress: OnProgress | None = None
) -> Extract:
    """Return BoW with the authors' tables, or with tables fitted on a dataset's training images.

    Args:
        dataset: The dataset to fit on.
        tables: Folder with the authors' tables; None fits.
        seed: Seed of the fit.
        on_progress: Called with (images done, images in total) while images are decoded.

    Raises:
        DataError: The dataset has no training images, or a table is missing or damaged.
    """
    if tables is not None:
        return BowExtractor.from_files(*(tables / name for name in BOW_TABLES)).extract
    paths = [sample.path for sample in dataset.split("train")]
    if not paths:
        raise DataError(
            f"{dataset.name} has no training images to fit the words of BoW on. Give a dataset "
            f"with `bounding_box_train`, or --tables, a folder with {', '.join(BOW_TABLES)}."
        )
    pixels = load_pixels(
        paths,
        height=HEIGHT,
        width=WIDTH,
        cache_dir=None,
        ranges=grey_ranges(dataset),
        on_progress=on_progress,
    )
    return BowExtractor.fit(pixels, seed=seed).extract


def umdl_extractor(
    extract: Extract,
    target: Dataset,
    sources: Sequence[Dataset],
    *,
    n_images: int,
    config: UmdlConfig,
    seed: int,
    on_progress: OnProgress | None = None,
) -> Extract:
    """Return UMDL's codes, learnt from labelled sources and the unlabelled target.

    Args:
        extract: The features to learn on: BoW.
        target: Its training images need no identities.
        sources: Their training images need identities.
        n_images: Images of each dataset to learn from.
        config: Settings of UMDL.
        seed: Seed of the choice of images and of the dictionaries.
        on_progress: Called with (iterations done, iterations in total).

    Raises:
        DataError: The target has no training images, or a source no identities.
    """

    def describe(dataset: Dataset, chosen: Sequence[Sample]) -> FloatArray:
        ranges = grey_ranges(dataset)
        return extract_samples(extract, chosen, height=HEIGHT, width=WIDTH, ranges=ranges)

    chosen = choose_images(target.split("train"), n_images, seed=seed)
    if not chosen:
        raise DataError(f"{target.name} has no training images for UMDL to learn from.")
    features = describe(target, chosen)
    camids = [UNKNOWN_CAMID if sample.camid is None else sample.camid for sample in chosen]
    labelled = []
    for source in sources:
        people = choose_people(source.split("train"), n_images, seed=seed)
        labelled.append((describe(source, people), np.array([sample.pid for sample in people])))
    encoder = fit_umdl(
        features, camids, labelled, seed=seed, config=config, on_progress=on_progress
    )
    return lambda images: encoder.encode(extract(images))
