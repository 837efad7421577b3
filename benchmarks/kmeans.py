"""k-means with k-means++: ours, scikit-learn's (the authors' choice) and faiss'."""

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.measure import Case, Contender, Figures, Limit, best_seconds
from benchmarks.synthetic import Features, Ids, changed, people
from pul.cluster.kmeans import cluster
from pul.cluster.lloyd import squared_distances
from pul.evaluation.cluster_quality import cluster_quality

SIZES = {"small": (3000, 256, 150), "paper": (12936, 2048, 750), "large": (130_000, 512, 4000)}
_PAPER_ITERATIONS = 13  # assignments of all images that scikit-learn's Lloyd takes at this size


def cases(size: str) -> list[Case]:
    # imports are not measured: ours imports torch for bfloat16, which a worker has imported anyway
    for name in ("torch", "sklearn.cluster", "faiss"):
        importlib.import_module(name)
    n_images, n_dims, n_clusters = SIZES[size]
    features, pids = people(n_images, n_dims, n_clusters)
    start = cluster(features, n_clusters=n_clusters, seed=0).centroids
    following = changed(features)
    shape = f"{n_images:,} × {n_dims:,}, K {n_clusters:,}"

    def contender(name: str, run: Callable[[int], Ids], rows: Features = features) -> Contender:
        return Contender(name, run, lambda clusters: _judge(rows, pids, clusters, n_clusters))

    cold = [
        contender("ours", lambda seed: _ours(features, n_clusters, seed)),
        contender("sklearn KMeans, n_init=1", lambda seed: _sklearn(features, n_clusters, seed)),
        contender("faiss Kmeans, k-means++", lambda seed: _faiss_plus(features, n_clusters, seed)),
        contender("faiss Kmeans, random start", lambda seed: _faiss(features, n_clusters, seed)),
    ]
    warm = [
        contender("ours", lambda seed: _ours(following, n_clusters, seed, start), following),
        contender("sklearn", lambda seed: _sklearn(following, n_clusters, seed, start), following),
    ]
    return [
        Case(f"k-means, {shape}", cold, ">= 10x", lambda: _limit(features, n_clusters)),
        Case(f"k-means from the last centroids, {shape}", warm),
    ]


def _ours(features: Features, n_clusters: int, seed: int, start: Features | None = None) -> Ids:
    return cluster(features, n_clusters=n_clusters, seed=seed, initial_centroids=start).clusters


def _sklearn(features: Features, n_clusters: int, seed: int, start: Features | None = None) -> Ids:
    from sklearn.cluster import KMeans

    init = "k-means++" if start is None else start
    model = KMeans(n_clusters, init=init, n_init=1, random_state=seed).fit(features)
    return np.asarray(model.labels_, dtype=np.int64)


def _faiss_plus(features: Features, n_clusters: int, seed: int) -> Ids:
    """faiss with the settings nearest to the paper's: k-means++, 300 iterations, early stop."""
    import faiss

    plus = faiss.ClusteringInitMethod_KMEANS_PLUS_PLUS
    return _faiss(
        features, n_clusters, seed, niter=300, early_stop_threshold=1e-4, init_method=plus
    )


def _faiss(features: Features, n_clusters: int, seed: int, **options: Any) -> Ids:
    import faiss

    options |= {"seed": seed, "max_points_per_centroid": len(features)}  # no subsampling
    model = faiss.Kmeans(features.shape[1], n_clusters, **options)
    model.train(features)
    return np.asarray(model.index.search(features, 1)[1][:, 0], dtype=np.int64)


def _judge(features: Features, pids: Ids, clusters: Ids, n_clusters: int) -> Figures:
    """Judge clusters by their own means, whatever centroids the contender ended with."""
    found, own = np.unique(clusters, return_inverse=True)
    means = np.stack([features[own == k].mean(axis=0) for k in range(len(found))])
    quality = cluster_quality(own, pids, np.ones(len(pids), bool), source="truth")
    return {
        "inertia": float(squared_distances(features, own, means).sum(dtype=np.float64)),
        "NMI": quality.nmi if quality else 0.0,
        "empty clusters": n_clusters - len(found),
    }


def _limit(features: Features, n_clusters: int) -> Limit:
    centroids = features[:n_clusters].copy()
    seconds = best_seconds(lambda: features @ centroids.T)
    return Limit(
        f"{_PAPER_ITERATIONS} assignments as float32 products", _PAPER_ITERATIONS * seconds
    )
