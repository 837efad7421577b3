"""Cloth: a colour, a second colour and how the two are woven, printed or sewn together."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from pul.arrays import BoolArray, FloatArray
from pul.data.synthetic.painting import Rgb, rgb

Pattern = Literal[
    "plain", "hoops", "pinstripes", "checks", "gradient", "block", "dots", "blotches",
    "print", "badge", "number", "side stripe", "quilted",
]  # fmt: skip


_Share = FloatArray | BoolArray  # of the accent at each point, in [0, 1]


@dataclass(frozen=True, slots=True)
class Cloth:
    """What a garment is made of.

    Attributes:
        colour: Its colour, RGB in [0, 1].
        accent: The colour of its pattern.
        pattern: How the two meet.
        period: Size of the pattern's repeat, in statures of the wearer.
    """

    colour: Rgb
    accent: Rgb
    pattern: Pattern = "plain"
    period: float = 0.05

    def paint(self, around: FloatArray, across: FloatArray, down: FloatArray) -> FloatArray:
        """Return the colour of every point of the cloth.

        Args:
            around: Angle from the wearer's front in [-π, π], shape (h, w).
            across: Way from the front seam around the body in statures, shape (h, w).
            down: Way down from the garment's upper end in statures, shape (h, w).

        Returns:
            RGB, shape (3, h, w), or (3, 1, 1) where the cloth is plain.
        """
        base = rgb(self.colour)
        if self.pattern == "plain":
            return base
        share = _PATTERNS[self.pattern](_Weave(around, across, down, self.period))
        return base + share.astype(np.float32) * (rgb(self.accent) - base)


class _Weave(NamedTuple):
    """Where the points of a cloth lie, and the size of its repeat."""

    around: FloatArray
    across: FloatArray
    down: FloatArray
    period: float


def _hoops(at: _Weave) -> _Share:
    return _wave(at.down, at.period) > 0


def _pinstripes(at: _Weave) -> _Share:
    return _wave(at.across, at.period) > 0.2


def _checks(at: _Weave) -> _Share:
    upright = np.where(_wave(at.across, at.period) > 0.1, np.float32(0.5), np.float32(0))
    return np.where(_wave(at.down, at.period) > 0.1, upright + np.float32(0.5), upright)


def _gradient(at: _Weave) -> _Share:
    return np.asarray(np.clip(at.down / np.float32(0.34), 0, 1))


def _block(at: _Weave) -> _Share:
    return np.asarray(at.down < 0.06 + 2 * at.period)


def _dots(at: _Weave) -> _Share:
    return np.asarray(_wave(at.across, at.period) + _wave(at.down, at.period) > 0.8)


def _blotches(at: _Weave) -> _Share:
    bent = at.across + np.float32(0.02) * np.sin(at.down * np.float32(90))
    waves = _wave(bent + at.down, 2 * at.period) + _wave(2 * bent - at.down, 3 * at.period)
    return waves > 0.5


def _print(at: _Weave) -> _Share:
    return np.asarray((np.abs(at.around) < 0.35 + 4 * at.period) & (np.abs(at.down - 0.15) < 0.045))


def _badge(at: _Weave) -> _Share:
    return np.asarray((np.abs(at.around - 0.45) < 0.22) & (np.abs(at.down - 0.1) < 0.018))


def _number(at: _Weave) -> _Share:
    from_back = np.pi - np.abs(at.around)
    stroke = (from_back > 0.16) & (from_back < 0.5)
    return np.asarray(stroke & (np.abs(at.down - 0.13) < 0.06))


def _side_stripe(at: _Weave) -> _Share:
    return np.asarray(np.abs(np.abs(at.around) - np.float32(np.pi / 2)) < 0.4)


def _quilted(at: _Weave) -> _Share:
    return np.float32(0.3) * (1 - _wave(at.down, at.period))


def _wave(values: FloatArray, period: float) -> FloatArray:
    return np.asarray(np.cos(values * np.float32(2 * np.pi / period)))


_PATTERNS: dict[Pattern, Callable[[_Weave], _Share]] = {
    "hoops": _hoops, "pinstripes": _pinstripes, "checks": _checks, "gradient": _gradient,
    "block": _block, "dots": _dots, "blotches": _blotches, "print": _print, "badge": _badge,
    "number": _number, "side stripe": _side_stripe, "quilted": _quilted,
}  # fmt: skip
