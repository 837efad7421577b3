"""Brushes: shaded tubes, ellipsoids, soft shadows and boards, painted from far to near."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from pul.arrays import FloatArray

Point = tuple[float, float]
Rgb = tuple[float, float, float]  # each in [0, 1]
Paint = Callable[[FloatArray, FloatArray], FloatArray]  # (around, along) -> (3, h, w) or (3, 1, 1)

_SHEET = 256  # side of the sheet of folds; a power of two, so that indices wrap by a mask


def rgb(colour: Rgb) -> FloatArray:
    """Return a colour as an array that broadcasts over a picture, shape (3, 1, 1)."""
    return np.array(colour, dtype=np.float32)[:, None, None]


def plain(colour: Rgb) -> Paint:
    """Return the paint of one colour all over."""
    pigment = rgb(colour)
    return lambda _around, _along: pigment


@dataclass(frozen=True, slots=True)
class Light:
    """The light of a scene.

    Attributes:
        direction: Unit vector to the lamp: right, down and towards the viewer.
        ambient: Brightness of what lies in the shade, in [0, 1].
    """

    direction: tuple[float, float, float]
    ambient: float

    def shade(self, right: FloatArray, down: FloatArray, near: FloatArray) -> FloatArray:
        """Return the brightness of surfaces with these normals, about [ambient, 1]."""
        x, y, z = self.direction
        facing = right * np.float32(x) + down * np.float32(y) + near * np.float32(z)
        return np.asarray(self.ambient + (1 - self.ambient) * np.maximum(facing, 0))


@dataclass(frozen=True, slots=True)
class Tube:
    """A straight piece of a body or a garment, as the viewer sees it.

    Attributes:
        start, end: Its axis on the picture, in pixels (x, y).
        radii: Half widths in pixels.
        stops: Where on the axis those half widths hold, in [0, 1], ascending.
        turn: Angle by which the tube is turned about its axis; the surface angle `around` is 0 at
            the wearer's front, +π/2 at one side and ±π at the back.
        flat: Ends cut straight, where they are round otherwise.
        folds: Depth of the folds of cloth in it, 0 for skin.
    """

    start: Point
    end: Point
    radii: tuple[float, ...]
    stops: tuple[float, ...] = (0.0, 1.0)
    turn: float = 0.0
    flat: bool = False
    folds: float = 0.0


class Picture:
    """An RGB picture being painted, with its light.

    Attributes:
        pixels: Channels first, which numpy blends several times faster: shape (3, H, W), float32,
            values about [0, 1].
        light: Where the light comes from.
    """

    def __init__(self, pixels: FloatArray, light: Light) -> None:
        self.pixels = pixels
        self.light = light
        _, height, width = pixels.shape
        self._xs = np.arange(width, dtype=np.float32)[None, :] + np.float32(0.5)
        self._ys = np.arange(height, dtype=np.float32)[:, None] + np.float32(0.5)

    def tube(self, tube: Tube, paint: Paint, *, dim: float = 1.0) -> None:
        """Paint a shaded tube.

        Args:
            tube: Its shape on the picture.
            paint: Colour of its surface by angle and by position on the axis in [0, 1].
            dim: Brightness factor, for what lies in the shade of something nearer.
        """
        reach = max(tube.radii) + 1.5
        window = self._window(tube.start, tube.end, reach)
        if window is None:
            return
        target, xs, ys = window
        dx, dy = xs - np.float32(tube.start[0]), ys - np.float32(tube.start[1])
        across, along, over, radius = _tube_coordinates(tube, dx, dy)
        distance = np.abs(across) if tube.flat else np.hypot(across, over)
        alpha = radius - distance + np.float32(0.5)
        if tube.flat:
            alpha = np.minimum(alpha, 1 - np.abs(over))
        side = _clamp(np.asarray(across / np.maximum(radius, np.float32(0.5))), -1, 1)
        around = _wrap(np.arcsin(side) - np.float32(tube.turn))
        shade = self._tube_shade(tube, side) * np.float32(dim)
        if tube.folds:
            shade = shade * (1 + np.float32(tube.folds) * _folds(around, along, tube))
        _blend(target, paint(around, along) * shade, alpha)

    def ellipsoid(
        self, center: Point, radii: Point, paint: Callable[[FloatArray], FloatArray]
    ) -> None:
        """Paint a shaded ellipsoid.

        Args:
            center: On the picture, in pixels.
            radii: Half width and half height in pixels.
            paint: Colour by unit normal, (3, h, w) as right, up and towards the viewer.
        """
        window = self._window(center, center, max(radii) + 1.5)
        if window is None:
            return
        target, xs, ys = window
        right = (xs - np.float32(center[0])) / np.float32(radii[0])
        up = (np.float32(center[1]) - ys) / np.float32(radii[1])
        squared = right * right + up * up
        near = np.sqrt(np.maximum(1 - squared, 0))
        scale = 1 / np.sqrt(np.maximum(squared, 1))
        normals = np.stack([right * scale, up * scale, near])
        alpha = (1 - np.sqrt(squared)) * np.float32(min(radii)) + np.float32(0.5)
        shade = self.light.shade(normals[0], -normals[1], near)
        _blend(target, paint(normals) * shade, alpha)

    def shadow(self, center: Point, radii: Point, depth: float, *, lean: float = 0.0) -> None:
        """Darken a soft ellipse on the ground; `lean` shears it sideways by its height."""
        window = self._window(center, center, 2 * max(radii) + abs(lean) * 2 * radii[1])
        if window is None:
            return
        target, xs, ys = window
        down = (ys - np.float32(center[1])) / np.float32(radii[1])
        right = (xs - np.float32(center[0])) / np.float32(radii[0]) + np.float32(lean) * down
        target *= 1 - np.float32(depth) * np.exp(-(right * right + down * down))

    def board(self, left: float, top: float, right: float, bottom: float, colour: Rgb) -> None:
        """Paint a flat upright rectangle over what is there, a little darker towards its right."""
        _, height, width = self.pixels.shape
        x0, x1 = (int(np.clip(x, 0, width)) for x in (left, right))
        y0, y1 = (int(np.clip(y, 0, height)) for y in (top, bottom))
        if x1 > x0 and y1 > y0:
            fade = np.linspace(1.05, 0.75, x1 - x0, dtype=np.float32)
            self.pixels[:, y0:y1, x0:x1] = fade * rgb(colour)

    def _tube_shade(self, tube: Tube, side: FloatArray) -> FloatArray:
        down_x, down_y = _direction(tube)
        near = np.sqrt(1 - side * side)
        return self.light.shade(side * np.float32(down_y), -side * np.float32(down_x), near)

    def _window(
        self, first: Point, second: Point, reach: float
    ) -> tuple[FloatArray, FloatArray, FloatArray] | None:
        """Return the view of the pixels near a stroke, and their centers' x (1, w) and y (h, 1)."""
        _, height, width = self.pixels.shape
        x0 = max(int(min(first[0], second[0]) - reach), 0)
        x1 = min(int(max(first[0], second[0]) + reach) + 1, width)
        y0 = max(int(min(first[1], second[1]) - reach), 0)
        y1 = min(int(max(first[1], second[1]) + reach) + 1, height)
        if x1 <= x0 or y1 <= y0:
            return None
        return self.pixels[:, y0:y1, x0:x1], self._xs[:, x0:x1], self._ys[y0:y1]


