import numpy as np
import pytest

from pul.cluster.neighbors import find_likely_neighbors, find_neighbors


@pytest.fixture(scope="module")
def crowd():
    return np.random.default_rng(0).standard_normal((1500, 8)).astype(np.float32)


def recalls(likely, exact):
    return np.array(
        [len(np.intersect1d(a, b)) / len(b) for a, b in zip(likely, exact, strict=True)]
    )


def test_find_neighbors__the_farthest_may_be_near():
    found = find_neighbors(np.array([[0], [0.25], [0.5]], dtype=np.float32), 2)
    assert found.farthest.tolist() == [0.25, 0.0625, 0.25]
    assert found.indices.dtype == np.int64
    assert found.squared_distances.dtype == found.farthest.dtype == np.float32


@pytest.mark.parametrize("block", [1, 7, 100, 1000])
def test_find_neighbors__of_a_whole_line_in_any_block(monkeypatch, block):
    monkeypatch.setattr("pul.cluster.neighbors._BLOCK", block)
    line = np.arange(40, dtype=np.float32)[:, None] ** 1.5  # gaps grow: no two neighbours tie
    found = find_neighbors(line, 3)
    expected = np.argsort(np.abs(line - line.T), axis=1, kind="stable")[:, :3]
    assert np.array_equal(found.indices, expected)
    np.testing.assert_allclose(found.farthest, np.square(line - line.T).max(axis=1), rtol=1e-5)


def test_find_likely_neighbors__searches_some_cells_and_finds_most(crowd):
    likely = find_likely_neighbors(crowd, 5, seed=0, n_cells=64)
    found = recalls(likely.indices, find_neighbors(crowd, 5).indices)
    assert 0.8 < found.mean() < 1
    assert likely.indices.dtype == np.int64
    assert likely.squared_distances.dtype == likely.farthest.dtype == np.float32
    assert np.isinf(likely.farthest).all()
    other = find_likely_neighbors(crowd, 5, seed=1, n_cells=64)
    assert not np.array_equal(other.indices, likely.indices)  # other cells


def test_find_likely_neighbors__cells_with_too_few_images_are_made_up_for(crowd):
    few = crowd[:150]
    likely = find_likely_neighbors(few, 40, seed=0, n_cells=150)  # 16 cells hold 16 images
    exact = find_neighbors(few, 40)
    assert np.array_equal(likely.indices, exact.indices)
    np.testing.assert_allclose(likely.squared_distances, exact.squared_distances, atol=1e-4)


def test_find_likely_neighbors__a_seed_of_any_size(crowd):
    one, other = (find_likely_neighbors(crowd, 5, seed=seed, n_cells=64) for seed in (1, 2**31 + 1))
    assert np.array_equal(one.indices, other.indices)


def test_find_neighbors__many_neighbours_of_many(crowd, monkeypatch):
    monkeypatch.setattr("pul.cluster.neighbors._BLOCK", 100)
    few = crowd[:400]
    distances = np.square(few[:, None].astype(np.float64) - few).sum(axis=2)
    expected = np.argsort(distances, axis=1, kind="stable")[:, :60]
    assert (find_neighbors(few, 60).indices == expected).mean() > 0.999  # float32 may swap two
