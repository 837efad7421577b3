"""Labelled identities against the truth, where it is known."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pul.arrays import IntArray
from pul.labelling.annotations import Annotations


@dataclass(frozen=True, slots=True)
class LabelQuality:
    """One labelled identity against the truth.

    Attributes:
        identity: Its number.
        name: What it is called.
        pid: The true person of most of its images.
        n_images: Its images.
        precision: Share of its images that show this person.
        recall: Share of this person's images that are in it.
    """

    identity: int
    name: str
    pid: int
    n_images: int
    precision: float
    recall: float


def measure(
    annotations: Annotations, truth: Mapping[int, int], images: IntArray
) -> tuple[LabelQuality, ...]:
    """Compare every identity with the truth.

    Args:
        annotations: What people said.
        truth: Image → pid.
        images: The images that were to be labelled, shape (N,).

    Returns:
        Quality of each identity, in the order they were made.
    """
    pids = [truth[image] for image in images.tolist() if image in truth]
    totals = dict(zip(*(x.tolist() for x in np.unique(pids, return_counts=True)), strict=True))
    found = []
    for known in annotations.identities:
        people = [truth.get(image, -1) for image in known.images]
        pid = max(sorted(set(people)), key=people.count)
        n_right, n_all = people.count(pid), len(people)
        recall = n_right / totals[pid] if pid in totals else float("nan")
        quality = LabelQuality(known.identity, known.name, pid, n_all, n_right / n_all, recall)
        found.append(quality)
    return tuple(found)
