"""What annotations say about the images of an index, kept up to date as people label."""

from dataclasses import dataclass, field
from threading import Lock

import numpy as np

from pul.arrays import BoolArray, FloatArray, IntArray, l2_normalize
from pul.labelling.annotations import UNANSWERED, Annotations


@dataclass(frozen=True)
class Answers:
    """Who is on the N images of an index, as far as people said. L identities.

    Attributes:
        owners: Identity, JUNK, UNSURE or UNANSWERED of each image, shape (N,).
        free: Images that nobody judged yet, shape (N,).
        identities: Identities with an image here, ascending, shape (L,).
        means: Mean embedding of each of them, L2-normalised, shape (L, P).
    """

    owners: IntArray
    free: BoolArray
    identities: IntArray
    means: FloatArray


@dataclass
class AnswersMemory:
    """The answers of the annotations that were asked for last.

    Of each identity the mean is computed again only if its images have changed, so that a label
    costs as little among 2,000 identities as among two.
    """

    _lock: Lock = field(default_factory=Lock)
    _annotations: Annotations | None = None
    _answers: Answers | None = None
    _means: dict[int, tuple[bytes, FloatArray]] = field(default_factory=dict)

    def read(self, annotations: Annotations, image_ids: IntArray, embedding: FloatArray) -> Answers:
        """Return the answers of annotations, which never change themselves.

        Args:
            annotations: What people said.
            image_ids: Number of each image, shape (N,), ascending.
            embedding: Its embedding, shape (N, P).
        """
        with self._lock:
            if self._answers is None or annotations is not self._annotations:
                self._answers = self._make(annotations, image_ids, embedding)
                self._annotations = annotations
            return self._answers

    def _make(
        self, annotations: Annotations, image_ids: IntArray, embedding: FloatArray
    ) -> Answers:
        owners = _owners(annotations, image_ids)
        labelled = np.flatnonzero(owners > 0)
        labelled = labelled[np.argsort(owners[labelled], kind="stable")]
        identities, starts = np.unique(owners[labelled], return_index=True)
        parts = np.split(labelled, starts[1:]) if len(identities) else []
        before, self._means = self._means, {}
        for identity, rows in zip(identities.tolist(), parts, strict=True):
            key = rows.tobytes()
            known = before.get(identity)
            is_same = known is not None and known[0] == key
            mean = known[1] if known and is_same else _mean(embedding, rows)
            self._means[identity] = key, mean
        means = np.empty((len(identities), embedding.shape[1]), dtype=np.float32)
        for place, identity in enumerate(identities.tolist()):
            means[place] = self._means[identity][1]
        free = owners == UNANSWERED
        for array in (owners, free, means):
            array.setflags(write=False)
        return Answers(owners, free, identities, means)


def _owners(annotations: Annotations, image_ids: IntArray) -> IntArray:
    judged, of_judged = annotations.judged
    owners = np.full(len(image_ids), UNANSWERED, dtype=np.int64)
    rows = np.minimum(np.searchsorted(image_ids, judged), len(image_ids) - 1)
    is_here = image_ids[rows] == judged
    owners[rows[is_here]] = of_judged[is_here]
    return owners


def _mean(embedding: FloatArray, rows: IntArray) -> FloatArray:
    return l2_normalize(embedding[rows].sum(axis=0))
