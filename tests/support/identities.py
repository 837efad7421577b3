"""IDF1 of tracks over several videos, straight from its definition."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

from pul.data.tracks import TrackBox, read_tracks

MIN_OVERLAP = 0.5


def read_boxes(paths: Mapping[str, Path], *, apart: bool = False) -> dict[tuple[str, int], list]:
    """Return boxes by (video, frame); `apart` keeps equal numbers of two videos apart."""
    found: dict[tuple[str, int], list] = {}
    for video, path in paths.items():
        for box in read_tracks(path).boxes:
            name = f"{video} {box.track}" if apart else box.track
            found.setdefault((video, box.frame), []).append((name, box))
    return found


def overlap(one: TrackBox, other: TrackBox) -> float:
    """Return the intersection over the union of two boxes."""
    a, b = one.corners, other.corners
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    return shared / (one.width * one.height + other.width * other.height - shared)


def idf1(truth: dict[tuple[str, int], list], found: dict[tuple[str, int], list]) -> float:
    """Return 2·IDTP / (boxes of the truth + boxes found).

    IDTP are the boxes that overlap by half at least, under the one-to-one assignment of numbers to
    people that makes them most.

    References:
        Ristani et al., Performance Measures and a Data Set for Multi-Target, Multi-Camera
        Tracking, 2016.
    """
    pairs: Counter[tuple[str, str]] = Counter()
    for place, people in truth.items():
        for person, box in people:
            for number, other in found.get(place, []):
                pairs[person, number] += overlap(box, other) >= MIN_OVERLAP
    people = sorted({person for person, _ in pairs})
    numbers = sorted({number for _, number in pairs})
    table = np.array([[pairs[person, number] for number in numbers] for person in people])
    n_right = table[linear_sum_assignment(table, maximize=True)].sum()
    n_boxes = sum(map(len, truth.values())) + sum(map(len, found.values()))
    return float(2 * n_right / n_boxes)
