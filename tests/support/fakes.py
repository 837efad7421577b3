"""Stand-ins for what is slow to make: an iteration's figures and arrays, tiny datasets."""

from pathlib import Path

import numpy as np
from PIL import Image

from pul.data.datasets import Dataset
from pul.data.samples import Sample, Skipped
from pul.records import (
    ClusterQuality,
    IterationArrays,
    IterationRecord,
    RetrievalMetrics,
    Split,
)

METRICS = RetrievalMetrics(0.5, 0.75, 0.8, 0.9, 0.25, 12, 1, "trapezoid", "zero")


def iteration_record(
    iteration: int = 0, *, n_images: int = 12, metrics: RetrievalMetrics | None = METRICS
) -> IterationRecord:
    """Return the record of an iteration in which three quarters of the images were reliable."""
    return IterationRecord(
        iteration=iteration,
        lambda_=0.85,
        n_clusters=3,
        n_images=n_images,
        n_reliable=n_images * 3 // 4,
        n_kept_clusters=3,
        inertia=1.5,
        n_annotated_images=0,
        n_identities=0,
        annotations_hash="",
        epoch_losses=(2.5, 1.25) if iteration else (),
        metrics=metrics,
        cluster_quality=ClusterQuality(0.9, 0.95, 0.8, n_images, "truth"),
        seconds={"extract": 0.5, "cluster": 0.125},
        peak_memory_bytes=1 << 40,
        seed=7,
        versions={"torch": "2"},
        device="cpu",
        finished_at="2026-01-01T00:00:00+00:00",
    )


def iteration_arrays(n_images: int = 12, *, n_clusters: int = 3, seed: int = 0) -> IterationArrays:
    """Return arrays of an iteration: random features of 4 dimensions, clusters in turn."""
    random = np.random.default_rng(seed)
    clusters = np.arange(n_images, dtype=np.int64) % n_clusters
    reliable = random.random(n_images) < 0.75
    return IterationArrays(
        features=random.normal(size=(n_images, 4)).astype(np.float32),
        clusters=clusters,
        centroids=random.normal(size=(n_clusters, 4)).astype(np.float32),
        centers=np.arange(n_clusters, dtype=np.int64),
        similarities=random.random(n_images, dtype=np.float32),
        reliable=reliable,
        pseudo_labels=np.where(reliable, clusters, -1),
        points=random.normal(size=(n_images, 2)).astype(np.float32),
    )


def image_dataset(
    root: Path,
    pixels: np.ndarray,
    pids: np.ndarray | None = None,
    *,
    split: Split = "train",
    n_cameras: int = 2,
    skipped: tuple[Skipped, ...] = (),
) -> Dataset:
    """Write images (N, H, W, 3) as PNG files and return the dataset of them, cameras in turn."""
    folder = root / split
    folder.mkdir(parents=True, exist_ok=True)
    samples = []
    for index, image in enumerate(pixels):
        path = folder / f"{index:04}.png"
        Image.fromarray(image).save(path)
        pid = None if pids is None else int(pids[index])
        samples.append(Sample(path, pid=pid, camid=index % n_cameras + 1, split=split))
    return Dataset("fake", "folder", root, tuple(samples), skipped)
