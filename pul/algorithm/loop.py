"""Algorithm 1 and its semi-supervised form, as a generator of events.

Every batch yields, so whoever consumes the events pauses a run by not asking for the next one and
stops it by closing the generator. Nothing here knows of a store, a process or a screen.
"""

import copy
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import numpy as np

from pul.algorithm.clustering import group_images
from pul.algorithm.events import (
    EvaluationSet,
    Event,
    IterationFinished,
    Live,
    LiveSettings,
    Progress,
    ResumeState,
    RunFinished,
)
from pul.algorithm.features import extract_steps
from pul.algorithm.finetuning import FinetuneResult, finetune_steps
from pul.algorithm.projection import project
from pul.algorithm.selection import choose_reliable
from pul.arrays import ByteArray, FloatArray, IntArray, l2_normalize
from pul.config import RunConfig, derive_seed
from pul.data.footage import Footage
from pul.evaluation.cluster_quality import cluster_quality
from pul.evaluation.ranked_lists import compute_ranked_lists
from pul.evaluation.retrieval import evaluate
from pul.evaluation.validation import evaluate_validation, make_validation_set
from pul.models.hardware import library_versions, peak_memory_bytes, prepare
from pul.models.network import Network
from pul.records import (
    ClusterQuality,
    IterationArrays,
    IterationRankings,
    IterationRecord,
    JobProgress,
    RetrievalMetrics,
)

__all__ = [
    "EvaluationSet",
    "Event",
    "IterationFinished",
    "Live",
    "LiveSettings",
    "Progress",
    "ResumeState",
    "RunFinished",
    "has_converged",
    "run",
]

_Batch = TypeVar("_Batch")
_Result = TypeVar("_Result")


def run(
    network: Network,
    pixels: ByteArray,
    config: RunConfig,
    *,
    live: Live | None = None,
    evaluation: EvaluationSet | None = None,
    camids: IntArray | None = None,
    footage: Footage | None = None,
    resume: ResumeState | None = None,
) -> Generator[Event, None, None]:
    """Adapt a network to unlabelled images.

    Iteration 0 looks at the images with the original network (extract, cluster, select, map,
    evaluate) and trains nothing: the baseline. Iteration t ≥ 1 extracts with the network of t - 1,
    clusters, selects, fine-tunes, evaluates.

    Args:
        network: The original network θ_o; it is copied, never changed.
        pixels: Training images at the network's input size, shape (N, H, W, 3), uint8.
        config: All settings; the defaults are the paper's.
        live: Asked once at the start of each iteration for λ, K and annotations; by default the
            config's values and no annotations.
        evaluation: What to compute figures on, if there is ground truth.
        camids: Camera of each training image, shape (N,), -1 where not known: retrieval among
            validation identities is across cameras where it can be.
        footage: Where and when the training images were taken, for `use_tracklets`.
        resume: Where to go on; the events after it are those of the run that was cut off, and on
            the CPU every array is the same bit for bit.

    Yields:
        `Progress` after each batch, `IterationFinished` after each iteration, `RunFinished` last.

    Raises:
        PulError: The images, the settings or the training make it impossible to go on.

    References:
        Algorithm 1; Sec. III-C for annotations.
    """
    live = live or (lambda _: LiveSettings(config.lambda_, config.n_clusters))
    run = _Run(network, pixels, config, evaluation, camids, footage, resume)
    if resume is None:
        yield from run.baseline(live(0))
    while run.iteration < config.n_iterations:
        if has_converged(run.reliable_shares, config):
            yield RunFinished("converged")
            return
        yield from run.iterate(live(run.iteration + 1))
    yield RunFinished("n_iterations")


def has_converged(reliable_shares: Sequence[float], config: RunConfig) -> bool:
    """Whether the share of reliable images has saturated.

    Args:
        reliable_shares: Share of each iteration from the first, in [0, 1].
        config: Its window and tolerance; a tolerance of 0 never converges.

    References:
        Sec. III-B: "when the number of selected reliable samples is saturated".
    """
    recent = reliable_shares[-config.convergence_window :]
    if len(recent) < config.convergence_window:
        return False
    return max(recent) - min(recent) < config.convergence_tolerance


@dataclass(frozen=True)
class _Look:
    """What an iteration saw before it trained."""

    settings: LiveSettings
    arrays: IterationArrays
    inertia: float


@dataclass(frozen=True)
class _Measured:
    """What the queries and the gallery say of an iteration's network."""

    metrics: RetrievalMetrics
    rankings: IterationRankings


