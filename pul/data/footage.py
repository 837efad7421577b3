"""What cameras and clocks say: which images are one tracklet, of one moment, of which side."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pul.arrays import FloatArray, IntArray, drop_pages, l2_normalize, row_blocks, rows_within
from pul.errors import FeatureError

_N_DIMENSIONS = 256
_N_SAMPLED = 65_536  # images whose spread gives the directions
_BLOCK_BYTES = 32 << 20

TRACKLET_FRAMES = (
    160  # of Market-1501's pairs nearer than this on one camera, 28-60 % are one person
)
TRACKLET_COSINE = 0.55  # with it, tracklets of Market-1501 are 99 % pure


@dataclass(frozen=True)
class Footage:
    """Where and when each image was taken. N images.

    Attributes:
        camids: Camera, shape (N,); -1 where it is not known.
        recordings: Recording, shape (N,); frame numbers of two recordings do not compare.
        frames: Frame number, shape (N,); -1 where it is not known.
        tracklets: Number of the tracklet that the data names, shape (N,); -1 where it names none.
        sides: Number of the side that the image shows, shape (N,); images of two sides are never
            compared. -1 where it is not known, or where all are to be compared.
    """

    camids: IntArray
    recordings: IntArray
    frames: IntArray
    tracklets: IntArray
    sides: IntArray

    @classmethod
    def of(
        cls,
        camids: IntArray,
        *,
        frames: IntArray | None = None,
        tracklets: Sequence[str] | None = None,
        recordings: IntArray | None = None,
        sides: Sequence[str] | None = None,
    ) -> Self:
        """Make footage of what is known; what is not given is not known.

        Args:
            camids: Camera of each image, shape (N,); -1 where it is not known.
            frames: Frame number, shape (N,); -1 where it is not known.
            tracklets: Name of the tracklet of each image; "" where there is none.
            recordings: Recording, shape (N,); without it all are taken to be of one.
            sides: Side that each image shows, "" where it is not known; None to compare all.

        Raises:
            FeatureError: The columns are of different length.
        """
        n_images = len(camids)
        unknown = np.full(n_images, -1, dtype=np.int64)
        numbers = unknown if tracklets is None else _numbered(tracklets)
        shown = unknown if sides is None else _numbered(sides)
        frames = unknown if frames is None else frames
        recordings = np.zeros(n_images, dtype=np.int64) if recordings is None else recordings
        lengths = {len(column) for column in (camids, recordings, frames, numbers, shown)}
        if lengths != {n_images}:
            raise FeatureError(f"Columns of one dataset must be of one length, but are {lengths}.")
        return cls(camids, recordings, frames, numbers, shown)

    def __len__(self) -> int:
        return len(self.camids)


def _numbered(names: Sequence[str]) -> IntArray:
    """Return the number of each name, in their order; -1 for ""."""
    known, numbers = np.unique(np.asarray(names, dtype=str), return_inverse=True)
    return np.where(known[numbers] == "", -1, numbers).astype(np.int64)


def find_tracklets(embedding: FloatArray, footage: Footage) -> IntArray:
    """Group images that are one person at one camera: near frames and a high cosine.

    Images of two sides are together only where the data names their tracklet.

    Args:
        embedding: L2-normalised embedding, shape (N, P).
        footage: Where and when they were taken.

    Returns:
        Number of each image's tracklet, shape (N,), numbered from 0 by first image; most often an
        image is alone in its own.
    """
    linked = [_links(*pair, embedding, footage.sides) for pair in _near_pairs(footage)]
    linked.append(_named_links(footage.tracklets))
    left = np.concatenate([a for a, _ in linked])
    right = np.concatenate([b for _, b in linked])
    n_images = len(embedding)
    graph = coo_array((np.ones(len(left), np.int8), (left, right)), shape=(n_images, n_images))
    labels: IntArray = connected_components(graph, directed=False)[1].astype(np.int64)
    return labels


def find_moments(footage: Footage) -> IntArray:
    """Number the camera frames that images were cut from.

    Returns:
        Number of each image's frame, shape (N,); -1 where its camera or frame is not known.
    """
    known = np.flatnonzero((footage.frames >= 0) & (footage.camids >= 0))
    places = np.stack([footage.camids, footage.recordings, footage.frames], axis=1)
    moments = np.full(len(footage), -1, dtype=np.int64)
    moments[known] = np.unique(places[known], axis=0, return_inverse=True)[1].reshape(-1)
    return moments


def _near_pairs(footage: Footage) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield pairs of images of one camera and recording with near frames, by their distance."""
    known = np.flatnonzero((footage.frames >= 0) & (footage.camids >= 0))
    frames, places = footage.frames[known], footage.camids[known]
    recordings = footage.recordings[known]
    order = np.lexsort((frames, recordings, places))
    known, frames, places, recordings = (x[order] for x in (known, frames, places, recordings))
    for step in range(1, len(known)):
        near = frames[step:] - frames[:-step] < TRACKLET_FRAMES
        near &= (places[step:] == places[:-step]) & (recordings[step:] == recordings[:-step])
        if not near.any():
            return
        yield known[:-step][near], known[step:][near]


