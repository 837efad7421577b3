"""Groups of images by the sides they show: the left and the right flank are never compared."""

from typing import NamedTuple

import numpy as np

from pul.arrays import BoolArray, FloatArray, IntArray, l2_normalize
from pul.labelling.suggestions.groups import Groups


class SideMeans(NamedTuple):
    """Mean embeddings of G groups, one for each of V sides.

    Attributes:
        means: L2-normalised, V of shape (G, P); a group without images of a side has zeros.
        shown: Whether a group shows a side, or none that is known, shape (V, G).
    """

    means: tuple[FloatArray, ...]
    shown: BoolArray

    def take(self, numbers: IntArray | slice) -> "SideMeans":
        """Return some of the groups."""
        return SideMeans(tuple(each[numbers] for each in self.means), self.shown[:, numbers])


def shown_sides(sides: IntArray) -> BoolArray:
    """Return in which comparisons each image takes part, shape (N, V): one for each side.

    Args:
        sides: Side of each image, shape (N,); one that is not known (-1) takes part in all.
    """
    known = np.unique(sides[sides >= 0])
    if len(known) < 2:
        return np.ones((len(sides), 1), dtype=np.bool_)
    shown: BoolArray = (sides[:, None] == known) | (sides < 0)[:, None]
    return shown


def sides_of(shown: BoolArray, groups: Groups) -> BoolArray:
    """Return in which comparisons each group takes part, shape (G, V): in those of its known sides.

    A group of which no side is known takes part in all.
    """
    known = shown & ~shown.all(axis=1, keepdims=True)
    found: BoolArray = np.logical_or.reduceat(known[groups.rows], groups.starts[:-1], axis=0)
    return found | ~found.any(axis=1, keepdims=True)


def side_means(embedding: FloatArray, groups: Groups, shown: BoolArray) -> SideMeans:
    """Return the mean embeddings of groups for each side.

    Args:
        embedding: L2-normalised, shape (N, P).
        groups: Groups of its rows, none of them empty.
        shown: What `shown_sides` returned for the rows, shape (N, V).
    """
    rows, starts = groups.rows, groups.starts[:-1]
    sorted_rows = embedding[rows]
    parts = [sorted_rows]
    if shown.shape[1] > 1:
        parts = [sorted_rows * side[rows, None] for side in shown.T]
    sums = [np.add.reduceat(part, starts, axis=0) for part in parts]
    return SideMeans(tuple(map(l2_normalize, sums)), sides_of(shown, groups).T)


def side_cosines(left: SideMeans, right: SideMeans) -> FloatArray:
    """Return the cosine of each two groups: the highest of any side that both show.

    Returns:
        Cosines, shape (A, B), float32; minus infinity where they share no side.
    """
    if len(left.means) == 1:
        return left.means[0] @ right.means[0].T
    best = np.full((left.shown.shape[1], right.shown.shape[1]), -np.inf, dtype=np.float32)
    for one, other, shows, also in zip(
        left.means, right.means, left.shown, right.shown, strict=True
    ):
        np.maximum(best, one @ other.T, out=best, where=shows[:, None] & also)
    return best
