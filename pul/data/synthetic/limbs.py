"""Arms and legs: skin, what covers part of it, shoes and hands."""

from functools import partial

import numpy as np

from pul.arrays import FloatArray
from pul.data.synthetic.clothes import Cloth
from pul.data.synthetic.figure import Figure, Stroke
from pul.data.synthetic.painting import Paint, Tube, plain
from pul.data.synthetic.poses import SIDES, Joint

_LEGS_NEAR = -1.0  # legs come first: whatever hangs from the waist hangs over them
_THIGH_SHARE = 0.517  # of the leg above the knee
_UPPER_ARM_SHARE = 0.55  # of the arm above the elbow
_FOLDS = 0.075


def leg_strokes(figure: Figure) -> list[Stroke]:
    """Return both legs, with skin, trousers or shorts, socks and shoes."""
    strokes = []
    for side in SIDES:
        near = figure.place(Joint.KNEE + side)[1] + 0.5 * figure.place(Joint.ANKLE + side)[1]
        strokes.append(Stroke(_LEGS_NEAR + near, partial(_paint_leg, figure, side)))
    return strokes


def arm_strokes(figure: Figure) -> list[Stroke]:
    """Return both arms, with sleeves and hands."""
    strokes = []
    trunk = figure.place(Joint.NECK)[1]
    for side in SIDES:
        near = figure.place(Joint.SHOULDER + side)[1] + figure.place(Joint.WRIST + side)[1]
        strokes.append(Stroke(near / 2 - trunk + 0.025, partial(_paint_arm, figure, side)))
    return strokes


def woven(cloth: Cloth, radius: float, length: float, *, start: float = 0.0) -> Paint:
    """Return the paint of a cloth around a part of this radius and length, in statures."""

    def paint(around: FloatArray, along: FloatArray) -> FloatArray:
        down = np.float32(start) + along * np.float32(length)
        return cloth.paint(around, around * np.float32(radius), down)

    return paint


def _paint_leg(figure: Figure, side: int) -> None:
    bottom, build = figure.person.bottom, figure.person.shape.build
    dim = figure.far_side(figure.place(Joint.HIP + side)[1] * 2)
    skin = plain(figure.person.head.skin)
    thick = 0.45 + 0.55 * build
    bare_thigh = (0.053 * thick, 0.038 * thick)
    bare_shin = (0.038 * thick, 0.023 * thick)
    covered = bottom.length if bottom.kind not in ("skirt", "long skirt") else 0.0
    if covered < 1:
        _limb(figure, Joint.KNEE + side, Joint.ANKLE + side, bare_shin, skin, dim=dim)
    _paint_shoe(figure, side, dim)
    if covered < _THIGH_SHARE:
        _limb(figure, Joint.HIP + side, Joint.KNEE + side, bare_thigh, skin, dim=dim)
    if covered:
        _paint_trouser_leg(figure, side, bare_thigh, bare_shin, covered, dim)


def _paint_trouser_leg(
    figure: Figure,
    side: int,
    thigh: tuple[float, float],
    shin: tuple[float, float],
    covered: float,
    dim: float,
) -> None:
    bottom = figure.person.bottom
    wide = 1 + 1.6 * max(0.0, bottom.fullness - 1.1)  # wide trousers widen downwards
    knee = thigh[1] * bottom.fullness
    ankle = (shin[1] + 0.006) * bottom.fullness * wide
    paint = woven(bottom.cloth, 0.05, 0.24)
    low = woven(bottom.cloth, 0.05, 0.22, start=0.24)
    if covered > _THIGH_SHARE:
        share = (covered - _THIGH_SHARE) / (1 - _THIGH_SHARE)
        radii = (knee, knee + (ankle - knee) * share)
        _limb(
            figure, Joint.KNEE + side, Joint.ANKLE + side, radii, low,
            share=share, folds=_FOLDS, dim=dim,
        )  # fmt: skip
    share = min(covered / _THIGH_SHARE, 1.0)
    loose = thigh[0] * (1 + 0.4 * (bottom.fullness - 1))
    end = knee if share == 1 else loose * (0.98 - 0.05 * share)
    _limb(
        figure, Joint.HIP + side, Joint.KNEE + side, (loose, end), paint,
        share=share, folds=_FOLDS, dim=dim, flat=share < 1,
    )  # fmt: skip


