"""The questions that count the people of an iteration, and what was answered of them."""

from typing import NamedTuple

import numpy as np
from scipy.special import expit

from pul.arrays import DoubleArray, IntArray
from pul.labelling.annotations import Annotations, Side
from pul.labelling.population import Plan, Population, draw_plan, estimate
from pul.labelling.suggestions.calibration import NONE, WIDTH, Calibration, calibrate
from pul.labelling.suggestions.index import SuggestionIndex
from pul.labelling.suggestions.pairs import PairQuestion, typical_images

_STEPS = 50  # of halving the range in which an offset lies
_FARTHEST = 60.0  # log-odds


class Count(NamedTuple):
    """How far the counting is.

    Attributes:
        population: The estimate so far; None before the second tracklet is answered.
        n_answered: Questions that need no answer any more.
        n_questions: Questions in all.
    """

    population: Population | None
    n_answered: int
    n_questions: int


def count_plan(index: SuggestionIndex) -> Plan:
    """Draw the tracklets to compare, so that people are counted by few answers.

    It is the same whatever people have answered. A tracklet is drawn the rarer, the more there are
    in its cluster, and compared with those that the clustering's own curve makes likely, of which
    it expects as many as its cluster has.
    """
    curve = calibrate(NONE, index.rehearsed)
    sizes = index.by_cluster.sizes()[index.by_cluster.of]

    def similarity(tracklet: int) -> DoubleArray:
        affinities = index.tracklets.affinities(np.array([tracklet]))[0].astype(np.float64)
        affinities[tracklet] = -np.inf
        return _likely(curve, affinities, max(1, int(sizes[tracklet]) - 1))

    plan = draw_plan(1 / sizes, similarity)
    index.drop_pages()
    return plan


def read_count(index: SuggestionIndex, annotations: Annotations, plan: Plan) -> Count:
    """Return how far the counting is, by all that people said of the plan's pairs.

    Only the first tracklets count, up to one that is not answered: which pairs labels have answered
    besides is no matter of chance.
    """
    said = [
        [_said(index, annotations, unit, other) for other in others]
        for unit, others in zip(plan.units.tolist(), plan.others.tolist(), strict=True)
    ]
    n_open = [sum(answer is None for answer in row) for row in said]
    n_whole = next((place for place, n in enumerate(n_open) if n), len(said))
    whole = np.array(said[:n_whole], dtype=np.float64).reshape(n_whole, plan.others.shape[1])
    return Count(
        estimate(plan.first(n_whole), whole), plan.others.size - sum(n_open), plan.others.size
    )


def count_questions(
    index: SuggestionIndex, annotations: Annotations, plan: Plan, *, n: int
) -> list[PairQuestion]:
    """Return the next questions that are left, each pair once, in the order of the plan."""
    questions: dict[tuple[int, int], PairQuestion] = {}
    for unit, others in zip(plan.units.tolist(), plan.others.tolist(), strict=True):
        for other in others:
            if len(questions) >= n:
                return list(questions.values())
            pair = min(unit, other), max(unit, other)
            if pair not in questions and _said(index, annotations, unit, other) is None:
                left, right = (_images(index, tracklet) for tracklet in (unit, other))
                questions[pair] = PairQuestion(
                    Side(images=left),
                    Side(images=right),
                    typical_images(index, left),
                    typical_images(index, right),
                    len(left) + len(right),
                )
    return list(questions.values())


def _likely(curve: Calibration, affinities: DoubleArray, n_expected: int) -> DoubleArray:
    """Return the curve of affinities, moved so that it expects so many to be the person, (S,)."""
    finite = np.isfinite(affinities)
    odds = (curve.mean + curve.highest) / WIDTH * affinities[finite]
    low, high = -odds.max(initial=0) - _FARTHEST, -odds.min(initial=0) + _FARTHEST
    for _ in range(_STEPS):
        offset = (low + high) / 2
        if expit(odds + offset).sum() > n_expected:
            high = offset
        else:
            low = offset
    likely = np.zeros(len(affinities))
    likely[finite] = expit(odds + low)
    return likely


def _said(index: SuggestionIndex, annotations: Annotations, left: int, right: int) -> float | None:
    """Return 1 or 0 for what was said of two tracklets, NaN for "cannot tell", None for nothing."""
    said = annotations.said_of(_images(index, left), _images(index, right))
    return {"same": 1.0, "different": 0.0, "undecided": np.nan}.get(said or "")


def _images(index: SuggestionIndex, tracklet: int) -> tuple[int, ...]:
    rows: IntArray = index.tracklets.groups.members(tracklet)
    return tuple(index.image_ids[rows].tolist())
