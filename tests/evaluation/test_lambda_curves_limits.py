import numpy as np
import pytest

from pul.errors import ConfigError
from pul.evaluation.lambda_curves import trace_selection

NOBODY = np.empty(0, dtype=np.int64)


def test_trace_selection__steps_are_those_of_the_slider():
    curves = trace_selection(np.ones(1, np.float32), np.zeros(1, np.int64), np.array([0]))
    np.testing.assert_allclose(curves.lambdas, np.arange(101) / 100, rtol=1e-6)
    assert curves.lambdas.dtype == np.float32


def test_trace_selection__one_image_is_the_center_of_its_cluster():
    curves = trace_selection(np.ones(1, np.float32), np.zeros(1, np.int64), np.array([0]))
    assert curves.reliable_shares.tolist() == [1] * 101
    assert curves.n_kept_clusters.tolist() == [0] * 101


def test_trace_selection__a_cosine_equal_to_lambda_is_not_above_it():
    # 0.7 in double precision is above 0.7 in single: both must round alike.
    similarities, clusters = np.array([1, 0.7], dtype=np.float64), np.zeros(2, np.int64)
    lambdas = np.array([0.69, 0.7])
    curves = trace_selection(similarities, clusters, np.array([0]), lambdas=lambdas)
    assert curves.reliable_shares.tolist() == [1, 0.5]


def test_trace_selection__no_images():
    curves = trace_selection(np.empty(0, np.float32), NOBODY, NOBODY, lambdas=np.array([0, 0.5]))
    assert curves.reliable_shares.tolist() == [0, 0]
    assert curves.n_kept_clusters.tolist() == [0, 0]


def test_trace_selection__outliers_alone():
    clusters, similarities = np.full(3, -1), np.full(3, -1, dtype=np.float32)
    curves = trace_selection(similarities, clusters, NOBODY, lambdas=np.array([0, 0.5]))
    assert curves.reliable_shares.tolist() == [0, 0]


def test_trace_selection__person_one_is_known():
    clusters, people = np.array([0, 0]), np.array([1, 0])
    curves = trace_selection(
        np.ones(2, np.float32), clusters, np.array([0]), people=people, lambdas=np.array([0.5])
    )
    assert (curves.n_known, curves.purities.tolist(), curves.recalls.tolist()) == (1, [1], [1])


@pytest.mark.parametrize("lambdas", [[0.2, 0.5, 0.4], [0.5, 0.6, 1.1]])
def test_trace_selection__one_lambda_out_of_order_is_refused(lambdas):
    with pytest.raises(ConfigError, match=f"run from {lambdas[0]} to {lambdas[-1]}"):
        trace_selection(np.ones(1, np.float32), NOBODY[:0], NOBODY, lambdas=np.array(lambdas))


def test_trace_selection__the_same_lambda_twice_is_allowed():
    lambdas = np.array([0.5, 0.5])
    curves = trace_selection(
        np.ones(1, np.float32), np.zeros(1, np.int64), np.array([0]), lambdas=lambdas
    )
    assert curves.reliable_shares.tolist() == [1, 1]
