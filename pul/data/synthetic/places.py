"""The two places: a campus in summer and a station in winter, with their cameras and clothes."""

from dataclasses import dataclass
from typing import Literal

from pul.data.synthetic.cameras import Camera, Sensor
from pul.data.synthetic.painting import Light
from pul.data.synthetic.people import Wardrobe
from pul.data.synthetic.scenes import SceneSpec
from pul.data.synthetic.surfaces import Surface
from pul.data.synthetic.wardrobes import SUMMER, WINTER

PlaceName = Literal["a", "b"]


@dataclass(frozen=True, slots=True)
class Place:
    """What people wear somewhere, and the cameras that see them."""

    wardrobe: Wardrobe
    cameras: tuple[Camera, ...]


_SUN = Light((-0.48, -0.66, 0.58), 0.52)
_SIDE_SUN = Light((0.62, -0.58, 0.53), 0.50)
_OVERCAST = Light((0.05, -0.72, 0.69), 0.66)
_CEILING = Light((0.0, -0.86, 0.51), 0.60)
_LEFT_LAMP = Light((-0.66, -0.6, 0.45), 0.55)
_RIGHT_LAMP = Light((0.7, -0.55, 0.45), 0.55)

_CAMPUS_CAMERAS = (
    Camera(
        SceneSpec(
            ground=Surface("grass", (0.30, 0.46, 0.20), (0.52, 0.66, 0.32)),
            wall=Surface("foliage", (0.10, 0.2, 0.08), (0.46, 0.62, 0.30)),
            props=("benches",),
            wall_m=11, camera_m=2.3, horizon=105,
        ),
        light=_SUN,
        sensor=Sensor((1.04, 1.0, 0.93), 1.05),
        heading=0.3, shadow=(0.5, 1.6),
    ),
    Camera(
        SceneSpec(
            ground=Surface("tiles", (0.64, 0.63, 0.60), (0.54, 0.53, 0.51)),
            wall=Surface("bricks", (0.60, 0.32, 0.24), (0.48, 0.24, 0.19)),
            props=("bicycles",),
            wall_m=9.5, camera_m=2.6, horizon=85,
        ),
        light=_OVERCAST,
        sensor=Sensor((0.98, 1.0, 1.04), 1.0, noise=0.025, blur=0.5),
        heading=3.0,
    ),
    Camera(
        SceneSpec(
            ground=Surface("paving", (0.60, 0.52, 0.46), (0.48, 0.42, 0.38)),
            wall=Surface("shops", (0.72, 0.42, 0.3), (0.56, 0.55, 0.53)),
            props=("bicycles",),
            wall_m=10, camera_m=2.2, horizon=100,
        ),
        light=_OVERCAST,
        sensor=Sensor((1.0, 1.0, 1.0), 0.86, gamma=1.12, noise=0.03),
        heading=1.5,
    ),
    Camera(
        SceneSpec(
            ground=Surface("tiles", (0.72, 0.70, 0.66), (0.62, 0.60, 0.57)),
            wall=Surface("hedge", (0.16, 0.30, 0.12), (0.38, 0.54, 0.26)),
            props=("bollards",),
            wall_m=12, camera_m=3.0, horizon=60,
        ),
        light=_SIDE_SUN,
        sensor=Sensor((1.03, 1.0, 0.96), 1.14, contrast=0.9, blur=0.4),
        heading=-0.4, shadow=(0.5, -1.5),
    ),
    Camera(
        SceneSpec(
            ground=Surface("asphalt", (0.40, 0.40, 0.41), (0.49, 0.49, 0.49)),
            wall=Surface("hedge", (0.14, 0.26, 0.12), (0.30, 0.44, 0.22)),
            props=("cars",),
            wall_m=11, camera_m=2.6, horizon=85,
        ),
        light=_SUN,
        sensor=Sensor((0.95, 1.0, 1.05), 0.96, saturation=0.85),
        heading=-1.5, shadow=(0.45, 1.4),
    ),
    Camera(
        SceneSpec(
            ground=Surface("lanes", (0.66, 0.34, 0.27), (0.86, 0.84, 0.80)),
            wall=Surface("foliage", (0.14, 0.24, 0.10), (0.42, 0.56, 0.28)),
            props=(),
            wall_m=13, camera_m=2.4, horizon=95,
        ),
        light=_SIDE_SUN,
        sensor=Sensor((1.06, 1.0, 0.9), 1.0, noise=0.035, resolution=(52, 95),
        jpeg=(55, 80)), heading=2.4, shadow=(0.45, -1.6),
    ),
)  # fmt: skip
_STATION_CAMERAS = (
    Camera(
        SceneSpec(
            ground=Surface("platform", (0.52, 0.52, 0.53), (0.42, 0.42, 0.44)),
            wall=Surface("train", (0.74, 0.75, 0.77), (0.62, 0.16, 0.16)),
            props=(),
            wall_m=9.5, camera_m=3.6, horizon=0,
        ),
        light=_CEILING,
        sensor=Sensor(
            (0.86, 1.01, 1.11), 0.88, contrast=0.88, saturation=0.82, noise=0.03, blur=0.5
        ),
        heading=0.2, depth_m=(4.8, 8),
    ),
    Camera(
        SceneSpec(
            ground=Surface("tiles", (0.68, 0.63, 0.56), (0.58, 0.53, 0.47)),
            wall=Surface("shops", (0.85, 0.62, 0.3), (0.40, 0.36, 0.33)),
            props=("pillars",),
            wall_m=11, camera_m=4.2, horizon=-30,
        ),
        light=_LEFT_LAMP,
        sensor=Sensor((0.92, 1.0, 1.04), 0.92, contrast=0.92, saturation=0.82, noise=0.03),
        heading=2.9, depth_m=(5, 8.5),
    ),
    Camera(
        SceneSpec(
            ground=Surface("tiles", (0.36, 0.38, 0.42), (0.28, 0.30, 0.34)),
            wall=Surface("wall tiles", (0.78, 0.80, 0.76), (0.15, 0.35, 0.38)),
            props=("benches",),
            wall_m=8, camera_m=3.2, horizon=30,
        ),
        light=_CEILING,
        sensor=Sensor(
            (0.85, 1.03, 1.08), 0.86, contrast=0.90, saturation=0.78, noise=0.035, blur=0.7
        ),
        heading=1.6, depth_m=(4.2, 6.8),
    ),
    Camera(
        SceneSpec(
            ground=Surface("asphalt", (0.26, 0.27, 0.31), (0.36, 0.37, 0.41)),
            wall=Surface("glass", (0.22, 0.26, 0.34), (0.48, 0.54, 0.62)),
            props=("cars",),
            wall_m=12, camera_m=3.4, horizon=20,
        ),
        light=_RIGHT_LAMP,
        sensor=Sensor(
            (0.84, 0.98, 1.16), 0.82, contrast=0.90, saturation=0.8, noise=0.035,
            resolution=(55, 100), jpeg=(45, 75),
        ),
        heading=-0.5, depth_m=(5, 9),
    ),
    Camera(
        SceneSpec(
            ground=Surface("paving", (0.50, 0.45, 0.42), (0.40, 0.36, 0.34)),
            wall=Surface("bricks", (0.42, 0.36, 0.32), (0.32, 0.27, 0.25)),
            props=("bollards",),
            wall_m=10, camera_m=3.8, horizon=-10,
        ),
        light=_LEFT_LAMP,
        sensor=Sensor(
            (0.90, 1.01, 1.07), 0.84, contrast=0.92, saturation=0.85, noise=0.035, jpeg=(50, 80)
        ),
        heading=-1.6, depth_m=(4.8, 8),
    ),
    Camera(
        SceneSpec(
            ground=Surface("tiles", (0.80, 0.80, 0.82), (0.70, 0.71, 0.74)),
            wall=Surface("glass", (0.55, 0.62, 0.70), (0.82, 0.87, 0.92)),
            props=("pillars", "bushes"),
            wall_m=12, camera_m=4.4, horizon=-45,
        ),
        light=_RIGHT_LAMP,
        sensor=Sensor(
            (0.87, 1.0, 1.12), 0.95, contrast=0.84, saturation=0.8, noise=0.03, blur=0.6
        ),
        heading=2.3, depth_m=(5.2, 9),
    ),
)  # fmt: skip

PLACES: dict[PlaceName, Place] = {
    "a": Place(SUMMER, _CAMPUS_CAMERAS),
    "b": Place(WINTER, _STATION_CAMERAS),
}
