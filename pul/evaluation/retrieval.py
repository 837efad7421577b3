"""CMC and mAP of retrieval, which need ground truth."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from pul.arrays import (
    BoolArray,
    DoubleArray,
    FloatArray,
    IntArray,
    check_features,
    row_blocks,
    rows_within,
)
from pul.errors import EvaluationError
from pul.evaluation.protocol import Protocol
from pul.records import RetrievalMetrics

ApMethod = Literal["trapezoid", "step"]
Unmatched = Literal["skip", "zero"]

_BLOCK_BYTES = 64 * 2**20  # distances held at a time
_CHUNK_BYTES = 32 * 2**20  # gallery features copied at a time, where junk lies among them
_EPSILON = 1e-12


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures of one evaluation. Q queries, G gallery images that are not junk for everyone.

    Attributes:
        cmc: Share of queries whose first true match is at rank ≤ k + 1, shape (G,), in [0, 1].
        mean_ap: Mean average precision, in [0, 1].
        average_precisions: Of each query, shape (Q,); where a query has no true match, NaN by
            `skip` and 0 by `zero`.
        n_queries: Queries counted.
        n_unmatched: Queries without a true match.
        ap_method: Which definition of average precision was used.
        unmatched: What queries without a true match counted.
    """

    cmc: DoubleArray
    mean_ap: float
    average_precisions: DoubleArray
    n_queries: int
    n_unmatched: int
    ap_method: ApMethod
    unmatched: Unmatched

    def rank(self, k: int) -> float:
        """Return rank-k: the share of queries with a true match among their first k images.

        Raises:
            EvaluationError: k is below 1.
        """
        if k < 1:
            raise EvaluationError(f"rank-k counts from k = 1, not {k}.")
        return float(self.cmc[min(k, len(self.cmc)) - 1])

    def to_metrics(self) -> RetrievalMetrics:
        """Return the figures that are stored and shown."""
        return RetrievalMetrics(
            rank_1=self.rank(1),
            rank_5=self.rank(5),
            rank_10=self.rank(10),
            rank_20=self.rank(20),
            mean_ap=self.mean_ap,
            n_queries=self.n_queries,
            n_unmatched=self.n_unmatched,
            ap_method=self.ap_method,
            unmatched=self.unmatched,
        )


Sides = tuple[Sequence[str], Sequence[str]]
Watch = Callable[[slice, FloatArray], None]


