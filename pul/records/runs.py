"""Runs, their iterations, and what was asked of them on the way."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pul.arrays import BoolArray, DoubleArray, FloatArray, IntArray

RunStatus = Literal["created", "running", "paused", "stopped", "finished", "failed"]
Shelf = Literal["", "archived", "deleted"]


@dataclass(frozen=True, slots=True)
class RetrievalMetrics:
    """Figures of one evaluation, as fractions in [0, 1].

    Attributes:
        rank_1, rank_5, rank_10, rank_20: Share of queries with a true match that early (CMC).
        mean_ap: Mean average precision by `ap_method`.
        n_queries: Queries counted, those without a true match included if `unmatched` is `zero`.
        n_unmatched: Queries without a true match in the gallery.
        ap_method: `trapezoid` or `step`.
        unmatched: `skip` or `zero`.
    """

    rank_1: float
    rank_5: float
    rank_10: float
    rank_20: float
    mean_ap: float
    n_queries: int
    n_unmatched: int
    ap_method: str
    unmatched: str


@dataclass(frozen=True, slots=True)
class ClusterQuality:
    """How well clusters agree with identities that are known.

    Attributes:
        purity: Share of the images in their cluster's majority identity, in [0, 1].
        reliable_purity: The same over the reliable images alone.
        nmi: Normalised mutual information of clusters and identities, in [0, 1].
        n_images: Images with a known identity that were compared.
        source: `truth` or `annotations`.
    """

    purity: float
    reliable_purity: float
    nmi: float
    n_images: int
    source: str


@dataclass(frozen=True, slots=True)
class IterationRecord:
    """What one iteration of a run really used and what came of it. Iteration 0 is the baseline.

    Iteration t ≥ 1 extracts features with the model of iteration t-1, clusters, selects, fine-tunes
    and evaluates the fine-tuned model: the paper's order. Iteration 0 extracts, clusters, selects
    and evaluates the original model, and fine-tunes nothing.

    Attributes:
        iteration: 0 for the baseline, then 1, 2, ...
        lambda_: λ that was used; None selects all.
        n_clusters: K that was used.
        n_images: Training images, N.
        n_reliable: Images that trained.
        n_kept_clusters: Clusters with at least two reliable images.
        inertia: k-means' sum of squared distances, Eq. 1.
        n_annotated_images: Images whose identity people gave.
        n_identities: Identities that people gave, L.
        annotations_hash: Hash of the annotations that were used; "" where there were none.
        epoch_losses: Mean loss of each epoch; empty for iteration 0.
        metrics: Figures on the test set; None where there is no ground truth, or where the run
            does not measure each iteration (`evaluate_every`).
        cluster_quality: Agreement with known identities; None where none are known.
        seconds: Seconds of each step, by its name.
        peak_memory_bytes: Peak resident memory of the process.
        seed: The run's seed.
        versions: Versions of the libraries that make the numbers, by name.
        device: Where the network ran.
        finished_at: UTC, ISO 8601.
        validation_metrics: Figures on the identities that people held out; None where there are
            fewer than two, or none of them has two images to match.
        n_validation_identities: Identities that were held out to measure with.
    """

    iteration: int
    lambda_: float | None
    n_clusters: int
    n_images: int
    n_reliable: int
    n_kept_clusters: int
    inertia: float
    n_annotated_images: int
    n_identities: int
    annotations_hash: str
    epoch_losses: tuple[float, ...]
    metrics: RetrievalMetrics | None
    cluster_quality: ClusterQuality | None
    seconds: dict[str, float]
    peak_memory_bytes: int
    seed: int
    versions: dict[str, str]
    device: str
    finished_at: str
    validation_metrics: RetrievalMetrics | None = None
    n_validation_identities: int = 0

    @property
    def reliable_share(self) -> float:
        """Share of the images that trained, in [0, 1]."""
        return self.n_reliable / self.n_images if self.n_images else 0.0

    @property
    def loss(self) -> float | None:
        """Mean loss of the last epoch."""
        return self.epoch_losses[-1] if self.epoch_losses else None


def last_measured(records: Sequence[IterationRecord]) -> IterationRecord | None:
    """Return the newest iteration with figures on the test set; None if there is none."""
    return next((record for record in reversed(records) if record.metrics is not None), None)


@dataclass(frozen=True, slots=True)
class IterationArrays:
    """The arrays of one iteration. N images, D dimensions, K clusters.

    Attributes:
        features: Un-normalised features, shape (N, D), float32.
        clusters: Cluster of each image, shape (N,), values in [0, K); annotated identities are the
            first L clusters. -1 for an outlier of DBSCAN.
        centroids: Mean feature of each cluster, shape (K, D), float32.
        centers: Index of the image nearest to each centroid, shape (K,).
        similarities: Cosine of each image to its own cluster's center, shape (N,), in [-1, 1]; -1
            for an outlier.
        reliable: Images that trained, shape (N,).
        pseudo_labels: Class each image trained as, shape (N,); -1 where it did not train.
        points: 2-D map, shape (N, 2), float32; shape (0, 2) where no map was asked for.
    """

    features: FloatArray
    clusters: IntArray
    centroids: FloatArray
    centers: IntArray
    similarities: FloatArray
    reliable: BoolArray
    pseudo_labels: IntArray
    points: FloatArray


@dataclass(frozen=True, slots=True)
class IterationRankings:
    """What the model of an iteration finds for each query. Q queries, the n most similar images.

    Rows are those of `Workspace.test_images`: queries with an identity, and a gallery that still
    holds its junk.

    Attributes:
        gallery: Row of the gallery of each image found, shape (Q, n), int32, the most similar
            first; of equally similar images the one with the lower row.
        similarities: Cosine of each to its query, shape (Q, n), float32.
        average_precisions: Of each query, shape (Q,), by the definition of the run's figures; NaN
            where a query is left out.
        cmc: Share of queries whose first true match is at rank ≤ k + 1, for the first ranks.
    """

    gallery: NDArray[np.int32]
    similarities: FloatArray
    average_precisions: DoubleArray
    cmc: DoubleArray


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run as the store knows it.

    Attributes:
        run_id: Number of the run, from 1.
        name: What people call it.
        config: The `RunConfig` it was made with, as plain values.
        model: Path of the start model, relative to the workspace where it lies in it.
        status: Whether it waits, runs, is paused or has ended.
        n_iterations_done: Whole iterations stored, the baseline not counted.
        created_at: UTC, ISO 8601.
        parent_run_id, parent_iteration: The run that it was forked from, and at which iteration;
            None where it was not.
        shelf: `archived` or `deleted` where it is out of the way, else "".
    """

    run_id: int
    name: str
    config: dict[str, Any]
    model: str
    status: RunStatus
    n_iterations_done: int
    created_at: str
    parent_run_id: int | None = None
    parent_iteration: int | None = None
    shelf: Shelf = ""


@dataclass(frozen=True, slots=True)
class ControlRecord:
    """A change of a run that someone asked for while it was going.

    Attributes:
        control_id: Number of the row.
        run_id: The run.
        name: `lambda_` or `n_clusters`.
        value: The new value.
        author: Who asked.
        created_at: UTC, ISO 8601.
        applied_at_iteration: First iteration that used it; None while it waits.
    """

    control_id: int
    run_id: int
    name: str
    value: float
    author: str
    created_at: str
    applied_at_iteration: int | None
