"""What each λ would select: share, kept clusters, and purity and recall where people are known."""

from dataclasses import dataclass

import numpy as np

from pul.arrays import BoolArray, DoubleArray, FloatArray, IndexArray, IntArray
from pul.errors import ConfigError

STEPS = 101  # λ = 0.00, 0.01, ..., 1.00: the steps of the slider


@dataclass(frozen=True, slots=True, eq=False)
class SelectionCurves:
    """What λ selects, at T values of λ.

    Attributes:
        lambdas: The values of λ, ascending, shape (T,).
        reliable_shares: Share of the images that are reliable, in [0, 1], shape (T,).
        n_kept_clusters: Clusters with at least two reliable images, shape (T,).
        purities: Purity of the reliable set, in [0, 1], shape (T,); NaN where no image of a known
            person is reliable; None where nobody is known.
        recalls: Recall of the reliable set, in [0, 1], shape (T,); None where nobody is known.
        n_known: Images whose person is known.
    """

    lambdas: FloatArray
    reliable_shares: DoubleArray
    n_kept_clusters: IntArray
    purities: DoubleArray | None
    recalls: DoubleArray | None
    n_known: int


def trace_selection(
    similarities: FloatArray,
    clusters: IntArray | IndexArray,
    centers: IntArray | IndexArray,
    *,
    people: IntArray | None = None,
    lambdas: FloatArray | None = None,
) -> SelectionCurves:
    """Compute what each λ would select, in one pass over the sorted cosines.

    N images, K clusters. An image is reliable as `selection.threshold` says: its cosine is
    above λ, or it is a center; λ = 0 marks all. Of the images whose person is known, n(p, c) are
    those of person p that are reliable in cluster c, and M is the number of all known images:

        purity(λ) = sum over c of max over p of n(p, c)  /  sum over p, c of n(p, c)
        recall(λ) = sum over p of max over c of n(p, c)  /  M

    Purity is the share of the reliable images that are of the majority person of their cluster: how
    true the pseudo-labels are. Recall is the share of all images of the known people that lie,
    reliable, in the cluster that holds most of their person: how much of a person trains as one
    class. It is purity's mirror, counts images and not pairs (a person seen twice as often
    weighs twice, not four times), and never rises with λ.

    Args:
        similarities: Cosine of each image to its center, shape (N,).
        clusters: Cluster of each image, shape (N,), values in [0, K); -1 for an outlier, which is
            never reliable.
        centers: Index of the center of each cluster, shape (K,).
        people: Person of each image, shape (N,); 0 and below where it is not known.
        lambdas: The values of λ, ascending, in [0, 1], shape (T,); `STEPS` of them by default.

    Returns:
        The curves.

    Raises:
        ConfigError: The λ do not ascend or leave [0, 1].

    References:
        Eq. 2 for the selection; Fig. 5 (a) and (b) for the share against λ.
    """
    steps = np.linspace(0, 1, STEPS) if lambdas is None else np.asarray(lambdas)
    if len(steps) and (steps[0] < 0 or steps[-1] > 1 or (np.diff(steps) < 0).any()):
        raise ConfigError(f"λ must ascend within [0, 1], but run from {steps[0]} to {steps[-1]}.")
    steps = steps.astype(np.float32)  # as the cosines are, so that both round alike
    cluster_of_image: IntArray = np.asarray(clusters, dtype=np.int64)
    cosines = np.array(similarities, dtype=np.float32)
    cosines[centers] = np.inf  # reliable at every λ
    order = np.argsort(-cosines, kind="stable")
    ascending = cosines[order][::-1]

    def count(is_counted: BoolArray) -> IntArray:
        """Count the marked images among the reliable ones, at each λ."""
        n_reliable = len(order) - np.searchsorted(ascending, steps, side="right")
        n_reliable[steps == 0] = n_clustered
        return np.concatenate([[0], np.cumsum(is_counted)])[n_reliable]

    n_clustered = int((cluster_of_image >= 0).sum())  # outliers' cosines are the lowest: -1
    purities, recalls, n_known = None, None, 0
    if people is not None and (people > 0).any():
        known, is_pure, is_found = _mark_majorities(cluster_of_image[order], people[order])
        n_known = int(known.sum())
        with np.errstate(invalid="ignore"):
            purities = count(is_pure) / count(known)
        recalls = count(is_found) / n_known
    return SelectionCurves(
        lambdas=steps,
        reliable_shares=count(np.ones(len(order), dtype=np.bool_)) / max(1, len(order)),
        n_kept_clusters=count(_ranks(cluster_of_image[order]) == 2),
        purities=purities,
        recalls=recalls,
        n_known=n_known,
    )


def _ranks(groups: IntArray) -> IntArray:
    """Return the rank of each element within its group, from 1, shape (n,)."""
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=groups.min(initial=0) - 1))
    sizes = np.diff(starts, append=len(groups))
    ranks = np.empty(len(groups), dtype=np.int64)
    ranks[order] = np.arange(len(groups)) - np.repeat(starts, sizes) + 1
    return ranks


def _mark_majorities(clusters: IntArray, people: IntArray) -> tuple[BoolArray, ...]:
    """Mark, of images in descending order of their cosine: known, and who raise each maximum.

    Returns:
        Three masks of shape (N,): the person is known; it raises the maximum over the people of its
        cluster; it raises the maximum over the clusters of its person.
    """
    known = people > 0
    is_pure, is_found = np.zeros(len(known), np.bool_), np.zeros(len(known), np.bool_)
    is_pure[known] = _raises_maximum(clusters[known], people[known])
    is_found[known] = _raises_maximum(people[known], clusters[known])
    return known, is_pure, is_found


def _raises_maximum(rows: IntArray, columns: IntArray) -> BoolArray:
    """Mark the elements that raise the largest cell of their row, as cells fill up one by one.

    A cell grows by one at a time and so does the largest: the number of marks up to an element is
    the sum over the rows of their largest cells, so that one pass serves every λ.
    """
    _, row_of = np.unique(rows, return_inverse=True)
    _, column_of = np.unique(columns, return_inverse=True)
    cells = row_of.astype(np.int64) * (int(column_of.max(initial=0)) + 1) + column_of
    height = _ranks(cells)  # of its cell, once this element is in it
    order = np.argsort(row_of, kind="stable")
    # Rows ascend, so that the running maximum of one never reaches into the next.
    above = row_of[order] * (len(rows) + 1) + height[order]
    largest = np.maximum.accumulate(above)
    raises = np.empty(len(rows), dtype=np.bool_)
    raises[order] = np.diff(largest, prepend=-1) > 0
    return raises