def evaluate(
    query_features: ArrayLike,
    gallery_features: ArrayLike,
    query_pids: ArrayLike,
    query_camids: ArrayLike,
    gallery_pids: ArrayLike,
    gallery_camids: ArrayLike,
    *,
    ap_method: ApMethod,
    unmatched: Unmatched,
    camera_aware: bool = True,
    side_aware: bool = False,
    sides: Sides | None = None,
    block_size: int | None = None,
    watch: Watch | None = None,
) -> Evaluation:
    """Rank the gallery for every query by cosine similarity, and count (single query).

    Q queries, G gallery images, D feature dimensions.

    Junk is removed from a query's ranking before anything is counted: gallery images with a
    negative pid, and images of the query's own pid and camera. Pid 0 is a distractor: it stays and
    counts as wrong. Of equally similar images the one with the lower gallery index comes first.

    With hits at ranks 1, 3 and 6 the average precision is 0.678 by `trapezoid` and 0.722 by `step`:

    * `trapezoid`: mean over the hits of (precision just before the hit + precision at the hit) / 2,
      where the precision before rank 1 is 1. The paper and the original MATLAB use it.
    * `step`: mean over the hits of the precision at the hit. torchreid and sklearn use it.

    Args:
        query_features: Features, shape (Q, D); their length does not matter.
        gallery_features: Features, shape (G, D).
        query_pids: Identity of each query, shape (Q,). A query whose pid is not positive has no
            true match.
        query_camids: Camera of each query, shape (Q,).
        gallery_pids: Identity of each gallery image, shape (G,).
        gallery_camids: Camera of each gallery image, shape (G,).
        ap_method: Definition of average precision: `trapezoid` or `step`.
        unmatched: Queries without a true match count `zero` (MATLAB) or are left out: `skip`
            (torchreid).
        camera_aware: False for data with one camera or none: then images of the query's own
            camera are true matches as any other, and camids are not read. The query image itself
            must then not be in the gallery, since it would be its own first hit.
        side_aware: Whether images of another side than the query's are junk, whoever they show.
        sides: Side of each query and of each gallery image, "" where it is not known.
        block_size: Queries whose distances are held at a time; None holds 64 MiB of them.
        watch: Called with each block: which queries, b of them, and their cosines to the whole
            gallery, junk included, shape (b, G).

    Returns:
        The figures, as fractions.

    Raises:
        EvaluationError: Shapes do not fit, there are no queries or no gallery, or no query has a
            true match (the message says which rule removed what).
        FeatureError: Features are misshapen or not finite.

    References:
        Sec. IV-B of the paper; Zheng et al. 2015 for the protocol.

    >>> gallery = [[4, 1], [2, 1], [1, 1], [1, 2], [0, 1], [-1, 2]]  # nearest first
    >>> columns = [7], [1], [7, 8, 7, 8, 8, 7], [2, 2, 2, 2, 2, 2]  # hits at ranks 1, 3 and 6
    >>> found = evaluate([[1, 0]], gallery, *columns, ap_method="step", unmatched="zero")
    >>> round(found.mean_ap, 3), found.rank(1)
    (0.722, 1.0)
    """
    query = check_features(query_features, name="query features")
    gallery = check_features(gallery_features, name="gallery features")
    if block_size is not None and block_size < 1:
        raise EvaluationError(f"block_size must be at least 1 query, but is {block_size}.")
    if query.shape[1] != gallery.shape[1]:
        raise EvaluationError(
            f"Query features have {query.shape[1]} dimensions and gallery features "
            f"{gallery.shape[1]}; extract both with the same network."
        )
    who = (query_pids, query_camids, gallery_pids, gallery_camids)
    protocol = Protocol.of(*who, camera_aware, sides if side_aware else None)
    protocol.check_lengths(len(query), len(gallery))
    size = block_size or rows_within(_BLOCK_BYTES, int(protocol.kept.sum()))
    blocks = _cosine_blocks(query, gallery, protocol.kept, size)
    if watch is not None:
        junk_blocks = _cosine_blocks(query, gallery, ~protocol.kept, size)
        blocks = _watched(blocks, junk_blocks, protocol.kept, query, watch)
    return _evaluate_blocks(blocks, protocol, ap_method, unmatched)


def evaluate_distances(
    distances: FloatArray,
    query_pids: ArrayLike,
    query_camids: ArrayLike,
    gallery_pids: ArrayLike,
    gallery_camids: ArrayLike,
    *,
    ap_method: ApMethod,
    unmatched: Unmatched,
    camera_aware: bool = True,
    side_aware: bool = False,
    sides: Sides | None = None,
) -> Evaluation:
    """Evaluate given distances, for example those of re-ranking, as `evaluate` does.

    Args:
        distances: Distance of each gallery image to each query, shape (Q, G), lower is nearer.
        query_pids: See `evaluate`, as for all the others.
        query_camids: Shape (Q,).
        gallery_pids: Shape (G,).
        gallery_camids: Shape (G,).
        ap_method: `trapezoid` or `step`.
        unmatched: `skip` or `zero`.
        camera_aware: False for data with one camera or none.
        side_aware: Whether images of another side than the query's are junk.
        sides: Side of each query and of each gallery image.

    Raises:
        EvaluationError: As `evaluate`, or a distance is not finite.
    """
    if distances.ndim != 2:
        raise EvaluationError(f"Distances must have shape (Q, G), but have {distances.shape}.")
    who = (query_pids, query_camids, gallery_pids, gallery_camids)
    protocol = Protocol.of(*who, camera_aware, sides if side_aware else None)
    protocol.check_lengths(*distances.shape)
    if not np.isfinite([distances.min(), distances.max()]).all():
        raise EvaluationError("Distances must be finite, but some are NaN or infinite.")
    return _evaluate_blocks(_given_blocks(distances, protocol.kept), protocol, ap_method, unmatched)


def _cosine_blocks(
    query: FloatArray, gallery: FloatArray, kept: BoolArray, size: int
) -> Iterator[FloatArray]:
    """Yield minus the cosine of a block of queries to the kept gallery, shape (b, G').

    The queries' lengths are left in it: they change no ranking.
    """
    lengths = np.sqrt(np.einsum("gd,gd->g", gallery, gallery))
    scales = -1 / np.maximum(lengths[kept], _EPSILON)
    for block_rows in row_blocks(len(query), size):
        rows = query[block_rows]
        block = np.empty((len(rows), len(scales)), dtype=np.float32)
        done = 0
        for chunk in _kept_chunks(gallery, kept):
            np.matmul(rows, chunk.T, out=block[:, done : done + len(chunk)])
            done += len(chunk)
        block *= scales
        yield block


