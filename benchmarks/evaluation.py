"""Features to CMC and mAP: ours, and one query at a time as torchreid's Python does it."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import Case, Contender, Figures, Limit, best_seconds
from benchmarks.synthetic import Features, Ids, retrieval
from pul.arrays import l2_normalize
from pul.evaluation.retrieval import evaluate

SIZES = {
    "small": (400, 2500, 256, 100),
    "paper": (3368, 19_732, 2048, 750),
    "large": (3368, 197_320, 512, 7500),
}
Data = tuple[Features, Features, Ids, Ids, Ids, Ids]
Answer = tuple[NDArray[np.float64], float]


def cases(size: str) -> list[Case]:
    n_queries, n_gallery, n_dims, n_people = SIZES[size]
    data = retrieval(n_queries, n_gallery, n_dims, n_people)
    contenders = [
        Contender("ours", lambda _: _ours(data), _judge),
        Contender("query by query, torchreid's way", lambda _: _per_query(data, _listed), _judge),
        Contender("the same, all in numpy", lambda _: _per_query(data, _divided), _judge),
    ]
    title = f"evaluation, {n_queries:,} × {n_gallery:,} × {n_dims:,}"
    return [Case(title, contenders, ">= 25x", lambda: _limit(data))]


def _ours(data: Data) -> Answer:
    result = evaluate(*data, ap_method="step", unmatched="skip")
    return result.cmc, result.mean_ap


def _listed(hits: Ids) -> NDArray[np.float64]:
    """Precision at each rank by a Python list: where torchreid's evaluation spends its time."""
    return np.array([n / (rank + 1) for rank, n in enumerate(hits)])


def _divided(hits: Ids) -> NDArray[np.float64]:
    return hits / np.arange(1, len(hits) + 1)


def _per_query(data: Data, precisions_at: Callable[[Ids], NDArray[np.float64]]) -> Answer:
    """All distances, a full argsort of each row, then one query at a time."""
    query, gallery, query_pids, query_camids, gallery_pids, gallery_camids = data
    query, gallery = l2_normalize(query), l2_normalize(gallery)
    distances = -(query @ gallery.T)
    order = np.argsort(distances, axis=1, kind="stable")
    found, precisions = [], []
    for i in range(len(query)):
        pids, camids = gallery_pids[order[i]], gallery_camids[order[i]]
        is_junk = (pids < 0) | ((pids == query_pids[i]) & (camids == query_camids[i]))
        is_match = (pids == query_pids[i])[~is_junk]
        if not is_match.any():
            continue
        hits = is_match.cumsum()
        found.append((hits > 0)[: len(gallery) // 2])
        precisions.append((precisions_at(hits) * is_match).sum() / is_match.sum())
    return np.mean(found, axis=0), float(np.mean(precisions))


def _judge(answer: Answer) -> Figures:
    cmc, mean_ap = answer
    return {"mAP": mean_ap, "mean of CMC 1-20": float(cmc[:20].mean())}


def _limit(data: Data) -> Limit:
    query, gallery = data[0], data[1][data[4] >= 0][:16384]
    seconds = best_seconds(lambda: query @ gallery.T) * (data[4] >= 0).sum() / len(gallery)
    return Limit("the float32 product", float(seconds))
