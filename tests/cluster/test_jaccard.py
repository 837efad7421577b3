import numpy as np
import pytest

from pul.cluster.jaccard import jaccard_distances


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