def _direction(tube: Tube) -> Point:
    dx, dy = tube.end[0] - tube.start[0], tube.end[1] - tube.start[1]
    length = max(math.hypot(dx, dy), 1e-3)
    return dx / length, dy / length


def _tube_coordinates(
    tube: Tube, dx: FloatArray, dy: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return offset from the axis, place on it in [0, 1], pixels past its ends, half width."""
    ux, uy = (np.float32(value) for value in _direction(tube))
    length = np.float32(max(math.dist(tube.start, tube.end), 1))
    across = dx * uy - dy * ux
    travelled = dx * ux + dy * uy
    clipped = _clamp(travelled, 0, length)
    along = np.asarray(clipped / length)
    return across, along, travelled - clipped, _radius(tube, along)


def _radius(tube: Tube, along: FloatArray) -> FloatArray:
    if len(tube.radii) == 2:  # much faster than np.interp
        first, last = (np.float32(value) for value in tube.radii)
        return np.asarray(first + (last - first) * along)
    return np.interp(along, tube.stops, tube.radii).astype(np.float32)


def _clamp(values: FloatArray, low: float | np.float32, high: float | np.float32) -> FloatArray:
    """Clip; on arrays this small np.clip spends most of its time before it starts."""
    return np.asarray(np.minimum(np.maximum(values, low), high))


def _wrap(angles: FloatArray) -> FloatArray:
    """Return the same angles in [-π, π]."""
    turns = np.round(angles * np.float32(0.5 / np.pi))
    return np.asarray(angles - turns * np.float32(2 * np.pi))


def _blend(target: FloatArray, colours: FloatArray, alpha: FloatArray) -> None:
    target += _clamp(alpha, 0, 1) * (colours - target)


def _folds(around: FloatArray, along: FloatArray, tube: Tube) -> FloatArray:
    """Look folds up in a fixed sheet of creases; the tube's place on the picture picks the part."""
    length = math.dist(tube.start, tube.end)
    x = (around * np.float32(9.0) + np.float32(tube.start[0] * 5.1)).astype(np.int32)
    y = (along * np.float32(length * 0.55) + np.float32(tube.end[0] * 3.7)).astype(np.int32)
    return np.asarray(_fold_sheet()[y & (_SHEET - 1), x & (_SHEET - 1)])


@cache
def _fold_sheet() -> FloatArray:
    """Return smooth noise of zero mean and unit deviation that tiles, shape (256, 256)."""
    rng = np.random.default_rng(20170525)
    spectrum = np.fft.rfft2(rng.standard_normal((_SHEET, _SHEET)))
    rows = np.fft.fftfreq(_SHEET)[:, None] * _SHEET
    columns = np.fft.rfftfreq(_SHEET)[None, :] * _SHEET
    frequency = np.hypot(rows, columns)
    spectrum *= np.exp(-((frequency / 34) ** 2)) * (frequency > 4)
    sheet = np.fft.irfft2(spectrum, s=(_SHEET, _SHEET))
    return np.asarray(sheet / sheet.std(), dtype=np.float32)
