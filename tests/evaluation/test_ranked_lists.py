import numpy as np

from pul.arrays import l2_normalize
from pul.evaluation.protocol import Protocol
from pul.evaluation.ranked_lists import RankedLists, mark_found, most_similar
from pul.evaluation.retrieval import evaluate


def features(n: int, seed: int) -> np.ndarray:
    return l2_normalize(np.random.default_rng(seed).normal(size=(n, 6)).astype(np.float32))


def rank_gallery(query, gallery, *, n):
    lists = RankedLists(len(query), len(gallery), n=n)
    lists.add(slice(0, len(query)), query @ gallery.T)
    return lists.gallery, lists.similarities


def test_ranked_lists__by_hand():
    query = np.array([[1, 0]], dtype=np.float32)
    gallery = np.array([[0, 1], [0.6, 0.8], [1, 0], [-1, 0]], dtype=np.float32)
    found, similarities = rank_gallery(query, gallery, n=3)
    assert found.tolist() == [[2, 1, 0]]
    np.testing.assert_allclose(similarities, [[1, 0.6, 0]])


def test_ranked_lists__of_equals_the_lower_row_comes_first():
    query = np.array([[1, 0]], dtype=np.float32)
    gallery = np.array([[0, 1], [1, 0], [0, 1], [0, 1], [1, 0]], dtype=np.float32)
    assert rank_gallery(query, gallery, n=4)[0].tolist() == [[1, 4, 0, 2]]


def test_ranked_lists__as_a_full_sort():
    query, gallery = features(50, 0), features(300, 1)
    found, _ = rank_gallery(query, gallery, n=20)
    everything = np.argsort(-(query @ gallery.T), axis=1, kind="stable")
    assert np.array_equal(found, everything[:, :20])


def test_ranked_lists__a_gallery_smaller_than_n():
    found, similarities = rank_gallery(features(2, 0), features(3, 1), n=100)
    assert found.shape == similarities.shape == (2, 3)
    assert np.sort(found).tolist() == [[0, 1, 2]] * 2


def test_ranked_lists__the_figures_of_its_own_lists():
    query, gallery = features(4, 0), features(30, 1)
    pids, gallery_pids = np.array([1, 2, 3, 4]), np.arange(30) % 5
    who = (pids, np.zeros(4), gallery_pids, np.ones(30))
    lists = RankedLists(4, 30)
    rules = {"ap_method": "step", "unmatched": "zero"}
    kept = lists.to_rankings(evaluate(query, gallery, *who, **rules, watch=lists.add))
    hits = gallery_pids[kept.gallery] == pids[:, None]
    firsts = hits.argmax(axis=1)
    assert kept.cmc.tolist() == [(firsts <= k).mean() for k in range(24)] + [1.0] * 6
    ranks = np.flatnonzero(hits[2]) + 1
    expected = np.mean([(n + 1) / rank for n, rank in enumerate(ranks)])
    np.testing.assert_allclose(kept.average_precisions[2], expected)


def test_most_similar__only_among_some():
    images = np.array([[1, 0], [0, 1], [3, 4], [4, 3]], dtype=np.float32)
    among = np.array([False, True, True, False])
    found, similarities = most_similar(images[0], images, n=3, among=among)
    assert found.tolist() == [2, 1]
    np.testing.assert_allclose(similarities, [0.6, 0], atol=1e-6)
    nothing, _ = most_similar(images[0], images, n=3, among=np.zeros(4, dtype=bool))
    assert nothing.tolist() == []


def test_most_similar__as_the_ranking_of_one_query():
    query, gallery = features(1, 0)[0], features(40, 1)
    found, similarities = most_similar(3 * query, 5 * gallery, n=7)
    expected, cosines = rank_gallery(query[None], gallery, n=7)
    assert found.tolist() == expected[0].tolist()
    np.testing.assert_allclose(similarities, cosines[0], rtol=1e-5)


def test_mark_found__agrees_with_the_protocol():
    pids, camids = np.array([5, 5, 0, -1, 6, 5]), np.array([1, 2, 1, 1, 1, 1])
    marks = mark_found(5, 1, pids, camids, camera_aware=True)
    assert marks == ["same camera", "match", "wrong", "junk", "wrong", "same camera"]
    for camera_aware in (True, False):
        protocol = Protocol.of([5], [1], pids, camids, camera_aware)
        ((matches, _),) = protocol.relations()
        rows = np.flatnonzero(protocol.kept)[matches].tolist()
        marks = mark_found(5, 1, pids, camids, camera_aware=camera_aware)
        assert [row for row, mark in enumerate(marks) if mark == "match"] == rows
