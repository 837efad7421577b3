"""Synthetic features that resemble a network's: ReLU, a mean, and a slowly falling spectrum."""

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.float32]
Ids = NDArray[np.int64]

_POWER = 0.7  # of the spectrum: a flat one would bias the comparison of approximations
_BLOCK = 16384


def people(
    n_images: int, n_dims: int, n_people: int, *, seed: int = 0, noise: float = 1.0
) -> tuple[Features, Ids]:
    """Return features of images of people, shape (N, D), and their pids, from 1, shape (N,).

    Args:
        n_images: N.
        n_dims: D.
        n_people: People, about equally often.
        seed: Seed of everything.
        noise: Spread of a person's images, in units of the spread of people.
    """
    rng = np.random.default_rng(seed)
    spectrum = (np.arange(1, n_dims + 1) ** -_POWER).astype(np.float32)
    means = rng.standard_normal((n_people, n_dims), dtype=np.float32)
    turn = np.linalg.qr(rng.standard_normal((n_dims, n_dims), dtype=np.float32))[0]
    pids = rng.integers(1, n_people + 1, n_images)
    features = np.empty((n_images, n_dims), dtype=np.float32)
    for start in range(0, n_images, _BLOCK):
        rows = slice(start, start + _BLOCK)
        images = rng.standard_normal(features[rows].shape, dtype=np.float32)
        latent = (means[pids[rows] - 1] + noise * images) * spectrum
        features[rows] = np.maximum(latent @ turn + np.float32(0.02), 0)
    return features, pids


def changed(features: Features, *, seed: int = 1, noise: float = 0.5) -> Features:
    """Return features as an iteration of fine-tuning might leave them: near what they were."""
    rng = np.random.default_rng(seed)
    spread = noise * features.std(axis=0)
    moved = np.empty_like(features)
    for start in range(0, len(features), _BLOCK):
        rows = slice(start, start + _BLOCK)
        shift = rng.standard_normal(features[rows].shape, dtype=np.float32)
        moved[rows] = np.maximum(features[rows] + spread * shift, 0)
    return moved


def retrieval(
    n_queries: int, n_gallery: int, n_dims: int, n_people: int, *, seed: int = 0
) -> tuple[Features, Features, Ids, Ids, Ids, Ids]:
    """Return query and gallery features and ids, in the proportions and the order of Market-1501.

    Of its gallery 19 % are bad detections (pid -1), 14 % distractors (pid 0), sorted by pid.
    """
    rng = np.random.default_rng(seed)
    features, pids = people(n_queries + n_gallery, n_dims, n_people, seed=seed, noise=0.6)
    gallery_pids = pids[n_queries:]
    kinds = rng.random(n_gallery)
    gallery_pids[kinds < 0.33] = 0
    gallery_pids[kinds < 0.19] = -1
    order = np.argsort(gallery_pids, kind="stable")
    camids = rng.integers(1, 7, n_queries + n_gallery)
    return (
        features[:n_queries],
        features[n_queries:][order],
        pids[:n_queries],
        camids[:n_queries],
        gallery_pids[order],
        camids[n_queries:],
    )
