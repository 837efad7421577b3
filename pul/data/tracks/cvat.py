"""CVAT's own XML, version 1.1: tracks of a video, or images with boxes that name a track."""

import math
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from pul.data.tracks.boxes import SkippedBox, TrackBox, TrackFile, order_boxes
from pul.errors import DatasetError

_TRACK_NAMES = ("track_id", "track", "id", "identity", "pid", "person_id", "person", "name")
_OTHER_SHAPES = {"polygon", "polyline", "points", "ellipse", "cuboid", "mask", "skeleton"}
_CHUNK = 1 << 20


class _Shapes:
    """Collects the boxes while the file is parsed, so that the whole tree is never in memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._names: list[str] = []  # of the elements around this place
        self._text = ""
        self._size: dict[str, str] = {}
        self._around: dict[str, str] = {}  # attributes of the track or image
        self._shape: dict[str, str] | None = None
        self._more: dict[str, str] = {}  # <attribute name="..">text</attribute> of the shape
        self._key = ""
        self._track: list[tuple[dict[str, str], TrackBox]] = []
        self.is_cvat = False
        self.boxes: list[TrackBox] = []
        self.skipped: list[SkippedBox] = []
        self.n_interpolated = 0

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of the pictures, as the meta data says."""
        width, height = self._size.get("width", ""), self._size.get("height", "")
        return (int(width), int(height)) if width.isdigit() and height.isdigit() else None

    def doctype(self, name: str, _pubid: str | None, _system: str | None) -> None:
        """Refuse a DOCTYPE: CVAT writes none, and entities can blow a small file up."""
        raise DatasetError(
            f"{str(self._path)!r} declares a document type ({name}), as no file of CVAT does. "
            "Export it again as CVAT for video 1.1."
        )

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Open an element."""
        self.is_cvat |= tag == "annotations"
        self._names.append(tag)
        self._text = ""
        if tag in ("track", "image"):
            self._around, self._track = attributes, []
        elif tag == "box":
            self._shape, self._more = attributes, {}
        elif tag == "attribute":
            self._key = attributes.get("name", "")
        elif tag in _OTHER_SHAPES and "points" in attributes:
            self.skipped.append(SkippedBox(self._place(), f"a {tag}, not a box"))

    def data(self, text: str) -> None:
        """Take text."""
        self._text += text

    def end(self, tag: str) -> None:
        """Close an element."""
        self._names.pop()
        if self._names[-1:] == ["original_size"]:
            self._size[tag] = self._text.strip()
        elif tag == "attribute" and self._shape is not None:
            self._more[self._key] = self._text.strip()
        elif tag == "box" and self._shape is not None:
            self._take(self._shape)
            self._shape = None
        elif tag == "track":
            self._end_track()
        self._text = ""

    def close(self) -> None:
        """End the file."""

    def _place(self) -> str:
        kind = "image" if "name" in self._around else "track"
        return f"{self._path.name}, {kind} {self._around.get('id', '?')}"

    def _take(self, shape: dict[str, str]) -> None:
        image = self._around.get("name", "")
        track = self._around.get("id", "")
        if image:
            named = {k.strip().lower(): v for k, v in self._more.items()}
            track = next((named[key] for key in _TRACK_NAMES if named.get(key)), "")
        box = self._box(shape, track, image)
        if box is None:
            self.skipped.append(SkippedBox(self._place(), "a box without its four corners"))
        elif not track:
            self.skipped.append(SkippedBox(self._place(), "names no track"))
        elif image:
            self.boxes.append(box)
        else:
            self._track.append((shape, box))

    def _box(self, shape: dict[str, str], track: str, image: str) -> TrackBox | None:
        frame = shape.get("frame", self._around.get("id", "") if image else "")
        try:
            left, top, right, low = (float(shape[key]) for key in ("xtl", "ytl", "xbr", "ybr"))
        except (KeyError, ValueError):
            return None
        if not all(map(math.isfinite, (left, top, right, low))) or not frame.isdigit():
            return None
        return TrackBox(
            track, int(frame), left, top, right - left, low - top,
            label=self._around.get("label") or shape.get("label", ""),
            is_occluded=shape.get("occluded") == "1",
            image=image, attributes=self._more,
        )  # fmt: skip

    def _end_track(self) -> None:
        """Take what is seen of a track, and what lies between keyframes that are apart."""
        seen = sorted(self._track, key=lambda pair: pair[1].frame)
        for index, (shape, box) in enumerate(seen):
            if shape.get("outside") == "1":
                continue
            self.boxes.append(box)
            if index + 1 < len(seen):
                between = list(_interpolate(box, seen[index + 1][1]))
                self.boxes += between
                self.n_interpolated += len(between)


def read_cvat(path: Path) -> TrackFile:
    """Read the tracks of a CVAT XML file, frames counted from 0.

    CVAT writes a box for each frame of a track; where a file has keyframes only, the boxes between
    two of them lie on the straight line between their corners. A box that is `outside` is not seen.
    Of a file for images, the boxes count that name a track in an attribute.

    Raises:
        DatasetError: It is not CVAT's XML, or holds no box of a track.
    """
    shapes = _Shapes(path)
    parser = ElementTree.XMLParser(target=shapes)
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                parser.feed(chunk)
        parser.close()
    except ElementTree.ParseError as error:
        raise DatasetError(
            f"{str(path)!r} cannot be read as XML: {error}. Export it again."
        ) from error
    if not shapes.is_cvat or not shapes.boxes:
        raise DatasetError(
            f"{str(path)!r} holds no box of a track. Right: a file that CVAT exports as "
            "'CVAT for video 1.1', or 'CVAT for images 1.1' whose boxes have an attribute track_id."
        )
    notes = []
    if shapes.n_interpolated:
        notes.append(f"{shapes.n_interpolated:,} boxes between keyframes were interpolated.")
    return TrackFile(
        path, "cvat", order_boxes(shapes.boxes), 0, shapes.size, tuple(shapes.skipped), tuple(notes)
    )


def _interpolate(first: TrackBox, last: TrackBox) -> Iterator[TrackBox]:
    """Yield the boxes of the frames between two of a track."""
    n_steps = last.frame - first.frame
    for step in range(1, n_steps):
        share = step / n_steps
        left, top, width, height = (
            (1 - share) * a + share * b
            for a, b in (
                (first.left, last.left), (first.top, last.top),
                (first.width, last.width), (first.height, last.height),
            )
        )  # fmt: skip
        yield TrackBox(
            first.track, first.frame + step, left, top, width, height, first.label,
            is_occluded=first.is_occluded, image=first.image, attributes=first.attributes,
        )  # fmt: skip
