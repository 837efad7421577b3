"""The map of all images, drawn by the browser: lasso, box, pan, hover, and λ live."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

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
    script="map/scatter.js",
    values=("selection", "lambda_"),
    html="map/scatter.html",
    css="map/scatter.css",
)


@dataclass(frozen=True, slots=True)
class Coloring:
    """How the points are coloured.

    Attributes:
        by: What the colour says.
        colors: The colours, as #rrggbb.
        range: Values that the first edge and the last edge of the colours stand for.
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
        note: What they were counted on.
    """

    purities: tuple[float | None, ...] | None
    recalls: tuple[float, ...] | None
    note: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen on the map, and where λ stands.

    Attributes:
        kind: Nothing, an area, or the cluster of a point.
        images: The images in it, by their place in the run.
        lambda_: Where the slider stands; 0 selects all.
    """

    kind: Kind
    images: tuple[int, ...]
    lambda_: float


def choose_coloring() -> ColorBy:
    """Let someone choose what the colours of the map say."""
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
        by: What the colour says.
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
        hint = "nearest other center less own: cosine −0.3 (sure) to 0 (may be of either)"
        return Coloring(by, COSINE, _DOUBT_RANGE, True, ((hint, ramp, "ramp"), center))
    if by == "identity":
        each = f"linear-gradient(90deg, {', '.join(CLUSTERS[:4])})"
        labels = (("one colour an identity", each, "ramp"), ("not labelled", OTHER, "dot"), center)
        return Coloring(by, (OTHER, *CLUSTERS), (-1.5, len(CLUSTERS) - 0.5), False, labels)
    if by == "camera":
        colors = tuple(CAMERAS[i % len(CAMERAS)] for i in range(max(1, len(camera_names))))
        named = zip(camera_names, colors, strict=False)
        labels = (*((f"camera {name}", color, "dot") for name, color in named), center)
        # One grey place before the first camera: for images whose camera is not known.
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
    """Show the map and return what was chosen on it.

    Args:
        layout_urls: Where the browser fetches the arrays of the map, the base first.
        thumbs_url: What to put before an image's token to get its picture.
        revision: Names what keeps its zoom and its slider while the arrays change.
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
    chosen = state.get("selection") or {"kind": "none", "images": ()}
    moved = state.get("lambda_") or {}
    # The slider goes back to the run's own λ when that changes, without a message.
    lambda_now = moved["value"] if moved.get("from") == first else first
    images = tuple(int(image) for image in chosen["images"])
    return Choice(chosen["kind"], images, float(lambda_now))
