"""Where a run goes: its mAP, and whether its clusters settle."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from pul.errors import EvaluationError
from pul.evaluation.cluster_quality import adjusted_rand
from pul.evaluation.course import Course, settling_of


def test_adjusted_rand__by_hand():
    # Pairs together in both: {0, 1}. In the first 2 of 6, in the second 1: chance gives 2 * 1 / 6.
    expected = (1 - 1 / 3) / (1.5 - 1 / 3)
    assert (
        adjusted_rand([0, 0, 1, 1], [0, 0, 1, 2]) == pytest.approx(expected) == pytest.approx(4 / 7)
    )
    # No pair of the first is together in the second: 0, where chance gives 2 * 2 / 6.
    assert adjusted_rand([0, 0, 1, 1], [0, 1, 0, 1]) == pytest.approx((0 - 2 / 3) / (2 - 2 / 3))
    assert adjusted_rand([0, 0, 1, 1], [0, 1, 0, 1]) == pytest.approx(-0.5)


def test_adjusted_rand__the_same_groups_by_other_numbers():
    assert adjusted_rand([0, 0, 1, 2, 2], [7, 7, 3, 0, 0]) == 1
    assert adjusted_rand([0, 0, 0], [4, 4, 4]) == 1
    assert adjusted_rand([0, 1, 2], [2, 0, 1]) == 1
    assert adjusted_rand([], []) == 1
    assert adjusted_rand([0, 0, 0, 0], [0, 1, 2, 3]) == 0


def test_adjusted_rand__outliers_are_left_out():
    assert adjusted_rand([0, 0, 1, 1, -1, 2], [0, 0, 1, 2, 5, -1]) == pytest.approx(4 / 7)
    assert adjusted_rand([-1, -1], [0, 1]) == 1


def test_adjusted_rand__other_lengths_are_refused():
    with pytest.raises(EvaluationError, match=r"\(2,\) and \(3,\)"):
        adjusted_rand([0, 1], [0, 1, 1])


def _reference_adjusted_rand(first: list[int], second: list[int]) -> float:
    """Count pairs of images one by one."""
    pairs = list(combinations(range(len(first)), 2))
    in_first = [first[i] == first[j] for i, j in pairs]
    in_second = [second[i] == second[j] for i, j in pairs]
    both = sum(a and b for a, b in zip(in_first, in_second, strict=True))
    chance = sum(in_first) * sum(in_second) / len(pairs)
    most = (sum(in_first) + sum(in_second)) / 2
    return 1.0 if most == chance else (both - chance) / (most - chance)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=30))
def test_adjusted_rand__agrees_with_counting_and_with_sklearn(rows: list[tuple[int, int]]):
    first, second = (list(column) for column in zip(*rows, strict=True))
    found = adjusted_rand(first, second)
    assert found == pytest.approx(_reference_adjusted_rand(first, second), abs=1e-9)
    assert found == pytest.approx(adjusted_rand_score(first, second), abs=1e-9)
    assert found == pytest.approx(adjusted_rand(second, first), abs=1e-12)


@pytest.mark.parametrize(
    ("levels", "is_worse"),
    [
        ([0.4, 0.3], True),
        ([0.4, 0.5, 0.3994], True),
        ([0.4, 0.3, 0.3996], False),
        ([0.4, 0.4], False),
        ([0.4, 0.5], False),
    ],
)
def test_course__is_worse_by_what_a_tenth_of_a_point_shows(levels: list[float], is_worse: bool):
    course = Course("test", tuple(enumerate(levels)))
    assert course.is_worse is is_worse
    assert (course.start, course.end) == (levels[0], levels[-1])


def test_course__the_best_is_the_first_of_equals():
    assert Course("test", ((0, 0.2), (1, 0.5), (2, 0.5))).best == (1, 0.5)


BASE, NEAR, FAR = [0, 0, 1, 1], [0, 0, 1, 2], [0, 1, 0, 1]  # of BASE: 4/7 and -1/2


def test_settling__falls_where_clusters_clearly_agree_less_than_at_first_twice_in_a_row():
    steady = settling_of([BASE, NEAR], [NEAR, BASE, NEAR], 4)
    assert (steady.first, steady.last) == (pytest.approx(4 / 7), pytest.approx(4 / 7))
    assert not steady.is_falling
    assert settling_of([BASE, NEAR], [FAR, BASE, FAR], 4).is_falling
    assert settling_of([BASE, BASE], [FAR, BASE, NEAR], 4).last == pytest.approx(4 / 7)
    assert settling_of([BASE, BASE], [FAR, BASE, NEAR], 4).is_falling
    assert not settling_of([BASE, NEAR], [FAR, BASE, NEAR], 4).is_falling  # once only
    assert not settling_of([BASE, FAR], [BASE, NEAR, BASE], 4).is_falling
    assert not settling_of([BASE, BASE], [BASE, BASE, BASE], 4).is_falling


def test_settling__less_than_a_twentieth_is_no_fall():
    many = np.repeat(np.arange(50), 4)
    few = many.copy()
    few[0] = 49  # one image of 200
    found = settling_of([many, many], [many, few, many], 4)
    assert found.first == 1 > found.last > 0.95
    assert not found.is_falling
