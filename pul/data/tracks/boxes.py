"""A box of a track, and what a whole file of them says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TrackBox:
    """One box of one track in one frame.

    Attributes:
        track: Number or name of the track, as written.
        frame: Number of the frame, as written; `TrackFile.first_frame` says where they start.
        left: Left edge in pixels from the picture's left edge: 0 is the edge itself.
        top: Upper edge in pixels from the picture's upper edge.
        width: In pixels.
        height: In pixels.
        label: Name of the class, or its number where no name is known; "" where there is none.
        confidence: Of a tracker; None where the file has none.
        visibility: Share of the person that is seen, in [0, 1]; None where the file has none.
        is_occluded: Whether an annotator marked it as occluded.
        image: File name of the frame; "" where the file names none.
        video: Name of the video, in a file of several; else "".
        attributes: What an annotation tool says besides, by name.
    """

    track: str
    frame: int
    left: float
    top: float
    width: float
    height: float
    label: str = ""
    confidence: float | None = None
    visibility: float | None = None
    is_occluded: bool = False
    image: str = ""
    video: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def corners(self) -> tuple[float, float, float, float]:
        """Left, top, right and lower edge in pixels."""
        return self.left, self.top, self.left + self.width, self.top + self.height


@dataclass(frozen=True, slots=True)
class SkippedBox:
    """A box that was left out.

    Attributes:
        place: Where it stands in the file, for people.
        reason: Why, for people.
    """

    place: str
    reason: str


@dataclass(frozen=True)
class TrackFile:
    """What a file of tracks says.

    Attributes:
        path: The file.
        format: One of `TRACK_FORMATS`.
        boxes: By video, frame and track.
        first_frame: What the file calls the first frame of a video: 0 or 1; None where it does not
            tell.
        size: Width and height in pixels of the pictures that the boxes were drawn on; None where
            the file does not say, or several.
        skipped: Boxes left out, with reasons.
        notes: Remarks for people.
    """

    path: Path
    format: str
    boxes: tuple[TrackBox, ...]
    first_frame: int | None = None
    size: tuple[int, int] | None = None
    skipped: tuple[SkippedBox, ...] = ()
    notes: tuple[str, ...] = ()

    def labels(self) -> dict[str, int]:
        """Count the boxes of each class, the most frequent first."""
        counts: dict[str, int] = {}
        for box in self.boxes:
            counts[box.label] = counts.get(box.label, 0) + 1
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def order_boxes(boxes: list[TrackBox]) -> tuple[TrackBox, ...]:
    """Sort boxes by video, frame and track: numbers as numbers, before names."""
    return tuple(sorted(boxes, key=lambda box: (box.video, box.frame, track_order(box.track))))


def track_order(track: str) -> tuple[int, int, str]:
    """Return what sorts tracks: numbers as numbers, before names."""
    is_number = track.isascii() and track.isdigit() and len(track) <= 18
    return (0, int(track), "") if is_number else (1, 0, track)
