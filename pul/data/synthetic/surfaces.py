"""Grounds and walls: the pattern of a surface at every point of a picture."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from pul.arrays import BoolArray, FloatArray
from pul.data.synthetic.painting import Rgb, rgb

SurfaceKind = Literal[
    "tiles", "paving", "asphalt", "grass", "lanes", "platform",
    "foliage", "bricks", "shops", "wall tiles", "train", "glass", "hedge",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Surface:
    """What a surface is made of: a kind and its two colours."""

    kind: SurfaceKind
    first: Rgb
    second: Rgb


@dataclass(frozen=True, slots=True)
class Plane:
    """Where each pixel of a picture lies on a plane.

    Attributes:
        right: Metres to the right of the middle, shape (H, W).
        along: Metres away on a ground, metres up on a wall, shape (H, W).
        rng: Where chance comes from.
    """

    right: FloatArray
    along: FloatArray
    rng: np.random.Generator

    def cloud(self, cells: int) -> FloatArray:
        """Return smooth noise in [0, 1] with so many cells down, shape (H, W)."""
        height, width = self.right.shape
        coarse = self.rng.random((cells, cells * 2)).astype(np.float32)
        smooth = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
        return np.asarray(smooth)

    def grain(self, depth: float) -> FloatArray:
        """Return brightness factors of a rough surface, shape (H, W)."""
        fine = self.rng.standard_normal(self.right.shape, dtype=np.float32)
        return np.asarray((1 + depth * fine) * (1 - depth + 2 * depth * self.cloud(40)))

    def cells(self, size: float, *, squeeze: float = 1.0) -> FloatArray:
        """Return one value in [0, 1] per cell of so many metres, shape (H, W)."""
        column = np.floor(self.right / size).astype(np.int64)
        row = np.floor(self.along * squeeze / size).astype(np.int64)
        table = self.rng.random((61, 67), dtype=np.float32)
        return np.asarray(table[row % 61, column % 67])


def paint_surface(surface: Surface, plane: Plane) -> FloatArray:
    """Return the colours of a surface, shape (3, H, W), values about [0, 1]."""
    return _SURFACES[surface.kind](plane, surface.first, surface.second)


def _mix(share: FloatArray, first: Rgb, second: Rgb) -> FloatArray:
    mixed: FloatArray = rgb(first) + share * (rgb(second) - rgb(first))
    return mixed


def _joints(values: FloatArray, size: float, width: float) -> BoolArray:
    """Mark what lies nearer than `width` to a multiple of `size`."""
    return np.asarray(_off(values, size) < width)


def _off(values: FloatArray, size: float) -> FloatArray:
    """Return the way to the nearest multiple of `size`."""
    return np.abs(values - np.round(values / size) * size)


def _dim(mask: BoolArray, factor: float) -> FloatArray:
    return np.where(mask, np.float32(factor), np.float32(1))


def _tiles(plane: Plane, first: Rgb, second: Rgb) -> FloatArray:
    size = float(plane.rng.uniform(0.5, 0.9))
    colours = _mix(0.35 * plane.cells(size), first, second)
    dark = _joints(plane.right, size, 0.02) | _joints(plane.along, size, 0.035)
    return colours * _dim(dark, 0.8) * plane.grain(0.03)


def _paving(plane: Plane, first: Rgb, second: Rgb) -> FloatArray:
    shifted = Plane(plane.right + 0.2 * (np.floor(plane.along / 0.25) % 2), plane.along, plane.rng)
    colours = _mix(shifted.cells(0.4, squeeze=1.6), first, second)
    dark = _joints(shifted.right, 0.4, 0.015) | _joints(plane.along, 0.25, 0.02)
    return colours * _dim(dark, 0.82) * plane.grain(0.05)


def _asphalt(plane: Plane, first: Rgb, second: Rgb) -> FloatArray:
    colours = _mix(plane.cloud(12), first, second)
    line = np.abs(plane.along - 9.5 - 0.05 * plane.right) < 0.09
    return np.where(line, np.float32(0.72), colours) * plane.grain(0.07)


def _grass(plane: Plane, first: Rgb, second: Rgb) -> FloatArray:
    colours = _mix(0.6 * plane.cloud(50) + 0.4 * plane.cloud(150), first, second)
    winding = plane.right + 0.25 * plane.along - 1.2 + 0.4 * np.sin(plane.along)
    path = np.abs(winding) < 1.25
    return np.where(path, rgb((0.70, 0.66, 0.58)), colours) * plane.grain(0.08)


def _lanes(plane: Plane, first: Rgb, second: Rgb) -> FloatArray:
    line = _joints(plane.along - 0.25 * plane.right, 1.22, 0.045)
    return np.where(line, rgb(second), rgb(first)) * plane.grain(0.06)


def _platform(plane: Plane, first: Rgb, second: Rgb) -> FloatArray:
    strip = np.abs(plane.along - 7.6) < 0.28
    studs = rgb((0.78, 0.65, 0.15)) * _dim(_joints(plane.right, 0.12, 0.03), 0.76)
    return np.where(strip, studs, _tiles(plane, first, second))


def _foliage(plane: Plane, first: Rgb, second: Rgb) -> FloatArray:
    leaves = 0.45 * plane.cloud(18) + 0.35 * plane.cloud(60) + 0.2 * plane.cloud(160)
    colours = _mix(np.clip(leaves * 1.8 - 0.4, 0, 1), first, second)
    trunks = _joints(plane.right, 3.1, 0.13) & (plane.along < 2.6)
    return np.where(trunks, rgb((0.27, 0.21, 0.16)), colours) * plane.grain(0.06)


def _bricks(plane: Plane, first: Rgb, second: Rgb) -> FloatArray:
    shifted = Plane(plane.right + 0.15 * (np.floor(plane.along / 0.15) % 2), plane.along, plane.rng)
    colours = _mix(shifted.cells(0.3, squeeze=2.0), first, second)
    mortar = _joints(shifted.right, 0.3, 0.014) | _joints(plane.along, 0.15, 0.014)
    colours = np.where(mortar, colours * 0.55 + 0.28, colours)
    window = _joints(plane.right, 3.4, 0.75) & (np.abs(plane.along - 2.3) < 0.75)
    return np.where(window, rgb((0.16, 0.2, 0.24)), colours) * plane.grain(0.04)


def _shops(plane: Plane, first: Rgb, second: Rgb) -> FloatArray:
    goods = _mix(0.75 * plane.cells(0.28), (0.13, 0.13, 0.14), first)
    bay = _off(plane.right, 2.6)
    window = (bay < 1.13) & (plane.along > 0.35) & (plane.along < 2.4)
    colours = np.where(window, goods, rgb(second))
    door = (bay < 0.5) & (np.round(plane.right / 2.6) % 3 == 0) & (plane.along < 2.35)
    colours = np.where(door, rgb((0.07, 0.07, 0.08)), colours)
    sign = (plane.along > 2.55) & (plane.along < 3.2)
    board = _mix(plane.cells(2.6, squeeze=0.1), first, (0.85, 0.8, 0.7))
    return np.where(sign, board, colours) * plane.grain(0.03)


def _wall_tiles(plane: Plane, first: Rgb, second: Rgb) -> FloatArray:
    joints = _joints(plane.right, 0.3, 0.012) | _joints(plane.along, 0.2, 0.012)
    band = np.abs(plane.along - 1.12) < 0.12
    colours = np.where(band, rgb(second), rgb(first)) * _dim(joints, 0.8)
    poster = _joints(plane.right, 2.9, 0.62) & (np.abs(plane.along - 2.0) < 0.62)
    art = _mix(plane.cells(0.31), (0.75, 0.7, 0.62), second)
    return np.where(poster, art, colours) * plane.grain(0.03)


def _train(plane: Plane, first: Rgb, second: Rgb) -> FloatArray:
    stripe = np.abs(plane.along - 0.78) < 0.17
    colours = np.where(stripe, rgb(second), rgb(first))
    window = _joints(plane.right, 1.9, 0.72) & (np.abs(plane.along - 1.6) < 0.45)
    glass = _mix(plane.cells(0.5), (0.14, 0.15, 0.17), (0.62, 0.58, 0.48))
    colours = np.where(window, glass, colours)
    seam = _joints(plane.right, 5.7, 0.03) & (plane.along < 2.3)
    return np.where(seam | (plane.along < 0.12), np.float32(0.12), colours) * plane.grain(0.02)


def _glass(plane: Plane, first: Rgb, second: Rgb) -> FloatArray:
    sheen = np.clip(plane.along / 4 + 0.5 * (plane.cloud(8) - 0.5), 0, 1)
    frame = _joints(plane.right, 1.6, 0.05) | _joints(plane.along, 1.4, 0.04)
    colours = np.where(frame, rgb((0.25, 0.26, 0.28)), _mix(sheen, first, second))
    return colours * plane.grain(0.02)


def _hedge(plane: Plane, first: Rgb, second: Rgb) -> FloatArray:
    leaves = _mix(0.5 * plane.cloud(60) + 0.5 * plane.cloud(170), first, second)
    above = rgb((0.62, 0.66, 0.68)) * _dim(_joints(plane.right, 1.1, 0.3), 0.78)
    edge = 1.15 + 0.12 * np.sin(plane.right * 2.3) + 0.05 * np.sin(plane.right * 9)
    return np.where(plane.along < edge, leaves, above) * plane.grain(0.05)


_SURFACES: dict[SurfaceKind, Callable[[Plane, Rgb, Rgb], FloatArray]] = {
    "tiles": _tiles, "paving": _paving, "asphalt": _asphalt, "grass": _grass, "lanes": _lanes,
    "platform": _platform, "foliage": _foliage, "bricks": _bricks, "shops": _shops,
    "wall tiles": _wall_tiles, "train": _train, "glass": _glass, "hedge": _hedge,
}  # fmt: skip
