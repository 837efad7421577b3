"""The map of all images, drawn in the browser: lasso, box, pan, hover, and a λ slider."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import streamlit as st

from app.components.charts.palette import CAMERAS, CLUSTERS, COSINE, OTHER, RELIABLE
from app.components.mount import mount

ColorBy = Literal["cluster", "identity", "camera", "cosine", "reliable", "doubt"]
Kind = Literal["none", "area", "cluster"]

_COLORINGS: dict[ColorBy, str] = {
    "cluster": "Cluster",
    "identity": "Identity",
    "camera": "Camera",
    "cosine": "Cosine to center",
    "reliable": "Reliable",
    "doubt": "Doubt",
}
_DOUBT_RANGE = (-0.3, 0.0)


_render = mount(
    "pul_scatter",
    script="map/component.js",
    values=("selection", "lambda_"),
    html="map/scatter.html",
    css="map/scatter.css",
)


@dataclass(frozen=True, slots=True)
class Coloring:
    """How the points are coloured.

    Attributes:
        by: What the colour shows.
        colors: The colours, as #rrggbb.
        range: Values at the first and at the last edge of the colours.
        is_smooth: Whether colours blend into each other.
        labels: Text, CSS colour and kind (`dot`, `hollow`, `ring`, `ramp`) of each legend entry.
    """

    by: ColorBy
    colors: tuple[str, ...]
    range: tuple[float, float]
    is_smooth: bool
    labels: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Lines:
    """Purity and recall against λ, in steps of 0.01 from 0.

    Attributes:
        purities: Fractions; None where no image of a known person is reliable. None for no line.
        recalls: Fractions; None for no line.
        note: What they were measured on.
    """

    purities: tuple[float | None, ...] | None
    recalls: tuple[float, ...] | None
    note: str


@dataclass(frozen=True, slots=True)
class Choice:
    """The selection on the map, and the value of the λ slider.

    Attributes:
        kind: Nothing, an area, or the cluster of a point.
        images: The selected images, by their index in the run.
        lambda_: Value of the slider; 0 selects all.
    """

    kind: Kind
    images: tuple[int, ...]
    lambda_: float


def choose_coloring() -> ColorBy:
    """Show the choice of colourings and return the chosen one."""
    chosen = st.segmented_control(
        "Colour by",
        list(_COLORINGS),
        default="cluster",
        required=True,
        format_func=_COLORINGS.__getitem__,
        label_visibility="collapsed",
        key="color_by",
    )
    return chosen or "cluster"


def coloring(by: ColorBy, camera_names: Sequence[int]) -> Coloring:
    """Return the colours and the legend for one of the colourings.

    Args:
        by: What the colour shows.
        camera_names: The cameras, as the dataset numbers them.
    """
    labels: tuple[tuple[str, str, str], ...]
    center = ("center", "", "ring")
    if by == "reliable":
        labels = (("reliable", RELIABLE, "dot"), ("not reliable", OTHER, "hollow"), center)
        return Coloring(by, (OTHER, RELIABLE), (-0.5, 1.5), False, labels)
    if by == "cosine":
        ramp = f"linear-gradient(90deg, {', '.join(COSINE)})"
        labels = (("cosine to center, 0 to 1", ramp, "ramp"), center)
        return Coloring(by, COSINE, (0.0, 1.0), True, labels)
    if by == "doubt":
        ramp = f"linear-gradient(90deg, {', '.join(COSINE)})"
        hint = "cosine to the nearest other center minus own: −0.3 (certain) to 0 (could be either)"
        return Coloring(by, COSINE, _DOUBT_RANGE, True, ((hint, ramp, "ramp"), center))
    if by == "identity":
        each = f"linear-gradient(90deg, {', '.join(CLUSTERS[:4])})"
        labels = (("one colour per identity", each, "ramp"), ("not labelled", OTHER, "dot"), center)
        return Coloring(by, (OTHER, *CLUSTERS), (-1.5, len(CLUSTERS) - 0.5), False, labels)
    if by == "camera":
        colors = tuple(CAMERAS[i % len(CAMERAS)] for i in range(max(1, len(camera_names))))
        named = zip(camera_names, colors, strict=False)
        labels = (*((f"camera {name}", color, "dot") for name, color in named), center)
        # Grey before the first camera: for images of unknown camera.
        return Coloring(by, (OTHER, *colors), (-1.5, len(colors) - 0.5), False, labels)
    labels = (("reliable", OTHER, "dot"), ("not reliable", OTHER, "hollow"), center)
    return Coloring(by, CLUSTERS, (-0.5, len(CLUSTERS) - 0.5), False, labels)


def scatter(
    *,
    layout_urls: Sequence[str],
    thumbs_url: str,
    revision: str,
    lambda_: float | None,
    color: Coloring,
    lines: Lines,
    camera_names: Sequence[int],
    height: int,
    key: str,
) -> Choice:
    """Show the map and return the selection.

    Args:
        layout_urls: Where the browser fetches the arrays of the map, the base first.
        thumbs_url: Prefix of the address of a picture, before its token.
        revision: While it is the same, zoom and slider are kept when the arrays change.
        lambda_: λ of the run; None or 0 selects all.
        color: The colours.
        lines: Purity and recall against λ.
        camera_names: The cameras, as the dataset numbers them.
        height: Height of the map in pixels.
        key: Key of the component.
    """
    first = lambda_ or 0.0
    state = _render(
        key=key,
        data={
            "layout_urls": list(layout_urls),
            "thumbs_url": thumbs_url,
            "revision": revision,
            "lambda_": first,
            "color": asdict(color),
            "quality": asdict(lines),
            "cameras": list(camera_names),
            "height": height,
        },
    )
    return _choice(state, first)


def current_choice(key: str, lambda_: float | None) -> Choice:
    """Return the selection as it is now, for a callback: what was drawn may be older.

    Args:
        key: Key of the component.
        lambda_: λ of the run, as it was drawn with.
    """
    return _choice(st.session_state.get(key) or {}, lambda_ or 0.0)


def _choice(state: Mapping[str, Any], first: float) -> Choice:
    chosen = state.get("selection") or {"kind": "none", "images": ()}
    moved = state.get("lambda_") or {}
    # When the run's own λ changes, the slider is reset to it.
    lambda_now = moved["value"] if moved.get("from") == first else first
    images = tuple(int(image) for image in chosen["images"])
    return Choice(chosen["kind"], images, float(lambda_now))
