"""Plain records that the loop makes, the store keeps and the screen reads."""

from dataclasses import dataclass, field, fields
from itertools import compress
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pul.arrays import BoolArray, DoubleArray, FloatArray, IntArray

Split = Literal["train", "query", "gallery"]
RunStatus = Literal["created", "running", "paused", "stopped", "finished", "failed"]
JobStatus = Literal["queued", "running", "paused", "stopped", "finished", "failed"]
JobKind = Literal["import", "run", "preview", "export"]
Shelf = Literal["", "archived", "deleted"]
Command = Literal["pause", "resume", "stop"]


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
        metrics: Figures on the test set; None where there is no ground truth.
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
        status: Where it stands.
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
class JobProgress:
    """Where a running job stands.

    Attributes:
        step: What it does: decode, evaluate, extract, cluster, select, project, finetune, import.
        done: Units of the step that are done.
        total: Units of the step.
        iteration: Iteration of the run, if it is in one.
        n_iterations: Iterations planned.
        epoch: Epoch of the fine-tuning, from 1; 0 outside it.
        n_epochs: Epochs planned.
        loss: Running mean loss of the epoch.
        message: One more line for people.
    """

    step: str
    done: int = 0
    total: int = 0
    iteration: int = 0
    n_iterations: int = 0
    epoch: int = 0
    n_epochs: int = 0
    loss: float | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class JobRecord:
    """One background job as the store knows it.

    Attributes:
        job_id: Number of the job, from 1.
        kind: What it does.
        run_id: The run it works on, if any.
        params: Its other parameters, plain values.
        status: Where it stands. A job whose heartbeat stopped reads as `failed`.
        progress: Where it stands in its work; None before it began.
        error: Why it failed, for people; "" otherwise.
        traceback: The trace behind the error; "" otherwise.
        worker: `host:process id:start` of its worker; "" before it has one.
        created_at, started_at, heartbeat_at, finished_at: UTC, ISO 8601; "" where not yet.
    """

    job_id: int
    kind: JobKind
    run_id: int | None
    params: dict[str, Any] = field(default_factory=dict)
    status: JobStatus = "queued"
    progress: JobProgress | None = None
    error: str = ""
    traceback: str = ""
    worker: str = ""
    created_at: str = ""
    started_at: str = ""
    heartbeat_at: str = ""
    finished_at: str = ""


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


@dataclass(frozen=True, slots=True)
class ImageTable:
    """The images of a workspace as columns; row i of every column is the same image.

    Attributes:
        image_ids: Number of each image in the store, shape (M,), ascending.
        paths: Absolute path of each image.
        pids: Ground-truth identity, shape (M,); -1 is junk, 0 a distractor, -2 not known.
        camids: Camera, shape (M,); -1 where it is not known.
        splits: `train`, `query` or `gallery` of each image.
        tracklets: Tracklet of each image; "" where there is none.
        frames: Frame number of each image, shape (M,); -1 where it is not known.
    """

    image_ids: IntArray
    paths: tuple[str, ...]
    pids: IntArray
    camids: IntArray
    splits: tuple[str, ...]
    tracklets: tuple[str, ...]
    frames: IntArray

    def __len__(self) -> int:
        return len(self.image_ids)

    def where(self, mask: BoolArray) -> "ImageTable":
        """Return the images that a mask marks, shape (M,)."""
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        kept: dict[str, Any] = {
            name: tuple(compress(column, mask)) if isinstance(column, tuple) else column[mask]
            for name, column in columns.items()
        }
        return ImageTable(**kept)


@dataclass(frozen=True, slots=True, eq=False)  # told apart by identity: arrays do not hash
class Preview:
    """An iteration's features, clustered with another K. N images, K clusters.

    Attributes:
        iteration: The iteration whose features they are.
        n_clusters: K, annotated identities included.
        seed: Seed of k-means.
        annotations_hash: Hash of the annotations that were heeded; "" where there were none.
        inertia: k-means' sum of squared distances, Eq. 1.
        seconds: How long it took.
        clusters: Cluster of each image, shape (N,).
        centers: Index of the center of each cluster, shape (K,).
        similarities: Cosine of each image to the center it is judged by, shape (N,).
    """

    iteration: int
    n_clusters: int
    seed: int
    annotations_hash: str
    inertia: float
    seconds: float
    clusters: IntArray
    centers: IntArray
    similarities: FloatArray


@dataclass(frozen=True, slots=True)
class ClusterCount:
    """What speaks for one K.

    Attributes:
        n_clusters: K.
        inertia: k-means' sum of squared distances, mean of two seeds.
        agreement: Adjusted mutual information of the clusters of two seeds, 1 for the same; about
            0 for chance, whatever K. Images that people annotated are left out.
    """

    n_clusters: int
    inertia: float
    agreement: float


@dataclass(frozen=True, slots=True)
class ClusterCounts:
    """Several K compared on the features of one iteration.

    Attributes:
        iteration: The iteration.
        annotations_hash: Hash of the annotations that were heeded; "" where there were none.
        counts: One entry for each K, ascending.
    """

    iteration: int
    annotations_hash: str
    counts: tuple[ClusterCount, ...]


@dataclass(frozen=True, slots=True)
class ExperimentRow:
    """One row of a table of the paper, or one curve of a figure: what it needs and what it gave.

    Attributes:
        key: Names it within its experiment.
        label: What people call it.
        system: `supervised`, `baseline`, `pul`, `bow`, `lomo` or `umdl`.
        sources: Names of the datasets that its start model is trained on.
        value: λ or K, where the experiment sweeps it.
        config: The `RunConfig` of its run, as plain values; None for hand-crafted features.
        n_identities: Identities whose labels it is given, L.
        missing: Data that it needs and that was not given; "" where nothing is missing.
        run_id: Its run; None where it has none yet, and for hand-crafted features.
        metrics: Figures of hand-crafted features, which have no run.
        seconds: What it took beside its run.
        error: Why it failed; "" otherwise.
    """

    key: str
    label: str
    system: str
    sources: tuple[str, ...] = ()
    value: float | None = None
    config: dict[str, Any] | None = None
    n_identities: int = 0
    missing: str = ""
    run_id: int | None = None
    metrics: RetrievalMetrics | None = None
    seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class ExperimentRecord:
    """One of the paper's tables or figures on the data of a workspace.

    Attributes:
        experiment_id: Names it in its workspace: the table and a hash of what was asked for.
        name: `table2`, `table3`, `table4`, `fig3`, `fig5` or `fig6`.
        target: Name of the dataset that is adapted to.
        settings: What was asked for, by name, for people: preset, identities, changed settings.
        rows: In the order of the table.
        created_at: UTC, ISO 8601.
    """

    experiment_id: str
    name: str
    target: str
    settings: dict[str, str]
    rows: tuple[ExperimentRow, ...]
    created_at: str
