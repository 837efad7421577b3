"""A synthetic workspace with a run of any size, to benchmark the screen."""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.synthetic import Features, Ids, people
from pul.algorithm.selection import center_similarities, threshold
from pul.config import load_preset
from pul.data.datasets import read_dataset
from pul.evaluation.cluster_quality import cluster_quality
from pul.records import IterationArrays, IterationRecord
from pul.store.workspace import Workspace

N_CAMERAS = 6
N_ITERATIONS = 2
_PLANNED = 25


def make_workspace(
    folder: Path,
    n_images: int,
    n_dims: int,
    n_people: int,
    *,
    n_iterations: int = N_ITERATIONS,
    share_strayed: float = 0.0,
) -> Path:
    """Make a workspace of coloured crops with a stopped run of two iterations.

    Args:
        folder: Path; it must not exist.
        n_images: Training images.
        n_dims: Dimensions of the features.
        n_people: People, each a cluster.
        n_iterations: Iterations of the run, the baseline included.
        share_strayed: Share of the images that lie in the cluster of somebody else.
    """
    features, drawn = people(n_images, n_dims, n_people)
    pids = np.unique(drawn, return_inverse=True)[1].astype(np.int64) + 1
    _draw(folder / "images", pids)
    with Workspace.create(folder / "workspace", name=f"{n_images:,} images") as workspace:
        workspace.add_dataset(read_dataset(folder / "images", format="market1501"))
        pids = workspace.images("train").pids  # in the order of their paths
        model = folder / "model.safetensors"
        model.write_bytes(b"no network at all")
        config = load_preset("paper").replace(n_clusters=int(pids.max()), n_iterations=_PLANNED)
        run = workspace.create_run(config, model=model)
        features = features[np.argsort(drawn, kind="stable")]
        clusters = _stray(pids - 1, share_strayed)
        for iteration in range(n_iterations):
            arrays = _arrays(features, clusters, iteration, config.lambda_)
            record = _record(iteration, arrays, pids, config.lambda_)
            workspace.add_iteration(run.run_id, record, arrays, b"no checkpoint")
        workspace.set_run_status(run.run_id, "stopped")
    return folder / "workspace"


def _draw(root: Path, pids: Ids) -> None:
    rng = np.random.default_rng(0)
    folder = root / "bounding_box_train"
    for split in ("bounding_box_train", "bounding_box_test", "query"):
        (root / split).mkdir(parents=True)
    for number, pid in enumerate(pids.tolist()):
        name = f"{pid:04d}_c{1 + number % N_CAMERAS}s1_{number:06d}_00.jpg"
        color = tuple(int(value) for value in rng.integers(30, 220, 3))
        picture = BytesIO()
        Image.new("RGB", (64, 128), color).save(picture, "JPEG")
        (folder / name).write_bytes(picture.getvalue())


def _stray(clusters: Ids, share: float) -> Ids:
    rng = np.random.default_rng(2)
    others = rng.permutation(clusters)
    return np.where(rng.random(len(clusters)) < share, others, clusters)


def _arrays(
    features: Features, clusters: Ids, iteration: int, lambda_: float | None
) -> IterationArrays:
    rng = np.random.default_rng(iteration)
    centers = np.unique(clusters, return_index=True)[1].astype(np.int64)
    similarities = center_similarities(features, clusters, centers)
    reliable = threshold(similarities, centers, lambda_=lambda_)
    places = np.random.default_rng(1).normal(0, 10, (len(centers), 2))
    points = places[clusters] + 0.5 * rng.normal(size=(len(clusters), 2))
    return IterationArrays(
        features=features,
        clusters=clusters,
        centroids=features[centers],
        centers=centers,
        similarities=similarities,
        reliable=reliable,
        pseudo_labels=np.where(reliable, clusters, -1),
        points=points.astype(np.float32),
    )


def _record(
    iteration: int, arrays: IterationArrays, pids: Ids, lambda_: float | None
) -> IterationRecord:
    kept = np.bincount(arrays.clusters[arrays.reliable])
    return IterationRecord(
        iteration=iteration,
        lambda_=lambda_,
        n_clusters=len(arrays.centers),
        n_images=len(pids),
        n_reliable=int(arrays.reliable.sum()),
        n_kept_clusters=int((kept > 1).sum()),
        inertia=1.0,
        n_annotated_images=0,
        n_identities=0,
        annotations_hash="",
        epoch_losses=(1.0,) if iteration else (),
        metrics=None,
        cluster_quality=cluster_quality(arrays.clusters, pids, arrays.reliable, source="truth"),
        seconds={"extract": 1.0},
        peak_memory_bytes=0,
        seed=0,
        versions={},
        device="cpu",
        finished_at="2026-01-01T00:00:00+00:00",
    )
