"""How alike two images or two tracklets are, across cameras, and what the clock adds."""

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from pul.arrays import BoolArray, FloatArray, IntArray, l2_normalize, row_blocks, rows_within
from pul.data.footage import Footage, find_tracklets
from pul.labelling.suggestions.clocks import Clocks, learn_clocks, unset_clocks
from pul.labelling.suggestions.groups import Groups, group
from pul.labelling.suggestions.sides import bar_other_sides, shown_sides, sides_of

ONE_PERSON = 0.55  # mean affinity from which tracklets are taken for one person
_FAR = 1e6  # distance of what is never compared: one such pair keeps any two bundles apart
_MOST_LINKED = 4096  # tracklets that are compared with each other: 128 MiB
_BLOCK_BYTES = 32 << 20

Allocate = Callable[[str, tuple[int, int]], FloatArray]


def in_memory(_name: str, shape: tuple[int, int]) -> FloatArray:
    """Return a new array for a large part of an index; others put it on the disk by its name."""
    return np.empty(shape, dtype=np.float32)


class Tracklets(NamedTuple):
    """The tracklets of an iteration: S of them, one person at one camera in one moment each.

    Attributes:
        groups: Images by tracklet.
        means: Mean embedding, L2-normalised, shape (S, P).
        clocks: What the time between them is worth.
        sides: Sides that each shows, shape (S, V); those without a common one are not compared.
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
        others = self.sides if right is None else self.sides[right]
        return bar_other_sides(affinities, self.sides[left], others)

    def compare(
        self, person: IntArray, n_images: IntArray, others: IntArray | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Compare tracklets with a person, who looks different from camera to camera.

        Args:
            person: Tracklets of the person, shape (A,).
            n_images: Images of each of them, which weigh alike, shape (A,).
            others: Tracklets that are compared, shape (B,); all where None.

        Returns:
            The mean affinity of each to all the person's tracklets, and the highest one, shapes
            (B,), float32; where no side is common, 0 and minus infinity. Half of each is the
            likeness by which candidates rank.
        """
        affinities = self.affinities(person, others)
        is_compared = np.isfinite(affinities)  # all, unless sides differ
        weights = n_images.astype(np.float32)
        sums = weights @ np.where(is_compared, affinities, 0.0)
        mean = np.asarray(sums / np.maximum(weights @ is_compared, 1), dtype=np.float32)
        return mean, affinities.max(axis=0, initial=-np.inf)

    def bundle(self, tracklets: IntArray, *, least: float) -> IntArray:
        """Group tracklets whose mean affinity is at least so high (average linkage).

        Of more than 4,096 of them, halves along their widest direction are grouped by themselves.

        Returns:
            Number of each tracklet's bundle, shape (A,).
        """
        if len(tracklets) < 2:
            return np.zeros(len(tracklets), dtype=np.int64)
        if len(tracklets) > _MOST_LINKED:
            return self._bundle_halves(tracklets, least)
        distances = 2.0 - self.affinities(tracklets, tracklets).astype(np.float64)
        distances[np.isposinf(distances)] = _FAR
        tree = linkage(squareform(distances, checks=False), method="average")
        bundles: IntArray = fcluster(tree, 2.0 - least, criterion="distance").astype(np.int64) - 1
        return bundles

    def _bundle_halves(self, tracklets: IntArray, least: float) -> IntArray:
        order = np.argsort(_along_widest(self.means, tracklets), kind="stable")
        halves = order[: len(order) // 2], order[len(order) // 2 :]
        bundles = np.empty(len(tracklets), dtype=np.int64)
        n_bundles = 0
        for half in halves:
            bundles[half] = self.bundle(tracklets[half], least=least) + n_bundles
            n_bundles = int(bundles[half].max()) + 1
        return bundles


def make_tracklets(
    embedding: FloatArray, footage: Footage, *, allocate: Allocate = in_memory
) -> Tracklets:
    """Find the tracklets of a set of images, and learn what time between them is worth."""
    groups = group(find_tracklets(embedding, footage))
    first = groups.rows[groups.starts[:-1]]
    frames = np.where(footage.frames < 0, np.nan, footage.frames)
    times = np.bincount(groups.of, frames, len(first)) / groups.sizes()
    means, cameras = embedding, footage.camids[first]  # where each image is alone
    if len(first) < len(embedding):
        shape = (len(first), embedding.shape[1])
        means = mean_of(embedding, groups, out=allocate("tracklet_means", shape))
    clocks = learn_clocks(unset_clocks(cameras, footage.recordings[first], times), means, cameras)
    return Tracklets(groups, means, clocks, sides_of(shown_sides(footage.sides), groups))


def _along_widest(means: FloatArray, tracklets: IntArray) -> FloatArray:
    """Return where tracklets lie along the direction in which they differ most, shape (A,)."""
    blocks = [tracklets[rows] for rows in row_blocks(len(tracklets), _MOST_LINKED)]
    center = sum(means[block].sum(axis=0) for block in blocks) / len(tracklets)
    spread = sum((means[block] - center).T @ (means[block] - center) for block in blocks)
    widest = np.linalg.eigh(spread)[1][:, -1]
    return np.concatenate([means[block] @ widest for block in blocks])


def mean_of(embedding: FloatArray, groups: Groups, *, out: FloatArray | None = None) -> FloatArray:
    """Return the mean embedding of each group, L2-normalised, shape (G, P).

    Args:
        embedding: Shape (N, P); it is read a block at a time.
        groups: Groups of its rows.
        out: Where to put the means, shape (G, P); a new array if None.
    """
    n_groups = len(groups.starts) - 1
    if out is None:
        out = np.empty((n_groups, embedding.shape[1]), dtype=np.float32)
    limits = np.arange(0, len(groups.rows), rows_within(_BLOCK_BYTES, embedding.shape[1]))
    bounds = np.unique(np.append(np.searchsorted(groups.starts[:-1], limits), n_groups))
    for low, high in pairwise(bounds.tolist()):
        starts = groups.starts[low : high + 1]
        some = embedding[groups.rows[starts[0] : starts[-1]]]
        out[low:high] = l2_normalize(np.add.reduceat(some, starts[:-1] - starts[0], axis=0))
    return out
