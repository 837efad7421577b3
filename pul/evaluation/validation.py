"""Retrieval among held-out annotated identities: an mAP without ground truth."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pul.arrays import FloatArray, IntArray, l2_normalize
from pul.config import EvaluationConfig
from pul.evaluation.retrieval import evaluate
from pul.records import RetrievalMetrics


@dataclass(frozen=True, slots=True)
class ValidationSet:
    """Images of validation identities. V images, Q of them queries, G of them in the gallery.

    Attributes:
        rows: Index of each image among the training images, shape (V,), ascending.
        pids: Identity of each image, shape (V,), from 1.
        camids: Camera of each image, shape (V,); -1 where it is not known.
        query: Which of the V images are queries, shape (Q,).
        gallery: Which of the V images make up the gallery, shape (G,).
        camera_aware: Whether images of the query's own camera are junk.
    """

    rows: IntArray
    pids: IntArray
    camids: IntArray
    query: IntArray
    gallery: IntArray
    camera_aware: bool


def make_validation_set(
    validation: Mapping[int, int], camids: IntArray | None
) -> ValidationSet | None:
    """Choose queries and a gallery among the images of validation identities.

    Where an identity was seen by two cameras, retrieval is across cameras: its first image on each
    camera is a query, and all images are the gallery. Where none was, the first image of each
    identity is a query and the others are the gallery.

    Args:
        validation: Index of a training image → identity.
        camids: Camera of each training image, shape (N,), -1 where not known; None for no cameras.

    Returns:
        The set; None where there are fewer than two identities, or no query has a match.
    """
    rows = np.array(sorted(validation), dtype=np.int64)
    names = np.array([validation[row] for row in rows.tolist()], dtype=np.int64)
    known, ranks = np.unique(names, return_inverse=True)
    if len(known) < 2:
        return None
    pids = ranks.astype(np.int64) + 1  # 0 and -1 would read as distractor and junk
    cameras = np.full(len(rows), -1, dtype=np.int64) if camids is None else camids[rows]
    seen = np.array(
        [len({*cameras[pids == pid].tolist()} - {-1}) for pid in range(1, len(known) + 1)]
    )
    if (seen >= 2).any():
        firsts = np.unique(np.stack([pids, cameras], axis=1), axis=0, return_index=True)[1]
        query = np.sort(firsts[(seen[pids[firsts] - 1] >= 2) & (cameras[firsts] >= 0)])
        return ValidationSet(rows, pids, cameras, query, np.arange(len(rows)), camera_aware=True)
    firsts = np.unique(pids, return_index=True)[1]
    query = np.sort(firsts[np.bincount(pids)[1:] >= 2])
    if not len(query):
        return None
    gallery = np.setdiff1d(np.arange(len(rows)), query)
    return ValidationSet(rows, pids, cameras, query, gallery, camera_aware=False)


def evaluate_validation(
    features: FloatArray,
    held: ValidationSet,
    config: EvaluationConfig,
    sides: IntArray | None = None,
) -> RetrievalMetrics:
    """Return the figures of retrieval among validation identities.

    Args:
        features: Features of the V images, shape (V, D).
        held: Which of them are queries and gallery.
        config: Definition of average precision, and what an unmatched query counts.
        sides: Side that each of the V images shows, shape (V,), -1 where it is not known; images
            of two sides are not compared. None compares all.
    """
    normalized = l2_normalize(features)
    query, gallery = held.query, held.gallery
    shown: tuple[list[str], list[str]] | None = None
    if sides is not None:
        names = ["" if side < 0 else str(side) for side in sides.tolist()]
        shown = [names[row] for row in query], [names[row] for row in gallery]
    return evaluate(
        normalized[query],
        normalized[gallery],
        held.pids[query],
        held.camids[query],
        held.pids[gallery],
        held.camids[gallery],
        ap_method=config.ap_method,
        unmatched=config.unmatched,
        camera_aware=held.camera_aware,
        side_aware=shown is not None,
        sides=shown,
    ).to_metrics()
