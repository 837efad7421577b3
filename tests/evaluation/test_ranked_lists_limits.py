import numpy as np
import pytest

from pul.arrays import l2_normalize
from pul.evaluation.ranked_lists import RankedLists, most_similar
from pul.evaluation.retrieval import evaluate


def features(n: int, seed: int) -> np.ndarray:
    return l2_normalize(np.random.default_rng(seed).normal(size=(n, 6)).astype(np.float32))


def test_ranked_lists__stores_a_hundred_images_and_ranks():
    query, gallery, pids = features(2, 0), features(130, 1), np.arange(130) % 10 + 1
    columns = ([1, 2], [1, 1], pids, np.full(130, 2))
    lists = RankedLists(2, 130)
    rules = {"ap_method": "step", "unmatched": "zero"}
    evaluation = evaluate(query, gallery, *columns, **rules, watch=lists.add)
    stored = lists.to_rankings(evaluation)
    assert stored.gallery.shape == stored.similarities.shape == (2, 100)
    assert np.array_equal(stored.cmc, evaluation.cmc[:100])
    assert len(evaluation.cmc) == 130


@pytest.mark.parametrize("block_size", [1, 3, 7, None])
@pytest.mark.parametrize("n_junk", [0, 1, 12, 29])
def test_ranked_lists__hold_the_junk_too_whatever_the_blocks_are(block_size, n_junk):
    query, gallery = features(7, 0), 3 * features(30, 1)
    pids = np.ones(30, dtype=np.int64)
    pids[np.random.default_rng(2).permutation(30)[:n_junk]] = -1
    columns = (np.ones(7), np.zeros(7), pids, np.ones(30))
    rules = {"ap_method": "step", "unmatched": "zero", "block_size": block_size}
    lists = RankedLists(7, 30, n=5)
    seen = evaluate(2 * query, gallery, *columns, **rules, watch=lists.add)
    cosines = query @ l2_normalize(gallery).T
    expected = np.argsort(-cosines, axis=1, kind="stable")[:, :5]
    assert np.array_equal(lists.gallery, expected)
    assert (lists.gallery.dtype, lists.similarities.dtype) == (np.int32, np.float32)
    best = np.take_along_axis(cosines, expected, axis=1)
    np.testing.assert_allclose(lists.similarities, best, atol=1e-6)
    alone = evaluate(2 * query, gallery, *columns, **rules)
    assert np.array_equal(seen.average_precisions, alone.average_precisions)


def test_most_similar__more_wanted_than_there_are():
    images = np.array([[0, 2], [0.5, 0], [0, 0]], dtype=np.float32)
    found, similarities = most_similar(np.array([5, 0], dtype=np.float32), images, n=9)
    assert found.tolist() == [1, 0, 2]  # the image without a direction is as far as one at 90°
    assert similarities.tolist() == [1, 0, 0]
