"""Boxes in the rows of a table of images: in which columns, and what their numbers mean."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from pul.data.crops import Corners
from pul.data.decoding import upright_size
from pul.errors import DatasetError, ImageError

BoxForm = Literal["xywh", "xyxy"]
BOX_FORMS: tuple[BoxForm, ...] = ("xywh", "xyxy")
NO_BOXES = "none"  # the pictures are crops, whatever their boxes were

_COLUMNS: dict[BoxForm, tuple[str, ...]] = {  # names without case and signs, and without `bbox`
    "xywh": ("x y w h", "x y width height", "left top width height", "xmin ymin width height"),
    "xyxy": (
        *("x1 y1 x2 y2", "xmin ymin xmax ymax", "left top right bottom", "x0 y0 x1 y1"),
        *("minx miny maxx maxy", "xtl ytl xbr ybr"),
    ),
}
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
_N_MEASURED = 300  # pictures whose size is looked up to tell how boxes are written
_TOLERANCE = 2.0  # pixels by which a box may leave its picture
_MOST_BAD = 0.02  # of the boxes; annotations have some that are off
_EMPTY = ("", "nan", "none", "null", "[]")


class BoxColumns(NamedTuple):
    """Where boxes are: one column of four numbers, or four columns.

    Attributes:
        names: The columns.
        form: What their names say of the numbers; None where they do not.
    """

    names: tuple[str, ...]
    form: BoxForm | None

    def text(self, cells: Mapping[str, str]) -> str:
        """Return the box of a row as written."""
        return " ".join(cells[name] for name in self.names).strip()


def find_box_columns(columns: Sequence[str], single: str | None) -> BoxColumns | None:
    """Return the columns that hold boxes; None where there are none.

    Args:
        columns: Names of all columns.
        single: The column called `bbox` or alike, if there is one.
    """
    plain = {name: re.sub(r"[^a-z0-9]", "", name.lower()) for name in columns}
    if single is not None:
        ending = next((form for form in BOX_FORMS if plain[single].endswith(form)), None)
        return BoxColumns((single,), ending)
    short = {re.sub(r"^(bbox|box|bb|roi)", "", text): name for name, text in plain.items()}
    for form, choices in _COLUMNS.items():
        for choice in choices:
            if set(choice.split()) <= short.keys():
                return BoxColumns(tuple(short[part] for part in choice.split()), form)
    return None


def parse_box(text: str) -> Corners | None:
    """Return the four numbers of a box, as in `[3, 4, 50.5, 80]`; None where there is none.

    Raises:
        DatasetError: It is something else.
    """
    if text.strip().lower() in _EMPTY:
        return None
    numbers = [float(found) for found in _NUMBER.findall(text)]
    if len(numbers) != 4:
        raise DatasetError(f"the box is {text!r}; right: four numbers, as [3, 4, 50, 80]")
    return numbers[0], numbers[1], numbers[2], numbers[3]


def read_corners(
    boxes: Sequence[Corners], paths: Sequence[Path], *, named: BoxForm | None, asked: str
) -> tuple[list[Corners], tuple[str, ...]]:
    """Tell what the numbers of boxes mean, and return the corners of each in pixels.

    Args:
        boxes: Four numbers each, N of them.
        paths: The picture of each.
        named: What the names of the columns say.
        asked: One of `BOX_FORMS` if the user says it, else `auto`.

    Returns:
        Left, top, right and lower edge of each in pixels, and remarks for people; no edges where
        the pictures are as large as their boxes, and so are crops already.

    Raises:
        DatasetError: They are neither left, top, width and height nor two corners.
    """
    if asked == NO_BOXES:
        return [], ()
    is_relative = all(0 <= value <= 1 for box in boxes for value in box)
    step = max(1, len(boxes) // _N_MEASURED)
    sampled = range(0, len(boxes), step)
    sizes = {i: size for i in sampled if (size := _size(paths[i])) is not None}
    limits = {i: (1.0, 1.0) if is_relative else size for i, size in sizes.items()}
    if asked == "auto" and _are_crops(boxes, sizes):
        return [], (
            "The pictures are as large as their boxes: they are crops already, and none is cut. "
            "--bbox xywh or --bbox xyxy cuts all the same.",
        )
    form, note = _choose_form(boxes, limits, named, asked)
    notes = [note] if note else []
    corners = list(boxes)
    if form == "xywh":
        corners = [(x, y, x + width, y + height) for x, y, width, height in boxes]
    if is_relative:
        notes.append("Boxes are shares of the picture's width and height.")
        every = {path: _size(path) or (0, 0) for path in set(paths)}
        corners = [_scale(box, every[path]) for box, path in zip(corners, paths, strict=True)]
    return corners, tuple(notes)


def _are_crops(boxes: Sequence[Corners], sizes: Mapping[int, tuple[int, int]]) -> bool:
    """Whether each picture has the size of its box, in either form."""
    found = [(boxes[i], size) for i, size in sizes.items()]
    widths = [abs(b[2] - wide) + abs(b[3] - high) for b, (wide, high) in found]
    edges = [abs(b[2] - b[0] - wide) + abs(b[3] - b[1] - high) for b, (wide, high) in found]
    return bool(found) and min(max(widths), max(edges)) <= _TOLERANCE


def _choose_form(
    boxes: Sequence[Corners],
    limits: Mapping[int, tuple[float, float]],
    named: BoxForm | None,
    asked: str,
) -> tuple[BoxForm, str]:
    if asked in BOX_FORMS:
        return next(form for form in BOX_FORMS if form == asked), ""
    if named is not None:
        return named, ""
    as_sizes = [(a, b, a + c, b + d) for a, b, c, d in boxes]
    corners_fit, sizes_fit = _fit(boxes, limits), _fit(as_sizes, limits)
    if corners_fit and not sizes_fit:
        return "xyxy", "Boxes are read as two corners (xyxy): others would leave their pictures."
    if sizes_fit and not corners_fit:
        return "xywh", "Boxes are read as left, top, width, height (xywh): they are no two corners."
    if sizes_fit:
        return "xywh", "Boxes are read as left, top, width, height; --bbox xyxy reads two corners."
    raise DatasetError(
        "The boxes of the table are neither left, top, width, height nor two corners within their "
        "pictures. Say what they are: --bbox xywh or --bbox xyxy, and what leaves a picture is cut "
        "off; or --bbox none if the pictures are crops already."
    )


def _fit(corners: Sequence[Corners], limits: Mapping[int, tuple[float, float]]) -> bool:
    """Whether nearly all boxes have an area and lie in their pictures."""
    n_empty = sum(right <= left or low <= top for left, top, right, low in corners)
    n_beyond = sum(
        corners[i][2] > wide + _TOLERANCE or corners[i][3] > high + _TOLERANCE
        for i, (wide, high) in limits.items()
    )
    return n_empty <= _MOST_BAD * len(corners) and n_beyond <= _MOST_BAD * len(limits)


def _size(path: Path) -> tuple[int, int] | None:
    try:
        return upright_size(path)
    except ImageError:
        return None


def _scale(box: Corners, size: tuple[int, int]) -> Corners:
    return box[0] * size[0], box[1] * size[1], box[2] * size[0], box[3] * size[1]
