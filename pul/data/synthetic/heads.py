"""The head: face, hair and hats."""

from functools import partial

import numpy as np

from pul.arrays import BoolArray, FloatArray
from pul.data.synthetic.figure import Figure, Stroke
from pul.data.synthetic.painting import Rgb, Tube, plain, rgb
from pul.data.synthetic.poses import Joint

_HEAD_NEAR = 0.02  # a head in line with the trunk is painted over it
_HAIRLINES = {  # cosine to the middle of the face at which hair begins; low leaves more face
    "short": 0.30, "cropped": 0.16, "bald": -9.0, "bob": 0.46, "long": 0.46,
    "ponytail": 0.34, "bun": 0.34, "curly": 0.40,
}  # fmt: skip


def head_strokes(figure: Figure) -> list[Stroke]:
    """Return neck, head, hair that hangs or stands off, and hat."""
    front = 1 if figure.faces_camera() else -1
    strokes = [
        Stroke(0.005 * front, partial(_paint_neck, figure)),
        Stroke(_HEAD_NEAR, partial(_paint_head, figure)),
        *_hair_strokes(figure),
    ]
    if figure.person.head.hat != "none":
        strokes.append(Stroke(_HEAD_NEAR + 0.001, partial(_paint_hat, figure)))
    return strokes


def _paint_neck(figure: Figure) -> None:
    start, _ = figure.place(Joint.HEAD)
    end, _ = figure.place(Joint.NECK, up=-0.005)
    tube = Tube(start, end, figure.radii(0.032, 0.036))
    figure.picture.tube(tube, plain(figure.person.head.skin), dim=0.84)


def _paint_head(figure: Figure) -> None:
    center, _ = figure.place(Joint.HEAD)
    side_on = abs(np.sin(figure.view.yaw))
    radii = ((0.053 + 0.008 * side_on) * figure.girth, 0.076 * figure.unit)
    figure.picture.ellipsoid(center, radii, partial(_paint_face, figure))


def _paint_face(figure: Figure, normals: FloatArray) -> FloatArray:
    head = figure.person.head
    right, up, forward = _to_body(figure, normals)
    colours = np.broadcast_to(rgb(head.skin), normals.shape).copy()
    is_front = forward > 0.1
    aside = np.abs(right)
    eyes = (((aside - 0.36) / 0.15) ** 2 + ((up - 0.06) / 0.075) ** 2 < 1) & is_front
    brows = (np.abs(aside - 0.36) < 0.2) & (np.abs(up - 0.24) < 0.05) & is_front
    mouth = (aside < 0.24) & (np.abs(up + 0.5) < 0.055) & is_front
    if head.beard:
        beard = 0.5 * rgb(head.hair) + 0.4 * rgb(head.skin)
        colours = np.where((up < -0.4) & is_front, beard, colours)
    colours *= np.where(mouth, rgb((0.82, 0.5, 0.5)), np.float32(1))
    dark = np.where(eyes, np.float32(0.35), np.where(brows, np.float32(0.65), np.float32(1)))
    if head.glasses:
        dark[(np.abs(up - 0.08) < 0.12) & (aside < 0.72) & is_front & ~eyes] = 0.42
    hair = head.hat_colour if head.hat == "headscarf" else head.hair
    return np.where(_is_hair(figure, up, forward), rgb(hair), colours * dark)


def _is_hair(figure: Figure, up: FloatArray, forward: FloatArray) -> BoolArray:
    head = figure.person.head
    if head.hat == "headscarf":
        return np.asarray(forward * np.float32(0.97) - up * np.float32(0.1) < 0.5)
    hair = forward * np.float32(0.82) - up * np.float32(0.57) < _HAIRLINES[head.style]
    if head.style in ("short", "cropped", "ponytail", "bun"):
        hair &= up > -0.1 + 0.5 * np.minimum(forward, 0)  # ears and nape show
    return np.asarray(hair)