def _links(
    left: IntArray, right: IntArray, embedding: FloatArray, sides: IntArray
) -> tuple[IntArray, IntArray]:
    alike = np.empty(len(left), dtype=np.bool_)
    for rows in row_blocks(len(left), rows_within(_BLOCK_BYTES, embedding.shape[1])):
        cosines = np.einsum("np,np->n", embedding[left[rows]], embedding[right[rows]])
        alike[rows] = cosines > TRACKLET_COSINE
    alike &= (sides[left] == sides[right]) | (sides[left] < 0) | (sides[right] < 0)
    return left[alike], right[alike]


def _named_links(tracklets: IntArray) -> tuple[IntArray, IntArray]:
    named = np.flatnonzero(tracklets >= 0)
    named = named[np.argsort(tracklets[named], kind="stable")]
    together = tracklets[named[1:]] == tracklets[named[:-1]]
    return named[:-1][together], named[1:][together]


def embed(features: FloatArray, camids: IntArray, *, out: FloatArray | None = None) -> FloatArray:
    """Return what likeness is judged by: features without what their camera adds to all of them.

    Each camera's mean is taken off; then the widest directions of the rest, which hold most of
    what is left of light and background, are scaled down. Market-1501 with a small network: mean
    average precision over all training images 10.9 % → 13.2 %. Features are read a block at a time,
    so that they may lie on the disk; of more than 65,536 images, directions are those of a sample.

    Args:
        features: Un-normalised features, shape (N, D).
        camids: Camera of each image, shape (N,).
        out: Where to put the embedding, shape (N, P); a new array if None.

    Returns:
        Embedding, L2-normalised, shape (N, P), P ≤ 256: `n_embedded(D)`.
    """
    cameras, camera_of = np.unique(camids, return_inverse=True)
    means = _camera_means(features, camera_of, len(cameras))
    directions = _directions(features, camera_of, means)
    if out is None:
        out = np.empty((len(features), directions.shape[1]), dtype=np.float32)
    for rows in _blocks(features):
        out[rows] = l2_normalize(_centred(features[rows], means[camera_of[rows]]) @ directions)
    return out


def n_embedded(n_dims: int) -> int:
    """Return how many dimensions `embed` makes of so many."""
    return min(n_dims, _N_DIMENSIONS)


def _blocks(features: FloatArray) -> Iterator[slice]:
    for rows in row_blocks(len(features), rows_within(_BLOCK_BYTES, features.shape[1])):
        yield rows
        drop_pages(features)


def _camera_means(features: FloatArray, camera_of: IntArray, n_cameras: int) -> FloatArray:
    """Return the mean of each camera's L2-normalised features, shape (C, D)."""
    sums = np.zeros((n_cameras, features.shape[1]))
    for rows in _blocks(features):
        normalized, own = l2_normalize(features[rows]), camera_of[rows]
        for camera in np.unique(own).tolist():
            sums[camera] += normalized[own == camera].sum(axis=0)
    counts = np.bincount(camera_of, minlength=n_cameras)
    return np.asarray(sums / counts[:, None], dtype=np.float32)


def _centred(features: FloatArray, means: FloatArray) -> FloatArray:
    return l2_normalize(l2_normalize(features) - means)


def _directions(features: FloatArray, camera_of: IntArray, means: FloatArray) -> FloatArray:
    """Return the widest directions of the centred features, scaled, shape (D, P)."""
    n_images, n_dims = features.shape
    some = np.linspace(0, n_images - 1, min(n_images, _N_SAMPLED)).astype(np.int64)
    covariance = np.zeros((n_dims, n_dims))
    for rows in row_blocks(len(some), rows_within(_BLOCK_BYTES, n_dims)):
        centred = _centred(features[some[rows]], means[camera_of[some[rows]]])
        covariance += centred.T @ centred
        drop_pages(features)
    covariance /= max(1, len(some))
    variances, directions = np.linalg.eigh(covariance.astype(np.float32))
    widest = slice(None, -_N_DIMENSIONS - 1, -1)
    kept = np.maximum(variances[widest], 1e-6)
    scaled: FloatArray = directions[:, widest] / kept**0.25
    return scaled
