"""Vectors in cells around pivots: what lies near is found without a comparison with all."""

from typing import NamedTuple

import numpy as np

from pul.arrays import FloatArray, IntArray, row_blocks, rows_within

_BLOCK_BYTES = 32 << 20
_N_PROBED = 32  # cells around a cell


class Cells(NamedTuple):
    """V vectors, each in the cell of its nearest pivot. C pivots.

    Attributes:
        pivots: L2-normalised, shape (C, P).
        of: Cell of each vector, shape (V,).
        rows: Vectors by cell.
        starts: Where each cell begins in `rows`, and at last where the last one ends.
    """

    pivots: FloatArray
    of: IntArray
    rows: IntArray
    starts: IntArray

    def around(self, cell: int) -> IntArray:
        """Return the rows of a cell and of those around it, ascending."""
        cosines = self.pivots @ self.pivots[cell]
        n = min(_N_PROBED, len(cosines))
        return self._rows(np.argpartition(-cosines, n - 1)[:n])

    def _rows(self, cells: IntArray) -> IntArray:
        parts = [self.rows[self.starts[cell] : self.starts[cell + 1]] for cell in cells.tolist()]
        return np.sort(np.concatenate(parts))


def make_cells(vectors: FloatArray, pivots: FloatArray) -> Cells:
    """Put vectors of shape (V, P) into the cells of pivots of shape (C, P), both L2-normalised."""
    of = np.empty(len(vectors), dtype=np.int64)
    for rows in row_blocks(len(vectors), rows_within(_BLOCK_BYTES, len(pivots))):
        of[rows] = (vectors[rows] @ pivots.T).argmax(axis=1)
    rows_by_cell = np.argsort(of, kind="stable")
    starts = np.searchsorted(of[rows_by_cell], np.arange(len(pivots) + 1))
    return Cells(np.array(pivots), of, rows_by_cell, starts)
