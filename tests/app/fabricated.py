"""A workspace with runs that nobody computed: consistent with itself, made in a second."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pul.algorithm.selection import center_similarities, threshold
from pul.arrays import IntArray, l2_normalize
from pul.config import RunConfig, load_preset
from pul.data.datasets import read_dataset
from pul.evaluation.ranked_lists import RankedLists
from pul.evaluation.retrieval import evaluate
from pul.jobs import WorkerProcess
from pul.records import (
    ClusterQuality,
    IterationArrays,
    IterationRankings,
    IterationRecord,
    JobProgress,
    JobRecord,
    JobStatus,
    RetrievalMetrics,
    RunRecord,
)
from pul.store.workspace import Workspace
from tests.support.checkpoints import HOLLOW_MODEL

LAMBDA = 0.85
SECONDS = {"extract": 2.0, "cluster": 0.5, "project": 1.0, "finetune": 8.0, "evaluate": 1.5}


def draw_people(root: Path, *, n_pids: int = 8, n_images: int = 6) -> Path:
    """Draw people of one colour each, in the folders and by the names of Market-1501."""
    for split, first in (("bounding_box_train", 1), ("bounding_box_test", 101), ("query", 101)):
        folder = root / split
        folder.mkdir(parents=True)
        for pid in range(first, first + n_pids):
            for shot in range(1 if split == "query" else n_images):
                camid = 1 + (shot + pid + (split == "query") * n_images) % 3
                name = f"{pid:04d}_c{camid}s1_{shot + (split == 'query') * 500:06d}_00.jpg"
                _draw(pid, shot).save(folder / name)
    return root


def _draw(pid: int, shot: int) -> Image.Image:
    random = np.random.default_rng((pid, shot))
    coat = np.random.default_rng(pid).integers(40, 220, 3)
    pixels = np.full((128, 64, 3), 190 - 10 * (shot % 3), dtype=np.float64)
    pixels[12:30, 24:40] = (225, 180, 150)
    pixels[30:78, 16:48] = coat
    pixels[78:122, 20:44] = 255 - coat
    return Image.fromarray((pixels + random.normal(0, 6, pixels.shape)).clip(0, 255).astype("u1"))


def fabricate(
    location: Path,
    dataset_root: Path,
    *,
    n_iterations: int = 3,
    n_planned: int = 10,
    status: JobStatus = "running",
    name: str = "",
    gain: float = 0.02,
    worker_pid: int | None = None,
    has_rankings: bool = False,
    clustering: str = "kmeans",
) -> RunRecord:
    """Add a run with finished iterations to a workspace, which is made if there is none.

    Args:
        location: The workspace.
        dataset_root: Images to import.
        n_iterations: Iterations after the baseline; -1 for a run that has none at all.
        n_planned: Iterations that the run wants.
        status: Status of its job.
        name: Name of the run.
        gain: What each iteration adds to the mAP.
        worker_pid: Process id of its worker; this process if None.
        has_rankings: Whether its iterations keep what they find for each query.
        clustering: How its settings say that it clusters.
    """
    is_new = not Workspace.exists(location)
    with Workspace.create(location) if is_new else Workspace.open(location) as workspace:
        workspace.add_dataset(read_dataset(dataset_root))
        pids = workspace.images("train").pids
        n_clusters = len(np.unique(pids))
        changes = {"n_clusters": n_clusters, "n_iterations": n_planned, "lambda_": LAMBDA}
        config = load_preset("quick").replace(**changes, clustering=clustering)
        model = location / "models" / "fabricated.safetensors"
        model.parent.mkdir(exist_ok=True)
        model.write_bytes(HOLLOW_MODEL)
        run = workspace.create_run(config, model=model, name=name)
        for iteration in range(n_iterations + 1):
            arrays = iteration_arrays(pids, iteration, n_clusters)
            record = iteration_record(iteration, arrays, config, gain)
            rankings = iteration_rankings(workspace, run.run_id, iteration)
            workspace.add_iteration(
                run.run_id, record, arrays, HOLLOW_MODEL,
                rankings=rankings if has_rankings else None,
            )  # fmt: skip
        put_job(workspace, run.run_id, status, n_iterations, n_planned, worker_pid)
        return workspace.run(run.run_id)


def add_iteration(workspace: Workspace, run_id: int) -> None:
    """Let a run come to the end of its next iteration."""
    newest, config = len(workspace.iterations(run_id)), RunConfig(**workspace.run(run_id).config)
    pids = workspace.run_images(run_id, "train").pids
    arrays = iteration_arrays(pids, newest, config.n_clusters)
    record = iteration_record(newest, arrays, config, gain=0.02)
    workspace.add_iteration(run_id, record, arrays, HOLLOW_MODEL)


def put_job(
    workspace: Workspace,
    run_id: int,
    status: JobStatus,
    n_iterations: int,
    n_planned: int,
    worker_pid: int | None = None,
) -> JobRecord:
    """Give a run a job of the given status, with a live process as its worker."""
    job = workspace.create_job("run", run_id=run_id)
    if status == "queued":
        return job
    worker = str(WorkerProcess.of(worker_pid or os.getpid()))
    workspace.claim_job(job.job_id, worker)
    progress = JobProgress(
        step="finetune", done=31, total=64, iteration=n_iterations + 1, n_iterations=n_planned,
        epoch=2, n_epochs=5, loss=1.234,
    )  # fmt: skip
    workspace.heartbeat(job.job_id, progress, worker=worker)
    if status == "paused":
        workspace.request(job.job_id, "pause")
        workspace.acknowledge(job.job_id, "pause")
    elif status == "failed":
        workspace.finish_job(job.job_id, "failed", "The disk is full: 0 bytes free.", "Traceback")
    elif status != "running":
        workspace.finish_job(job.job_id, status)
    return workspace.job(job.job_id)


def iteration_arrays(pids: IntArray, iteration: int, n_clusters: int) -> IterationArrays:
    """Return arrays in which people move apart as the iterations go on."""
    random = np.random.default_rng((7, iteration))
    _, person = np.unique(pids, return_inverse=True)
    spread = 0.8 / (1 + 0.5 * iteration)
    directions = np.random.default_rng(1).normal(size=(n_clusters, 16))
    features = (directions[person] + spread * random.normal(size=(len(pids), 16))).astype("f4")
    strays = random.random(len(pids)) < 0.15 * spread
    clusters = np.where(strays, random.integers(0, n_clusters, len(pids)), person).astype(np.int64)
    clusters[np.unique(person, return_index=True)[1]] = np.arange(n_clusters)
    centers = _centers(features, clusters, n_clusters)
    similarities = center_similarities(features, clusters, centers)
    reliable = threshold(similarities, centers, lambda_=LAMBDA)
    places = np.random.default_rng(2).normal(0, 6, size=(n_clusters, 2))
    points = places[person] + (0.4 + spread) * random.normal(size=(len(pids), 2))
    return IterationArrays(
        features=features,
        clusters=clusters,
        centroids=directions.astype(np.float32),
        centers=centers,
        similarities=similarities,
        reliable=reliable,
        pseudo_labels=np.where(reliable, clusters, -1),
        points=points.astype(np.float32),
    )


def iteration_rankings(workspace: Workspace, run_id: int, iteration: int) -> IterationRankings:
    """Return ranked lists that get better as the iterations go on."""
    random = np.random.default_rng((9, iteration))
    query, gallery = workspace.test_images(run_id)
    directions = np.random.default_rng(3).normal(size=(200, 16))
    spread = 1.6 / (1 + 0.5 * iteration)
    features = [
        l2_normalize(directions[table.pids] + spread * random.normal(size=(len(table), 16)))
        for table in (query, gallery)
    ]
    who = (query.pids, query.camids, gallery.pids, gallery.camids)
    lists = RankedLists(len(query), len(gallery))
    evaluation = evaluate(*features, *who, ap_method="trapezoid", unmatched="zero", watch=lists.add)
    return lists.to_rankings(evaluation)


def _centers(features: NDArray[np.float32], clusters: IntArray, n_clusters: int) -> IntArray:
    normalized = l2_normalize(features)
    centers = []
    for cluster in range(n_clusters):
        members = np.flatnonzero(clusters == cluster)
        mean = l2_normalize(normalized[members].mean(axis=0, keepdims=True))
        centers.append(members[int((normalized[members] @ mean[0]).argmax())])
    return np.array(centers, dtype=np.int64)


def iteration_record(
    iteration: int, arrays: IterationArrays, config: RunConfig, gain: float
) -> IterationRecord:
    """Return figures that rise with the iterations, and fit the arrays."""
    level = gain * iteration
    kept = np.bincount(arrays.clusters[arrays.reliable], minlength=config.n_clusters)
    return IterationRecord(
        iteration=iteration,
        lambda_=config.lambda_,
        n_clusters=config.n_clusters,
        n_images=len(arrays.clusters),
        n_reliable=int(arrays.reliable.sum()),
        n_kept_clusters=int((kept > 1).sum()),
        inertia=100.0,
        n_annotated_images=0,
        n_identities=0,
        annotations_hash="",
        epoch_losses=(3.0 - level, 2.0 - 4 * level) if iteration else (),
        metrics=RetrievalMetrics(
            0.412 + level, 0.6 + level, 0.7 + level, 0.8 + level, 0.224 + level,
            8, 1, "trapezoid", "zero",
        ),
        cluster_quality=ClusterQuality(
            0.7 + level, 0.9 + level / 2, 0.8 + level, len(arrays.clusters), "truth"
        ),
        seconds=SECONDS if iteration else {"extract": 2.0, "cluster": 0.5, "project": 5.0},
        peak_memory_bytes=700 * 2**20,
        seed=config.seed,
        versions={},
        device="cpu",
        finished_at="2026-01-01T00:00:00+00:00",
    )  # fmt: skip
