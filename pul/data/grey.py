"""Values of more than 8 bits, grey or colour, and the range of a data set that stretches them.

A thermal or depth camera writes 12 or 14 bits into 16, or metres as floats: taken at their nominal
range, such images are black; each stretched by its own range, a warm and a cold one look alike.
"""

from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from PIL import Image

from pul.arrays import ByteArray, DoubleArray
from pul.data.deep_colours import deep_colours, has_deep_colours

GreyKind = Literal["integer", "real", "colour"]
GREY_KINDS: tuple[GreyKind, ...] = ("integer", "real", "colour")

_SHARE = 0.1  # percent of the values that lie below the range, and as many above it
_N_VALUES = 4096  # of an image that its range is read from
_NEARLY_ONE = 16  # of 256 values: an image of a smaller spread shows nobody


@dataclass(frozen=True, slots=True)
class GreyRange:
    """The values that become black and white; those outside are cut off."""

    low: float
    high: float

    @classmethod
    def of(cls, values: DoubleArray) -> Self:
        """Return the range of all values but the lowest and the highest in a thousand."""
        # Values that there are: no rounding of another library tells two machines apart.
        low = np.percentile(values, _SHARE, method="nearest")
        high = np.percentile(values, 100 - _SHARE, method="nearest")
        return cls(float(low), float(high))

    def stretch(self, values: DoubleArray) -> DoubleArray:
        """Return values on a scale of 0 to 255, not cut off yet."""
        span = self.high - self.low
        return (values - self.low) * (255 / span if span > 0 else 0.0)

    def __str__(self) -> str:
        return f"{self.low:,.6g} to {self.high:,.6g}"


@dataclass(frozen=True, slots=True)
class GreyRanges:
    """The ranges of a data set's images of more than 8 bits; None where it has none.

    Attributes:
        integer: Of grey values of 16 or 32 bits.
        real: Of grey values that are floating-point numbers.
        colour: Of colours of 16 bits, one for red, green and blue, so that hues stay.
    """

    integer: GreyRange | None = None
    real: GreyRange | None = None
    colour: GreyRange | None = None

    def of(self, kind: GreyKind) -> GreyRange | None:
        """Return the range of a kind of values."""
        known: GreyRange | None = getattr(self, kind)
        return known

    def completed_by(self, other: "GreyRanges") -> "GreyRanges":
        """Return these ranges, and the other's where there is none."""
        return GreyRanges(*(self.of(kind) or other.of(kind) for kind in GREY_KINDS))

    def to_plain(self) -> dict[str, list[float]]:
        """Return the ranges as values that JSON knows."""
        ranges = {kind: self.of(kind) for kind in GREY_KINDS}
        return {kind: [known.low, known.high] for kind, known in ranges.items() if known}

    @classmethod
    def from_plain(cls, values: dict[str, Any]) -> Self:
        """Return the ranges that `to_plain` wrote."""
        return cls(**{kind: GreyRange(*values[kind]) for kind in GREY_KINDS if kind in values})


NO_RANGES = GreyRanges()


def grey_kind(image: Image.Image) -> GreyKind | None:
    """Return the kind of an image's values of more than 8 bits; None for all other images."""
    if has_deep_colours(image):
        return "colour"
    if image.mode == "F":
        return "real"
    return "integer" if image.mode.startswith("I") else None


def grey_values(image: Image.Image) -> DoubleArray:
    """Return some thousand of an image's values, evenly spread, those that are numbers.

    Of colours, all three channels count alike.
    """
    colours = deep_colours(image)
    values = np.asarray(image if colours is None else colours).astype(np.float64).ravel()
    values = values[:: max(1, len(values) // _N_VALUES)]
    return values[np.isfinite(values)]


def to_bytes(image: Image.Image, ranges: GreyRanges) -> ByteArray:
    """Bring values of more than 8 bits to 8, shape (H, W), or (H, W, 3) of colours.

    Args:
        image: The image.
        ranges: What becomes black and white. Where its kind has none, a picture of no data set, 16
            bits are taken in full, and floats from 0 to 1.
    """
    colours = deep_colours(image)
    values = np.asarray(image if colours is None else colours)
    kind = grey_kind(image)
    known = ranges.of(kind) if kind else None
    if known is not None:
        low, high = known.low, known.high
        finite = np.nan_to_num(values.astype(np.float64), nan=low, posinf=high, neginf=low)
        return np.clip(np.rint(known.stretch(finite)), 0, 255).astype(np.uint8)
    finite = np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)
    highest = finite.max(initial=0.0)
    if kind == "real":
        scale = 255.0 if highest <= 1.0 else 1.0
    else:
        scale = 1.0 if highest <= 255 and values.dtype.itemsize > 2 else 1 / 257
    return np.clip(np.rint(finite * scale), 0, 255).astype(np.uint8)


def is_nearly_one_colour(image: Image.Image) -> bool:
    """Whether an RGB image shows nothing: 98 % of its pixels are within 16 of 256 values.

    That holds in each of its channels: a black, white, grey or blue image, with a little noise.
    """
    counts = np.array(image.histogram(), dtype=np.int64).reshape(3, 256)
    shares = counts.cumsum(axis=1) / counts.sum(axis=1, keepdims=True)
    lowest = (shares < 0.01).sum(axis=1)  # the 1st percentile of each channel
    highest = (shares < 0.99).sum(axis=1)
    return bool((highest - lowest < _NEARLY_ONE).all())
