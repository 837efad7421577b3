"""The gallery images most similar to each query, kept with an iteration for people to look at."""

import numpy as np
from numpy.typing import NDArray

from pul.arrays import FloatArray
from pul.evaluation import Evaluation
from pul.records import IterationRankings

N_RANKED = 100  # images kept of each query
N_CMC = 100  # ranks of the curve that are kept

_BLOCK_BYTES = 64 * 2**20  # similarities held at a time


def keep_rankings(
    query_features: FloatArray, gallery_features: FloatArray, evaluation: Evaluation
) -> IterationRankings:
    """Keep of an evaluation what the screen shows: 0.8 kB of each query.

    Q queries, G gallery images, D dimensions.

    Args:
        query_features: l2-normalised features, shape (Q, D).
        gallery_features: l2-normalised features, shape (G, D), junk included.
        evaluation: The figures of these features.
    """
    gallery, similarities = rank_gallery(query_features, gallery_features, n=N_RANKED)
    return IterationRankings(
        gallery, similarities, evaluation.average_precisions, evaluation.cmc[:N_CMC]
    )


def rank_gallery(
    query_features: FloatArray, gallery_features: FloatArray, *, n: int
) -> tuple[NDArray[np.int32], FloatArray]:
    """Find the gallery images that are most similar to each query.

    Q queries, G gallery images, D dimensions.

    Args:
        query_features: l2-normalised features, shape (Q, D).
        gallery_features: l2-normalised features, shape (G, D).
        n: How many to find; all where there are fewer.

    Returns:
        Index of each image found, shape (Q, min(n, G)), int32, the most similar first, of equally
        similar ones the lower index; and their cosines, of the same shape, float32.
    """
    n = min(n, len(gallery_features))
    found = np.empty((len(query_features), n), dtype=np.int32)
    similarities = np.empty((len(query_features), n), dtype=np.float32)
    step = max(1, _BLOCK_BYTES // (4 * max(1, len(gallery_features))))
    for start in range(0, len(query_features), step):
        block = query_features[start : start + step] @ gallery_features.T  # (b, G)
        for place, row in enumerate(block, start):
            found[place] = _most_similar(row, n)
            similarities[place] = row[found[place]]
    return found, similarities


def _most_similar(row: FloatArray, n: int) -> NDArray[np.int64]:
    # All that is as similar as the n-th: a partition of indices would choose among ties at random.
    least = np.partition(row, len(row) - n)[len(row) - n]
    candidates = np.flatnonzero(row >= least)
    return candidates[np.argsort(-row[candidates], kind="stable")][:n]
