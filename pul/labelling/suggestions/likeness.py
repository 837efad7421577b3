"""How alike two images or two tracklets are, across cameras, and what the clock adds."""

from typing import NamedTuple

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from pul.arrays import BoolArray, FloatArray, IntArray, l2_normalize
from pul.data.footage import Footage, find_tracklets
from pul.labelling.suggestions.clocks import Clocks, learn_clocks, unset_clocks
from pul.labelling.suggestions.groups import Groups, group
from pul.labelling.suggestions.sides import shown_sides, sides_of

ONE_PERSON = 0.55  # mean affinity from which tracklets are taken for one person
_FAR = 1e6  # distance of what is never compared: one such pair keeps any two bundles apart


class Tracklets(NamedTuple):
    """The tracklets of an iteration: S of them, one person at one camera in one moment each.

    Attributes:
        groups: Images by tracklet.
        means: Mean embedding, L2-normalised, shape (S, P).
        clocks: What the time between them is worth.
        sides: Which sides each shows, shape (S, V); those without a common one are not compared.
    """

    groups: Groups
    means: FloatArray
    clocks: Clocks
    sides: BoolArray

    def affinities(self, left: IntArray, right: IntArray | None = None) -> FloatArray:
        """Return how alike tracklets are: their cosine, and what clocks add.

        Args:
            left: Tracklets, shape (A,).
            right: Others, shape (B,); all of them where None, without copying their means.

        Returns:
            Affinities, shape (A, B), float32; minus infinity where they show no common side.
        """
        means = self.means if right is None else self.means[right]
        affinities: FloatArray = self.means[left] @ means.T
        affinities += self.clocks.bonus(left, right)
        if self.sides.shape[1] > 1:
            others = self.sides if right is None else self.sides[right]
            affinities[~(self.sides[left] @ others.T)] = -np.inf
        return affinities

    def bundle(self, tracklets: IntArray, *, least: float) -> IntArray:
        """Group tracklets whose mean affinity is at least so high (average linkage).

        Returns:
            Number of each tracklet's bundle, shape (A,).
        """
        if len(tracklets) < 2:
            return np.zeros(len(tracklets), dtype=np.int64)
        distances = 2.0 - self.affinities(tracklets, tracklets).astype(np.float64)
        distances[np.isposinf(distances)] = _FAR
        tree = linkage(squareform(distances, checks=False), method="average")
        bundles: IntArray = fcluster(tree, 2.0 - least, criterion="distance").astype(np.int64) - 1
        return bundles


def make_tracklets(embedding: FloatArray, footage: Footage) -> Tracklets:
    """Find the tracklets of a set of images, and learn what time between them is worth."""
    groups = group(find_tracklets(embedding, footage))
    first = groups.rows[groups.starts[:-1]]
    frames = np.where(footage.frames < 0, np.nan, footage.frames)
    times = np.bincount(groups.of, frames, len(first)) / groups.sizes()
    means, cameras = mean_of(embedding, groups), footage.camids[first]
    clocks = learn_clocks(unset_clocks(cameras, footage.recordings[first], times), means, cameras)
    return Tracklets(groups, means, clocks, sides_of(shown_sides(footage.sides), groups))


def mean_of(embedding: FloatArray, groups: Groups) -> FloatArray:
    """Return the mean embedding of each group, L2-normalised, shape (G, P)."""
    return l2_normalize(sum_of(embedding, groups))


def sum_of(embedding: FloatArray, groups: Groups) -> FloatArray:
    """Return the sum of the embeddings of each group, shape (G, P)."""
    sums: FloatArray = np.add.reduceat(embedding[groups.rows], groups.starts[:-1], axis=0)
    return sums
