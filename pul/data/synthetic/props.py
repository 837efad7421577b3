"""Things that stand about: bicycles, cars, pillars, benches, bushes and bollards."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from pul.arrays import FloatArray
from pul.data.synthetic.painting import Picture, Point, Rgb, Tube, plain, rgb

PropKind = Literal["bicycles", "cars", "pillars", "benches", "bushes", "bollards"]


@dataclass(frozen=True, slots=True)
class Spot:
    """A point on the ground of a scene: its pixel, and the pixels of a metre there."""

    x: float
    y: float
    scale: float

    def at(self, right_m: float, up_m: float) -> Point:
        """Return the pixel so far to the right and up."""
        return self.x + right_m * self.scale, self.y - up_m * self.scale


Stand = Callable[[float, float], Spot]  # metres right of the middle, metres before the wall


def paint_prop(kind: PropKind, picture: Picture, stand: Stand, rng: np.random.Generator) -> None:
    """Paint all things of one kind.

    Args:
        kind: What.
        picture: The scene, painted on in place.
        stand: Finds spots on its ground.
        rng: Where chance comes from.
    """
    _PROPS[kind](picture, stand, rng)


def _bicycles(picture: Picture, stand: Stand, rng: np.random.Generator) -> None:
    for right in np.arange(-9, 9, 0.62):
        spot = stand(float(right + rng.uniform(-0.2, 0.2)), float(rng.uniform(0.5, 1.1)))
        red, green, blue = rng.uniform(0.08, 0.5, 3)
        hubs = (spot.at(0, 0.33), spot.at(0.6, 0.33))
        for hub in hubs:
            _paint_wheel(picture, hub, 0.32 * spot.scale)
        seat, bar = spot.at(0.2, 0.85), spot.at(0.5, 0.9)
        for start, end in ((hubs[0], seat), (seat, bar), (bar, hubs[1]), (hubs[0], bar)):
            tube = Tube(start, end, (0.02 * spot.scale, 0.02 * spot.scale))
            picture.tube(tube, plain((float(red), float(green), float(blue))))


def _paint_wheel(picture: Picture, center: Point, radius: float) -> None:
    angles = np.linspace(0, 2 * np.pi, 13)
    rim = [(center[0] + radius * np.cos(a), center[1] + radius * np.sin(a)) for a in angles]
    for start, end in pairwise(rim):
        picture.tube(Tube(start, end, (1.1, 1.1)), plain((0.07, 0.07, 0.07)))


def _cars(picture: Picture, stand: Stand, rng: np.random.Generator) -> None:
    for right in (-6.5, -1.2, 4.4):
        spot = stand(float(right + rng.uniform(-0.5, 0.5)), 1.2)
        red = float(rng.uniform(0.1, 0.85))
        green, blue = float(red * rng.uniform(0.7, 1)), float(red * rng.uniform(0.7, 1))
        picture.shadow((spot.x, spot.y), (2.2 * spot.scale, 0.25 * spot.scale), 0.6)
        cabin, body = (0.33 * spot.scale,) * 2, (0.36 * spot.scale,) * 2
        picture.tube(Tube(spot.at(-0.7, 1.12), spot.at(0.6, 1.12), cabin), plain((0.15, 0.17, 0.2)))
        picture.tube(Tube(spot.at(-1.7, 0.6), spot.at(1.7, 0.6), body), plain((red, green, blue)))
        for side in (-1.15, 1.15):
            wheel = (0.3 * spot.scale, 0.3 * spot.scale)
            picture.ellipsoid(spot.at(side, 0.3), wheel, lambda _: rgb((0.08, 0.08, 0.08)))


def _pillars(picture: Picture, stand: Stand, rng: np.random.Generator) -> None:
    tone = float(rng.uniform(0.45, 0.8))
    for right in (-5.2, 0.4, 5.6):
        spot = stand(right, 1.6)
        picture.shadow((spot.x, spot.y), (0.6 * spot.scale, 0.12 * spot.scale), 0.5)
        radii = (0.28 * spot.scale, 0.28 * spot.scale)
        picture.tube(Tube(spot.at(0, 9), spot.at(0, 0), radii, flat=True), plain((tone,) * 3))


def _benches(picture: Picture, stand: Stand, rng: np.random.Generator) -> None:
    for right in (-4.0, 2.6):
        spot = stand(float(right + rng.uniform(-0.6, 0.6)), 0.9)
        picture.shadow(spot.at(0.8, 0), (0.9 * spot.scale, 0.1 * spot.scale), 0.45)
        for leg in (0.15, 1.4):
            picture.board(*spot.at(leg, 0.5), *spot.at(leg + 0.06, 0), (0.2, 0.2, 0.2))
        for up in (0.45, 0.68, 0.86):
            picture.board(*spot.at(0, up), *spot.at(1.6, up - 0.1), (0.45, 0.31, 0.19))


def _bushes(picture: Picture, stand: Stand, rng: np.random.Generator) -> None:
    for right in np.arange(-8, 9, 1.5):
        spot = stand(float(right + rng.uniform(-0.5, 0.5)), float(rng.uniform(0.3, 0.9)))
        size = float(rng.uniform(0.35, 0.7))
        _paint_bush(picture, spot, size, (0.18 + float(rng.uniform(0, 0.1)), 0.34, 0.16))


def _paint_bush(picture: Picture, spot: Spot, size: float, green: Rgb) -> None:
    radii = (1.2 * size * spot.scale, size * spot.scale)
    picture.ellipsoid(spot.at(0, 0.7 * size), radii, lambda _: rgb(green))


def _bollards(picture: Picture, stand: Stand, rng: np.random.Generator) -> None:
    stripe = rgb((float(rng.uniform(0.6, 0.9)),) * 3)

    def paint(_around: FloatArray, along: FloatArray) -> FloatArray:
        return np.where((along > 0.2) & (along < 0.45), stripe, rgb((0.2, 0.2, 0.22)))

    for right in np.arange(-7, 8, 1.8):
        spot = stand(float(right), 2.2)
        radii = (0.08 * spot.scale, 0.08 * spot.scale)
        picture.tube(Tube(spot.at(0, 0.9), spot.at(0, 0), radii), paint)


_PROPS: dict[PropKind, Callable[[Picture, Stand, np.random.Generator], None]] = {
    "bicycles": _bicycles, "cars": _cars, "pillars": _pillars,
    "benches": _benches, "bushes": _bushes, "bollards": _bollards,
}  # fmt: skip
