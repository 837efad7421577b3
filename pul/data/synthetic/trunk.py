"""The trunk: body, top, open fronts, straps, skirts and scarves."""

from functools import partial

import numpy as np

from pul.arrays import BoolArray, FloatArray
from pul.data.synthetic.figure import Figure, Stroke
from pul.data.synthetic.limbs import woven
from pul.data.synthetic.painting import Paint, Tube, plain, rgb
from pul.data.synthetic.poses import Joint

_DEPTH_RATIO = 0.68  # a trunk is two thirds as deep as it is wide
_HIPS_NEAR = -0.5  # over the legs, under the top
_WAIST = 0.345  # statures from the neck down to the hips
_GIRTH = 0.108  # mean half width of a trunk in statures
_FOLDS = 0.07


def trunk_strokes(figure: Figure) -> list[Stroke]:
    """Return hips or skirt, top and scarf."""
    strokes = [
        Stroke(_HIPS_NEAR, partial(_paint_hips, figure)),
        Stroke(0.0, partial(_paint_top, figure)),
    ]
    if figure.person.scarf:
        strokes.append(Stroke(0.021, partial(_paint_scarf, figure)))
    return strokes


def _paint_hips(figure: Figure) -> None:
    person = figure.person
    start, _ = figure.place(Joint.PELVIS, up=0.09)
    wide = 0.1 * person.shape.hips * (0.35 + 0.65 * person.shape.build)
    if person.bottom.kind in ("skirt", "long skirt"):
        _paint_skirt(figure, wide)
        return
    end, _ = figure.place(Joint.PELVIS, up=-0.035)
    seen, turn = figure.turn_of(_DEPTH_RATIO)
    radii = figure.radii(wide * 0.95 * seen, wide * seen, wide * 0.85 * seen)
    tube = Tube(start, end, radii, (0, 0.5, 1), turn, flat=True, folds=_FOLDS)
    figure.picture.tube(tube, woven(person.bottom.cloth, wide, 0.12))


def _paint_skirt(figure: Figure, wide: float) -> None:
    bottom = figure.person.bottom
    length = 0.05 + 0.46 * bottom.length
    knees = 0.5 * (figure.joints[Joint.KNEE] + figure.joints[Joint.KNEE + 1])
    pelvis = figure.joints[Joint.PELVIS]
    sway = (knees - pelvis) * (1.0, 0.0, 1.0) * 0.6
    start, _ = figure.place(Joint.PELVIS, up=0.07)
    end, _ = figure.place_point(pelvis + sway - (0, length, 0))
    hem = wide * (1 + 0.9 * (bottom.fullness - 0.8) * length / 0.25)
    seen, turn = figure.turn_of(0.78)
    radii = figure.radii(wide * 0.85 * seen, wide * 1.02 * seen, hem * seen)
    tube = Tube(start, end, radii, (0, 0.3, 1), turn, flat=True, folds=1.6 * _FOLDS)
    figure.picture.tube(tube, woven(bottom.cloth, wide, length + 0.07))


def _paint_top(figure: Figure) -> None:
    top = figure.person.top
    length = _WAIST + top.hem
    axis = figure.joints[Joint.PELVIS] - figure.joints[Joint.NECK]
    start, _ = figure.place(Joint.NECK, up=0.012)
    end, _ = figure.place_point(
        figure.joints[Joint.NECK]
        + axis * (min(length, _WAIST + 0.02) / _WAIST)
        - (0, max(length - _WAIST - 0.02, 0), 0)
    )
    seen, turn = figure.turn_of(_DEPTH_RATIO)
    downs, halves = _trunk_profile(figure, length)
    radii = tuple(half * seen * figure.girth for half in halves)
    stops = tuple(down / downs[-1] for down in downs)
    tube = Tube(start, end, radii, stops, turn, flat=True, folds=_FOLDS)
    figure.picture.tube(tube, _top_paint(figure, length))


def _trunk_profile(figure: Figure, length: float) -> tuple[list[float], list[float]]:
    """Return ways down from the neck, and half widths there, in statures."""
    shape, top = figure.person.shape, figure.person.top
    build = 0.4 + 0.6 * shape.build
    belly = shape.build**1.25
    hips = 0.1 * shape.hips * build
    downs = [0.0, 0.012, 0.03, 0.055, 0.14, 0.24, _WAIST]
    halves = [0.042, 0.062, 0.090 * shape.shoulders * build, 0.109 * shape.shoulders * build,
              0.106 * shape.shoulders * build, 0.088 * belly, hips]  # fmt: skip
    loose = [1.0, 1.0, *([0.35 + 0.65 * top.fullness] * 2), *([top.fullness] * 3)]
    halves = [half * ease for half, ease in zip(halves, loose, strict=True)]
    if top.kind == "dress":
        halves[-2] *= 0.95
    if length > _WAIST + 0.02:
        flare = 1.15 if top.kind == "dress" else 0.5
        downs.append(length)
        halves.append(halves[-1] * (1 + flare * (length - _WAIST) * 2))
    return downs, halves


def _top_paint(figure: Figure, length: float) -> Paint:
    """Return the paint of the top: cloth, neckline, open front, straps of bags."""
    person = figure.person
    top, bag = person.top, person.bag
    skin = rgb(person.head.skin)
    strap = rgb(bag.colour) * np.float32(0.8)
    depth = {"tank top": 0.075, "dress": 0.065, "t-shirt": 0.045}.get(top.kind, 0.035)

    def paint(around: FloatArray, along: FloatArray) -> FloatArray:
        down = along * np.float32(length)
        across = around * np.float32(_GIRTH)
        from_front = np.abs(around)
        colours = top.cloth.paint(around, across, down)
        if top.opening:
            is_open = from_front < top.opening * (0.55 + along)
            colours = np.where(is_open, top.inner.paint(around, across, down), colours)
        elif top.kind in ("shirt", "coat", "puffer"):
            colours = colours * np.where(from_front < 0.07, np.float32(0.72), np.float32(1))
        bare = down < depth - from_front * (depth / 0.75)
        colours = np.where(bare, skin, colours)
        worn = _strap_mask(bag.kind, bag.side, around, from_front, down)
        return colours if worn is None else np.where(worn, strap, colours)

    return paint


def _strap_mask(
    kind: str, side: int, around: FloatArray, from_front: FloatArray, down: FloatArray
) -> BoolArray | None:
    if kind == "backpack":
        return np.asarray((np.abs(from_front - 0.62) < 0.16) & (down < 0.21))
    if kind == "shoulder bag":
        slant = np.float32(0.14 * side) * np.sin(around)
        return np.asarray(np.abs(down - 0.15 - slant) < 0.014)
    return None


def _paint_scarf(figure: Figure) -> None:
    colour = figure.person.scarf or (0, 0, 0)
    ends, _ = figure.place(Joint.NECK, right=0.025, up=-0.14, forward=0.085)
    knot, _ = figure.place(Joint.NECK, right=0.02, up=0.0, forward=0.06)
    if figure.faces_camera():
        figure.picture.tube(Tube(knot, ends, figure.radii(0.024, 0.028), flat=True), plain(colour))
    for up, wide in ((-0.004, 0.062), (0.022, 0.054)):
        left, _ = figure.place(Joint.NECK, right=-wide * 0.6, up=up)
        right, _ = figure.place(Joint.NECK, right=wide * 0.6, up=up)
        figure.picture.tube(Tube(left, right, figure.radii(0.026, 0.026), folds=0.1), plain(colour))
