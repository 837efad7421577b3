"""What cameras and clocks say: which images are one tracklet, of one moment, of which side."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pul.arrays import FloatArray, IntArray, l2_normalize
from pul.errors import FeatureError

_N_DIMENSIONS = 256

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
    alike = np.einsum("np,np->n", embedding[left], embedding[right]) > TRACKLET_COSINE
    alike &= (sides[left] == sides[right]) | (sides[left] < 0) | (sides[right] < 0)
    return left[alike], right[alike]


def _named_links(tracklets: IntArray) -> tuple[IntArray, IntArray]:
    named = np.flatnonzero(tracklets >= 0)
    named = named[np.argsort(tracklets[named], kind="stable")]
    together = tracklets[named[1:]] == tracklets[named[:-1]]
    return named[:-1][together], named[1:][together]


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
