"""How sure a likeness is: the probability that images show a person, learnt from answers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import Lock
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from pul.arrays import BoolArray, DoubleArray, FloatArray, IntArray
from pul.labelling.annotations import Annotations
from pul.labelling.suggestions.likeness import ONE_PERSON, Tracklets

SURE = 0.8  # probability from which candidates are joined before anyone looks
UNLIKELY = 0.05  # probability below which candidates are not shown at first
_ENOUGH = 60  # answers, of some five people, from which that is known

WIDTH = 0.15  # of likeness that is one unit of the curve
_USUAL = np.array([1.0, 1.0, 0.0])  # nothing known: 50 % at ONE_PERSON, 88 % a width above it
_SPREAD = np.array([1.0, 1.0, 2.0])  # standard deviations of this prior
_BOUNDS = [(0.0, None), (0.0, None), (None, None)]  # who is more alike is never less likely
_REHEARSED = 20.0  # answers that the clustering counts as, however many it was asked
_MOST_PEOPLE = 200  # people labelled last, whose answers count
N_CANDIDATES = 12  # in a row

RowsOf = Callable[[IntArray], IntArray]


class Compared(NamedTuple):
    """How candidates look beside a person. M of them.

    Attributes:
        mean: Mean affinity of each to all the person's tracklets, shape (M,).
        highest: The highest affinity of each to one of them, shape (M,).
    """

    mean: DoubleArray
    highest: DoubleArray


class Answered(NamedTuple):
    """Candidates that were answered. M of them.

    Attributes:
        mean, highest: As `Compared`, shape (M,).
        is_same: Whether each was the person, shape (M,).
    """

    mean: DoubleArray
    highest: DoubleArray
    is_same: BoolArray


NONE = Answered(np.empty(0), np.empty(0), np.empty(0, dtype=np.bool_))


class Calibration(NamedTuple):
    """Platt's curve from affinities to a probability.

    Attributes:
        mean, highest: Log-odds that one `WIDTH` of either is worth.
        offset: Log-odds where both are `ONE_PERSON`.
        n_answers: Answers of people that it was learnt from.
    """

    mean: float
    highest: float
    offset: float
    n_answers: int

    def probability(self, compared: Compared) -> DoubleArray:
        """Return the probability that each candidate shows the person, shape (M,)."""
        odds = self.mean * _units(compared.mean) + self.highest * _units(compared.highest)
        probability: DoubleArray = expit(odds + self.offset)
        return probability

    def are_unlikely(self, probability: DoubleArray) -> BoolArray:
        """Return which candidates need not be shown, (M,): none before there are enough answers."""
        unlikely: BoolArray = (probability < UNLIKELY) & (self.n_answers >= _ENOUGH)
        return unlikely


def gather(parts: Iterable[Answered]) -> Answered:
    """Return several answers as one."""
    return Answered(*(np.concatenate(column) for column in zip(NONE, *parts, strict=True)))


def calibrate(answered: Answered, rehearsed: Answered = NONE) -> Calibration:
    """Fit the curve: likelihood of the answers, with a prior on its slopes and offset.

    Args:
        answered: What people answered.
        rehearsed: What the clustering answers; it weighs as much as 20 answers together.

    References:
        Platt, Probabilistic Outputs for Support Vector Machines, 1999.
    """
    both = gather([answered, rehearsed])
    columns = np.stack([_units(both.mean), _units(both.highest), np.ones(len(both.mean))])
    signs = np.where(both.is_same, 1.0, -1.0)
    weights = np.ones(len(signs))
    weights[len(answered.mean) :] = min(1.0, _REHEARSED / max(1, len(rehearsed.mean)))

    def loss(curve: DoubleArray) -> tuple[float, DoubleArray]:
        margins = signs * (curve @ columns)
        far = (curve - _USUAL) / _SPREAD
        value = weights @ np.logaddexp(0, -margins) + far @ far / 2
        gradient = columns @ (-weights * signs * expit(-margins)) + far / _SPREAD
        return float(value), gradient

    curve = minimize(loss, _USUAL, jac=True, bounds=_BOUNDS, method="L-BFGS-B").x
    mean, highest, offset = curve.tolist()
    return Calibration(mean, highest, offset, len(answered.mean))


@dataclass
class CalibrationMemory:
    """The calibration of the annotations that were asked for last.

    Of each person the answers are compared again only if they have changed.
    """

    _lock: Lock = field(default_factory=Lock)
    _annotations: Annotations | None = None
    _calibration: Calibration | None = None
    _answered: dict[int, tuple[tuple[int, ...], frozenset[int], Answered]] = field(
        default_factory=dict
    )

    def read(
        self,
        annotations: Annotations,
        rows_of: RowsOf,
        tracklets: Tracklets,
        bundle_of: IntArray,
        rehearsed: Answered,
    ) -> Calibration:
        """Return the calibration by annotations, which never change themselves.

        Args:
            annotations: What people said.
            rows_of: Returns the rows of images.
            tracklets: The tracklets.
            bundle_of: Bundle of each image, shape (N,).
            rehearsed: What the clustering answers.
        """
        with self._lock:
            if self._calibration is None or annotations is not self._annotations:
                parts = self._read(annotations, rows_of, tracklets, bundle_of)
                answered = Answered(
                    *(np.concatenate(column) for column in zip(NONE, *parts, strict=True))
                )
                self._calibration = calibrate(answered, rehearsed)
                self._annotations = annotations
            return self._calibration

    def _read(
        self, annotations: Annotations, rows_of: RowsOf, tracklets: Tracklets, bundle_of: IntArray
    ) -> list[Answered]:
        people = annotations.identities[-_MOST_PEOPLE:]
        refused = _refused(annotations, {known.identity for known in people})
        before, self._answered = self._answered, {}
        for known in people:
            others = frozenset(refused.get(known.identity, ()))
            key = known.images, others
            is_same = known.identity in before and before[known.identity][:2] == key
            answered = (
                before[known.identity][2]
                if is_same
                else _answers(
                    rows_of(np.array(known.images)),
                    rows_of(np.array(sorted(others), dtype=np.int64)),
                    tracklets,
                    bundle_of,
                )
            )
            self._answered[known.identity] = (*key, answered)
        return [answered for *_, answered in self._answered.values()]


def _refused(annotations: Annotations, people: set[int]) -> dict[int, set[int]]:
    """Return the images that were shown with each of some people, and refused or left."""
    refused: dict[int, set[int]] = {}
    for refusal in (*annotations.refusals, *annotations.shown):
        identity = annotations.find(refusal.identity)
        if identity in people:
            refused.setdefault(identity, set()).update(refusal.images)
    return refused


def _answers(
    rows: IntArray, others: IntArray, tracklets: Tracklets, bundle_of: IntArray
) -> Answered:
    """Return what was answered of the likest bundles beside a person's largest one.

    Which candidates were shown first is not stored: they are taken to be those that are likest to
    that bundle.

    Args:
        rows: Images of the person.
        others: Images that were shown and are not the person.
        tracklets: The tracklets.
        bundle_of: Bundle of each image, shape (N,).
    """
    if not len(rows):
        return NONE
    core = np.bincount(bundle_of[rows]).argmax()
    own = rows[bundle_of[rows] == core]
    person, n_images = np.unique(tracklets.groups.of[own], return_counts=True)
    shown = np.concatenate([rows, np.setdiff1d(others, rows)])
    is_same = np.arange(len(shown)) < len(rows)
    is_beside = bundle_of[shown] != core
    groups = np.unique(
        np.stack([bundle_of[shown], is_same, tracklets.groups.of[shown]])[:, is_beside], axis=1
    )
    mean, highest = tracklets.compare(person, n_images, groups[2])
    parts, of = np.unique(groups[:2], axis=1, return_inverse=True)
    compared = compare_groups(mean, highest, of.ravel(), parts.shape[1])
    likest = np.argsort(-(compared.mean + compared.highest), kind="stable")[:N_CANDIDATES]
    likest = likest[np.isfinite(compared.highest[likest])]  # sides that are compared
    return Answered(
        compared.mean[likest], compared.highest[likest], parts[1][likest].astype(np.bool_)
    )


def compare_groups(mean: FloatArray, highest: FloatArray, of: IntArray, n_groups: int) -> Compared:
    """Return how groups of tracklets look beside a person: by the mean and the highest of each.

    Args:
        mean, highest: Of each tracklet, shape (A,).
        of: Its group, shape (A,), values in [0, G).
        n_groups: G.
    """
    best = np.full(n_groups, -np.inf)
    np.maximum.at(best, of, highest)
    sums, sizes = np.bincount(of, mean, n_groups), np.bincount(of, minlength=n_groups)
    return Compared(sums / np.maximum(sizes, 1), best)


def _units(likeness: FloatArray | DoubleArray) -> DoubleArray:
    units: DoubleArray = (np.asarray(likeness, dtype=np.float64) - ONE_PERSON) / WIDTH
    return units
