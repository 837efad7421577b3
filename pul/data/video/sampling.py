"""Which boxes of a track become crops: every n-th frame, at most m, unoccluded and sharp first."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pul.arrays import DoubleArray
from pul.data.tracks import TrackBox
from pul.errors import ConfigError

USUAL_EVERY, USUAL_MOST = 5, 12
OCCLUDED = 0.3  # share of a person that is hidden above which others go first


@dataclass(frozen=True, slots=True)
class SamplingRule:
    """How many crops are taken of a track.

    Attributes:
        every: Every n-th frame in which the track is seen counts, from its first.
        most: Crops of one track at most.
    """

    every: int = USUAL_EVERY
    most: int = USUAL_MOST

    def __post_init__(self) -> None:
        for name, value in (("every", self.every), ("per_track", self.most)):
            if value < 1:
                raise ConfigError(f"{name} must be at least 1, but is {value}.")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A box that may become a crop.

    Attributes:
        box: The box.
        hidden: Share of it that others cover, that lies outside the picture, or that the file says
            is not seen; in [0, 1].
    """

    box: TrackBox
    hidden: float


def sample_track(candidates: Sequence[Candidate], rule: SamplingRule) -> list[list[Candidate]]:
    """Choose the stretches of one track; of each, the sharpest candidate becomes a crop.

    Candidates that are hidden by more than 30 % count only where too few others are there. What
    counts is divided in order of time into as many stretches as crops are wanted, so that crops
    show the person in several moments.

    Args:
        candidates: Those of one track, by frame.
        rule: How many.

    Returns:
        At most `rule.most` lists of candidates, none empty, by frame.
    """
    due = _every_nth(candidates, rule.every)
    clear = [x for x in due if x.hidden <= OCCLUDED]
    if len(clear) < rule.most:
        # Each clear one is taken; the least hidden of the others make up the number.
        others = sorted((x for x in due if x.hidden > OCCLUDED), key=lambda x: x.hidden)
        taken = clear + others[: rule.most - len(clear)]
        return [[x] for x in sorted(taken, key=lambda x: x.box.frame)]
    edges = [len(clear) * part // rule.most for part in range(rule.most + 1)]
    return [clear[a:b] for a, b in pairwise(edges)]


def _every_nth(candidates: Sequence[Candidate], every: int) -> list[Candidate]:
    """Return those at least `every` frames after the one before, from the first on."""
    due: list[Candidate] = []
    for candidate in candidates:
        if not due or candidate.box.frame - due[-1].box.frame >= every:
            due.append(candidate)
    return due


def measure_hidden(
    boxes: Iterable[TrackBox], size: tuple[int, int]
) -> dict[tuple[int, str], float]:
    """Return how much of each box is hidden, in [0, 1], by frame and track.

    A box is hidden as far as the nearest other one covers it: one whose lower edge is lower, as it
    stands nearer to the camera. What lies outside the picture is hidden too, and what the file's
    visibility says; a box that an annotator marked as occluded counts as hidden by half at least.

    Args:
        boxes: All boxes of a film, of every class.
        size: Width and height of its pictures in pixels.
    """
    frames: dict[int, list[TrackBox]] = defaultdict(list)
    for box in boxes:
        frames[box.frame].append(box)
    hidden: dict[tuple[int, str], float] = {}
    for frame, here in frames.items():
        corners = np.array([box.corners for box in here], dtype=np.float64)
        shares = np.maximum(_covered(corners), _outside(corners, size))
        for box, share in zip(here, shares.tolist(), strict=True):
            unseen = 0.0 if box.visibility is None else 1 - box.visibility
            marked = 0.5 if box.is_occluded else 0.0
            hidden[frame, box.track] = max(share, unseen, marked)
    return hidden


def _covered(corners: DoubleArray) -> DoubleArray:
    """Return the largest share of each box, (N, 4), that a nearer one covers, shape (N,)."""
    lows, highs = corners[:, None, :2], corners[:, None, 2:]
    overlap = np.minimum(highs, corners[None, :, 2:]) - np.maximum(lows, corners[None, :, :2])
    shared = np.clip(overlap, 0, None).prod(axis=2)  # (N, N)
    nearer = corners[None, :, 3] > corners[:, None, 3]
    np.fill_diagonal(nearer, False)
    return _share(np.where(nearer, shared, 0).max(axis=1), corners)


def _outside(corners: DoubleArray, size: tuple[int, int]) -> DoubleArray:
    inside = np.clip(corners, 0, np.array([*size, *size]))
    area = (inside[:, 2] - inside[:, 0]) * (inside[:, 3] - inside[:, 1])
    return 1 - _share(area, corners)


def _share(area: DoubleArray, corners: DoubleArray) -> DoubleArray:
    whole = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
    return np.asarray(np.divide(area, whole, out=np.zeros_like(area), where=whole > 0))
