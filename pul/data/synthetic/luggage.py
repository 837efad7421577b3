"""Bags and suitcases."""

from functools import partial

import numpy as np

from pul.arrays import FloatArray
from pul.data.synthetic.figure import Figure, Stroke
from pul.data.synthetic.painting import Paint, Rgb, Tube, plain, rgb
from pul.data.synthetic.poses import Joint


def luggage_strokes(figure: Figure) -> list[Stroke]:
    """Return what the person carries, but for the straps on the trunk."""
    kind = figure.person.bag.kind
    if kind == "backpack":
        near = figure.place(Joint.NECK, forward=-0.12)[1] - figure.place(Joint.NECK)[1]
        return [Stroke(near, partial(_paint_backpack, figure))]
    if kind == "shoulder bag":
        return [_shoulder_bag(figure)]
    if kind in ("handbag", "carrier bag"):
        return [_hand_luggage(figure)]
    if kind == "suitcase":
        near = figure.place(Joint.PELVIS, figure.person.bag.side * 0.16, 0, -0.16)[1]
        return [Stroke(near - 1 if near < 0 else near, partial(_paint_suitcase, figure))]
    return []


def _paint_backpack(figure: Figure) -> None:
    bag = figure.person.bag
    back = -0.085 - 0.03 * figure.person.top.fullness
    start, _ = figure.place(Joint.NECK, up=-0.045, forward=back)
    end, _ = figure.place(Joint.NECK, up=-0.05 - 0.2 * bag.size, forward=back - 0.01)
    seen, turn = figure.turn_of(0.58)
    wide = 0.078 * bag.size * seen
    radii = figure.radii(wide * 0.72, wide, wide * 1.04, wide * 0.95)
    tube = Tube(start, end, radii, (0, 0.15, 0.7, 1), turn, folds=0.05)
    figure.picture.tube(tube, _pocketed(bag.colour, bag.accent))


def _pocketed(colour: Rgb, accent: Rgb) -> Paint:
    base, pocket = rgb(colour), rgb(accent)

    def paint(around: FloatArray, along: FloatArray) -> FloatArray:
        is_pocket = (np.pi - np.abs(around) < 0.75) & (along > 0.52) & (along < 0.9)
        seam = np.abs(along - 0.42) < 0.035
        colours = np.where(is_pocket, pocket, base)
        return colours * np.where(seam, np.float32(0.55), np.float32(1))

    return paint


def _shoulder_bag(figure: Figure) -> Stroke:
    bag = figure.person.bag
    out = bag.side * (0.115 * figure.person.shape.build + 0.02)
    start, near = figure.place(Joint.PELVIS, out, 0.075, -0.02)
    end, _ = figure.place(Joint.PELVIS, out * 1.05, 0.075 - 0.1 * bag.size, -0.02)
    seen, turn = figure.turn_of(1.7)  # it hangs at the side: wide from there, narrow from the front
    radii = figure.radii(0.042 * seen * bag.size, 0.046 * seen * bag.size)
    tube = Tube(start, end, radii, turn=turn)
    return Stroke(near + 0.03, partial(figure.picture.tube, tube, plain(bag.colour)))


def _hand_luggage(figure: Figure) -> Stroke:
    bag = figure.person.bag
    hand = Joint.HAND + (bag.side > 0)
    grip, _ = figure.place(hand, up=-0.005)
    top, near = figure.place(hand, up=-0.055)
    bottom, _ = figure.place(hand, up=-0.065 - 0.1 * bag.size)
    seen, turn = figure.turn_of(1.8)
    sizes = (0.034, 0.042) if bag.kind == "handbag" else (0.038, 0.046)

    def paint() -> None:
        figure.picture.tube(Tube(grip, top, figure.radii(0.007, 0.012)), plain(bag.colour), dim=0.7)
        radii = figure.radii(*(size * seen * bag.size for size in sizes))
        folds = 0.1 if bag.kind == "carrier bag" else 0.0
        tube = Tube(top, bottom, radii, turn=turn, flat=True, folds=folds)
        figure.picture.tube(tube, plain(bag.colour))

    return Stroke(near + 0.02, paint)


def _paint_suitcase(figure: Figure) -> None:
    bag = figure.person.bag
    out, behind = bag.side * 0.17, -0.2
    ground = -figure.joints[Joint.PELVIS, 1]
    top, _ = figure.place(Joint.PELVIS, out, ground + 0.05 + 0.26 * bag.size, behind)
    bottom, _ = figure.place(Joint.PELVIS, out, ground + 0.03, behind)
    grip, _ = figure.place(Joint.HAND + (bag.side > 0))
    figure.picture.tube(Tube(grip, top, figure.radii(0.007, 0.007)), plain((0.3, 0.3, 0.32)))
    seen, turn = figure.turn_of(0.6)
    wide = 0.085 * bag.size * seen
    paint = _pocketed(bag.colour, bag.colour)
    figure.picture.tube(Tube(top, bottom, figure.radii(wide, wide), turn=turn, flat=True), paint)
