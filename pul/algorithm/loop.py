"""Algorithm 1 and its semi-supervised form, as a generator of events.

Every batch yields, so that a caller pauses a run by not asking for the next event and stops it by
closing the generator. Nothing here knows of a store, a process or a screen.
"""

import copy
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace

import numpy as np

from pul.algorithm.clustering import cluster_images, find_links, fit_n_clusters
from pul.algorithm.events import (
    EvaluationSet,
    Event,
    IterationFinished,
    Live,
    LiveSettings,
    ResumeState,
    RunFinished,
    SettingsChosen,
)
from pul.algorithm.features import extract_steps
from pul.algorithm.finetuning import FinetuneResult, finetune_steps
from pul.algorithm.iteration import IterationResult
from pul.algorithm.losses import load_loss
from pul.algorithm.precision_choice import choose_precision
from pul.algorithm.projection import project
from pul.algorithm.selection import Selection, select_reliable
from pul.algorithm.steps import Steps
from pul.arrays import ByteArray, FloatArray, IntArray, l2_normalize
from pul.cluster.clustering import Clustering
from pul.config import RunConfig, derive_seed
from pul.data.footage import Footage
from pul.evaluation.ranked_lists import RankedLists
from pul.evaluation.retrieval import evaluate
from pul.evaluation.validation import evaluate_validation, make_validation_set
from pul.models.hardware import prepare
from pul.models.network import Network, with_head
from pul.records import IterationRankings, RetrievalMetrics


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

    Iteration 0, the baseline, does all steps with the original network but the training: extract,
    cluster, select, map, evaluate. Iteration t ≥ 1 extracts with the network of t - 1,
    clusters, selects, fine-tunes, evaluates.

    Args:
        network: The original network θ_o; it is copied, with the run's head, never changed.
        pixels: Training images at the network's input size, shape (N, H, W, 3), uint8.
        config: All settings; the defaults are the paper's.
        live: Asked once at the start of each iteration for λ, K and annotations; by default the
            config's values and no annotations.
        evaluation: What to compute figures on, if there is ground truth.
        camids: Camera of each training image, shape (N,), -1 where not known: retrieval among
            validation identities is across cameras where it can be.
        footage: Where and when the training images were taken, for `use_tracklets`, and the sides
            that they show, which are never compared.
        resume: Where to continue; the events after it are those of the run that was cut off, and on
            the CPU every array is the same bit for bit.

    Yields:
        `SettingsChosen` first, where a setting is `auto`; `Progress` after each batch,
        `IterationFinished` after each iteration, `RunFinished` last.

    Raises:
        PulError: The images, the settings or the training make it impossible to continue.

    References:
        Algorithm 1; Sec. III-C for annotations.
    """
    live = live or (lambda _: LiveSettings(config.lambda_, config.n_clusters))
    state = _Run(network, pixels, config, evaluation, camids, footage, resume)
    yield from state.choose()
    if resume is None:
        yield from state.iterate(0, live(0))
    while state.iteration < config.n_iterations:
        if has_converged(state.reliable_shares, config):
            yield RunFinished("converged")
            return
        iteration = state.iteration + 1
        yield from state.iterate(iteration, live(iteration))
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


class _Run:
    """A run between two lines of Algorithm 1."""

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
        self.given = with_head(network, config.head)
        self.original = self.given  # θ_o: the given network, or that fine-tuned on annotations
        self.original_hash = ""  # the annotations that `original` was fine-tuned on
        self.iteration = resume.iteration if resume else 0
        self.current = resume.network if resume and resume.iteration else self.original  # θ_t
        self.points = resume.points if resume else np.empty((0, 2), dtype=np.float32)
        self.reliable_shares = list(resume.reliable_shares) if resume else []
        self.features: FloatArray | None = None  # of `current`, where they are known already
        self.steps = Steps(config.n_iterations, self.iteration)

    def choose(self) -> Iterator[Event]:
        """Choose by measuring what the settings leave open."""
        self.config, choices = choose_precision(
            self.current, self.pixels, self.config, device=self.device
        )
        if choices:
            yield SettingsChosen(self.config, tuple(str(choice) for choice in choices))

    def iterate(self, iteration: int, settings: LiveSettings) -> Iterator[Event]:
        """Do one iteration; iteration 0, the baseline, trains nothing."""
        self.iteration = self.steps.iteration = iteration
        if iteration > 0:
            yield from self._initialize(settings)
        features = yield from self._extract()  # line 3
        clustering = yield from self._cluster(features, settings)  # lines 4-5
        selection = yield from self._select(features, clustering, settings)  # lines 6-16
        if iteration > 0:
            self.reliable_shares.append(float(selection.reliable.mean()))
        yield from self._project(features)
        result = IterationResult(iteration, settings, features, clustering, selection, self.points)
        self.features = features  # until the network changes
        if iteration > 0:
            losses = yield from self._finetune(result)  # lines 2 and 17
            result = replace(result, epoch_losses=losses)
        metrics, rankings = yield from self._evaluate()
        validation = yield from self._validate(settings)
        result = replace(result, metrics=metrics, rankings=rankings, validation=validation)
        yield self._finished(result)

    def _is_due(self, every: int) -> bool:
        """Whether this iteration does what is done every so many, at the first and at the last."""
        is_last = self.iteration == self.config.n_iterations
        is_last = is_last or has_converged(self.reliable_shares, self.config)
        return is_last or self.iteration % every == 0

    def _initialize(self, settings: LiveSettings) -> Iterator[Event]:
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

    def _extract(self) -> Generator[Event, None, FloatArray]:
        if self.features is not None:
            return self.features
        return (yield from self._features_of(self.current, self.pixels, "extract"))

    def _cluster(
        self, features: FloatArray, settings: LiveSettings
    ) -> Generator[Event, None, Clustering]:
        yield self.steps.progress("cluster")
        with self.steps.timed("cluster"):
            # The baseline clusters as iteration 1 will, so that its map shows what comes.
            seed = derive_seed(self.config.seed, "cluster", max(1, self.iteration))
            links = find_links(features, settings, config=self.config, footage=self.footage)
            return cluster_images(
                features,
                n_clusters=fit_n_clusters(settings.n_clusters, links),
                seed=seed,
                config=self.config,
                links=links,
            )

    def _select(
        self, features: FloatArray, clustering: Clustering, settings: LiveSettings
    ) -> Generator[Event, None, Selection]:
        yield self.steps.progress("select")
        with self.steps.timed("select"):
            return select_reliable(
                features,
                clustering.clusters,
                clustering.centers,
                lambda_=settings.lambda_,
                selection=self.config.selection,
                camids=self.camids if self.config.camera_diversity else None,
                annotated=settings.annotations,
                left_out=settings.left_out,
                sides=self.footage.sides if self.footage else None,
            )

    def _project(self, features: FloatArray) -> Iterator[Event]:
        previous = self.points if len(self.points) == len(features) else None
        is_kept = previous is not None and not self._is_due(self.config.map_every)
        if not self.config.projection or is_kept:
            return
        yield self.steps.progress("project")
        with self.steps.timed("project"):
            seed = derive_seed(self.config.seed, "project")
            self.points = project(features, seed=seed, previous_points=previous)

    def _finetune(self, result: IterationResult) -> Generator[Event, None, tuple[float, ...]]:
        """Draw a new w and fine-tune a copy of θ_o, or of the last θ_t."""
        start = self.original if self.config.restart_from == "original" else self.current
        features = result.features if start is self.current else None
        self.current, self.features = copy.deepcopy(start), None
        seed = derive_seed(self.config.seed, "finetune", self.iteration)
        outliers = np.flatnonzero(result.clustering.clusters < 0)
        trained = yield from self._train(
            self.current, result.pseudo_labels, "finetune", seed, features, outliers
        )
        return trained.epoch_losses

    def _evaluate(
        self,
    ) -> Generator[Event, None, tuple[RetrievalMetrics | None, IterationRankings | None]]:
        data = self.evaluation
        if data is None or not len(data.query_pids) or not len(data.gallery_pids):
            return None, None
        if not self._is_due(self.config.evaluate_every):
            return None, None
        query = yield from self._features_of(self.current, data.query_pixels, "evaluate")
        gallery = yield from self._features_of(self.current, data.gallery_pixels, "evaluate")
        with self.steps.timed("evaluate"):
            query, gallery = l2_normalize(query), l2_normalize(gallery)
            lists = RankedLists(len(query), len(gallery))
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
                side_aware=self.config.evaluation.side_aware,
                sides=data.sides,
                watch=lists.add,
            )
        return evaluation.to_metrics(), lists.to_rankings(evaluation)

    def _validate(self, settings: LiveSettings) -> Generator[Event, None, RetrievalMetrics | None]:
        """Measure on the identities that people chose for validation."""
        images = make_validation_set(settings.validation, self.camids)
        if images is None:
            return None
        pixels = self.pixels[images.rows]
        features = yield from self._features_of(self.current, pixels, "validate")
        sides = self.footage.sides[images.rows] if self.footage else None
        return evaluate_validation(features, images, self.config.evaluation, sides)

    def _finished(self, result: IterationResult) -> IterationFinished:
        record = result.to_record(
            evaluation=self.evaluation,
            seconds=self.steps.take_seconds(),
            seed=self.config.seed,
            device=self.device,
        )
        return IterationFinished(record, result.to_arrays(), self.current, result.rankings)

    def _features_of(
        self, network: Network, pixels: ByteArray, step: str
    ) -> Generator[Event, None, FloatArray]:
        batches = extract_steps(
            network, pixels, device=self.device, precision=self.config.extraction_precision
        )
        return (
            yield from self.steps.drive(
                step,
                batches,
                lambda done: self.steps.progress(step, done=done, total=len(pixels)),
            )
        )

    def _train(
        self,
        network: Network,
        pseudo_labels: IntArray,
        step: str,
        seed: int,
        features: FloatArray | None = None,
        outliers: IntArray | None = None,
    ) -> Generator[Event, None, FinetuneResult]:
        if features is None and load_loss(self.config.finetune.loss).needs_features:
            features = yield from self._features_of(network, self.pixels, step)
        batches = finetune_steps(
            network,
            self.pixels,
            pseudo_labels,
            self.config.finetune,
            seed=seed,
            device=self.device,
            features=features,
            camids=self.camids,
            outliers=outliers,
            n_epochs_before=max(0, self.iteration - 1) * self.config.finetune.n_epochs,
        )
        return (
            yield from self.steps.drive(
                step,
                batches,
                lambda done: self.steps.progress(
                    step,
                    done=done.step,
                    total=done.n_steps,
                    epoch=done.epoch,
                    n_epochs=done.n_epochs,
                    loss=done.loss,
                ),
            )
        )
