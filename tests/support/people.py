"""Features of made-up people under several cameras, with what a camera knows of each image."""

from dataclasses import dataclass, fields, replace

import numpy as np

from pul.arrays import BoolArray, FloatArray, IntArray
from pul.labelling.suggestions import Footage, SuggestionIndex, build_index

N_DIMENSIONS = 32
FIRST_IMAGE = 100  # images of the store do not begin at row 0


@dataclass(frozen=True)
class People:
    """N images: person `pids`, feature and footage of each, and a clustering of them."""

    features: FloatArray
    pids: IntArray
    camids: IntArray
    frames: IntArray
    clusters: IntArray
    image_ids: IntArray

    def footage(self) -> Footage:
        return Footage.of(self.camids, frames=self.frames)

    def index(self) -> SuggestionIndex:
        similarities = np.full(len(self.pids), 0.9, dtype=np.float32)
        return build_index(
            self.features, self.clusters, similarities, self.image_ids, self.footage()
        )

    def keep(self, mask: BoolArray) -> "People":
        """Return these people with some of their images alone, by a mask of shape (N,)."""
        return replace(
            self, **{field.name: getattr(self, field.name)[mask] for field in fields(self)}
        )

    def truth(self) -> dict[int, int]:
        return dict(zip(self.image_ids.tolist(), self.pids.tolist(), strict=True))

    def pids_of(self, images: IntArray) -> set[int]:
        return {self.truth()[image] for image in images.tolist()}


def make_people(
    n_people: int = 12, *, n_cameras: int = 3, n_images: int = 4, noise: float = 0.5, seed: int = 0
) -> People:
    """Return people who pass every camera once; the cluster of an image is its person's.

    Images are in random order, so that no order tells who is who.
    """
    random = np.random.default_rng(seed)
    pids, camids, shots = (
        x.ravel() for x in np.indices((n_people, n_cameras, n_images), dtype=np.int64)
    )
    order = random.permutation(len(pids))
    pids, camids, shots = pids[order], camids[order], shots[order]
    looks = random.normal(size=(n_people, N_DIMENSIONS))
    light = 2 * random.normal(size=(n_cameras, N_DIMENSIONS))
    features = looks[pids] + light[camids] + noise * random.normal(size=(len(pids), N_DIMENSIONS))
    return People(
        features=features.astype(np.float32),
        pids=pids + 1,
        camids=camids + 1,
        frames=10_000 * pids + 500 * camids + 10 * shots,
        clusters=pids,
        image_ids=np.arange(len(pids), dtype=np.int64) + FIRST_IMAGE,
    )
