"""How a body stands in space and on the picture: a skeleton that walks, and a camera's view."""

import math
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

import numpy as np

from pul.arrays import DoubleArray
from pul.data.synthetic.painting import Point
from pul.data.synthetic.people import Person

ArmPose = Literal["swing", "phone", "reading", "pocket", "carry"]
SIDES = (0, 1)  # 0 is at x < 0: the wearer's right hand, on the left of a frontal picture


class Joint(IntEnum):
    """Rows of a skeleton; those with two sides are followed by the other side."""

    HIP = 0
    KNEE = 2
    ANKLE = 4
    TOE = 6
    SHOULDER = 8
    ELBOW = 10
    WRIST = 12
    HAND = 14
    PELVIS = 16
    WAIST = 17
    NECK = 18
    HEAD = 19
    CROWN = 20


_N_JOINTS = 21


@dataclass(frozen=True, slots=True)
class Pose:
    """A moment of a walk.

    Attributes:
        phase: Place in the gait cycle, radians.
        stride: Swing of the thighs, radians; 0 stands still.
        lean: Forward lean of the trunk, radians.
        arms: What each arm does.
        nod: Forward tilt of the head, radians.
    """

    phase: float
    stride: float
    lean: float
    arms: tuple[ArmPose, ArmPose]
    nod: float


@dataclass(frozen=True, slots=True)
class View:
    """How a camera sees a person.

    Attributes:
        yaw: Where the person faces: 0 the camera, π/2 the right edge, π away; radians.
        pitch: How steeply the camera looks down, radians.
        distance: From the camera, in statures; near cameras make heads large.
        foot: Where the person stands on the picture, in pixels.
        height: Height of the upright person on the picture, in pixels.
        stretch: Horizontal stretch of the crop.
    """

    yaw: float
    pitch: float
    distance: float
    foot: tuple[float, float]
    height: float
    stretch: float

    def project(self, right: float, up: float, forward: float) -> tuple[Point, float]:
        """Project a point of the body to the picture.

        Args:
            right, up, forward: In statures; plain numbers, because a figure asks dozens of times
                and numpy would take longer for three numbers than the sums do.

        Returns:
            x and y in pixels, and nearness in statures.
        """
        across = right * math.cos(self.yaw) + forward * math.sin(self.yaw)
        near = forward * math.cos(self.yaw) - right * math.sin(self.yaw)
        raised = up * math.cos(self.pitch) - near * math.sin(self.pitch)
        nearness = near * math.cos(self.pitch) + up * math.sin(self.pitch)
        scale = self.height / (1 - nearness / self.distance)
        x = self.foot[0] + across * scale * self.stretch
        return (x, self.foot[1] - raised * scale), near


def build_skeleton(person: Person, pose: Pose) -> DoubleArray:
    """Return the joints of a person in a pose.

    Args:
        person: Whose proportions.
        pose: The moment of the walk.

    Returns:
        Right, up and forward in statures, the lower foot at height 0, shape (21, 3).
    """
    joints = np.zeros((_N_JOINTS, 3))
    hip_height = 0.5 * person.shape.legs
    joints[Joint.PELVIS] = (0, hip_height - 0.01, 0)
    joints[Joint.WAIST] = (0, hip_height + 0.09, 0.5 * np.sin(pose.lean) * 0.1)
    trunk = np.array([0, np.cos(pose.lean), np.sin(pose.lean)])
    joints[Joint.NECK] = joints[Joint.PELVIS] + (0.84 - hip_height) * trunk
    facing = np.array([0, np.cos(pose.nod), np.sin(pose.nod)])
    joints[Joint.HEAD] = joints[Joint.NECK] + 0.092 * facing
    joints[Joint.CROWN] = joints[Joint.NECK] + 0.165 * facing
    for side in SIDES:
        _place_leg(joints, person, pose, side)
        _place_arm(joints, person, pose, side)
    joints[:, 1] -= joints[Joint.ANKLE : Joint.TOE + 2, 1].min() - 0.025
    return joints


def _place_leg(joints: DoubleArray, person: Person, pose: Pose, side: int) -> None:
    phase = pose.phase + side * np.pi
    thigh = pose.stride * (np.cos(phase) + 0.12)
    bend = 0.06 + 2.1 * pose.stride * max(0.0, float(-np.sin(phase - 0.35)))
    x = (side - 0.5) * 0.088 * person.shape.hips * (0.5 + 0.5 * person.shape.build)
    hip = np.array([x, joints[Joint.PELVIS, 1] + 0.01, 0])
    knee = hip + 0.238 * person.shape.legs * _swing(thigh)
    ankle = knee + 0.222 * person.shape.legs * _swing(thigh - bend)
    tilt = thigh - bend + np.pi / 2 - 0.15
    toe = ankle + 0.095 * np.array([(side - 0.5) * 0.35, -np.cos(tilt), np.sin(tilt)])
    for joint, place in (
        (Joint.HIP, hip), (Joint.KNEE, knee), (Joint.ANKLE, ankle), (Joint.TOE, toe),
    ):  # fmt: skip
        joints[joint + side] = place


def _place_arm(joints: DoubleArray, person: Person, pose: Pose, side: int) -> None:
    outward = side * 2 - 1
    width = 0.099 * person.shape.shoulders * (0.55 + 0.45 * person.shape.build)
    shoulder = joints[Joint.NECK] + np.array([outward * width, -0.043, 0])
    swing, bend, spread, turn = _arm_angles(pose, side)
    spread += 0.06 * (person.shape.build - 0.9) + 0.05
    upper = _swing(swing) + np.array([outward * np.sin(spread), 0, 0])
    lower = _swing(swing + bend) + np.array([outward * np.sin(turn), 0, 0])
    elbow = shoulder + 0.165 * upper / np.linalg.norm(upper)
    wrist = elbow + 0.135 * lower / np.linalg.norm(lower)
    hand = wrist + 0.045 * lower / np.linalg.norm(lower)
    for joint, place in (
        (Joint.SHOULDER, shoulder), (Joint.ELBOW, elbow), (Joint.WRIST, wrist), (Joint.HAND, hand),
    ):  # fmt: skip
        joints[joint + side] = place


def _arm_angles(pose: Pose, side: int) -> tuple[float, float, float, float]:
    """Return swing forward, bend of the elbow, spread of the upper arm and turn of the forearm."""
    swing = float(-1.1 * pose.stride * np.cos(pose.phase + side * np.pi))
    angles = {
        "swing": (swing + 0.04, 0.25 + max(0.0, 0.7 * swing), 0.10, 0.02),
        "phone": (0.35, 2.35, 0.25, -0.15),
        "reading": (0.2, 1.45, 0.12, -0.45),
        "pocket": (-0.3, 0.55, 0.3, -0.3),
        "carry": (0.25 * swing, 0.08, 0.1, 0.1),
    }
    return angles[pose.arms[side]]


def _swing(angle: float) -> DoubleArray:
    return np.array([0.0, -np.cos(angle), np.sin(angle)])
