"""One person on a picture: the parts that the viewer sees, painted from far to near."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pul.arrays import DoubleArray
from pul.data.synthetic.painting import Picture, Point
from pul.data.synthetic.people import Person
from pul.data.synthetic.poses import View


@dataclass(frozen=True, slots=True)
class Stroke:
    """One thing to paint, and how near it is to the viewer."""

    near: float
    paint: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Figure:
    """A posed person before a camera; lengths are in statures until they are placed.

    Attributes:
        picture: Where it is painted.
        person: Who it is.
        view: From where it is seen.
        joints: The skeleton in body coordinates, shape (21, 3).
    """

    picture: Picture
    person: Person
    view: View
    joints: DoubleArray

    def place(
        self, joint: int, right: float = 0.0, up: float = 0.0, forward: float = 0.0
    ) -> tuple[Point, float]:
        """Return where a point off a joint lies on the picture, and how near it is."""
        x, y, z = self.joints[joint].tolist()
        return self.view.project(x + right, y + up, z + forward)

    def place_point(self, point: DoubleArray) -> tuple[Point, float]:
        """Return where a point in body coordinates lies on the picture, and how near it is."""
        return self.view.project(*point.tolist())

    def between(self, first: int, second: int, share: float) -> DoubleArray:
        """Return the point on the bone between two joints, in body coordinates."""
        point: DoubleArray = self.joints[first] + share * (self.joints[second] - self.joints[first])
        return point

    @property
    def unit(self) -> float:
        """Pixels of one stature, upwards."""
        return self.view.height

    @property
    def girth(self) -> float:
        """Pixels of one stature, sideways."""
        return self.view.height * self.view.stretch

    def radii(self, *values: float) -> tuple[float, ...]:
        """Return half widths in pixels of round parts."""
        return tuple(value * self.girth for value in values)

    def turn_of(self, depth_ratio: float) -> tuple[float, float]:
        """Return how wide an elliptic part looks from here, and the turn of its surface.

        A surface point at angle ψ, (a sin ψ, b cos ψ), is seen at w sin(ψ + δ): the answer is w/a
        and δ.

        Args:
            depth_ratio: Depth over width, b/a.
        """
        wide, deep = np.cos(self.view.yaw), depth_ratio * np.sin(self.view.yaw)
        return float(np.hypot(wide, deep)), float(np.arctan2(deep, wide))

    def faces_camera(self) -> bool:
        """Whether the camera sees more of the front than of the back."""
        return float(np.cos(self.view.yaw)) > 0

    def far_side(self, near: float) -> float:
        """Return the dimming of a limb on the far side of the body."""
        return float(np.clip(1 + 1.6 * near, 0.78, 1.0))
