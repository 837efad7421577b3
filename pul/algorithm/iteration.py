"""What one iteration gave, and the record and the arrays that are stored of it."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from pul.algorithm.events import EvaluationSet, LiveSettings
from pul.algorithm.selection import Selection
from pul.arrays import FloatArray, IntArray
from pul.cluster.clustering import Clustering
from pul.evaluation.cluster_quality import cluster_quality
from pul.models.hardware import library_versions, peak_memory_bytes
from pul.records import (
    ClusterQuality,
    IterationArrays,
    IterationRankings,
    IterationRecord,
    RetrievalMetrics,
)


@dataclass(frozen=True)
class IterationResult:
    """What the steps of an iteration gave. N images, D feature dimensions.

    Attributes:
        iteration: Its number; 0 is the baseline.
        settings: λ, K and the annotations that it used.
        features: Un-normalised features, shape (N, D).
        clustering: Their clusters.
        selection: The reliable images.
        points: The map, shape (N, 2).
        epoch_losses: Mean loss of each epoch; none where nothing was trained.
        metrics, rankings: Figures and ranked lists on the test set, where there is one.
        validation: Figures on validation identities, where there are some.
    """

    iteration: int
    settings: LiveSettings
    features: FloatArray
    clustering: Clustering
    selection: Selection
    points: FloatArray
    epoch_losses: tuple[float, ...] = ()
    metrics: RetrievalMetrics | None = None
    rankings: IterationRankings | None = None
    validation: RetrievalMetrics | None = None

    @property
    def pseudo_labels(self) -> IntArray:
        """Class that each image trains as, shape (N,); -1 where it does not train."""
        return np.where(self.selection.reliable, self.clustering.clusters, -1)

    def to_arrays(self) -> IterationArrays:
        """Return the arrays that are stored."""
        return IterationArrays(
            features=self.features,
            clusters=self.clustering.clusters,
            centroids=self.clustering.centroids,
            centers=self.clustering.centers,
            similarities=self.selection.similarities,
            reliable=self.selection.reliable,
            pseudo_labels=self.pseudo_labels,
            points=self.points,
        )

    def to_record(
        self, *, evaluation: EvaluationSet | None, seconds: dict[str, float], seed: int, device: str
    ) -> IterationRecord:
        """Return the record that is stored.

        Args:
            evaluation: The ground truth, where it is known, for the quality of the clusters.
            seconds: Seconds of each step.
            seed: Seed of the run.
            device: Where it ran.
        """
        settings, reliable = self.settings, self.selection.reliable
        reliable_of_cluster = np.bincount(self.clustering.clusters[reliable])
        return IterationRecord(
            iteration=self.iteration,
            lambda_=settings.lambda_ or None,
            n_clusters=len(self.clustering.centers),
            n_images=len(reliable),
            n_reliable=int(reliable.sum()),
            n_kept_clusters=int((reliable_of_cluster >= 2).sum()),
            inertia=self.clustering.inertia,
            n_annotated_images=len(settings.annotations),
            n_identities=len(set(settings.annotations.values())),
            annotations_hash=settings.annotations_hash,
            epoch_losses=self.epoch_losses,
            metrics=self.metrics,
            validation_metrics=self.validation,
            n_validation_identities=len(set(settings.validation.values())),
            cluster_quality=self._quality(evaluation),
            seconds=seconds,
            peak_memory_bytes=peak_memory_bytes(),
            seed=seed,
            versions=library_versions(),
            device=device,
            finished_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def _quality(self, evaluation: EvaluationSet | None) -> ClusterQuality | None:
        if evaluation is None or evaluation.train_pids is None:
            return None
        clusters = self.clustering.clusters
        pids = np.where(clusters < 0, -1, evaluation.train_pids)  # outliers are in no cluster
        return cluster_quality(clusters, pids, self.selection.reliable, source="truth")
