"""What clocks say about who is who: how far apart in time one person comes by two cameras."""

from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter1d

from pul.arrays import BoolArray, DoubleArray, FloatArray, IntArray

STEP_FRAMES = 250  # width of a step in time: ten seconds of film
N_STEPS = 400  # steps to either side that are told apart; what is farther counts as this far
_N_COLUMNS = 2 * N_STEPS + 1
_SMOOTHING = 1.5  # steps
_PRIOR = 60.0  # pairs that are as frequent as chance has it: keeps rare steps near no bonus
_ROUNDS = 3
_LIKEST = 50  # tracklets of a camera among which the likest one is sought anew
_N_SAMPLED = 6_000  # tracklets that are compared with each other: bounds time and memory
_WORTH = 0.7  # standard deviations of strangers' cosines that a factor e in the odds is worth
_LEAST, _MOST = -4.0, 6.0  # bounds of the logarithm of the odds


class Clocks(NamedTuple):
    """What the time between two tracklets adds to their cosine. S tracklets, Q places, R rows.

    A place is a camera in a recording; the clocks of two places may be minutes apart.

    Attributes:
        places: Place of each tracklet, shape (S,); Q where camera or frame are not known.
        steps: Its time in units of `STEP_FRAMES`, shape (S,).
        rows: Row of `bonuses` for two places, shape (Q + 1, Q + 1); row 0 adds nothing.
        kinds: Number of each row's pair of cameras, shape (R,).
        is_timed: Whether the two places are of one recording, so that frames compare, shape (R,).
        bonuses: Bonus by the steps from the left to the right tracklet, shape (R, 2·N_STEPS + 1).
    """

    places: IntArray
    steps: IntArray
    rows: IntArray
    kinds: IntArray
    is_timed: BoolArray
    bonuses: FloatArray

    def bonus(self, left: IntArray, right: IntArray | None = None) -> FloatArray:
        """Return the bonuses of tracklets, shapes (A,) and (B,) → (A, B); B is all where None."""
        steps, places = self.steps, self.places
        if right is not None:
            steps, places = steps[right], places[right]
        columns = _columns(steps[None] - self.steps[left][:, None])
        bonuses: FloatArray = self.bonuses[self.rows[self.places[left]][:, places], columns]
        return bonuses


def unset_clocks(cameras: IntArray, recordings: IntArray, times: DoubleArray) -> Clocks:
    """Return clocks that say nothing yet.

    Args:
        cameras, recordings: Where each tracklet was seen, shape (S,).
        times: Its mean frame, shape (S,); NaN where not known.
    """
    known = ~np.isnan(times) & (cameras >= 0)
    where, found = np.unique(np.stack([recordings, cameras])[:, known], axis=1, return_inverse=True)
    places = np.full(len(times), where.shape[1], dtype=np.int64)
    places[known] = found.ravel()
    steps = np.zeros(len(times), dtype=np.int64)
    steps[known] = (times[known] - times[known].min(initial=np.inf)) // STEP_FRAMES
    rows, kinds, is_timed = _number_rows(*where)
    bonuses = np.zeros((len(kinds), _N_COLUMNS), dtype=np.float32)
    return Clocks(places, steps, rows, kinds, is_timed, bonuses)


def learn_clocks(clocks: Clocks, means: FloatArray, cameras: IntArray) -> Clocks:
    """Learn without labels what the time between two tracklets says about being one person.

    Tracklets that are each other's likest in their cameras are one person more often than others.
    Times between them that are more frequent than among all pairs get a bonus, and with it the
    likest ones are sought anew. Where clocks do not agree, no time is more frequent.

    Args:
        clocks: Clocks that say nothing yet.
        means: Mean embedding of each tracklet, L2-normalised, shape (S, P).
        cameras: Camera of each tracklet, shape (S,).
    """
    if (clocks.places < len(clocks.rows) - 1).sum() < 2:
        return clocks
    some = np.arange(len(means))
    if len(some) > _N_SAMPLED:
        some = np.sort(np.random.default_rng(0).choice(some, _N_SAMPLED, replace=False))
    sample = clocks._replace(places=clocks.places[some], steps=clocks.steps[some])
    likest, cosines, spread = _likest(means[some], cameras[some])
    chance = _count_all(sample)
    for _ in range(_ROUNDS):
        found = _count(sample, *_mutual(sample, likest, cosines, cameras[some]))
        bonuses = _WORTH * spread * _log_odds(sample, found, chance)
        sample = sample._replace(bonuses=bonuses.astype(np.float32))
    return clocks._replace(bonuses=sample.bonuses)


def _columns(apart: IntArray) -> IntArray:
    columns: IntArray = np.clip(apart, -N_STEPS, N_STEPS) + N_STEPS
    return columns


