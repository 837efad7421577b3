"""Sides that images show: the left and the right flank of an animal are never compared."""

import numpy as np

from pul.arrays import BoolArray, FloatArray, IntArray
from pul.labelling.suggestions.groups import Groups


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
    if shown.shape[1] == 1:
        return np.ones((len(groups.starts) - 1, 1), dtype=np.bool_)
    known = shown & ~shown.all(axis=1, keepdims=True)
    found: BoolArray = np.logical_or.reduceat(known[groups.rows], groups.starts[:-1], axis=0)
    return found | ~found.any(axis=1, keepdims=True)


def bar_other_sides(cosines: FloatArray, left: BoolArray, right: BoolArray) -> FloatArray:
    """Return cosines with minus infinity where two groups have no side in common.

    Args:
        cosines: Shape (A, B); changed in place.
        left: Sides that the rows show, shape (A, V).
        right: Sides that the columns show, shape (B, V).
    """
    if left.shape[1] > 1:
        cosines[~(left @ right.T)] = -np.inf
    return cosines
