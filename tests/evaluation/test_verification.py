"""Thresholds of known pairs, worked out by hand."""

import numpy as np
import pytest

from pul.errors import ConfigError, EvaluationError
from pul.evaluation import verification
from pul.evaluation.verification import Verification, compare_known_pairs

NOBODY = np.empty(0, dtype=np.int64)


def angles(*degrees: float) -> np.ndarray:
    """Features in the plane: the cosine of two is that of the angle between them."""
    radians = np.deg2rad(degrees)
    return 3 * np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def test_compare_known_pairs__by_hand() -> None:
    features = angles(0, 60, 90, 180, 45)
    people, cameras = np.array([1, 1, 2, 2, 0]), np.array([1, 2, 1, 2, 1])
    pairs = compare_known_pairs(features, people, cameras)
    assert pairs.same == pytest.approx([0, 0.5], abs=1e-6)  # 90 and 60 degrees
    assert pairs.different == pytest.approx([-1, -0.5, 0, 3**0.5 / 2], abs=1e-6)
    assert (pairs.n_people, pairs.is_across_cameras) == (2, True)


def test_compare_known_pairs__one_camera_counts_only_where_no_other_is_known() -> None:
    features, people = angles(0, 10, 60, 180), np.array([1, 1, 1, 2])
    across = compare_known_pairs(features, people, np.array([1, 1, 2, 1]))
    assert across.same == pytest.approx(np.cos(np.deg2rad([60, 50])), abs=1e-6)
    for cameras in (np.full(4, 1), np.full(4, -1)):
        within = compare_known_pairs(features, people, cameras)
        assert not within.is_across_cameras
        assert within.same == pytest.approx(np.cos(np.deg2rad([60, 50, 10])), abs=1e-6)


@pytest.mark.parametrize("people", [[0, 0, 0], [1, 1, 1], [1, 2, 3], [1, 0, 0]])
def test_compare_known_pairs__too_few_known(people: list[int]) -> None:
    with pytest.raises(EvaluationError, match="two known people"):
        compare_known_pairs(angles(0, 10, 20), np.array(people), np.array([1, 2, 3]))


def test_compare_known_pairs__takes_whole_people_where_there_are_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(verification, "_N_IMAGES", 7)
    people = np.repeat([1, 2, 3, 4], 3)
    pairs = compare_known_pairs(angles(*range(12)), people, np.tile([1, 2, 3], 4))
    assert (pairs.n_people, len(pairs.same), len(pairs.different)) == (2, 6, 9)


def test_threshold__at_most_so_many_are_above() -> None:
    pairs = Verification(
        np.array([0.25, 0.5, 0.75, 1], "f4"), np.arange(10, dtype="f4") / 16, 2, True
    )
    for rate, cosine in ((0, 9 / 16), (0.05, 9 / 16), (0.1, 8 / 16), (0.35, 6 / 16), (0.9, 0)):
        threshold = pairs.threshold(rate)
        assert threshold == cosine
        assert pairs.false_accept_rate(threshold) == pytest.approx(int(rate * 10 + 1e-9) / 10)
    assert pairs.true_accept_rate(0.5) == 0.5  # 0.75 and 1: at the threshold is unknown
    with pytest.raises(ConfigError, match=r"\[0, 1\)"):
        pairs.threshold(1)
