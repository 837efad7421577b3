"""Cameras: who walks before one, the crop a detector cuts out, and what the sensor makes of it."""

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageFilter

from pul.arrays import FloatArray
from pul.data.synthetic.painting import Light, Picture, Rgb, Tube, plain
from pul.data.synthetic.people import Wardrobe, invent_person
from pul.data.synthetic.scenes import HEIGHT, WIDTH, SceneSpec, from_image, to_image
from pul.data.synthetic.walkers import Box, Walker, height_px, paint_walker, send_walker


@dataclass(frozen=True, slots=True)
class Sensor:
    """What a camera does to the light that reaches it.

    Attributes:
        gains: White balance: a factor for red, green and blue.
        exposure: Brightness factor.
        contrast: Spread about mid-grey; below 1 is haze.
        saturation: 0 is grey, 1 as it is.
        gamma: Exponent of the tone curve; above 1 darkens the middle.
        noise: Standard deviation of its noise, in [0, 1].
        blur: Radius of its defocus in pixels of a 128-pixel crop.
        resolution: Least and largest height of a person in pixels before the crop is resized.
        jpeg: Least and largest JPEG quality.
    """

    gains: Rgb = (1.0, 1.0, 1.0)
    exposure: float = 1.0
    contrast: float = 1.0
    saturation: float = 1.0
    gamma: float = 1.0
    noise: float = 0.02
    blur: float = 0.3
    resolution: tuple[int, int] = (70, 150)
    jpeg: tuple[int, int] = (70, 92)


@dataclass(frozen=True, slots=True)
class Camera:
    """One camera: what it sees, in which light, by which sensor, and who comes its way.

    Attributes:
        scene: What it looks at.
        light: Where the light comes from.
        sensor: What it makes of it.
        depth_m: Least and largest distance of people in metres.
        heading: Where most people walk: 0 towards the camera, π away; radians.
        shadow: Darkness of the shadow on the ground, and how far it leans to the side.
    """

    scene: SceneSpec
    light: Light
    sensor: Sensor
    depth_m: tuple[float, float] = (4.5, 8.5)
    heading: float = 0.0
    shadow: tuple[float, float] = (0.4, 0.0)


CROP_WIDTH, CROP_HEIGHT = 64, 128
_SAMPLES = 2  # pixels painted per pixel of the crop, each way
_WIDE, _TALL = CROP_WIDTH * _SAMPLES, CROP_HEIGHT * _SAMPLES


@dataclass(frozen=True, slots=True)
class Mishaps:
    """How often a crop goes wrong, as probabilities, and how far a box is off.

    Attributes:
        passer_by: Someone walks behind.
        occlusion: Someone or something stands in front.
        motion: The picture is blurred by motion.
        box_error: Deviation of the box's place and size, as a fraction of its height.
    """

    passer_by: float = 0.2
    occlusion: float = 0.16
    motion: float = 0.2
    box_error: float = 0.035


def take_crop(
    rng: np.random.Generator,
    camera: Camera,
    scene: Image.Image,
    walker: Walker,
    wardrobe: Wardrobe,
    mishaps: Mishaps = Mishaps(),
    *,
    visible: bool = True,
) -> Image.Image:
    """Photograph a walker and cut out what a detector would.

    Args:
        rng: Where chance comes from.
        camera: Which camera.
        scene: Its empty scene.
        walker: Who, and where.
        wardrobe: What passers-by wear.
        mishaps: What goes wrong, and how often.
        visible: False leaves the walker away: a false alarm of the detector.

    Returns:
        RGB image of 64×128 pixels.
    """
    box = _draw_box(rng, camera, walker, mishaps.box_error)
    picture = Picture(_cut(scene, box), camera.light)
    if rng.random() < mishaps.passer_by:
        _paint_other(rng, picture, camera, walker, wardrobe, box, behind=True)
    if visible:
        paint_walker(picture, walker, camera.scene, box, camera.shadow)
    if rng.random() < mishaps.occlusion:
        _occlude(rng, picture, camera, walker, wardrobe, box)
    return _develop(rng, picture.pixels, camera.sensor, rng.random() < mishaps.motion)


def _draw_box(rng: np.random.Generator, camera: Camera, walker: Walker, error: float) -> Box:
    height = height_px(walker)
    x, foot = camera.scene.foot(walker.right_m, walker.depth_m)
    tall = height * float(np.clip(rng.normal(1.1, 1.2 * error), 0.85, 1.6))
    stretch = float(rng.uniform(1.0, 1.22))
    wide = tall / 2 / stretch
    left = x - wide / 2 + tall * float(rng.normal(0, error))
    top = foot - 0.5 * height - 0.5 * tall + tall * float(rng.normal(0, error))
    left = float(np.clip(left, 0, WIDTH - wide))
    top = float(np.clip(top, 0, HEIGHT - tall))
    return Box(left, top, _TALL / tall, stretch)


def _cut(scene: Image.Image, box: Box) -> FloatArray:
    right = box.left + _WIDE / box.scale / box.stretch
    corners = (box.left, box.top, right, box.top + _TALL / box.scale)
    return from_image(scene.resize((_WIDE, _TALL), Image.Resampling.BILINEAR, box=corners))


