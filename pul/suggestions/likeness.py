"""How alike two images or two tracklets are, across cameras, and what the clock adds."""

from typing import NamedTuple

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from pul.arrays import DoubleArray, FloatArray, IntArray, l2_normalize
from pul.suggestions.footage import Footage, find_tracklets
from pul.suggestions.groups import Groups, group

ONE_PERSON = 0.6  # mean affinity from which tracklets are offered as one person
NEAR_FRAMES = 2000.0  # distance in time at which the bonus of being near has fallen to 1/e
_N_DIMENSIONS = 256
_BONUS = 0.15  # cosine that a factor e in the odds of being one person is worth (Market-1501)
_MAX_BONUS = 0.45
_N_SAMPLED = 1500  # tracklets whose likest ones tell what time is worth
_N_COMPARED = 20_000  # tracklets that they are compared with: bounds the memory
_LIKEST = 0.999


class Bonus(NamedTuple):
    """What being at one moment adds to a cosine: at one camera, and between two."""

    within: float
    across: float


class Tracklets(NamedTuple):
    """The tracklets of an iteration: S of them, one person at one camera in one moment each.

    Attributes:
        groups: Images by tracklet.
        means: Mean embedding, L2-normalised, shape (S, P).
        cameras, recordings: Where, shape (S,).
        times: Mean frame, shape (S,); NaN where not known.
        bonus: What being near in time is worth.
    """

    groups: Groups
    means: FloatArray
    cameras: IntArray
    recordings: IntArray
    times: DoubleArray
    bonus: Bonus

    def affinities(self, left: IntArray, right: IntArray) -> FloatArray:
        """Return how alike tracklets are: their cosine, and a bonus for being near in time.

        Args:
            left, right: Tracklets, shapes (A,) and (B,).

        Returns:
            Affinities, shape (A, B), float32.
        """
        cosines = self.means[left] @ self.means[right].T
        apart = np.abs(self.times[left][:, None] - self.times[right][None])
        near = np.exp(-apart.astype(np.float32) / np.float32(NEAR_FRAMES))
        near[self.recordings[left][:, None] != self.recordings[right][None]] = 0
        one_camera = self.cameras[left][:, None] == self.cameras[right][None]
        within, across = map(np.float32, self.bonus)
        worth = np.where(one_camera, within, across)
        affinities: FloatArray = cosines + worth * np.nan_to_num(near, nan=0.0)
        return affinities

    def bundle(self, tracklets: IntArray, *, least: float) -> IntArray:
        """Group tracklets whose mean affinity is at least so high (average linkage).

        Returns:
            Number of each tracklet's bundle, shape (A,).
        """
        if len(tracklets) < 2:
            return np.zeros(len(tracklets), dtype=np.int64)
        distances = 2.0 - self.affinities(tracklets, tracklets).astype(np.float64)
        tree = linkage(squareform(distances, checks=False), method="average")
        bundles: IntArray = fcluster(tree, 2.0 - least, criterion="distance").astype(np.int64) - 1
        return bundles


def make_tracklets(embedding: FloatArray, footage: Footage) -> Tracklets:
    """Find the tracklets of a set of images, and learn what being near in time is worth."""
    groups = group(find_tracklets(embedding, footage))
    first = groups.rows[groups.starts[:-1]]
    frames = np.where(footage.frames < 0, np.nan, footage.frames)
    times = np.bincount(groups.of, frames, len(first)) / groups.sizes()
    where = footage.camids[first], footage.recordings[first]
    tracklets = Tracklets(groups, mean_of(embedding, groups), *where, times, Bonus(0, 0))
    return tracklets._replace(bonus=learn_bonus(tracklets))


def embed(features: FloatArray, camids: IntArray) -> FloatArray:
    """Return what likeness is judged by: features without what their camera adds to all of them.

    Each camera's mean is taken off; then the widest directions of the rest, which hold most of
    what is left of light and background, are scaled down. Market-1501 with a small network: mean
    average precision over all training images 10.9 % → 13.2 %.

    Args:
        features: Un-normalised features, shape (N, D).
        camids: Camera of each image, shape (N,).

    Returns:
        Embedding, L2-normalised, shape (N, P), P ≤ 256.
    """
    centred = l2_normalize(features)
    for camera in np.unique(camids):
        mask = camids == camera
        centred[mask] -= centred[mask].mean(axis=0)
    centred = l2_normalize(centred)
    variances, directions = np.linalg.eigh(centred.T @ centred / max(1, len(centred)))
    widest = slice(None, -_N_DIMENSIONS - 1, -1)
    kept = np.maximum(variances[widest], 1e-6)
    return l2_normalize(centred @ (directions[:, widest] / kept**0.25))


def mean_of(embedding: FloatArray, groups: Groups) -> FloatArray:
    """Return the mean embedding of each group, L2-normalised, shape (G, P)."""
    return l2_normalize(sum_of(embedding, groups))


def sum_of(embedding: FloatArray, groups: Groups) -> FloatArray:
    """Return the sum of the embeddings of each group, shape (G, P)."""
    sums: FloatArray = np.add.reduceat(embedding[groups.rows], groups.starts[:-1], axis=0)
    return sums


def learn_bonus(tracklets: Tracklets) -> Bonus:
    """Learn without labels what being near in time says about being one person.

    Of the pairs that look most alike, so many are near in time; of all pairs, so many. Where
    clocks of cameras do not agree the two shares are equal, and time adds nothing.
    """
    n_tracklets = len(tracklets.times)
    if np.isnan(tracklets.times).all() or n_tracklets < 2:
        return Bonus(0.0, 0.0)
    random = np.random.default_rng(0)
    some = random.choice(n_tracklets, min(n_tracklets, _N_SAMPLED), replace=False)
    others = random.choice(n_tracklets, min(n_tracklets, _N_COMPARED), replace=False)
    cosines = tracklets.means[some] @ tracklets.means[others].T
    near = np.abs(tracklets.times[some][:, None] - tracklets.times[others]) < NEAR_FRAMES
    near &= tracklets.recordings[some][:, None] == tracklets.recordings[others]
    one_camera = tracklets.cameras[some][:, None] == tracklets.cameras[others]
    other = some[:, None] != others
    return Bonus(
        _worth(cosines, near, one_camera & other), _worth(cosines, near, ~one_camera & other)
    )


def _worth(cosines: FloatArray, near: np.ndarray, pairs: np.ndarray) -> float:
    if not near[pairs].any():
        return 0.0
    likest = pairs & (cosines > np.quantile(cosines[pairs], _LIKEST))
    if not near[likest].any():
        return 0.0
    lift = near[likest].mean() / near[pairs].mean()
    return float(np.clip(_BONUS * np.log(lift), 0.0, _MAX_BONUS))
