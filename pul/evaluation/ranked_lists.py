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


class RankedLists:
    """The part of an evaluation that is stored for the screen, found while it is evaluated.

    Give `add` to `evaluate` as `watch`, so that both share one product. Q queries, G gallery
    images; 0.8 kB a query.

    Args:
        n_queries: Q.
        n_gallery: G, junk included.
        n: How many images to find for each query; all where there are fewer.

    Attributes:
        gallery: Index of each image found, shape (Q, min(n, G)), int32, the most similar first, of
            equally similar ones the lower index.
        similarities: Their cosines, of the same shape, float32.
    """

    def __init__(self, n_queries: int, n_gallery: int, *, n: int = N_RANKED) -> None:
        self.n = min(n, n_gallery)
        self.gallery = np.empty((n_queries, self.n), dtype=np.int32)
        self.similarities = np.empty((n_queries, self.n), dtype=np.float32)

    def add(self, rows: slice, similarities: FloatArray) -> None:
        """Find the most similar images of some queries.

        Args:
            rows: Which queries, b of them.
            similarities: Their cosines to the whole gallery, shape (b, G).
        """
        for place, row in enumerate(similarities, rows.start):
            self.gallery[place] = _most_similar(row, self.n)
            self.similarities[place] = row[self.gallery[place]]

    def to_rankings(self, evaluation: Evaluation) -> IterationRankings:
        """Return what is stored, with the figures of the same features."""
        return IterationRankings(
            self.gallery,
            self.similarities,
            evaluation.average_precisions,
            evaluation.cmc[:N_CMC],
        )


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
        `RankedLists` does.
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
