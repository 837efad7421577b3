"""Rows in groups, both ways round."""

from typing import NamedTuple

import numpy as np

from pul.arrays import IntArray


class Groups(NamedTuple):
    """Rows 0, 1, ... in groups 0, 1, ..., none of them empty.

    Attributes:
        of: Group of each row.
        rows: Rows by group; within a group ascending.
        starts: Where each group begins in `rows`, and at last where the last one ends.
    """

    of: IntArray
    rows: IntArray
    starts: IntArray

    def members(self, number: int) -> IntArray:
        """Return the rows of one group, ascending."""
        return self.rows[self.starts[number] : self.starts[number + 1]]

    def members_of(self, numbers: IntArray) -> IntArray:
        """Return the rows of several groups, group by group."""
        parts = [self.members(int(number)) for number in numbers]
        return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)

    def sizes(self) -> IntArray:
        """Return the number of rows of each group."""
        return np.diff(self.starts)


def group(of: IntArray) -> Groups:
    """Make groups of what each row belongs to; groups are renumbered so that none is empty."""
    of = np.unique(of, return_inverse=True)[1].astype(np.int64)
    rows = np.argsort(of, kind="stable")
    starts = np.searchsorted(of[rows], np.arange(of.max(initial=-1) + 2))
    return Groups(of, rows, starts)