def _number_rows(recordings: IntArray, cameras: IntArray) -> tuple[IntArray, IntArray, BoolArray]:
    """Number the pairs of places, those of two recordings by their cameras alone; 0 is for none."""
    left, right = (x.ravel() for x in np.indices((len(cameras), len(cameras))))
    is_timed = recordings[left] == recordings[right]
    kinds = np.unique(np.stack([cameras[left], cameras[right]]), axis=1, return_inverse=True)[1]
    keys = np.stack([np.where(is_timed, recordings[left], -1), kinds.ravel(), is_timed])
    _, first, numbers = np.unique(keys, axis=1, return_index=True, return_inverse=True)
    rows = np.zeros((len(cameras) + 1, len(cameras) + 1), dtype=np.int64)
    rows[:-1, :-1] = numbers.reshape(len(cameras), len(cameras)) + 1
    none = kinds.max(initial=-1) + 1
    return rows, np.append(none, kinds[first]), np.append(False, is_timed[first])


def _likest(means: FloatArray, cameras: IntArray) -> tuple[list[IntArray], list[FloatArray], float]:
    """Return the likest tracklets of each camera, with their cosines, and the strangers' spread.

    Returns:
        For each camera (S, ≤ 50) tracklets and cosines; and the standard deviation of the cosines
        of tracklets of two cameras, nearly all of which are strangers.
    """
    likest, cosines, variances = [], [], [0.0]
    for camera in np.unique(cameras):
        columns = np.flatnonzero(cameras == camera)
        table = means @ means[columns].T
        if len(columns) < len(cameras):
            variances.append(float(table[cameras != camera].var()))
        table[columns, np.arange(len(columns))] = -2.0  # itself
        n = min(_LIKEST, len(columns))
        places = np.argpartition(-table, n - 1, axis=1)[:, :n]
        likest.append(columns[places])
        cosines.append(np.take_along_axis(table, places, axis=1))
    return likest, cosines, float(np.sqrt(np.mean(variances[1:] or variances)))


def _mutual(
    clocks: Clocks, likest: list[IntArray], cosines: list[FloatArray], cameras: IntArray
) -> tuple[IntArray, IntArray]:
    """Return the pairs of tracklets that are each other's likest one in their cameras."""
    everyone = np.arange(len(cameras))
    best = np.empty((len(likest), len(cameras)), dtype=np.int64)
    for number, (columns, table) in enumerate(zip(likest, cosines, strict=True)):
        apart = clocks.steps[columns] - clocks.steps[:, None]
        rows = clocks.rows[clocks.places[:, None], clocks.places[columns]]
        highest = (table + clocks.bonuses[rows, _columns(apart)]).argmax(axis=1)
        best[number] = columns[everyone, highest]
    left, right = np.tile(everyone, len(best)), best.ravel()
    number_of = np.unique(cameras, return_inverse=True)[1]
    mutual = (best[number_of[left], right] == left) & (left < right)
    return left[mutual], right[mutual]


def _count(clocks: Clocks, left: IntArray, right: IntArray) -> DoubleArray:
    """Count pairs of tracklets, both ways round, by row and step, shape (R, 2·N_STEPS + 1)."""
    counts = np.zeros(clocks.bonuses.shape)
    for one, other in ((left, right), (right, left)):
        rows = clocks.rows[clocks.places[one], clocks.places[other]]
        np.add.at(counts, (rows, _columns(clocks.steps[other] - clocks.steps[one])), 1)
    return counts


def _count_all(clocks: Clocks) -> DoubleArray:
    """Count all pairs of two tracklets, as `_count` would."""
    counts = np.zeros(clocks.bonuses.shape)
    crowds = [
        np.bincount(clocks.steps[clocks.places == place]).astype(np.float64)
        for place in range(len(clocks.rows) - 1)
    ]
    for one, other in np.argwhere(clocks.rows[:-1, :-1]).tolist():
        row = clocks.rows[one, other]
        if not clocks.is_timed[row]:
            counts[row, N_STEPS] += crowds[one].sum() * crowds[other].sum()
        elif len(crowds[one]) and len(crowds[other]):
            apart = np.arange(1 - len(crowds[one]), len(crowds[other]))
            among = np.correlate(crowds[other], crowds[one], "full")
            np.add.at(counts[row], _columns(apart), among)
            counts[row, N_STEPS] -= crowds[one].sum() if one == other else 0  # with itself
    return counts


def _log_odds(clocks: Clocks, found: DoubleArray, chance: DoubleArray) -> DoubleArray:
    """Return how much more frequent a step is among the found pairs than among all, in logarithms.

    Shares are those of a pair of cameras, over all recordings.
    """
    found, chance = (_smooth(counts, clocks.is_timed) for counts in (found, chance))
    n_found, n_all = (np.bincount(clocks.kinds, c.sum(axis=1)) for c in (found, chance))
    expected = chance / np.maximum(n_all, 1)[clocks.kinds][:, None]
    expected[0] = 0  # of places that are not known
    shares = (found + _PRIOR * expected) / (n_found[clocks.kinds] + _PRIOR)[:, None]
    odds = np.divide(shares, expected, out=np.ones_like(shares), where=expected > 1e-12)
    return np.clip(np.log(odds), _LEAST, _MOST)


def _smooth(counts: DoubleArray, is_timed: BoolArray) -> DoubleArray:
    """Let near steps count too; between recordings, where no time compares, all steps alike."""
    smooth: DoubleArray = gaussian_filter1d(counts, _SMOOTHING, axis=1, mode="constant")
    flat = counts.mean(axis=1, keepdims=True)
    return np.where(is_timed[:, None], smooth, flat)
