"""Charts as SVG text, for reports and plots in files."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from pul.arrays import BoolArray, FloatArray, IntArray

# After Okabe and Ito (2008): they suit colour-blind readers, on light and dark backgrounds; black
# and yellow are left out for contrast.
COLORS = ("#2F7FC1", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F", "#8C564B")
# A page that shows `draw_panel` must have these rules; SVG files include them.
STYLE = """
svg { fill: currentColor; } svg text { font: 11px system-ui, sans-serif; }
svg .title { font-size: 13px; font-weight: 600; }
svg .level { text-anchor: end; opacity: .7; } svg .place { text-anchor: middle; opacity: .7; }
svg .grid { stroke: #8883; } svg .axis { fill: none; stroke: #8888; }
svg .line { fill: none; stroke-width: 2; } svg .dashed { stroke-dasharray: 6 5; }
svg .mark { fill: #b27d00; } svg .change { stroke: #888; stroke-dasharray: 2 3; }
"""
# An SVG file is shown on the viewer's background: white or black.
_FILE_STYLE = (
    "svg { color-scheme: light dark; color: #222; } "
    "@media (prefers-color-scheme: dark) { svg { color: #ddd; } }"
)
_WIDTH, _HEIGHT = 420, 260  # of a panel
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 12, 30, 40
_NAMES = 78  # room at the right for names at the ends of lines
_ROW = 16  # height of a row of the legend
_N_TICKS = 5


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a panel.

    Attributes:
        label: What it shows; "" for nothing. Lines of one label have one colour.
        x, y: Its points; those that are not finite are left out.
        dashed: Whether it is a reference level, such as the baseline.
    """

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """Lines on one pair of axes.

    Attributes:
        title: Text above it.
        x_label, y_label: What the axes show, with the unit.
        series: The lines.
        marks: What changed at which x: a mark on the axis with a tooltip.
        from_zero: Whether both axes begin at 0, or where the lines begin.
    """

    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    marks: Mapping[int, str] = field(default_factory=dict)
    from_zero: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """Panels side by side."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Dots:
    """M dots in the plane.

    Attributes:
        title: Text above it.
        points: Positions, shape (M, 2).
        groups: Number of their colour, shape (M,), from 0.
        filled: Whether they are filled or hollow, shape (M,).
    """

    title: str
    points: FloatArray
    groups: IntArray
    filled: BoolArray


def draw_panel(panel: Panel) -> str:
    """Return a panel as an `<svg>` element for a page that has `STYLE`, each line named at its end.

    Every text in it is escaped.
    """
    body = "".join(_panel(panel, _colors([panel]), has_names=any(s.label for s in panel.series)))
    size = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}"'
    return f'<svg {size} role="img" aria-label="{escape(panel.title)}">{body}</svg>'


def draw_figure(figure: Figure) -> str:
    """Return a figure as the text of an SVG file, two panels in a row and one legend below.

    Every text in it is escaped.
    """
    colors = _colors(figure.panels)
    top = math.ceil(len(figure.panels) / 2) * _HEIGHT + 10
    parts = []
    for number, panel in enumerate(figure.panels):
        left, above = number % 2 * _WIDTH, number // 2 * _HEIGHT
        parts += [f'<g transform="translate({left},{above})">', *_panel(panel, colors), "</g>"]
    for number, (label, color) in enumerate(colors.items()):
        x, y = _LEFT + number % 2 * _WIDTH, top + number // 2 * _ROW
        parts.append(f'<rect x="{x}" y="{y}" width="14" height="4" fill="{color}"/>')
        parts.append(f'<text x="{x + 20}" y="{y + 6}">{escape(label)}</text>')
    height = top + math.ceil(len(colors) / 2) * _ROW + 10
    return _file(figure.title, 2 * _WIDTH, height, parts)


def draw_dots(title: str, clouds: Sequence[Dots]) -> str:
    """Return dots as the text of an SVG file: clouds side by side, on one scale."""
    size = _WIDTH - 2 * _RIGHT
    low_x, low_y = (min(float(c.points[:, axis].min()) for c in clouds) for axis in (0, 1))
    high_x, high_y = (max(float(c.points[:, axis].max()) for c in clouds) for axis in (0, 1))
    scale = size / max(high_x - low_x, high_y - low_y, 1e-9)
    parts = []
    for number, cloud in enumerate(clouds):
        parts.append(f'<g transform="translate({number * _WIDTH + _RIGHT},{_TOP})">')
        parts.append(f'<text y="-12" class="title">{escape(cloud.title)}</text>')
        for (x, y), group, is_filled in zip(
            cloud.points.tolist(), cloud.groups.tolist(), cloud.filled.tolist(), strict=True
        ):
            place = f'cx="{(x - low_x) * scale:.1f}" cy="{size - (y - low_y) * scale:.1f}"'
            color = COLORS[group % len(COLORS)]
            fill = color if is_filled else "none"
            parts.append(f'<circle {place} r="4" fill="{fill}" stroke="{color}"/>')
        parts.append("</g>")
    return _file(title, _WIDTH * len(clouds), size + _TOP + _RIGHT, parts)


def ticks(low: float, high: float, *, n: int = _N_TICKS, least: float = 0.0) -> list[float]:
    """Return about n round numbers in [low, high], spaced by at least `least`."""
    step = max(_step(high - low, n), least)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 10) for number in range(first, last + 1)]


def _step(span: float, n: int = _N_TICKS) -> float:
    """Return 1, 2 or 5 times a power of ten: the smallest that cuts a span into at most n parts."""
    rough = (span or 1.0) / n
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))


def _file(title: str, width: int, height: int, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" role="img" aria-label="{escape(title)}">'
    )
    return "\n".join([head, f"<style>{STYLE}{_FILE_STYLE}</style>", *parts, "</svg>"]) + "\n"


def _colors(panels: Sequence[Panel]) -> dict[str, str]:
    labels = dict.fromkeys(series.label for panel in panels for series in panel.series)
    return {label: COLORS[number % len(COLORS)] for number, label in enumerate(labels)}


_Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Axes:
    """The ranges of both axes, and their width in the drawing."""

    x: tuple[float, float]
    y: tuple[float, float]
    width: int

    def across(self, x: float) -> float:
        return round(_LEFT + self.width * (x - self.x[0]) / (self.x[1] - self.x[0]), 1)

    def up(self, y: float) -> float:
        share = (y - self.y[0]) / (self.y[1] - self.y[0])
        return round(_HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * share, 1)


def _panel(panel: Panel, colors: Mapping[str, str], *, has_names: bool = False) -> Iterator[str]:
    yield f'<text x="{_LEFT}" y="18" class="title">{escape(panel.title)}</text>'
    lines = [(series, _finite(series)) for series in panel.series]
    points = [point for _, found in lines for point in found]
    if not points:
        yield f'<text x="{_LEFT}" y="{_HEIGHT / 2}">nothing yet</text>'
        return
    width = _WIDTH - _LEFT - (_NAMES if has_names else _RIGHT)
    axes = _Axes(*_ranges(points, from_zero=panel.from_zero), width)
    yield from _grid(axes, panel.x_label, is_whole=all(x == int(x) for x, _ in points))
    for changed_at, text in panel.marks.items():
        yield _mark(axes.across(changed_at), f"{panel.x_label} {changed_at}: {text}")
    for series, found in lines:
        if found:
            yield from _line(axes, series, found, panel.x_label, colors[series.label])
            if has_names and not series.dashed:
                x, y = axes.across(found[-1][0]) + 7, axes.up(found[-1][1]) + 4
                color = colors[series.label]
                yield f'<text x="{x}" y="{y}" fill="{color}">{escape(series.label)}</text>'


def _finite(series: Series) -> list[_Point]:
    points = zip(series.x, series.y, strict=True)
    return [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]


def _ranges(points: Sequence[_Point], *, from_zero: bool) -> tuple[_Point, _Point]:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    if not from_zero:
        return _range(xs, 0.0), _range(ys, 0.08)
    step = _step(max(ys))
    return (0.0, max(*xs, 1.0)), (0.0, step * max(1, math.ceil(max(ys) / step - 1e-9)))


def _range(values: Sequence[float], margin: float) -> tuple[float, float]:
    low, high = min(values), max(values)
    if low == high:
        return low - 1, high + 1
    space = margin * (high - low)
    return low - space, high + space


def _grid(axes: _Axes, x_label: str, *, is_whole: bool) -> Iterator[str]:
    bottom = _HEIGHT - _BOTTOM
    for value in ticks(*axes.y):
        y = axes.up(value)
        yield f'<path d="M{_LEFT} {y}h{axes.width}" class="grid"/>'
        yield f'<text x="{_LEFT - 6}" y="{y + 4}" class="level">{value:g}</text>'
    # Nothing lies between two iterations, nor between two numbers of clusters.
    for value in ticks(*axes.x, n=8, least=1.0 if is_whole else 0.0):
        place = f'x="{axes.across(value)}" y="{bottom + 18}"'
        yield f'<text {place} class="place">{value:g}</text>'
    yield f'<path d="M{_LEFT} {_TOP}V{bottom}h{axes.width}" class="axis"/>'
    middle = _LEFT + axes.width / 2
    yield f'<text x="{middle}" y="{_HEIGHT - 6}" class="place">{escape(x_label)}</text>'


def _mark(x: float, text: str) -> str:
    bottom = _HEIGHT - _BOTTOM
    return (
        f'<g class="mark"><title>{escape(text)}</title>'
        f'<path d="M{x} {bottom}V{_TOP}" class="change"/>'
        f'<path d="M{x - 5} {bottom + 8}h10l-5 -8z"/></g>'
    )


def _line(
    axes: _Axes, series: Series, points: Sequence[_Point], x_label: str, color: str
) -> Iterator[str]:
    path = "L".join(f"{axes.across(x)} {axes.up(y)}" for x, y in points)
    kind = "line dashed" if series.dashed else "line"
    yield f'<path d="M{path}" class="{kind}" stroke="{color}"/>'
    if series.dashed:
        return
    for x, y in points:
        hint = f"{escape(x_label)} {x:g}: {y:.4g}"
        place = f'cx="{axes.across(x)}" cy="{axes.up(y)}"'
        yield f'<circle {place} r="3" fill="{color}"><title>{hint}</title></circle>'
