import numpy as np
import pytest

from pul.config import EvaluationConfig
from pul.evaluation.validation import evaluate_validation, make_validation_set

CONFIG = EvaluationConfig()


def test_make_validation_set__across_cameras():
    # Person 8: rows 2, 5 on camera 1 and row 7 on camera 3. Person 4: rows 1, 3 on camera 1 alone.
    camids = np.array([0, 1, 1, 1, 0, 1, 0, 3])
    held = make_validation_set({7: 8, 2: 8, 5: 8, 1: 4, 3: 4}, camids)
    assert held.rows.tolist() == [1, 2, 3, 5, 7]
    assert held.pids.tolist() == [1, 2, 1, 2, 2]
    assert held.rows[held.query].tolist() == [2, 7]  # the first image of person 8 on each camera
    assert held.rows[held.gallery].tolist() == [1, 2, 3, 5, 7]
    assert held.camera_aware


@pytest.mark.parametrize("camids", [None, np.full(8, -1), np.ones(8, dtype=np.int64)])
def test_make_validation_set__without_a_second_camera(camids):
    held = make_validation_set({0: 5, 3: 5, 4: 5, 6: 9, 7: 2, 1: 2}, camids)
    assert held.rows[held.query].tolist() == [0, 1]  # person 9 has one image: nothing to find
    assert held.rows[held.gallery].tolist() == [3, 4, 6, 7]
    assert not held.camera_aware


@pytest.mark.parametrize("validation", [{}, {0: 1, 1: 1}, {0: 1, 1: 2}])
def test_make_validation_set__too_little(validation):
    assert make_validation_set(validation, None) is None


def test_evaluate_validation__by_hand():
    # Queries: rows 0 (person 1) and 2 (person 2); gallery: rows 1 and 3. Query 0 finds row 1 first
    # (rank 1: AP 1), query 2 finds row 1 before row 3 (rank 2: trapezoid (0 + 1/2) / 2 = 1/4).
    held = make_validation_set({0: 1, 1: 1, 2: 2, 3: 2}, None)
    features = np.array([[1, 0], [1, 0.1], [1, 0.2], [0, 1]], dtype=np.float32)
    metrics = evaluate_validation(features, held, CONFIG)
    assert metrics.rank_1 == 0.5
    assert metrics.mean_ap == pytest.approx((1 + 0.25) / 2)
    assert metrics.n_queries == 2


def test_evaluate_validation__sides_are_not_compared() -> None:
    """Identity 1's other image is on its own side; the nearer one, of identity 2, is not."""
    held = make_validation_set({0: 1, 1: 1, 2: 2, 3: 2}, None)
    features = np.array([[1, 0], [0.8, 0.6], [0.6, 0.8], [1, 0.1]], dtype=np.float32)
    told = evaluate_validation(features, held, CONFIG, np.array([0, 0, 1, 1]))
    assert told.mean_ap == pytest.approx(1.0)
    unaware = evaluate_validation(features, held, CONFIG)
    assert unaware.mean_ap < 0.8
