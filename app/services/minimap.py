"""The mini-map beside a card: its images among their neighbours, as the network sees them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pul.arrays import FloatArray

N_AROUND = 220
_VIEW = 1000  # coordinates run from 0 to this

Rows = NDArray[np.int64]
Point = tuple[int, int]


@dataclass(frozen=True, slots=True)
class View:
    """The square of the map that the mini-map shows."""

    low: NDArray[np.float32]
    size: float

    def places(self, points: NDArray[np.float32]) -> list[Point]:
        """Return the positions of points on the mini-map, clipped to its edges."""
        found = np.clip((points - self.low) / self.size * _VIEW, 0, _VIEW).astype(np.int64)
        return [(x, y) for x, y in found.tolist()]


def view_of(points: FloatArray, chosen: Rows, candidates: Sequence[Rows]) -> View | None:
    """Return the square around a card and its first candidates; None without a map.

    Args:
        points: The map, shape (N, 2), or (0, 2).
        chosen: Rows of the images that are chosen.
        candidates: Rows of each candidate.
    """
    if not len(points) or not len(chosen):
        return None
    shown = np.concatenate([chosen, *(group[:1] for group in candidates[:9])])
    # Quantiles, so that one outlier does not shrink the rest.
    low, high = np.quantile(points[shown], (0.1, 0.9), axis=0)
    size = max(float((high - low).max()) * 1.4, float(np.ptp(points, axis=0).max()) / 20, 1e-6)
    return View(((low + high - size) / 2).astype(np.float32), size)


def _inside(points: FloatArray, view: View) -> Rows:
    within = (points >= view.low) & (points <= view.low + view.size)
    return np.flatnonzero(within.all(axis=1))


def around(points: FloatArray, owners: Rows, rows: Rows, view: View | None) -> tuple[Point, ...]:
    """Return the places of unlabelled images, those of the card left out.

    Args:
        points: The map, shape (N, 2).
        owners: Identity of each image, 0 or less for none, shape (N,).
        rows: Rows of the card.
        view: What the mini-map shows; None without a map.
    """
    if view is None:
        return ()
    others = _inside(points, view)
    others = others[(owners[others] <= 0) & ~np.isin(others, rows)]
    step = max(1, -(-len(others) // N_AROUND))
    return tuple(view.places(points[others[::step]]))


def identities_in(
    points: FloatArray, owners: Rows, view: View | None
) -> tuple[tuple[int, int, int], ...]:
    """Return the places of labelled images, and the identity of each.

    Args:
        points: The map, shape (N, 2).
        owners: Identity of each image, 0 or less for none, shape (N,).
        view: What the mini-map shows; None without a map.
    """
    if view is None:
        return ()
    labelled = _inside(points, view)
    labelled = labelled[owners[labelled] > 0][:N_AROUND]
    places = view.places(points[labelled])
    return tuple(
        (*place, owner) for place, owner in zip(places, owners[labelled].tolist(), strict=True)
    )