def _to_body(figure: Figure, normals: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Turn normals on the picture into the wearer's right, up and forward."""
    yaw, pitch = figure.view.yaw, figure.view.pitch
    across, raised, near = normals
    up = raised * np.float32(np.cos(pitch)) + near * np.float32(np.sin(pitch))
    level = near * np.float32(np.cos(pitch)) - raised * np.float32(np.sin(pitch))
    right = across * np.float32(np.cos(yaw)) - level * np.float32(np.sin(yaw))
    forward = across * np.float32(np.sin(yaw)) + level * np.float32(np.cos(yaw))
    return right, up, forward


def _hair_strokes(figure: Figure) -> list[Stroke]:
    head = figure.person.head
    if head.hat == "headscarf":
        return [_lock(figure, (0, -0.02, -0.01), (0, -0.1, -0.005), (0.05, 0.075), head.hat_colour)]
    if head.style == "long":
        return [_lock(figure, (0, 0.0, -0.028), (0, -0.2, -0.06), (0.056, 0.05))]
    if head.style == "bob":
        return [_lock(figure, (0, 0.01, -0.02), (0, -0.065, -0.02), (0.057, 0.055))]
    if head.style == "ponytail":
        return [_lock(figure, (0, 0.03, -0.062), (0, -0.14, -0.085), (0.024, 0.018))]
    if head.style == "bun" and head.hat == "none":
        return [_tuft(figure, (0, 0.062, -0.045), 0.032)]
    if head.style == "curly" and head.hat == "none":
        return [_tuft(figure, (0, 0.018, -0.02), 0.078)]
    return []


def _lock(
    figure: Figure,
    top: tuple[float, float, float],
    tip: tuple[float, float, float],
    radii: tuple[float, float],
    colour: Rgb | None = None,
) -> Stroke:
    """Return hair that hangs from the head; it lies behind the head of who faces the camera."""
    (start, near), (end, _) = figure.place(Joint.HEAD, *top), figure.place(Joint.HEAD, *tip)
    tube = Tube(start, end, figure.radii(*radii), turn=figure.view.yaw, folds=0.12)
    paint = plain(colour or figure.person.head.hair)
    near -= figure.place(Joint.HEAD)[1]
    return Stroke(_HEAD_NEAR + near, partial(figure.picture.tube, tube, paint))


def _tuft(figure: Figure, offset: tuple[float, float, float], radius: float) -> Stroke:
    center, near = figure.place(Joint.HEAD, *offset)
    pigment = rgb(figure.person.head.hair)
    radii = (radius * figure.girth, radius * figure.unit)
    paint = partial(figure.picture.ellipsoid, center, radii, lambda _normals: pigment)
    return Stroke(_HEAD_NEAR + near - figure.place(Joint.HEAD)[1], paint)


def _paint_hat(figure: Figure) -> None:
    head = figure.person.head
    if head.hat == "headscarf":
        return
    if head.hat == "sun hat":
        _ellipsoid(figure, 0.028, (0.105, 0.02 + 0.09 * np.sin(figure.view.pitch)), head.hat_colour)
    _ellipsoid(figure, 0.044, (0.059, 0.05 if head.hat == "beanie" else 0.042), head.hat_colour)
    if head.hat == "cap":
        start, _ = figure.place(Joint.HEAD, up=0.03, forward=0.03)
        end, _ = figure.place(Joint.HEAD, up=0.024, forward=0.1)
        if figure.faces_camera() or abs(np.sin(figure.view.yaw)) > 0.3:
            brim = Tube(start, end, figure.radii(0.03, 0.026))
            figure.picture.tube(brim, plain(head.hat_colour), dim=0.8)


def _ellipsoid(figure: Figure, up: float, radii: tuple[float, float], colour: Rgb) -> None:
    center, _ = figure.place(Joint.HEAD, up=up)
    sized = (radii[0] * figure.girth, radii[1] * figure.unit)
    pigment = rgb(colour)
    figure.picture.ellipsoid(center, sized, lambda _normals: pigment)
