"""Grey values of a sample of a data set's images, and the range that they have."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pul.arrays import DoubleArray
from pul.data.decoding import DECODE_ERRORS, load_image, open_image
from pul.data.grey import GREY_KINDS, GreyKind, GreyRange, GreyRanges, grey_kind, grey_values
from pul.data.threads import in_threads
from pul.errors import ImageError

_N_SAMPLED = 256  # images that a range is read from
_HEADERS_OF_8_BITS = (b"\xff\xd8\xff", b"RIFF", b"GIF8", b"BM")  # JPEG, WebP, GIF, BMP


def measure_ranges(paths: Sequence[Path]) -> GreyRanges:
    """Return what images stretch grey values of more than 8 bits by; the same every time."""
    kinds = zip(paths, in_threads(_kind_by_header, paths, None), strict=True)
    return ranges_of(read_values([(path, kind) for path, kind in kinds if kind]))


def _kind_by_header(path: Path) -> GreyKind | None:
    try:
        with path.open("rb") as file:
            if file.read(4).startswith(_HEADERS_OF_8_BITS):
                return None
        with open_image(path) as image:
            return grey_kind(image)
    except (ImageError, *DECODE_ERRORS):  # whoever decodes it says why
        return None


def read_values(deep: Sequence[tuple[Path, GreyKind]]) -> dict[GreyKind, DoubleArray]:
    """Return grey values of a sample of the images of each kind, which is the same every time."""
    values: dict[GreyKind, DoubleArray] = {}
    for kind in GREY_KINDS:
        paths = [path for path, its in deep if its == kind]
        found = [x for x in in_threads(_values, _sample(paths), None) if len(x)]
        if found:
            values[kind] = np.concatenate(found)
    return values


def _sample(paths: Sequence[Path]) -> list[Path]:
    if len(paths) <= _N_SAMPLED:
        return list(paths)
    rows = np.random.default_rng(0).choice(len(paths), _N_SAMPLED, replace=False)
    return [paths[row] for row in sorted(rows.tolist())]


def _values(path: Path) -> DoubleArray:
    try:
        with open_image(path) as image:
            load_image(image, path)
            return grey_values(image)
    except (ImageError, *DECODE_ERRORS):
        return np.empty(0)


def ranges_of(values: dict[GreyKind, DoubleArray]) -> GreyRanges:
    """Return the range of the values of each kind."""
    return GreyRanges(**{kind: GreyRange.of(each) for kind, each in values.items()})
