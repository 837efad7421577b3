import numpy as np
import pytest

from pul.arrays import l2_normalize
from pul.cluster.jaccard import jaccard_distances
from pul.errors import ConfigError
from tests.evaluation.test_reranking import reference_jaccard


@pytest.fixture
def crowd():
    return np.random.default_rng(0).standard_normal((60, 5))


def test_jaccard_distances__settings_are_those_of_zhong_et_al(crowd):
    plain, explicit = jaccard_distances(crowd), jaccard_distances(crowd, k1=20, k2=6)
    assert np.array_equal(plain.toarray(), explicit.toarray())
    assert np.array_equal(plain.indices, explicit.indices)
    for other in ({"k1": 19}, {"k1": 21}, {"k2": 5}, {"k2": 7}):
        assert not np.array_equal(plain.toarray(), jaccard_distances(crowd, **other).toarray())


def test_jaccard_distances__an_image_is_at_zero_from_itself(crowd):
    found = jaccard_distances(crowd, max_distance=0)
    assert found.indices.tolist() == list(range(60))  # each row stores itself
    assert found.data.tolist() == [0] * 60


def test_jaccard_distances__are_stored_as_float32(crowd):
    assert jaccard_distances(crowd).dtype == np.float32
    assert jaccard_distances(np.empty((0, 4))).dtype == np.float32


def test_jaccard_distances__blocks_of_pairs_change_nothing(crowd, monkeypatch):
    whole = jaccard_distances(crowd).toarray()
    monkeypatch.setattr("pul.cluster.jaccard._PAIRS", 7)
    np.testing.assert_allclose(jaccard_distances(crowd).toarray(), whole, atol=1e-6)


@pytest.mark.parametrize("scaled", [True, False])
@pytest.mark.parametrize(("k1", "k2"), [(8, 2), (7, 1), (1, 1)])
def test_jaccard_distances__agree_with_the_reference(crowd, k1, k2, scaled):
    expected, _ = reference_jaccard(l2_normalize(crowd), k1, k2, is_scaled=scaled)
    found = jaccard_distances(crowd, k1=k1, k2=k2, scaled=scaled)
    assert found.shape == (60, 60)
    dense = np.ones((60, 60))  # what is not stored has nothing in common
    rows = np.repeat(np.arange(60), np.diff(found.indptr))
    dense[rows, found.indices] = found.data
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(dense, expected, atol=1e-5)


def test_jaccard_distances__are_scaled_unless_told_otherwise(crowd):
    default, scaled, plain = (
        jaccard_distances(crowd, **options).toarray()
        for options in ({}, {"scaled": True}, {"scaled": False})
    )
    assert np.array_equal(default, scaled)
    assert not np.array_equal(default, plain)


def test_jaccard_distances__stores_what_is_near_enough_only(crowd):
    everything = jaccard_distances(crowd)
    assert everything.data.max() < 1
    near = jaccard_distances(crowd, max_distance=0.8)
    assert near.data.max() <= 0.8
    assert near.nnz == (everything.data <= 0.8).sum() < everything.nnz


def test_jaccard_distances__two_groups_have_nothing_in_common():
    groups = np.repeat(np.eye(2), 3, axis=0)
    found = jaccard_distances(groups, k1=2, k2=1)
    assert found.toarray().tolist() == [[0] * 6] * 6
    assert [row.tolist() for row in np.split(found.indices, found.indptr[1:-1])] == (
        [[0, 1, 2]] * 3 + [[3, 4, 5]] * 3
    )


@pytest.mark.parametrize("options", [{"k1": 0}, {"k2": 0}])
def test_jaccard_distances__at_least_one_neighbour(crowd, options):
    with pytest.raises(ConfigError, match="k1 and k2 must be at least 1"):
        jaccard_distances(crowd, **options)


def test_jaccard_distances__of_no_images():
    assert jaccard_distances(np.empty((0, 4))).shape == (0, 0)
