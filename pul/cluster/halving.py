"""Two groups of one cluster: what a person is offered who sees two people in it."""

import numpy as np
from numpy.typing import ArrayLike

from pul.arrays import BoolArray, check_features, l2_normalize
from pul.cluster.kmeans import cluster


def halve(features: ArrayLike, *, seed: int = 0) -> BoolArray:
    """Divide images into two groups by k-means with K = 2 on their directions.

    Args:
        features: Features, shape (N, D); they are l2-normalised here, because the screen shows
            cosines.
        seed: Seed of k-means.

    Returns:
        The smaller group, shape (N,); of two equal ones that without the first image. Empty where
        N is below 2 or all images are alike.

    Raises:
        FeatureError: Features are misshapen or not finite.

    >>> halve([[1, 0], [0.9, 0.1], [0, 1], [1, 0.1]]).tolist()
    [False, False, True, False]
    """
    directions = l2_normalize(check_features(np.asarray(features, dtype=np.float32)))
    if len(directions) < 2 or np.ptp(directions, axis=0).max() < 1e-6:
        return np.zeros(len(directions), dtype=bool)
    groups = cluster(directions, n_clusters=2, seed=seed, n_init=4).clusters
    second = groups != groups[0]
    return np.asarray(second if 2 * second.sum() <= len(second) else ~second, dtype=bool)