class _Run:
    """The state of Algorithm 1 between two of its lines."""

    def __init__(
        self,
        network: Network,
        pixels: ByteArray,
        config: RunConfig,
        evaluation: EvaluationSet | None,
        camids: IntArray | None,
        footage: Footage | None,
        resume: ResumeState | None,
    ) -> None:
        self.device = prepare(config)
        self.config, self.pixels = config, pixels
        self.evaluation, self.camids, self.footage = evaluation, camids, footage
        self.given = copy.deepcopy(network)
        self.original = self.given  # θ_o: the given network, or that fine-tuned on annotations
        self.original_hash = ""  # the annotations that `original` was fine-tuned on
        self.iteration = resume.iteration if resume else 0
        self.current = resume.network if resume and resume.iteration else self.original  # θ_t
        self.points = resume.points if resume else np.empty((0, 2), dtype=np.float32)
        self.reliable_shares = list(resume.reliable_shares) if resume else []
        self.features: FloatArray | None = None  # of `current`, where they are known already
        self.seconds: dict[str, float] = {}

    def baseline(self, settings: LiveSettings) -> Iterator[Event]:
        look = yield from self._look(settings)
        measured = yield from self._evaluate()
        validation = yield from self._validate(settings)
        yield self._finished(look, (), measured, validation)
        self.features = look.arrays.features  # iteration 1 extracts with the same network

    def iterate(self, settings: LiveSettings) -> Iterator[Event]:
        self.iteration += 1
        yield from self._initialize_on(settings)
        look = yield from self._look(settings)
        start = self.original if self.config.restart_from == "original" else self.current
        seen = look.arrays.features if start is self.current else None
        self.current = copy.deepcopy(start)
        self.features = None
        result = yield from self._finetune(self.current, look.arrays.pseudo_labels, seen)
        measured = yield from self._evaluate()
        validation = yield from self._validate(settings)
        self.reliable_shares.append(float(look.arrays.reliable.mean()))
        yield self._finished(look, result.epoch_losses, measured, validation)

    def _initialize_on(self, settings: LiveSettings) -> Iterator[Event]:
        """Fine-tune θ_o on the annotated images whenever those have changed (Sec. IV-E)."""
        is_used = self.config.restart_from == "original" or self.iteration == 1
        if not (self.config.init_on_annotations and is_used):
            return
        if settings.annotations_hash == self.original_hash:
            return
        self.original, self.original_hash = self.given, settings.annotations_hash
        if len(settings.annotations) >= 2:
            self.original = copy.deepcopy(self.given)
            pseudo_labels = np.full(len(self.pixels), -1, dtype=np.int64)
            pseudo_labels[list(settings.annotations)] = list(settings.annotations.values())
            seed = derive_seed(self.config.seed, "initialize", settings.annotations_hash)
            yield from self._train(self.original, pseudo_labels, "initialize", seed)
        if self.iteration == 1:
            self.current, self.features = self.original, None

    def _look(self, settings: LiveSettings) -> Generator[Event, None, _Look]:
        """Extract, cluster, select and map: lines 3-16 of Algorithm 1."""
        features = self.features
        if features is None:
            features = yield from self._extract(self.pixels, "extract")
        yield self._progress("cluster")
        with self._timed("cluster"):
            # The baseline clusters as iteration 1 will, so that its map shows what comes.
            seed = derive_seed(self.config.seed, "cluster", max(1, self.iteration))
            clustering = group_images(
                features, settings, self.config, seed=seed, footage=self.footage
            )
        yield self._progress("select")
        with self._timed("select"):
            similarities, reliable = choose_reliable(
                features, clustering, settings, self.config, camids=self.camids
            )
        if self.config.projection:
            yield self._progress("project")
            with self._timed("project"):
                self.points = self._project(features)
        arrays = IterationArrays(
            features=features,
            clusters=clustering.clusters,
            centroids=clustering.centroids,
            centers=clustering.centers,
            similarities=similarities,
            reliable=reliable,
            pseudo_labels=np.where(reliable, clustering.clusters, -1),
            points=self.points,
        )
        return _Look(settings, arrays, clustering.inertia)

    def _project(self, features: FloatArray) -> FloatArray:
        previous = self.points if len(self.points) == len(features) else None
        seed = derive_seed(self.config.seed, "project")
        points: FloatArray = project(features, seed=seed, previous_points=previous)
        return points

    def _finetune(
        self, network: Network, pseudo_labels: IntArray, features: FloatArray | None
    ) -> Generator[Event, None, FinetuneResult]:
        """Draw w anew and fine-tune: lines 2 and 17 of Algorithm 1."""
        seed = derive_seed(self.config.seed, "finetune", self.iteration)
        return (yield from self._train(network, pseudo_labels, "finetune", seed, features))

    def _evaluate(self) -> Generator[Event, None, _Measured | None]:
        data = self.evaluation
        if data is None or not len(data.query_pids) or not len(data.gallery_pids):
            return None
        query = yield from self._extract(data.query_pixels, "evaluate")
        gallery = yield from self._extract(data.gallery_pixels, "evaluate")
        with self._timed("evaluate"):
            query, gallery = l2_normalize(query), l2_normalize(gallery)
            evaluation = evaluate(
                query,
                gallery,
                data.query_pids,
                data.query_camids,
                data.gallery_pids,
                data.gallery_camids,
                ap_method=self.config.evaluation.ap_method,
                unmatched=self.config.evaluation.unmatched,
                camera_aware=self.config.evaluation.camera_aware,
            )
            rankings = compute_ranked_lists(query, gallery, evaluation)
        return _Measured(evaluation.to_metrics(), rankings)

    def _validate(self, settings: LiveSettings) -> Generator[Event, None, RetrievalMetrics | None]:
        """Measure on the identities that people held out."""
        held = make_validation_set(settings.validation, self.camids)
        if held is None:
            return None
        features = yield from self._extract(self.pixels[held.rows], "validate")
        return evaluate_validation(features, held, self.config.evaluation)

    def _extract(
        self, pixels: ByteArray, step: str, network: Network | None = None
    ) -> Generator[Event, None, FloatArray]:
        batches = extract_steps(
            network or self.current,
            pixels,
            device=self.device,
            precision=self.config.extraction_precision,
        )
        return (
            yield from self._drive(
                step, batches, lambda done: self._progress(step, done=done, total=len(pixels))
            )
        )

    def _train(
        self,
        network: Network,
        pseudo_labels: IntArray,
        step: str,
        seed: int,
        features: FloatArray | None = None,
    ) -> Generator[Event, None, FinetuneResult]:
        if features is None and self.config.finetune.loss == "cluster_memory":
            features = yield from self._extract(self.pixels, step, network)
        batches = finetune_steps(
            network,
            self.pixels,
            pseudo_labels,
            self.config.finetune,
            seed=seed,
            device=self.device,
            features=features,
        )
        return (
            yield from self._drive(
                step,
                batches,
                lambda done: self._progress(
                    step,
                    done=done.step,
                    total=done.n_steps,
                    epoch=done.epoch,
                    n_epochs=done.n_epochs,
                    loss=done.loss,
                ),
            )
        )

    def _drive(
        self,
        step: str,
        batches: Generator[_Batch, None, _Result],
        describe: Callable[[_Batch], Event],
    ) -> Generator[Event, None, _Result]:
        """Yield an event for each batch, timing the batches alone; return their result."""
        while True:
            with self._timed(step):
                try:
                    batch = next(batches)
                except StopIteration as stop:
                    result: _Result = stop.value
                    return result
            yield describe(batch)

    @contextmanager
    def _timed(self, step: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            elapsed = time.perf_counter() - started
            self.seconds[step] = self.seconds.get(step, 0.0) + elapsed

    def _progress(self, step: str, **values: Any) -> Progress:
        return Progress(
            JobProgress(
                step=step,
                iteration=self.iteration,
                n_iterations=self.config.n_iterations,
                **values,
            )
        )

    def _finished(
        self,
        look: _Look,
        epoch_losses: tuple[float, ...],
        measured: _Measured | None,
        validation: RetrievalMetrics | None,
    ) -> IterationFinished:
        seconds, self.seconds = self.seconds, {}
        settings, arrays = look.settings, look.arrays
        reliable_of_cluster = np.bincount(arrays.clusters[arrays.reliable])
        record = IterationRecord(
            iteration=self.iteration,
            lambda_=settings.lambda_ or None,
            n_clusters=len(arrays.centers),
            n_images=len(self.pixels),
            n_reliable=int(arrays.reliable.sum()),
            n_kept_clusters=int((reliable_of_cluster >= 2).sum()),
            inertia=look.inertia,
            n_annotated_images=len(settings.annotations),
            n_identities=len(set(settings.annotations.values())),
            annotations_hash=settings.annotations_hash,
            epoch_losses=epoch_losses,
            metrics=measured.metrics if measured else None,
            validation_metrics=validation,
            n_validation_identities=len(set(settings.validation.values())),
            cluster_quality=self._cluster_quality(arrays),
            seconds={name: round(value, 3) for name, value in seconds.items()},
            peak_memory_bytes=peak_memory_bytes(),
            seed=self.config.seed,
            versions=library_versions(),
            device=self.device,
            finished_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        rankings = measured.rankings if measured else None
        return IterationFinished(record, arrays, self.current, rankings)

    def _cluster_quality(self, arrays: IterationArrays) -> ClusterQuality | None:
        if self.evaluation is None or self.evaluation.train_pids is None:
            return None
        pids = np.where(arrays.clusters < 0, -1, self.evaluation.train_pids)  # outliers are in none
        return cluster_quality(arrays.clusters, pids, arrays.reliable, source="truth")
