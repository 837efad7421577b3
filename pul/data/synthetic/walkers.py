"""Someone who walks before a camera: where, which way, and in which moment of the walk."""

from dataclasses import dataclass, replace

import numpy as np

from pul.data.synthetic.figure import Figure
from pul.data.synthetic.heads import head_strokes
from pul.data.synthetic.limbs import arm_strokes, leg_strokes
from pul.data.synthetic.luggage import luggage_strokes
from pul.data.synthetic.painting import Picture
from pul.data.synthetic.people import Person
from pul.data.synthetic.poses import ArmPose, Pose, View, build_skeleton
from pul.data.synthetic.scenes import FOCAL, SceneSpec
from pul.data.synthetic.trunk import trunk_strokes

STATURE_M = 1.7  # of a person whose stature is 1
_ARM_POSES: tuple[ArmPose, ...] = ("swing", "phone", "reading", "pocket")
_ARM_WEIGHTS = (0.75, 0.07, 0.08, 0.10)
_STEP_M = 0.55  # way walked between two frames of a tracklet


@dataclass(frozen=True, slots=True)
class Walker:
    """A person at one place of a scene.

    Attributes:
        person: Who.
        right_m: Sideways from the middle of the scene, in metres.
        depth_m: Away from the camera, in metres.
        heading: Where the person faces: 0 the camera, π/2 the right edge, π away; radians.
        pose: The moment of the walk.
    """

    person: Person
    right_m: float
    depth_m: float
    heading: float
    pose: Pose

    def next(self, rng: np.random.Generator, depth_m: tuple[float, float]) -> "Walker":
        """Return the same walker some frames later, still within these distances."""
        moved = 0.0 if self.pose.stride < 0.1 else _STEP_M * float(rng.uniform(0.4, 1.4))
        depth = self.depth_m - moved * np.cos(self.heading)
        phase = self.pose.phase + float(rng.uniform(0.6, 5.6))
        return replace(
            self,
            right_m=float(np.clip(self.right_m + moved * np.sin(self.heading), -2.6, 2.6)),
            depth_m=float(np.clip(depth, *depth_m)),
            heading=self.heading + float(rng.normal(0, 0.12)),
            pose=replace(self.pose, phase=phase),
        )


@dataclass(frozen=True, slots=True)
class Box:
    """A detector's box on a scene, in pixels, and the pixels of its crop per pixel of the scene."""

    left: float
    top: float
    scale: float
    stretch: float


def send_walker(
    rng: np.random.Generator, person: Person, heading: float, depth_m: tuple[float, float]
) -> Walker:
    """Let a person walk into a scene.

    Args:
        rng: Where chance comes from.
        person: Who.
        heading: Where most people walk here; some come the other way or cross.
        depth_m: Least and largest distance in metres.
    """
    turned = (0.0, np.pi, np.pi / 2, -np.pi / 2)[int(rng.choice(4, p=(0.52, 0.22, 0.13, 0.13)))]
    return Walker(
        person=person,
        right_m=float(rng.uniform(-2.2, 2.2)),
        depth_m=float(rng.uniform(*depth_m)),
        heading=heading + turned + float(rng.normal(0, 0.3)),
        pose=_strike_pose(rng, person),
    )


def paint_walker(
    picture: Picture, walker: Walker, scene: SceneSpec, box: Box, shadow: tuple[float, float]
) -> None:
    """Paint a walker and the shadow at their feet on the crop of a scene.

    Args:
        picture: The crop, painted on in place.
        walker: Who and where.
        scene: The scene, for its perspective.
        box: Where the crop lies on the scene.
        shadow: Darkness of the shadow, and how far it leans to the side.
    """
    view = _see(walker, scene, box)
    wide = 0.17 * view.height * view.stretch
    reach = 1 + abs(shadow[1])
    center = (view.foot[0] + 0.7 * wide * shadow[1], view.foot[1] - 0.005 * view.height)
    picture.shadow(center, (wide * reach, 0.045 * view.height), shadow[0])
    skeleton = build_skeleton(walker.person, walker.pose)
    figure = Figure(picture, walker.person, view, skeleton)
    strokes = [
        *leg_strokes(figure), *trunk_strokes(figure), *arm_strokes(figure),
        *head_strokes(figure), *luggage_strokes(figure),
    ]  # fmt: skip
    for stroke in sorted(strokes, key=lambda stroke: stroke.near):
        stroke.paint()


def height_px(walker: Walker) -> float:
    """Return how tall the walker is on the scene, in pixels."""
    return FOCAL * STATURE_M * walker.person.shape.stature / walker.depth_m


def _see(walker: Walker, scene: SceneSpec, box: Box) -> View:
    x, y = scene.foot(walker.right_m, walker.depth_m)
    above = scene.camera_m - 0.5 * STATURE_M
    return View(
        yaw=walker.heading,
        pitch=float(np.arctan2(above, walker.depth_m)),
        distance=float(np.hypot(above, walker.depth_m)) / STATURE_M,
        foot=((x - box.left) * box.scale * box.stretch, (y - box.top) * box.scale),
        height=height_px(walker) * box.scale,
        stretch=box.stretch,
    )


def _strike_pose(rng: np.random.Generator, person: Person) -> Pose:
    arms: list[ArmPose] = [_choose_arm(rng), _choose_arm(rng)]
    if person.bag.kind in ("handbag", "carrier bag", "suitcase"):
        arms[int(person.bag.side > 0)] = "carry"
    stands = rng.random() < 0.15
    return Pose(
        phase=float(rng.uniform(0, 2 * np.pi)),
        stride=float(rng.uniform(0.0, 0.06) if stands else rng.uniform(0.26, 0.5)),
        lean=float(rng.normal(0.05, 0.03)),
        arms=(arms[0], arms[1]),
        nod=float(rng.normal(0.12, 0.08)),
    )


def _choose_arm(rng: np.random.Generator) -> ArmPose:
    return _ARM_POSES[int(rng.choice(len(_ARM_POSES), p=_ARM_WEIGHTS))]
