"""Small line charts as SVG text: for a report that needs no program to be read."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

# After Okabe and Ito (2008): they hold for colour-blind eyes, on light and on dark ground.
COLORS = ("#2F7FC1", "#D55E00", "#009E73", "#CC79A7")
_WIDTH, _HEIGHT = 420, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 78, 30, 30  # room for levels, names, title and iterations
_N_LEVELS = 5


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart.

    Attributes:
        name: What stands at its end; "" for nothing.
        values: Level by iteration.
        baseline: A level drawn dashed through the whole chart, if any.
    """

    name: str
    values: Mapping[int, float]
    baseline: float | None = None


def line_chart(title: str, lines: Sequence[Series], ticks: Mapping[int, str]) -> str:
    """Draw lines over the iterations, from 0 upwards.

    Args:
        title: What stands over the chart, with the unit.
        lines: The lines; levels that are not finite are left out.
        ticks: What changed in which iteration: marked below, told on hovering.

    Returns:
        An `<svg>` element; every text in it is escaped.
    """
    levels = [y for line in lines for y in line.values.values() if math.isfinite(y)]
    step = _level_step(max(levels, default=1.0))
    top = step * max(1, math.ceil(max(levels, default=1.0) / step))
    last = max((x for line in lines for x in line.values), default=0)
    scale = _Scale(max(last, 1), top)
    parts = [f'<text x="{_LEFT}" y="16" class="title">{escape(title)}</text>']
    parts += _axes(scale, step)
    parts += [_tick(scale, x, text) for x, text in ticks.items()]
    for number, line in enumerate(lines):
        parts += _line(scale, line, COLORS[number % len(COLORS)])
    name = escape(title, quote=True)
    size = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}"'
    return f'<svg {size} role="img" aria-label="{name}">{"".join(parts)}</svg>'


@dataclass(frozen=True, slots=True)
class _Scale:
    """Where an iteration and a level lie on the drawing."""

    last: int
    top: float

    def x(self, iteration: float) -> float:
        return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * iteration / self.last, 1)

    def y(self, level: float) -> float:
        return round(_HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * level / self.top, 1)


def _level_step(top: float) -> float:
    """Return a step of 1, 2 or 5 times a power of ten that gives about `_N_LEVELS` levels."""
    rough = max(top, 1e-9) / _N_LEVELS
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)


def _axes(scale: _Scale, step: float) -> list[str]:
    right = scale.x(scale.last)
    parts = []
    for number in range(round(scale.top / step) + 1):
        y, level = scale.y(number * step), f"{number * step:.6g}"
        parts.append(f'<path d="M{_LEFT} {y}H{right}" class="grid"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4}" class="level">{level}</text>')
    for iteration in range(0, scale.last + 1, max(1, -(-scale.last // 8))):
        place = f'x="{scale.x(iteration)}" y="{_HEIGHT - 12}"'
        parts.append(f'<text {place} class="iteration">{iteration}</text>')
    return parts


def _tick(scale: _Scale, iteration: int, text: str) -> str:
    x, bottom, top = scale.x(iteration), _HEIGHT - _BOTTOM, _TOP
    return (
        f'<g class="tick"><title>iteration {iteration}: {escape(text)}</title>'
        f'<path d="M{x} {bottom}V{top}" class="change"/>'
        f'<path d="M{x - 5} {bottom + 8}h10l-5 -8z"/></g>'
    )


def _line(scale: _Scale, line: Series, color: str) -> list[str]:
    points = [(scale.x(x), scale.y(y), x, y) for x, y in line.values.items() if math.isfinite(y)]
    parts = []
    if line.baseline is not None and math.isfinite(line.baseline):
        y = scale.y(line.baseline)
        parts.append(
            f'<path d="M{_LEFT} {y}H{scale.x(scale.last)}" class="baseline" stroke="{color}"/>'
        )
    path = "L".join(f"{x} {y}" for x, y, *_ in points)
    parts.append(f'<path d="M{path}" class="line" stroke="{color}"/>' if points else "")
    for x, y, iteration, level in points:
        hint = f"iteration {iteration}: {level:.4g}"
        parts.append(
            f'<circle cx="{x}" cy="{y}" r="3.2" fill="{color}"><title>{hint}</title></circle>'
        )
    if points and line.name:
        x, y, *_ = points[-1]
        parts.append(f'<text x="{x + 7}" y="{y + 4}" fill="{color}">{escape(line.name)}</text>')
    return parts
