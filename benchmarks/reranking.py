"""Jaccard distances of k-reciprocal neighbourhoods: ours, and the paper's algorithm in numpy."""

import numpy as np
from scipy import sparse

from benchmarks.measure import Case, Contender, Figures, Limit, best_seconds
from benchmarks.synthetic import Features, Ids, people
from pul.arrays import l2_normalize
from pul.cluster.jaccard import jaccard_distances

SIZES = {"small": (5000, 256, 300), "paper": (12_936, 2048, 751), "large": (36_000, 2048, 2100)}
_K1, _K2 = 20, 6
_MAX_DENSE = 20_000  # maximum of images: the peer's tables are dense


def cases(size: str) -> list[Case]:
    n_images, n_dims, n_people = SIZES[size]
    features, _ = people(n_images, n_dims, n_people)
    sample = np.random.default_rng(0).choice(n_images, 500, replace=False)
    contenders = [
        Contender(
            "ours",
            lambda _: jaccard_distances(features, k1=_K1, k2=_K2),
            lambda found: _judge(_densified(found[sample])),
        )
    ]
    if n_images <= _MAX_DENSE:
        peer = Contender(
            "dense numpy (Zhong's way)", lambda _: _dense(features), lambda d: _judge(d[sample])
        )
        contenders.append(peer)
    title = f"Jaccard distances, k1 {_K1}, k2 {_K2}, {n_images:,} × {n_dims:,}"
    return [Case(title, contenders, ">= 4x", lambda: _limit(features))]


def _densified(rows: sparse.csr_array) -> Features:
    """Return stored distances as a table, 1 where none is stored."""
    table = np.ones(rows.shape, dtype=np.float32)
    found = rows.tocoo()
    table[found.row, found.col] = found.data
    return table


def _judge(distances: Features) -> Figures:
    return {"mean distance": float(distances.mean(dtype=np.float64))}


def _dense(features: Features) -> Features:
    """The algorithm of Zhong et al. 2017 as in its equations, on dense N × N tables."""
    unit = l2_normalize(features)
    scaled = np.maximum(2 - 2 * (unit @ unit.T), 0)
    scaled /= scaled.max(axis=1, keepdims=True)
    np.fill_diagonal(scaled, 0)
    ranking = np.argsort(scaled, axis=1)
    codes = np.zeros_like(scaled)
    for p in range(len(scaled)):
        mutual = _mutual(ranking, p, _K1)
        members = mutual
        for q in mutual:
            half = _mutual(ranking, q, round(_K1 / 2))
            if len(np.intersect1d(half, mutual)) > 2 / 3 * len(half):
                members = np.union1d(members, half)
        weights = np.exp(-scaled[p, members])
        codes[p, members] = weights / weights.sum()
    codes = np.stack([codes[row[:_K2]].mean(axis=0) for row in ranking])
    holders = [np.flatnonzero(column) for column in codes.T]
    distances: Features = scaled  # its memory is reused
    for p in range(len(codes)):
        smaller = np.zeros(len(codes), dtype=np.float32)
        for neighbor in np.flatnonzero(codes[p]):
            others = holders[neighbor]
            smaller[others] += np.minimum(codes[p, neighbor], codes[others, neighbor])
        distances[p] = 1 - smaller / (2 - smaller)
    return distances


def _mutual(ranking: Ids, p: int, k: int) -> Ids:
    forward: Ids = ranking[p, : k + 1]
    mutual: Ids = forward[(ranking[forward, : k + 1] == p).any(axis=1)]
    return mutual


def _limit(features: Features) -> Limit:
    part, other = features[:2048], features[2048:4096]  # numpy halves the work of x @ x.T itself
    seconds = best_seconds(lambda: part @ other.T) * (len(features) / len(part)) ** 2 / 2
    return Limit("half of the float32 product of all pairs", seconds)
