"""The gallery images most similar to each query, stored with an iteration for the screen."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pul.arrays import (
    BoolArray,
    FloatArray,
    IntArray,
    drop_pages,
    l2_normalize,
    row_blocks,
    rows_within,
)
from pul.evaluation.retrieval import Evaluation
from pul.records import IterationRankings

Mark = Literal["match", "wrong", "same camera", "other side", "junk"]

N_RANKED = 100  # images stored of each query: 2.7 MB for Market-1501, whose features are 118 MB
N_CMC = 100  # stored ranks of the curve

_EPSILON = 1e-12
_BLOCK_BYTES = 64 * 2**20  # similarities held at a time


def compute_ranked_lists(
    query_features: FloatArray, gallery_features: FloatArray, evaluation: Evaluation
) -> IterationRankings:
    """Return the part of an evaluation that is stored for the screen: 0.8 kB a query.

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
    size = rows_within(_BLOCK_BYTES, len(gallery_features))
    for rows in row_blocks(len(query_features), size):
        block = query_features[rows] @ gallery_features.T  # (b, G)
        for place, row in enumerate(block, rows.start):
            found[place] = _most_similar(row, n)
            similarities[place] = row[found[place]]
    return found, similarities


def most_similar(
    query: FloatArray, features: FloatArray, *, n: int, among: BoolArray | None = None
) -> tuple[NDArray[np.int64], FloatArray]:
    """Find the images whose features are most similar to one.

    N images, D dimensions.

    Args:
        query: A feature, shape (D,); its length does not matter.
        features: Features, shape (N, D), not normalised; read once, a block at a time.
        n: How many to find; all where there are fewer.
        among: Which images count, shape (N,); None for all.

    Returns:
        Index of each image found, shape (min(n, those that count),), and its cosine, as
        `rank_gallery` does.
    """
    wanted = l2_normalize(query[None])[0]
    similarities = np.empty(len(features), dtype=np.float32)
    for rows in row_blocks(len(features), rows_within(_BLOCK_BYTES, features.shape[1])):
        lengths = np.sqrt(np.einsum("nd,nd->n", features[rows], features[rows]))
        similarities[rows] = features[rows] @ wanted / np.maximum(lengths, _EPSILON)
        drop_pages(features)
    if among is not None:
        similarities[~among] = -np.inf
        n = min(n, int(among.sum()))
    found = _most_similar(similarities, min(n, len(features)))
    return found, similarities[found]


def mark_found(
    pid: int,
    camid: int,
    pids: IntArray,
    camids: IntArray,
    *,
    camera_aware: bool,
    is_other_side: BoolArray | None = None,
) -> list[Mark]:
    """Mark each image found for a query as `Protocol` counts it.

    Args:
        pid: Identity of the query.
        camid: Its camera.
        pids: Identity of each image found.
        camids: Camera of each.
        camera_aware: Whether images of the query's own identity and camera are junk.
        is_other_side: Which show another side than the query and are junk for it; None for none.
    """
    marks = [
        _mark(pid == found, camera_aware and camid == seen_by, is_junk=found < 0)
        for found, seen_by in zip(pids.tolist(), camids.tolist(), strict=True)
    ]
    if is_other_side is None:
        return marks
    return [
        "other side" if is_other and mark != "junk" else mark
        for mark, is_other in zip(marks, is_other_side.tolist(), strict=True)
    ]


def _mark(is_same_person: bool, is_same_camera: bool, *, is_junk: bool) -> Mark:
    if is_junk:
        return "junk"
    if not is_same_person:
        return "wrong"
    return "same camera" if is_same_camera else "match"


def _most_similar(row: FloatArray, n: int) -> NDArray[np.int64]:
    if not n:
        return np.empty(0, dtype=np.int64)
    # All that is as similar as the n-th: a partition of indices would choose among ties at random.
    least = np.partition(row, len(row) - n)[len(row) - n]
    candidates = np.flatnonzero(row >= least)
    return candidates[np.argsort(-row[candidates], kind="stable")][:n]