def _paint_shoe(figure: Figure, side: int, dim: float) -> None:
    ankle, toe = Joint.ANKLE + side, Joint.TOE + side
    sock = plain(figure.person.socks)
    _limb(figure, Joint.KNEE + side, ankle, (0.026, 0.025), sock, first=0.84, dim=dim)
    (sole_start, _), (sole_end, _) = figure.place(ankle, up=-0.012), figure.place(toe, up=-0.008)
    sole = Tube(sole_start, sole_end, figure.radii(0.024, 0.021))
    figure.picture.tube(sole, plain(figure.person.soles), dim=dim * 0.9)
    shoe = Tube(figure.place(ankle)[0], figure.place(toe)[0], figure.radii(0.027, 0.020))
    figure.picture.tube(shoe, plain(figure.person.shoes), dim=dim)


def _paint_arm(figure: Figure, side: int) -> None:
    top, build = figure.person.top, figure.person.shape.build
    dim = figure.far_side(figure.place(Joint.SHOULDER + side)[1])
    thick = 0.5 + 0.5 * build
    skin = plain(figure.person.head.skin)
    shoulder, elbow, wrist = Joint.SHOULDER + side, Joint.ELBOW + side, Joint.WRIST + side
    if top.sleeve < 1:
        _limb(figure, elbow, wrist, (0.026 * thick, 0.018 * thick), skin, dim=dim)
        _limb(figure, shoulder, elbow, (0.031 * thick, 0.026 * thick), skin, dim=dim)
    _limb(figure, wrist, Joint.HAND + side, (0.019, 0.018), skin, dim=dim)
    if top.sleeve:
        _paint_sleeve(figure, side, thick * (0.3 + 0.7 * top.fullness), dim)


def _paint_sleeve(figure: Figure, side: int, thick: float, dim: float) -> None:
    top = figure.person.top
    shoulder, elbow, wrist = Joint.SHOULDER + side, Joint.ELBOW + side, Joint.WRIST + side
    if top.sleeve > _UPPER_ARM_SHARE:
        share = (top.sleeve - _UPPER_ARM_SHARE) / (1 - _UPPER_ARM_SHARE)
        low = woven(top.cloth, 0.03, 0.14, start=0.19)
        radii = (0.030 * thick, 0.024 * thick)
        _limb(figure, elbow, wrist, radii, low, share=share, folds=_FOLDS, dim=dim)
    share = min(top.sleeve / _UPPER_ARM_SHARE, 1.0)
    radii = (0.033 * thick, (0.030 if share == 1 else 0.036) * thick)
    paint = woven(top.cloth, 0.035, 0.165 * share, start=0.03)
    _limb(figure, shoulder, elbow, radii, paint, share=share, folds=_FOLDS, dim=dim)


def _limb(
    figure: Figure,
    first_joint: int,
    last_joint: int,
    radii: tuple[float, float],
    paint: Paint,
    *,
    first: float = 0.0,
    share: float = 1.0,
    folds: float = 0.0,
    flat: bool = False,
    dim: float = 1.0,
) -> None:
    """Paint the bone between two joints from a share `first` to a share `share` of its length."""
    start, _ = figure.place_point(figure.between(first_joint, last_joint, first))
    end, _ = figure.place_point(figure.between(first_joint, last_joint, share))
    tube = Tube(start, end, figure.radii(*radii), turn=figure.view.yaw, folds=folds, flat=flat)
    figure.picture.tube(tube, paint, dim=dim)
