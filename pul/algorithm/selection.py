"""Step 3 of an iteration: which images are reliable, by their cosine to a cluster's center."""

from collections.abc import Collection
from typing import Literal, NamedTuple

import numpy as np

from pul.arrays import (
    BoolArray,
    FloatArray,
    IndexArray,
    IntArray,
    check_features,
    drop_pages,
    l2_normalize,
    row_blocks,
)
from pul.errors import ConfigError

_BLOCK = 4096  # images at a time against all centers: bounds memory at block × K floats


class Selection(NamedTuple):
    """Which of N images are reliable, and how close each is to a center.

    Attributes:
        similarities: Cosine of each image to the center it is judged by, shape (N,), float32; -1
            for an outlier.
        reliable: The images that train, shape (N,).
    """

    similarities: FloatArray
    reliable: BoolArray


def select_reliable(
    features: FloatArray,
    clusters: IntArray,
    centers: IntArray,
    *,
    lambda_: float | None,
    selection: Literal["own", "any"] = "own",
    camids: IntArray | None = None,
    annotated: Collection[int] = (),
    left_out: Collection[int] = (),
    sides: IntArray | None = None,
) -> Selection:
    """Select the images whose feature lies close to a center, and those that people labelled.

    N images, D feature dimensions, K clusters.

    Args:
        features: Features, shape (N, D); they are l2-normalised here.
        clusters: Cluster of each image, shape (N,), values in [0, K); -1 for an outlier, which is
            never reliable.
        centers: Index of the image that is the center of each cluster, shape (K,).
        lambda_: Reliability threshold λ, a cosine similarity in [-1, 1]; None or 0 selects all.
        selection: Close to the center of its `own` cluster (Eq. 2) or of `any` (authors' code).
        camids: Camera of each image, shape (N,), -1 where it is not known: clusters that one
            camera dominates are thinned (see `spread_over_cameras`). None thins nothing.
        annotated: Indices of images that people labelled: they always train (Sec. III-C).
        left_out: Indices of images that never train, such as those of validation people.
        sides: Side of each image, shape (N,), -1 where it is not known: an image of another side
            than its cluster's center is not reliable. None compares all.

    Returns:
        Similarities and the reliable mask. A cosine equal to λ is not reliable, a center is;
        raising λ never adds an image.

    Raises:
        ConfigError: λ is outside [-1, 1].
        FeatureError: Features are misshapen or not finite.

    References:
        Algorithm 1, lines 6-16, and the constraint of Eq. 2.

    >>> features = np.array([[1, 0], [1, 1], [3, 4], [0, 2]], dtype=np.float32)
    >>> clusters, centers = np.array([0, 0, 1, 1]), np.array([0, 3])
    >>> select_reliable(features, clusters, centers, lambda_=0.75).reliable.tolist()
    [True, False, True, True]
    """
    similarities = center_similarities(features, clusters, centers, selection=selection)
    is_outlier = clusters < 0
    similarities[is_outlier] = -1.0
    reliable = threshold(similarities, centers, lambda_=lambda_)
    reliable[is_outlier] = False
    reliable[list(left_out)] = False
    if sides is not None:
        reliable &= ~_of_another_side(clusters, centers, sides)
    if camids is not None:
        reliable = spread_over_cameras(reliable, similarities, clusters, camids)
    reliable[list(annotated)] = True
    reliable[list(left_out)] = False
    return Selection(similarities, reliable)


def _of_another_side(clusters: IntArray, centers: IntArray, sides: IntArray) -> BoolArray:
    """Return which images show another side than their cluster's center, shape (N,)."""
    theirs = np.where(clusters < 0, -1, sides[centers[clusters]])
    differs: BoolArray = (sides >= 0) & (theirs >= 0) & (sides != theirs)
    return differs


def center_similarities(
    features: FloatArray,
    clusters: IntArray,
    centers: IntArray,
    *,
    selection: Literal["own", "any"] = "own",
) -> FloatArray:
    """Return the cosine of each image to the center it is judged by.

    Args:
        features: Features, shape (N, D); they are l2-normalised here.
        clusters: Cluster of each image, shape (N,), values in [0, K).
        centers: Index of the center of each cluster, shape (K,).
        selection: The center of its `own` cluster, or the nearest of `any` cluster.

    Returns:
        Cosine similarities, shape (N,), float32, in [-1, 1]; exactly 1 for a center itself.

    References:
        Algorithm 1, lines 6 and 9.
    """
    normalized = l2_normalize(check_features(features))
    if selection == "own":
        similarities = _own_similarities(normalized, clusters, centers)
    else:
        similarities = _nearest_similarities(normalized, centers)
    similarities[centers] = 1.0
    clipped: FloatArray = np.clip(similarities, -1.0, 1.0)
    return clipped


