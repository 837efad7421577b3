"""All that suggestions need of one iteration, computed once so that a card takes milliseconds."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pul.arrays import BoolArray, FloatArray, IntArray, drop_pages, row_blocks, rows_within
from pul.data.footage import Footage
from pul.labelling.annotations import Annotations
from pul.labelling.suggestions.answers import Answers, AnswersMemory
from pul.labelling.suggestions.calibration import Answered, Calibration, CalibrationMemory
from pul.labelling.suggestions.groups import Groups, group
from pul.labelling.suggestions.likeness import Tracklets
from pul.labelling.suggestions.sides import shown_sides, sides_of

_MOST_MAPPED = 64 << 20  # bytes of an array that may stay in memory
_NEAR = 8_192  # tracklets that a person is compared with where there are very many
_BLOCK_BYTES = 32 << 20


@dataclass(frozen=True)
class SuggestionIndex:
    """One iteration, prepared for suggestions. N images, K clusters, S tracklets, B bundles.

    A tracklet is one person at one camera in one moment. A bundle is tracklets of one cluster that
    look like one person: what a card proposes.

    Large arrays may be mapped from the disk: a card reads the rows that it needs.

    Attributes:
        image_ids: Number of each image in the store, shape (N,), ascending.
        footage: Where and when they were taken.
        embedding: What likeness is judged by, L2-normalised, shape (N, P).
        clusters: Cluster of each image, shape (N,).
        similarities: Cosine of each image to its cluster's center, shape (N,).
        lambda_: λ of the iteration; None where all are reliable.
        tracklets: The tracklets.
        cluster_of: The cluster with most of a tracklet's images, shape (S,).
        by_cluster: Tracklets by cluster; clusters without a tracklet are left out.
        sketch: The dimensions of each tracklet's mean that say most, shape (S, Q), to find those
            near a person; (0, Q) where there are so few that all are compared.
        moments: Images by camera, recording and frame; those without a frame are alone.
        bundles: Tracklets by bundle.
        images: Images by bundle.
        means: Mean embedding of each bundle, L2-normalised, shape (B, P).
        sides: Sides that each bundle shows, shape (B, V); those without a common one are never
            compared. V is 1 where all are.
        cohesion: Mean affinity within each bundle, shape (B,).
        n_cameras: Cameras of each bundle, shape (B,).
        doubts: What makes an answer change much, by its reason, each of shape (B,), in [0, 1].
        rehearsed: What the clustering answers to candidates, for `calibration`.
    """

    image_ids: IntArray
    footage: Footage
    embedding: FloatArray
    clusters: IntArray
    similarities: FloatArray
    lambda_: float | None
    tracklets: Tracklets
    cluster_of: IntArray
    by_cluster: Groups
    sketch: FloatArray
    moments: Groups
    bundles: Groups
    images: Groups
    means: FloatArray
    sides: BoolArray
    cohesion: FloatArray
    n_cameras: IntArray
    doubts: dict[str, FloatArray]
    rehearsed: Answered
    _memory: AnswersMemory = field(default_factory=AnswersMemory, compare=False, repr=False)
    _calibrations: CalibrationMemory = field(
        default_factory=CalibrationMemory, compare=False, repr=False
    )

    def rows_of(self, images: IntArray) -> IntArray:
        """Return the row of each image, leaving out those that this iteration does not have."""
        rows = np.searchsorted(self.image_ids, images)
        rows = np.minimum(rows, len(self.image_ids) - 1)
        found: IntArray = rows[self.image_ids[rows] == images]
        return found

    def answers(self, annotations: Annotations) -> Answers:
        """Return what annotations say about these images, computed once for each state of them."""
        return self._memory.read(annotations, self.image_ids, self.embedding)

    def free(self, annotations: Annotations) -> BoolArray:
        """Return which images nobody judged yet, shape (N,); not to be changed."""
        return self.answers(annotations).free

    def calibration(self, annotations: Annotations) -> Calibration:
        """Return how sure a likeness is, by what people answered and what the clustering would."""
        return self._calibrations.read(
            annotations, self.rows_of, self.tracklets, self.images.of, self.rehearsed
        )

    def identity_means(self, annotations: Annotations) -> FloatArray:
        """Return the mean embedding of each identity, by their numbers, shape (L, P)."""
        return self.answers(annotations).means

    def sides_shown(self, rows: IntArray) -> BoolArray:
        """Return the sides that images show, shape (R, V); all where it is not known."""
        return shown_sides(self.footage.sides)[rows]

    def sides_of_rows(self, parts: Sequence[IntArray]) -> BoolArray:
        """Return the sides that groups of rows show, shape (G, V)."""
        if self.sides.shape[1] == 1 or not parts:
            return np.ones((len(parts), self.sides.shape[1]), dtype=np.bool_)
        numbers = np.repeat(np.arange(len(parts)), [len(rows) for rows in parts])
        return sides_of(self.sides_shown(np.concatenate(parts)), group(numbers))

    def identity_sides(self, annotations: Annotations) -> BoolArray:
        """Return the sides that each identity shows, by their numbers, shape (L, V)."""
        answers = self.answers(annotations)
        if self.sides.shape[1] == 1:
            return np.ones((len(answers.identities), 1), dtype=np.bool_)
        return self.sides_of_rows(
            [np.flatnonzero(answers.owners == identity) for identity in answers.identities]
        )

    def tracklets_near(self, tracklets: IntArray, weights: IntArray) -> IntArray | None:
        """Return the 8,192 tracklets that are likest to some, by their sketches; None for all.

        Of the 60 likest of 180,000 tracklets, 98 % are among them, and all of the first ten.

        Args:
            tracklets: What to look for, shape (A,).
            weights: Images of each.
        """
        if not len(self.sketch):
            return None
        likeness = np.empty(len(self.sketch), dtype=np.float32)
        wanted = weights.astype(np.float32) @ self.sketch[tracklets]
        for rows in row_blocks(len(self.sketch), rows_within(_BLOCK_BYTES, self.sketch.shape[1])):
            likeness[rows] = self.sketch[rows] @ wanted
        near = np.argpartition(-likeness, _NEAR)[:_NEAR]
        return np.union1d(near, tracklets)

    def drop_pages(self) -> None:
        """Let go of what was read of the arrays, where they are mapped and large."""
        if self.embedding.nbytes > _MOST_MAPPED:
            drop_pages(self.embedding, self.tracklets.means, self.means, self.sketch)

    def clusters_of_bundles(self) -> IntArray:
        """Return the cluster that each bundle was cut from, shape (B,)."""
        clusters: IntArray = self.cluster_of[self.bundles.rows[self.bundles.starts[:-1]]]
        return clusters
