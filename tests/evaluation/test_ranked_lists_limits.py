import numpy as np
import pytest

from pul.arrays import l2_normalize
from pul.evaluation.ranked_lists import compute_ranked_lists, most_similar, rank_gallery
from pul.evaluation.retrieval import evaluate


def features(n: int, seed: int) -> np.ndarray:
    return l2_normalize(np.random.default_rng(seed).normal(size=(n, 6)).astype(np.float32))


def test_compute_ranked_lists__stores_a_hundred_images_and_ranks():
    query, gallery, pids = features(2, 0), features(130, 1), np.arange(130) % 10 + 1
    columns = ([1, 2], [1, 1], pids, np.full(130, 2))
    evaluation = evaluate(query, gallery, *columns, ap_method="step", unmatched="zero")
    stored = compute_ranked_lists(query, gallery, evaluation)
    assert stored.gallery.shape == stored.similarities.shape == (2, 100)
    assert np.array_equal(stored.cmc, evaluation.cmc[:100])
    assert len(evaluation.cmc) == 130


@pytest.mark.parametrize("block_bytes", [1, 4 * 30, 3 * 4 * 30])  # less than one row, one, three
def test_rank_gallery__blocks_of_queries_change_nothing(monkeypatch, block_bytes):
    query, gallery = features(7, 0), features(30, 1)
    expected = np.argsort(-(query @ gallery.T), axis=1, kind="stable")[:, :5]
    monkeypatch.setattr("pul.evaluation.ranked_lists._BLOCK_BYTES", block_bytes)
    found, similarities = rank_gallery(query, gallery, n=5)
    assert np.array_equal(found, expected)
    assert (found.dtype, similarities.dtype) == (np.int32, np.float32)
    cosines = np.take_along_axis(query @ gallery.T, expected, axis=1)
    np.testing.assert_allclose(similarities, cosines, rtol=1e-6)


def test_rank_gallery__no_queries_and_no_gallery():
    found, similarities = rank_gallery(np.empty((0, 6)), np.empty((0, 6)), n=5)
    assert found.shape == similarities.shape == (0, 0)


def test_most_similar__more_wanted_than_there_are():
    images = np.array([[0, 2], [0.5, 0], [0, 0]], dtype=np.float32)
    found, similarities = most_similar(np.array([5, 0], dtype=np.float32), images, n=9)
    assert found.tolist() == [1, 0, 2]  # the image without a direction is as far as one at 90°
    assert similarities.tolist() == [1, 0, 0]
