import numpy as np
import pytest

from pul.cluster.halving import halve
from pul.errors import FeatureError


def test_halve__two_directions_whatever_their_length():
    # Angles 0°, 6°, 80°, 90°, 2°: the third and the fourth are somebody else. Lengths differ.
    angles, lengths = np.radians([0, 6, 80, 90, 2]), np.array([1, 50, 1, 9, 0.1])
    features = np.column_stack([np.cos(angles), np.sin(angles)]) * lengths[:, None]
    assert np.flatnonzero(halve(features)).tolist() == [2, 3]


def test_halve__the_smaller_group_wherever_it_stands():
    features = np.array([[0, 1], [1, 0], [1, 0.1], [1, 0.2]])
    assert halve(features).tolist() == [True, False, False, False]


def test_halve__of_two_equal_groups_the_first_image_stays():
    assert halve([[0, 1], [1, 0]]).tolist() == [False, True]


@pytest.mark.parametrize("features", [np.ones((4, 3)), np.ones((1, 3)), [[1, 2], [2, 4]]])
def test_halve__nothing_to_divide(features):
    assert not halve(features).any()


def test_halve__misshapen():
    with pytest.raises(FeatureError, match="shape"):
        halve([1, 2, 3])
