"""Curves as SVG: one file that shows in a browser and in Markdown, in light and in dark."""

import math
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

import numpy as np

from pul.reproduce.clouds import Cloud
from pul.reproduce.curves import Figure, Panel, Series

# Okabe and Ito's, which colour-blind eyes tell apart; black and yellow are left out for contrast.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#8c564b")
_WIDTH, _HEIGHT = 420, 260  # of a panel
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 12, 30, 40
_LINE = 16  # height of a line of the legend
_STYLE = (
    "text{font:12px sans-serif;fill:#222}.axis{stroke:#888}.grid{stroke:#8883}"
    "@media (prefers-color-scheme:dark){text{fill:#ddd}}"
)


def draw(figure: Figure) -> str:
    """Return a figure as the text of an SVG file, two panels in a row and one legend below."""
    labels = list(dict.fromkeys(s.label for panel in figure.panels for s in panel.series))
    colours = {label: _COLOURS[i % len(_COLOURS)] for i, label in enumerate(labels)}
    n_rows = math.ceil(len(figure.panels) / 2)
    legend_top = n_rows * _HEIGHT + 10
    height = legend_top + _LINE * math.ceil(len(labels) / 2) + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * _WIDTH} {height}" '
        f'width="{2 * _WIDTH}" role="img" aria-label="{escape(figure.title)}">',
        f"<style>{_STYLE}</style>",
    ]
    for place, panel in enumerate(figure.panels):
        left, top = place % 2 * _WIDTH, place // 2 * _HEIGHT
        parts.append(f'<g transform="translate({left},{top})">')
        parts += _draw_panel(panel, colours)
        parts.append("</g>")
    for place, label in enumerate(labels):
        x, y = _LEFT + place % 2 * _WIDTH, legend_top + place // 2 * _LINE
        parts.append(
            f'<rect x="{x}" y="{y}" width="14" height="4" fill="{colours[label]}"/>'
            f'<text x="{x + 20}" y="{y + 6}">{escape(label)}</text>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


def draw_clouds(clouds: Sequence[Cloud]) -> str:
    """Return Fig. 3 as the text of an SVG file: reliable images filled, the others hollow."""
    size = _WIDTH - 2 * _RIGHT
    points = np.concatenate([cloud.points for cloud in clouds])
    low = points.min(axis=0)
    scale = size / max(float((points.max(axis=0) - low).max()), 1e-9)
    width, height = _WIDTH * len(clouds), size + _TOP + _RIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" role="img">',
        f"<style>{_STYLE}</style>",
    ]
    for number, cloud in enumerate(clouds):
        share = f"{cloud.reliable.sum()} of {len(cloud.reliable)} reliable"
        parts.append(f'<g transform="translate({number * _WIDTH + _RIGHT},{_TOP})">')
        parts.append(
            f'<text y="-12" font-weight="bold">iteration {cloud.iteration}: {share}</text>'
        )
        for (x, y), group, is_reliable in zip(
            (cloud.points - low) * scale, cloud.groups.tolist(), cloud.reliable, strict=True
        ):
            colour = _COLOURS[group % len(_COLOURS)]
            fill = colour if is_reliable else "none"
            parts.append(
                f'<circle cx="{x:.1f}" cy="{size - y:.1f}" r="4" fill="{fill}" stroke="{colour}"/>'
            )
        parts.append("</g>")
    return "\n".join([*parts, "</svg>"]) + "\n"


def ticks(low: float, high: float, n: int = 5) -> list[float]:
    """Return about n round numbers in [low, high]."""
    span = high - low or 1.0
    step = 10 ** math.floor(math.log10(span / n))
    step *= next(factor for factor in (1, 2, 5, 10) if span / (step * factor) <= n)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 10) for number in range(first, last + 1)]


def _draw_panel(panel: Panel, colours: dict[str, str]) -> Iterator[str]:
    width, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    yield f'<text x="{_LEFT}" y="18" font-weight="bold">{escape(panel.title)}</text>'
    points = [(x, y) for s in panel.series for x, y in zip(s.x, s.y, strict=True)]
    if not points:
        yield f'<text x="{_LEFT}" y="{_TOP + height / 2}">nothing yet</text>'
        return
    x_low, x_high = _range([x for x, _ in points], 0.0)
    y_low, y_high = _range([y for _, y in points], 0.08)

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - x_low) / (x_high - x_low) * width
        up = (y - y_low) / (y_high - y_low) * height
        return round(_LEFT + across, 1), round(_TOP + height - up, 1)

    for value in ticks(y_low, y_high):
        _, y = place(x_low, value)
        yield f'<path class="grid" d="M{_LEFT} {y}h{width}"/>'
        yield f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">{value:g}</text>'
    for value in ticks(x_low, x_high):
        x, _ = place(value, y_low)
        yield f'<text x="{x}" y="{_TOP + height + 16}" text-anchor="middle">{value:g}</text>'
    yield f'<path class="axis" fill="none" d="M{_LEFT} {_TOP}v{height}h{width}"/>'
    middle = _LEFT + width / 2
    name = escape(panel.x_label)
    yield f'<text x="{middle}" y="{_HEIGHT - 6}" text-anchor="middle">{name}</text>'
    for series in panel.series:
        yield from _draw_series(
            series, [place(*p) for p in zip(series.x, series.y, strict=True)], colours[series.label]
        )


def _draw_series(series: Series, places: list[tuple[float, float]], colour: str) -> Iterator[str]:
    path = "M" + "L".join(f"{x} {y}" for x, y in places)
    dash = ' stroke-dasharray="6 4"' if series.dashed else ""
    yield f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>'
    if not series.dashed and len(places) < 40:
        for x, y in places:
            yield f'<circle cx="{x}" cy="{y}" r="2.5" fill="{colour}"/>'


def _range(values: list[float], margin: float) -> tuple[float, float]:
    low, high = min(values), max(values)
    if low == high:
        return low - 1, high + 1
    space = margin * (high - low)
    return low - space, high + space
