"""Curves of runs over their iterations, with ticks where settings or labels changed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from app.components.charts.palette import RUNS, STEPS
from app.components.charts.panels import Line, Panel, panels
from app.wording import STEP_NAMES
from pul.records import IterationRecord

_SMALL_HEIGHT, _MAIN_HEIGHT = 250, 380
_AROUND = 56  # pixels of a chart's height above and below its axes
_NAME_HEIGHT = 14
_ROOM, _NAMES_ROOM = 1.06, 1.3  # factors of the last iteration: where an x axis ends
_TOP = 1.08  # factor of the highest value: where a y axis ends
_BEFORE, _HALF_BAR = 0.4, 0.35  # iterations: an axis begins before the baseline


@dataclass(frozen=True, slots=True)
class Curve:
    """One run to draw.

    Attributes:
        run_id: Its number; a click on a point returns it.
        name: Its name.
        iterations: Its finished iterations, the baseline first.
    """

    run_id: int
    name: str
    iterations: tuple[IterationRecord, ...]


def main_curve(runs: Sequence[Curve], changes: Mapping[int, str]) -> go.Figure:
    """Draw the figure that counts, large: mAP of the test set, else of validation identities.

    Args:
        runs: The runs; the first is the selected one.
        changes: What changed at which of its iterations; each gets a tick.
    """
    first = panels(runs[0].iterations)[0]
    return _curves(runs, changes, first, _MAIN_HEIGHT, is_named=len(runs) > 1)


def other_curves(runs: Sequence[Curve], changes: Mapping[int, str]) -> list[go.Figure]:
    """Draw each other figure of runs, small, the first run with all its lines."""
    others = panels(runs[0].iterations)[1:]
    return [_curves(runs, changes, panel, _SMALL_HEIGHT, is_named=False) for panel in others]


def _curves(
    runs: Sequence[Curve], changes: Mapping[int, str], panel: Panel, height: int, *, is_named: bool
) -> go.Figure:
    figure = go.Figure()
    last = max((run.iterations[-1].iteration for run in runs if run.iterations), default=0)
    _lay_out(figure, panel, last, height)
    if panel.lines:
        for at, run in enumerate(runs):
            for line in panel.lines if at == 0 else panel.lines[:1]:
                _draw(figure, run, panel, line, RUNS[at % len(RUNS)], is_named=is_named)
        _name_lines(figure, runs[0], panel, height)
    else:
        _draw_seconds(figure, runs[0])
    _mark(figure, changes)
    return figure


def _draw(
    figure: go.Figure,
    run: Curve,
    panel: Panel,
    line: Line,
    color: str,
    *,
    is_named: bool,
) -> None:
    known = [(r.iteration, level) for r in run.iterations if (level := line.value(r)) is not None]
    name = f"{run.name}, {line.name}" if line.name else run.name
    is_main = line.opacity == 1
    figure.add_trace(
        go.Scatter(
            x=[iteration for iteration, _ in known],
            y=[level for _, level in known],
            customdata=[[run.run_id, iteration] for iteration, _ in known],
            name=run.name,
            legendgroup=run.name,
            showlegend=is_named,
            mode="lines+markers",
            line={"color": color, "width": 2 if is_main else 1.3},
            marker={"size": 6 if is_main else 4, "color": color},
            unselected={"marker": {"opacity": 1}},
            opacity=line.opacity,
            hovertemplate=f"%{{y:.{panel.n_digits}f}}<extra>{name}</extra>",
        )
    )
    if (
        line.has_baseline and len(known) > 1 and known[0][0] == 0
    ):  # a single point needs no baseline
        dashed = {"dash": "dash", "color": color, "width": 1.2}
        figure.add_hline(y=known[0][1], line=dashed, opacity=0.75)


def _name_lines(figure: go.Figure, run: Curve, panel: Panel, height: int) -> None:
    """Name each line at its end, none over another; this sets the range of the y axis."""
    top = _TOP * max((y for trace in figure.data for y in trace.y), default=1.0) or 1.0
    figure.update_yaxes(range=[0, top])
    levels, ends = {}, {}
    for line in panel.lines:
        known = [(r.iteration, v) for r in run.iterations if (v := line.value(r)) is not None]
        if line.name and known:
            ends[line.name], levels[line.name] = known[-1]
    pixel = top / (height - _AROUND)
    for name, level in spread(levels, gap=_NAME_HEIGHT * pixel).items():
        figure.add_annotation(
            x=ends[name],
            y=levels[name],
            yshift=(level - levels[name]) / pixel,
            text=name,
            xanchor="left",
            xshift=6,
            showarrow=False,
            font={"size": 10, "color": RUNS[0]},
        )


def spread(levels: Mapping[str, float], *, gap: float) -> dict[str, float]:
    """Return label positions that do not overlap: pushed down, highest first.

    Args:
        levels: Preferred position of each.
        gap: Minimum distance between two.
    """
    placed: dict[str, float] = {}
    ceiling = math.inf
    for name, level in sorted(levels.items(), key=lambda item: -item[1]):
        placed[name] = min(level, ceiling)
        ceiling = placed[name] - gap
    return placed


def _draw_seconds(figure: go.Figure, run: Curve) -> None:
    spent = {name for record in run.iterations for name in record.seconds}
    for step, color in STEPS.items():
        if step in spent:
            figure.add_trace(
                go.Bar(
                    x=[record.iteration for record in run.iterations],
                    y=[record.seconds.get(step, 0.0) for record in run.iterations],
                    name=STEP_NAMES[step],
                    marker={"color": color, "line": {"width": 0}},
                    width=2 * _HALF_BAR,
                    hovertemplate="%{y:.1f} s<extra>" + STEP_NAMES[step] + "</extra>",
                )
            )
    figure.update_layout(
        legend={
            "orientation": "v",
            "x": 1,
            "y": 1,
            "traceorder": "reversed",  # in the order of the stacked bars
            "font": {"size": 10},
            "itemclick": False,
            "itemdoubleclick": False,
        }
    )


def _mark(figure: go.Figure, changes: Mapping[int, str]) -> None:
    """Put a tick under each iteration in which something changed, and a faint line over it."""
    if not changes:
        return
    for iteration in changes:
        figure.add_vline(
            x=iteration, line={"dash": "dot", "color": "#888888", "width": 1}, opacity=0.6
        )
    figure.add_trace(
        go.Scatter(
            x=list(changes),
            y=[0] * len(changes),
            text=list(changes.values()),
            name="changed",
            mode="markers",
            marker={"symbol": "triangle-up", "size": 9, "color": "#B27D00"},
            unselected={"marker": {"opacity": 1}},
            cliponaxis=False,
            showlegend=False,
            hovertemplate="%{text}<extra>changed</extra>",
        )
    )


def _lay_out(figure: go.Figure, panel: Panel, last: int, height: int) -> None:
    is_bars = not panel.lines
    room = _ROOM if len(panel.lines) == 1 else _NAMES_ROOM
    end = last + _BEFORE if is_bars else max(last, 1) * room + 0.3
    whole = list(range(0, max(last, 1) + 1, max(1, -(-last // 8))))  # whole iterations only
    figure.update_xaxes(tickvals=whole, showgrid=False, range=[-_BEFORE, end])
    figure.update_yaxes(rangemode="tozero", nticks=5)
    figure.update_layout(
        title={"text": panel.title, "x": 0, "xref": "paper", "y": 0.98, "yanchor": "top"},
        title_font={"size": 13},
        height=height,
        margin={"l": 8, "r": 8, "t": 28, "b": 8},
        barmode="stack",
        clickmode="event+select",
        dragmode=False,
        hovermode="x unified",
        showlegend=True,
        legend={"orientation": "h", "y": -0.1, "x": 0},
    )