def _watched(
    blocks: Iterator[FloatArray],
    junk_blocks: Iterator[FloatArray],
    kept: BoolArray,
    query: FloatArray,
    watch: Watch,
) -> Iterator[FloatArray]:
    """Yield the same blocks, after `watch` saw them beside those of the junk."""
    done = 0
    for block, junk in zip(blocks, junk_blocks, strict=True):
        rows = slice(done, done + len(block))
        done = rows.stop
        lengths = np.linalg.norm(query[rows], axis=1, keepdims=True)
        similarities = np.empty((len(block), len(kept)), dtype=np.float32)
        similarities[:, kept] = -block
        similarities[:, ~kept] = -junk
        similarities /= np.maximum(lengths, _EPSILON)
        watch(rows, similarities)
        yield block


def _kept_chunks(gallery: FloatArray, kept: BoolArray) -> Iterator[FloatArray]:
    """Yield the kept rows of the gallery in order, without copying it as a whole."""
    for rows in row_blocks(len(gallery), rows_within(_CHUNK_BYTES, gallery.shape[1])):
        chunk, mask = gallery[rows], kept[rows]
        yield chunk if mask.all() else chunk[mask]


def _given_blocks(distances: FloatArray, kept: BoolArray) -> Iterator[FloatArray]:
    for rows in row_blocks(len(distances), rows_within(_BLOCK_BYTES, distances.shape[1])):
        yield distances[rows, kept].astype(np.float32)


def _evaluate_blocks(
    blocks: Iterator[FloatArray], protocol: Protocol, ap_method: ApMethod, unmatched: Unmatched
) -> Evaluation:
    if ap_method not in ("trapezoid", "step"):
        raise EvaluationError(f"ap_method must be trapezoid or step, not {ap_method!r}.")
    if unmatched not in ("skip", "zero"):
        raise EvaluationError(f"unmatched must be skip or zero, not {unmatched!r}.")
    relations = list(protocol.relations())
    matched = np.array([len(matches) > 0 for matches, _ in relations])
    if not matched.any():
        raise EvaluationError(protocol.explain_unmatched())
    rows = (row for block in blocks for row in block)
    ranks = [_match_ranks(row, *relation) for row, relation in zip(rows, relations, strict=True)]
    average_precisions = np.array([_average_precision(r, ap_method) for r in ranks])
    counted = matched if unmatched == "skip" else np.ones_like(matched)
    first = np.array([r[0] for r in ranks if len(r)])
    found = np.cumsum(np.bincount(first, minlength=int(protocol.kept.sum())))
    return Evaluation(
        cmc=found / counted.sum(),
        mean_ap=float(average_precisions[counted].mean()),
        average_precisions=np.where(counted, average_precisions, np.nan),
        n_queries=int(counted.sum()),
        n_unmatched=int((~matched).sum()),
        ap_method=ap_method,
        unmatched=unmatched,
    )


def _match_ranks(row: FloatArray, matches: IntArray, junk: IntArray) -> IntArray:
    """Return the ranks of the true matches, from 0, ascending; junk takes no rank.

    Only values are sorted, never indices: numpy sorts 16,000 floats 30 times faster than it
    argsorts them. A match's rank is the number of smaller values, and of equal ones before it.
    """
    if not len(matches):
        return matches
    row[junk] = np.inf
    keys = row[matches]
    ascending = np.sort(row)
    ranks = np.searchsorted(ascending, keys, side="left")
    is_tied = np.searchsorted(ascending, keys, side="right") - ranks > 1
    for i in np.flatnonzero(is_tied):
        ranks[i] += np.count_nonzero(row[: matches[i]] == keys[i])
    return np.sort(ranks)


def _average_precision(ranks: IntArray, ap_method: ApMethod) -> float:
    if not len(ranks):
        return 0.0
    hits = np.arange(len(ranks))
    precision = (hits + 1) / (ranks + 1)
    if ap_method == "step":
        return float(precision.mean())
    before = np.where(ranks > 0, hits / np.maximum(ranks, 1), 1.0)
    return float((precision + before).mean() / 2)
