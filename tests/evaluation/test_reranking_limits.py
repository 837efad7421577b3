import numpy as np
import pytest

from pul.errors import ConfigError, FeatureError
from pul.evaluation.reranking import k_reciprocal

QUERY, GALLERY = np.array([[1, 0]]), np.array([[1, 1], [0, 1]])


def test_k_reciprocal__lambda_zero_is_the_jaccard_distance_alone():
    # With one neighbour each, (1, 0) and (0, 1) both have the middle as theirs, which has (1, 0):
    # the query and the middle are mutual and share all, up to their weights; (0, 1) is alone.
    distances = k_reciprocal(QUERY, GALLERY, k1=1, k2=1, lambda_=0)
    assert 0 <= distances[0, 0] < 0.5
    assert distances[0, 1] == 1


@pytest.mark.parametrize("lambda_", [-0.5, 1.5])
def test_k_reciprocal__lambda_outside_zero_to_one(lambda_):
    with pytest.raises(ConfigError, match=f"but is {lambda_}"):
        k_reciprocal(QUERY, GALLERY, lambda_=lambda_)


@pytest.mark.parametrize(
    ("query", "gallery", "says"),
    [([[1, np.nan]], GALLERY, "query features: 1 of 1"), (QUERY, [1, 0], "gallery features must")],
)
def test_k_reciprocal__names_the_features_that_are_wrong(query, gallery, says):
    with pytest.raises(FeatureError, match=says):
        k_reciprocal(query, gallery)


def test_k_reciprocal__types():
    assert k_reciprocal(np.eye(3), np.eye(3)[:2], k1=2, k2=1).dtype == np.float32