def center_margins(
    features: FloatArray,
    clusters: IntArray | IndexArray,
    centers: IntArray | IndexArray,
    *,
    n_rivals: int = 64,
) -> FloatArray:
    """Return how much nearer each image is to its own center than to the next one.

    The next center is looked for among the `n_rivals` centers that are nearest to the image's own,
    so that the work grows with N × n_rivals and not with N × K. Up to n_rivals + 1 clusters that
    is exact; beyond, an image far from its own center may be given too large a margin.

    Args:
        features: Features, shape (N, D); they are l2-normalised here.
        clusters: Cluster of each image, shape (N,), values in [0, K); -1 for an outlier.
        centers: Index of the center of each cluster, shape (K,).
        n_rivals: Other centers that each image is compared with.

    Returns:
        Cosine to the own center less that to the nearest other, shape (N,), in [-2, 2]: about 0
        where an image may as well be of the other cluster. 0 for an outlier. 2 where there is no
        other center.
    """
    margins = np.zeros(len(clusters), dtype=np.float32)
    if len(centers) < 2:
        margins[np.asarray(clusters, dtype=np.int64) >= 0] = 2
        return margins
    anchors = l2_normalize(check_features(features[centers]))
    rivals = _nearest_others(anchors, min(n_rivals, len(centers) - 1))
    order = np.argsort(clusters, kind="stable")
    bounds = np.searchsorted(np.asarray(clusters)[order], np.arange(len(centers) + 1))
    for cluster in range(len(centers)):
        # A cluster at a time from the disk: the matrix as a whole need not fit into memory.
        members = order[bounds[cluster] : bounds[cluster + 1]]
        if len(members):
            own = l2_normalize(check_features(features[members]))
            others = own @ anchors[rivals[cluster]].T  # (members, n_rivals)
            margins[members] = own @ anchors[cluster] - others.max(axis=1)
            drop_pages(features)
    return margins


def _nearest_others(anchors: FloatArray, n: int) -> IntArray:
    """Return the n other anchors that are nearest to each, in no order, shape (K, n)."""
    found = np.empty((len(anchors), n), dtype=np.int64)
    for rows in row_blocks(len(anchors), _BLOCK):
        cosines = anchors[rows] @ anchors.T  # (B, K)
        cosines[np.arange(len(cosines)), np.arange(len(anchors))[rows]] = -np.inf
        found[rows] = np.argpartition(-cosines, n - 1, axis=1)[:, :n]
    return found


def threshold(similarities: FloatArray, centers: IntArray, *, lambda_: float | None) -> BoolArray:
    """Mark the images above λ, given their stored similarities: what a λ slider moves.

    Args:
        similarities: Cosine of each image to its center, shape (N,).
        centers: Index of the center of each cluster, shape (K,).
        lambda_: Threshold in [-1, 1]; None or 0 marks all (Table III).

    Returns:
        Reliable mask, shape (N,); centers are always in it.

    Raises:
        ConfigError: λ is outside [-1, 1].
    """
    if not lambda_:
        return np.ones(len(similarities), dtype=np.bool_)
    if not -1 <= lambda_ <= 1:
        raise ConfigError(
            f"λ is a cosine similarity in [-1, 1], but is {lambda_}; the paper: 0.85."
        )
    reliable: BoolArray = similarities > lambda_
    reliable[centers] = True  # rounding may put a vector's cosine with itself below λ = 1
    return reliable


def spread_over_cameras(
    reliable: BoolArray, similarities: FloatArray, clusters: IntArray, camids: IntArray
) -> BoolArray:
    """Thin the reliable images of clusters that one camera dominates.

    In each cluster the camera with the most reliable images keeps at most as many as all other
    cameras have together, but at least half of its own: those nearest to the center. So clusters
    of several cameras train on all of them alike, and a cluster of one camera, which may be a
    background rather than a person, weighs half. Of equal cameras the lowest is thinned; images
    whose camera is not known stay, and count as another camera's.

    Args:
        reliable: Reliable mask, shape (N,).
        similarities: Cosine of each image to its center, shape (N,).
        clusters: Cluster of each image, shape (N,).
        camids: Camera of each image, shape (N,); -1 where it is not known.

    Returns:
        A mask, shape (N,), within `reliable`; a cluster that had an image has one.

    References:
        The paper's conclusion: "integrate diversity into PUL, so that training samples from
        multiple cameras can be selected".
    """
    kept = np.array(reliable)
    chosen = np.flatnonzero(reliable)
    order = chosen[np.argsort(clusters[chosen], kind="stable")]
    starts = np.flatnonzero(np.diff(clusters[order])) + 1
    for members in np.split(order, starts):
        known = camids[members] >= 0
        if not known.any():
            continue
        cameras, counts = np.unique(camids[members[known]], return_counts=True)
        mine = members[camids[members] == cameras[counts.argmax()]]
        n_kept = max(len(members) - len(mine), -(-len(mine) // 2))
        nearest_first = mine[np.argsort(-similarities[mine], kind="stable")]
        kept[nearest_first[n_kept:]] = False
    return kept


def _own_similarities(normalized: FloatArray, clusters: IntArray, centers: IntArray) -> FloatArray:
    similarities = np.empty(len(normalized), dtype=np.float32)
    for rows in row_blocks(len(normalized), _BLOCK):
        own = normalized[centers[clusters[rows]]]  # (B, D)
        similarities[rows] = np.einsum("nd,nd->n", normalized[rows], own)
    return similarities


def _nearest_similarities(normalized: FloatArray, centers: IntArray) -> FloatArray:
    similarities = np.empty(len(normalized), dtype=np.float32)
    for rows in row_blocks(len(normalized), _BLOCK):
        similarities[rows] = (normalized[rows] @ normalized[centers].T).max(axis=1)  # of (B, K)
    return similarities
