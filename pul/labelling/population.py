"""How many people are there? An estimate with an interval, from a few minutes of pair answers."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.stats import t

from pul.arrays import DoubleArray, IntArray
from pul.errors import ConfigError

CONFIDENCE = 0.95
# 192 questions: five minutes at 1.55 s each. On Market-1501 with a weak model, 24 × 8 covered the
# truth in none of twelve draws, 12 × 16 in nine, 8 × 24 in all.
N_UNITS, N_OTHERS = 8, 24
_LEAST = 1e-9  # likelihood: a unit that is like nobody is compared with anybody

Similarity = Callable[[int], DoubleArray]


class Plan(NamedTuple):
    """The pairs to ask about: N draws of a unit, and M draws of others for each.

    A unit is an image, or images that surely show one person.

    Attributes:
        units: Units drawn, shape (N,), with repetition.
        unit_weights: One by the probability of drawing each, shape (N,).
        others: Units drawn to be compared with each, shape (N, M), each once.
        other_weights: One by the chance of each to be among them, shape (N, M).
    """

    units: IntArray
    unit_weights: DoubleArray
    others: IntArray
    other_weights: DoubleArray

    def first(self, n_units: int) -> "Plan":
        """Return the plan up to so many draws of a unit."""
        return Plan(
            self.units[:n_units],
            self.unit_weights[:n_units],
            self.others[:n_units],
            self.other_weights[:n_units],
        )


class Population(NamedTuple):
    """An estimate of how many people there are.

    Attributes:
        n_people: The estimate.
        low, high: Its 95 % interval.
        n_units: Draws of a unit that it rests on.
    """

    n_people: float
    low: float
    high: float
    n_units: int


def draw_plan(
    chances: DoubleArray,
    similarity: Similarity,
    *,
    n_units: int = N_UNITS,
    n_others: int = N_OTHERS,
    seed: int = 0,
) -> Plan:
    """Draw which pairs to ask about. S units.

    Args:
        chances: How likely each unit is drawn, relative to the others, shape (S,), over 0: best
            where it is one by the number of units of its person.
        similarity: Given a unit, returns how likely each unit shows the same person, shape (S,), in
            [0, 1]: what is near 0 is hardly ever compared with it, so it should be so only where
            sure. The value of the unit itself is ignored.
        n_units: Draws of a unit, N.
        n_others: Others for each, M; all where there are fewer.
        seed: Seed of the draws.

    Raises:
        ConfigError: Fewer than two units, or a chance that is not over 0.
    """
    if len(chances) < 2 or not (np.isfinite(chances) & (chances > 0)).all():
        raise ConfigError("Counting needs at least two units, each with a chance over 0.")
    random = np.random.default_rng(seed)
    chances = chances / chances.sum()
    units = random.choice(len(chances), n_units, p=chances)
    n_others = min(n_others, len(chances) - 1)
    others = np.empty((n_units, n_others), dtype=np.int64)
    weights = np.empty((n_units, n_others))
    for place, unit in enumerate(units.tolist()):
        likely = np.maximum(similarity(unit), _LEAST)
        likely[unit] = 0
        chance = _inclusion(likely, n_others)
        others[place] = _draw(chance, n_others, random)
        weights[place] = 1 / chance[others[place]]
    return Plan(units, 1 / chances[units], others, weights)


def estimate(plan: Plan, is_same: DoubleArray) -> Population | None:
    """Estimate the number of people from answers.

    A person with d units is d units that count 1 / d each. For a unit u drawn with probability
    q(u), d is 1 + the sum of same(u, v) / p(v | u) over the others v drawn, where p is the chance
    of v to be among them; and the number of people is the mean of 1 / (q(u) · d). That is published
    with others drawn with repetition; without it no pair is asked twice, and the likest others are
    asked for sure, so that d varies less.

    Args:
        plan: The pairs.
        is_same: 1 where a pair shows one person, 0 where it does not, NaN where that is not known,
            shape (N, M). Units without a single answer are left out.

    Returns:
        The estimate, with the interval of Student's t; None where fewer than two units are
        answered.

    References:
        Perez, Sheldon, Van Horn and Maji, Human-in-the-Loop Visual Re-ID for Population Size
        Estimation, 2024.
    """
    is_known = ~np.isnan(is_same)
    n_known = is_known.sum(axis=1)
    answered = n_known > 0
    n_units = int(answered.sum())
    if n_units < 2:
        return None
    hits = np.where(is_known, is_same * plan.other_weights, 0.0).sum(axis=1)
    degrees = 1 + hits[answered] * is_same.shape[1] / n_known[answered]
    counts = plan.unit_weights[answered] / degrees
    mean, error = counts.mean(), counts.std(ddof=1) / np.sqrt(n_units)
    reach = t.ppf((1 + CONFIDENCE) / 2, n_units - 1) * error
    return Population(float(mean), float(max(1.0, mean - reach)), float(mean + reach), n_units)


def _inclusion(likely: DoubleArray, n: int) -> DoubleArray:
    """Return the chance of each unit to be among n, as it is likely, but at most 1, shape (S,)."""
    is_certain = np.zeros(len(likely), dtype=np.bool_)
    while True:
        open_ = np.where(is_certain, 0.0, likely)
        scale = (n - is_certain.sum()) / max(open_.sum(), _LEAST)
        chance = np.where(is_certain, 1.0, scale * open_)
        is_over = ~is_certain & (chance >= 1)
        if not is_over.any():
            return chance
        is_certain |= is_over


def _draw(chance: DoubleArray, n: int, random: np.random.Generator) -> IntArray:
    """Draw n different units, each with its chance: systematic sampling in a random order."""
    order = random.permutation(np.flatnonzero(chance > 0))
    ends = np.cumsum(chance[order])
    marks = (np.arange(n) + random.random()) * (ends[-1] / n)
    drawn: IntArray = order[np.minimum(np.searchsorted(ends, marks, side="right"), len(order) - 1)]
    return drawn
