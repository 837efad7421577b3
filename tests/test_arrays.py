import numpy as np
import pytest

from pul.arrays import check_features, l2_normalize
from pul.errors import FeatureError


def test_check_features__says_which_rows_are_not_finite():
    features = np.ones((4, 2))
    features[2, 1] = np.nan
    features[3, 0] = np.inf
    with pytest.raises(FeatureError, match=r"2 of 4 rows .* row 2"):
        check_features(features)


def test_check_features__refuses_a_vector():
    with pytest.raises(FeatureError, match=r"\(N, D\).*\(3,\)"):
        check_features(np.ones(3))


def test_check_features__makes_float32_without_copying_what_is():
    good = np.ones((2, 3), dtype=np.float32)
    assert check_features(good) is good
    assert check_features(np.ones((2, 3))).dtype == np.float32


def test_l2_normalize__three_four_five_and_zero():
    normalized = l2_normalize(np.array([[3.0, 4.0], [0.0, 0.0]]))
    np.testing.assert_allclose(normalized, [[0.6, 0.8], [0.0, 0.0]], rtol=1e-6)
