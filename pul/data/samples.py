"""One image of a dataset, and what its file name says."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pul.arrays import BoolArray, IntArray
from pul.records import Split

# At most nine digits, so that an id always fits the integers of an array or a database.
_NAME = re.compile(
    r"p?(?P<pid>-?\d{1,9})(?:_\d{1,3})?_c(?P<camid>\d{1,9})(?:s(?P<sequence>\d{1,9}))?(?=[_.]|\Z)"
    r"(?:_f?(?P<frame>\d{1,18})(?=[_.]|\Z))?",
    re.ASCII | re.IGNORECASE,
)
_TRACKLET_NAME = re.compile(
    r"(?P<tracklet>(?:00)?(?P<pid>-1|\d{4,9})_?C(?P<camid>\d{1,9})_?T(?P<sequence>\d{1,9}))"
    r"_?F(?P<frame>\d{1,18})(?=[_.]|\Z)",
    re.ASCII | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One image of a dataset.

    Attributes:
        path: Absolute path of the image file.
        pid: Ground-truth identity; -1 is junk, 0 a distractor, None not known.
        camid: Camera as written in the file name; None not known.
        split: `train`, `query` or `gallery`.
        tracklet: Images of one tracklet show one person on one camera; None where there is none.
        frame: Frame number; comparable within one camera and recording only. None not known.
        box: Left, top, right and lower edge in pixels of the part of the picture that it is, before
            `pul.data.boxes.cut_boxes` has cut it out; None where it is the whole.
        side: Side or orientation that it shows, such as `left`; None not known.
    """

    path: Path
    pid: int | None = None
    camid: int | None = None
    split: Split = "train"
    tracklet: str | None = None
    frame: int | None = None
    side: str | None = None
    box: tuple[float, float, float, float] | None = None


UNKNOWN_PID, UNKNOWN_CAMID = -2, -1  # in arrays, where a sample has None


def asks_for_somebody(pids: IntArray) -> BoolArray:
    """Whether a query of each id is measured, shape (Q,): one of a person is."""
    return pids > 0


def can_be_found(pids: IntArray) -> BoolArray:
    """Whether a gallery image of each id is measured, shape (G,).

    It is known who it shows, or that it is a distractor (0) or junk (-1), which the protocol treats
    each in its way; an image of which nothing is known could be anybody's match.
    """
    return pids > UNKNOWN_PID


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was left out.

    Attributes:
        path: The file, or the folder where all of it was left out.
        reason: Why, for people.
    """

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class ParsedName:
    """What a file name in the manner of Market-1501 or DukeMTMC-reID says.

    Attributes:
        pid: Identity; -1 is junk, 0 a distractor, -2 and below nobody known.
        camid: Camera, as written.
        sequence: Recording of that camera (`s1`); None where the name has none.
        frame: Frame number; None where the name has none.
        tracklet: Name of the tracklet; None where the name has none.
    """

    pid: int
    camid: int
    sequence: int | None = None
    frame: int | None = None
    tracklet: str | None = None

    @property
    def person(self) -> int | None:
        """The identity as a sample has it: None where nobody knows it, as in PRW's -2."""
        return self.pid if self.pid > UNKNOWN_PID else None


def parse_name(name: str) -> ParsedName | None:
    """Read identity, camera, recording and frame from a base name.

    Args:
        name: Name of a file without its folders: `0002_c1s1_000451_03.jpg` (Market-1501),
            `0001_c2_f0046182.jpg` (DukeMTMC-reID), `0002_c001_00016450_0.jpg` (VeRi-776),
            `094_1_c9_015833.png` (LTCC, whose second number is the clothes),
            `P16_C02_A1_R3.jpg` (DeepChange),
            `-1_c12s3_000001_00.jpg`, `0001C1T0002F003.jpg` (MARS: a tracklet is a recording).

    Returns:
        What the name says, or None if it is not of this form.
    """
    match = _NAME.match(name) or _TRACKLET_NAME.match(name)
    if match is None:
        return None
    sequence, frame = match["sequence"], match["frame"]
    return ParsedName(
        pid=int(match["pid"]),
        camid=int(match["camid"]),
        sequence=None if sequence is None else int(sequence),
        frame=None if frame is None else int(frame),
        tracklet=match["tracklet"] if match.re is _TRACKLET_NAME else None,
    )


def to_sides(samples: Sequence[Sample]) -> tuple[str, ...]:
    """Return the side of each sample; "" where it is not known."""
    return tuple(sample.side or "" for sample in samples)


def to_arrays(samples: Sequence[Sample]) -> tuple[IntArray, IntArray]:
    """Return the ids and the cameras of N samples, each of shape (N,)."""
    pids = [UNKNOWN_PID if sample.pid is None else sample.pid for sample in samples]
    camids = [UNKNOWN_CAMID if sample.camid is None else sample.camid for sample in samples]
    return np.array(pids, dtype=np.int64), np.array(camids, dtype=np.int64)
