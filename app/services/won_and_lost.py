"""Which images an iteration trains with that the one before did not, and the reverse.

No Streamlit here.
"""

from dataclasses import dataclass

import numpy as np

from app.services.cache import cached
from app.services.workspace import database_number, open_workspace
from pul.arrays import FloatArray, IntArray

N_SHOWN = 12


@dataclass(frozen=True, slots=True)
class WonAndLost:
    """What changed in the selection from one iteration to the next.

    Attributes:
        iteration: The later of the two.
        won: Ids of the images that train now and did not before; of many those whose cosine to
            the center of their cluster rose most.
        lost: Ids of those that did and no longer do; of many those whose cosine fell most.
        n_won: How many were won.
        n_lost: How many were lost.
    """

    iteration: int
    won: tuple[int, ...]
    lost: tuple[int, ...]
    n_won: int
    n_lost: int


def won_and_lost(location: str, run_id: int, iteration: int) -> WonAndLost | None:
    """Compare the selection of an iteration with that of the one before.

    Iteration 1 groups by the features of the start model, as iteration 0 does, so that there is
    nothing to compare before iteration 2.

    Raises:
        StoreError: There is no such iteration.
        ArtifactError: Arrays are missing or damaged.
    """
    if iteration < 2:
        return None
    return _compare(location, database_number(location), run_id, iteration)


@cached(maxsize=16)
def _compare(location: str, _number: int, run_id: int, iteration: int) -> WonAndLost:
    workspace = open_workspace(location)
    image_ids, _ = workspace.run_cameras(run_id)
    before, now = (
        workspace.arrays(run_id, at, "reliable", "similarities")
        for at in (iteration - 1, iteration)
    )
    gained = np.asarray(now["similarities"]) - np.asarray(before["similarities"])
    was, is_now = (np.asarray(each["reliable"], dtype=bool) for each in (before, now))
    won, lost = np.flatnonzero(is_now & ~was), np.flatnonzero(was & ~is_now)
    return WonAndLost(
        iteration,
        _first(image_ids, won, -gained),
        _first(image_ids, lost, gained),
        len(won),
        len(lost),
    )


def _first(image_ids: IntArray, rows: IntArray, order: FloatArray) -> tuple[int, ...]:
    chosen = rows[np.argsort(order[rows], kind="stable")][:N_SHOWN]
    return tuple(image_ids[chosen].tolist())