def _paint_other(
    rng: np.random.Generator,
    picture: Picture,
    camera: Camera,
    walker: Walker,
    wardrobe: Wardrobe,
    box: Box,
    *,
    behind: bool,
) -> None:
    away = float(rng.uniform(1.0, 3.0)) if behind else -float(rng.uniform(0.3, 0.8))
    aside = float(rng.choice((-1, 1)) * rng.uniform(0.32, 0.65))
    other = send_walker(rng, invent_person(rng, wardrobe), camera.heading, camera.depth_m)
    depth = walker.depth_m + away
    right = (walker.right_m + aside) * depth / walker.depth_m
    placed = replace(other, right_m=right, depth_m=depth)
    paint_walker(picture, placed, camera.scene, box, camera.shadow)


def _occlude(
    rng: np.random.Generator,
    picture: Picture,
    camera: Camera,
    walker: Walker,
    wardrobe: Wardrobe,
    box: Box,
) -> None:
    kind = rng.random()
    tone = float(rng.uniform(0.12, 0.6))
    colour = (tone, tone * float(rng.uniform(0.7, 1.1)), tone * float(rng.uniform(0.6, 1.1)))
    if kind < 0.5:
        _paint_other(rng, picture, camera, walker, wardrobe, box, behind=False)
    elif kind < 0.7:
        x, radius = float(rng.uniform(0.1, 0.9)) * _WIDE, float(rng.uniform(0.03, 0.09)) * _WIDE
        picture.tube(Tube((x, -9.0), (x, _TALL + 9.0), (radius, radius)), plain(colour))
    elif kind < 0.85:
        _paint_car(picture, float(rng.uniform(0.68, 0.85)) * _TALL, rng.random() < 0.5, colour)
    else:
        left = _WIDE * float(rng.uniform(-0.7, 0.5))
        _paint_bench(picture, left, _TALL * float(rng.uniform(0.68, 0.84)), colour)


def _paint_car(picture: Picture, top: float, from_left: bool, colour: Rgb) -> None:
    radius = 0.25 * _TALL
    first, last = (-_WIDE, 0.3 * _WIDE) if from_left else (0.7 * _WIDE, 2.0 * _WIDE)
    body = Tube((first, top + radius), (last, top + radius), (radius, radius))
    picture.tube(body, plain(colour))


def _paint_bench(picture: Picture, left: float, top: float, colour: Rgb) -> None:
    right, plank = left + 1.1 * _WIDE, 0.036 * _TALL
    for leg in (left + 0.1 * _WIDE, right - 0.16 * _WIDE):
        picture.board(leg, top, leg + 0.05 * _WIDE, _TALL, (0.16, 0.16, 0.17))
    for row in range(3):
        upper = top + 1.5 * row * plank
        picture.board(left, upper, right, upper + plank, colour)


def _develop(
    rng: np.random.Generator, pixels: FloatArray, sensor: Sensor, moved: bool
) -> Image.Image:
    image = to_image(_smear(pixels, int(rng.integers(2, 6)) * _SAMPLES) if moved else pixels)
    lines = int(rng.integers(*sensor.resolution))
    image = image.resize((max(lines // 2, 1), lines), Image.Resampling.BILINEAR)
    image = image.resize((CROP_WIDTH, CROP_HEIGHT), Image.Resampling.BICUBIC)
    if sensor.blur > 0.3:
        image = image.filter(ImageFilter.GaussianBlur(sensor.blur))
    return to_image(expose(rng, from_image(image), sensor))


def _smear(pixels: FloatArray, length: int) -> FloatArray:
    """Average each pixel with those to its left, as a person moves while the shutter is open."""
    padded = np.pad(pixels, ((0, 0), (0, 0), (length - 1, 0)), mode="edge")
    sums = np.cumsum(np.pad(padded, ((0, 0), (0, 0), (1, 0))), axis=2, dtype=np.float32)
    return (sums[:, :, length:] - sums[:, :, :-length]) / np.float32(length)


def expose(rng: np.random.Generator, pixels: FloatArray, sensor: Sensor) -> FloatArray:
    """Return what a sensor makes of pixels of shape (3, H, W): colours, contrast and noise."""
    exposure = sensor.exposure * float(rng.normal(1, 0.06))
    gains = np.array(sensor.gains, dtype=np.float32) * rng.normal(1, 0.02, 3).astype(np.float32)
    grey = np.full((3, 3), (1 - sensor.saturation) / 3, dtype=np.float32)
    matrix = (gains * np.float32(exposure))[:, None] * (
        grey + np.float32(sensor.saturation) * np.eye(3, dtype=np.float32)
    )
    seen = np.tensordot(matrix, pixels, axes=1)
    seen = (seen - np.float32(0.45)) * np.float32(sensor.contrast) + np.float32(0.45)
    if sensor.gamma != 1:
        seen = np.maximum(seen, 0) ** np.float32(sensor.gamma)
    noise = rng.standard_normal(seen.shape, dtype=np.float32)
    exposed: FloatArray = seen + np.float32(sensor.noise) * noise
    return exposed
