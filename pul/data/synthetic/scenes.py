"""Where people walk: a ground in perspective, a backdrop, and things that stand about."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from pul.arrays import FloatArray
from pul.data.synthetic.painting import Light, Picture
from pul.data.synthetic.props import PropKind, Spot, paint_prop
from pul.data.synthetic.surfaces import Plane, Surface, paint_surface

WIDTH, HEIGHT = 960, 540
FOCAL = 700.0  # pixels: a person of 1.7 m at 6 m is 198 pixels tall


@dataclass(frozen=True, slots=True)
class SceneSpec:
    """What a camera looks at.

    Attributes:
        ground: What people walk on.
        wall: What stands at the back.
        props: What stands about, before the wall.
        wall_m: Distance of the wall in metres.
        camera_m: Height of the camera in metres.
        horizon: Row of the horizon, which may lie above the picture, in pixels.
    """

    ground: Surface
    wall: Surface
    props: tuple[PropKind, ...]
    wall_m: float
    camera_m: float
    horizon: float

    def foot(self, right_m: float, depth_m: float) -> tuple[float, float]:
        """Return the pixel of a point on the ground."""
        return (
            WIDTH / 2 + FOCAL * right_m / depth_m,
            self.horizon + FOCAL * self.camera_m / depth_m,
        )


def paint_scene(spec: SceneSpec, light: Light, rng: np.random.Generator) -> Image.Image:
    """Paint an empty scene.

    Args:
        spec: What is there.
        light: Where the light comes from.
        rng: Where chance comes from.

    Returns:
        RGB image of 960×540 pixels.
    """
    rows, columns = np.indices((HEIGHT, WIDTH), dtype=np.float32) + np.float32(0.5)
    columns -= WIDTH / 2
    _, foot = spec.foot(0, spec.wall_m)
    per_pixel = np.float32(spec.wall_m / FOCAL)
    wall = paint_surface(spec.wall, Plane(columns * per_pixel, (foot - rows) * per_pixel, rng))
    depth = FOCAL * spec.camera_m / np.maximum(rows - np.float32(spec.horizon), 1)
    ground = paint_surface(spec.ground, Plane(columns * depth / FOCAL, depth, rng))
    contact = 1 - 0.35 * np.exp(-np.maximum(rows - foot, 0) / 14)
    pixels = np.where(rows > foot, ground * contact, wall).astype(np.float32)
    picture = Picture(np.ascontiguousarray(pixels), light)
    _paint_props(picture, spec, rng)
    picture.pixels *= 0.93 + 0.14 * Plane(columns, rows, rng).cloud(6)
    return to_image(picture.pixels)


def to_image(pixels: FloatArray) -> Image.Image:
    """Turn pixels of shape (3, H, W), values about [0, 1], into an image."""
    levels = np.clip(pixels * np.float32(255), 0, 255).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(levels.transpose(1, 2, 0)))


def from_image(image: Image.Image) -> FloatArray:
    """Turn an RGB image into pixels of shape (3, H, W), float32 in [0, 1]."""
    planes = np.asarray(image).transpose(2, 0, 1)
    return np.ascontiguousarray(planes).astype(np.float32) * np.float32(1 / 255)


def _paint_props(picture: Picture, spec: SceneSpec, rng: np.random.Generator) -> None:
    def stand(right_m: float, before_wall_m: float) -> Spot:
        depth = spec.wall_m - before_wall_m
        return Spot(*spec.foot(right_m, depth), FOCAL / depth)

    for prop in spec.props:
        paint_prop(prop, picture, stand, rng)
