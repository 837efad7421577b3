"""The job of a preview: k-means with another K on the stored features of an iteration."""

import time
from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits

from pul.algorithm.clustering import cluster_images
from pul.algorithm.selection import center_similarities
from pul.arrays import FloatArray, IntArray
from pul.cluster.links import Links
from pul.config import RunConfig, derive_seed
from pul.jobs.heartbeat import Heartbeat
from pul.labelling.guidance import Guidance, read_guidance
from pul.models.resources import default_n_threads
from pul.records import ClusterCount, ClusterCounts, JobProgress, JobRecord, Preview
from pul.store.workspace import Workspace

SHARES = (1 / 2, 3 / 4, 1, 5 / 4, 3 / 2)  # of the present K: those that are compared
_DRAWS = (0, 1)

OnProgress = Callable[[int, int], None]


def preview_seed(seed: int, iteration: int, draw: int = 0) -> int:
    """Return the seed of k-means: of draw 0 the one that the iteration itself used.

    So the present K gives the clusters that are there, as long as the annotations are the same and
    the run's k-means starts once too.
    """
    own = derive_seed(seed, "cluster", max(1, iteration))
    return derive_seed(own, "draw", draw) if draw else own


def make_preview(
    workspace: Workspace, run_id: int, iteration: int, n_clusters: int, *, draw: int = 0
) -> Preview:
    """Cluster an iteration's stored features with another K, and store the result.

    A stored result is returned, unless people have annotated since. k-means starts once: a run may
    take the best of several starts, but a preview must not take as many times as long.

    Args:
        workspace: Where the run is.
        run_id: The run.
        iteration: One of its finished iterations.
        n_clusters: K, annotated identities included.
        draw: Which of several independent seeds.

    Raises:
        ConfigError: K leaves no cluster for the images without an annotation, or exceeds them.
        StoreError: There is no such run or iteration, or the disk refuses.
    """
    config = RunConfig(**workspace.run(run_id).config)
    guidance = read_guidance(workspace, run_id)
    seed = preview_seed(config.seed, iteration, draw)
    known = workspace.preview(run_id, iteration, n_clusters, seed)
    if known is not None and known.annotations_hash == guidance.content_hash:
        return known
    features = workspace.arrays(run_id, iteration, "features")["features"]
    made = _cluster(features, config, guidance, iteration, n_clusters, seed)
    workspace.store_preview(run_id, made)
    return made


def compare_cluster_counts(
    workspace: Workspace,
    run_id: int,
    iteration: int,
    *,
    on_progress: OnProgress = lambda _done, _total: None,
) -> ClusterCounts:
    """Compare several K around the present one: inertia, and how far two seeds agree.

    Args:
        workspace: Where the run is.
        run_id: The run.
        iteration: One of its finished iterations.
        on_progress: Called with clusterings done and clusterings in all.

    Returns:
        The comparison, which is stored too.

    Raises:
        StoreError: There is no such run or iteration, or the disk refuses.
    """
    present = workspace.arrays(run_id, iteration, "clusters", "centers")
    guidance = read_guidance(workspace, run_id)
    free = np.ones(len(present["clusters"]), dtype=np.bool_)
    free[list(guidance.annotations)] = False
    n_identities = len(set(guidance.annotations.values()))
    wanted = cluster_counts_around(len(present["centers"]), n_identities, int(free.sum()))
    counts = []
    for number, n_clusters in enumerate(wanted):
        made = []
        for draw in _DRAWS:
            on_progress(len(_DRAWS) * number + draw, len(_DRAWS) * len(wanted))
            made.append(make_preview(workspace, run_id, iteration, n_clusters, draw=draw))
        inertia = sum(preview.inertia for preview in made) / len(made)
        first, second = (preview.clusters[free] for preview in made)
        counts.append(ClusterCount(n_clusters, inertia, _agreement(first, second)))
    compared = ClusterCounts(iteration, guidance.content_hash, tuple(counts))
    workspace.store_cluster_counts(run_id, compared)
    return compared


def do_preview(workspace: Workspace, job: JobRecord, heartbeat: Heartbeat) -> None:
    """Cluster with the K that the job names, or compare several where it names none.

    Raises:
        ConfigError: The K is impossible.
        StoreError: There is no such run or iteration, or the disk refuses.
    """
    run_id, iteration = job.params["run_id"], job.params["iteration"]
    n_clusters, n_threads = job.params["n_clusters"], workspace.run(run_id).config["n_threads"]
    with threadpool_limits(n_threads or default_n_threads()):
        if n_clusters is None:
            on_progress = heartbeat.progress_callback("cluster", "comparing numbers of clusters")
            compare_cluster_counts(workspace, run_id, iteration, on_progress=on_progress)
        else:
            heartbeat.report_progress(JobProgress(step="cluster", message=f"K {n_clusters}"))
            make_preview(workspace, run_id, iteration, n_clusters)


def cluster_counts_around(n_clusters: int, n_identities: int, n_free: int) -> list[int]:
    """Return the K that are worth a comparison, ascending.

    Args:
        n_clusters: The present K.
        n_identities: Identities that people gave, L; each is a cluster of its own.
        n_free: Images without an annotation.
    """
    lowest, highest = n_identities + min(2, n_free), n_identities + n_free
    return sorted({min(highest, max(lowest, round(n_clusters * share))) for share in SHARES})


def _cluster(
    features: FloatArray,
    config: RunConfig,
    guidance: Guidance,
    iteration: int,
    n_clusters: int,
    seed: int,
) -> Preview:
    started = time.perf_counter()
    one_start = config.replace(clustering="kmeans", kmeans_n_init=1)  # quick, for comparison
    clustering = cluster_images(
        features,
        n_clusters=n_clusters,
        seed=seed,
        config=one_start,
        links=Links.of(
            len(features),
            annotations=guidance.annotations,
            together=guidance.together,
            apart=guidance.apart,
        ),
    )
    similarities = center_similarities(
        features, clustering.clusters, clustering.centers, selection=config.selection
    )
    return Preview(
        iteration=iteration,
        n_clusters=n_clusters,
        seed=seed,
        annotations_hash=guidance.content_hash,
        inertia=clustering.inertia,
        seconds=round(time.perf_counter() - started, 3),
        clusters=clustering.clusters,
        centers=clustering.centers,
        similarities=similarities,
    )


def _agreement(first: IntArray, second: IntArray) -> float:
    from sklearn.metrics import adjusted_mutual_info_score  # slow to load

    return float(adjusted_mutual_info_score(first, second))
