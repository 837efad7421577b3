"""Curves of runs over their iterations, with ticks where settings or labels changed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.components.charts.palette import RUNS, STEPS
from app.components.charts.panels import Line, Panel, panels
from app.wording import STEP_NAMES
from pul.records import IterationRecord

_PANEL_HEIGHT, _MAIN_HEIGHT = 205, 330
_NAME_HEIGHT = 14
_ROOM, _NAMES_ROOM = 1.06, 1.3  # factors of the last iteration: where an x axis ends
_BEFORE, _HALF_BAR = 0.4, 0.35  # iterations: an axis begins before the baseline
_STEPS_SHARE = 0.4  # of a panel's width, behind its bars


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
    return _curves(runs, changes, panels(runs[0].iterations)[:1], _MAIN_HEIGHT, is_named=True)


def other_curves(runs: Sequence[Curve], changes: Mapping[int, str]) -> go.Figure:
    """Draw all other figures of runs, small, the first run with all its lines."""
    return _curves(runs, changes, panels(runs[0].iterations)[1:], _PANEL_HEIGHT, is_named=False)


def _curves(
    runs: Sequence[Curve],
    changes: Mapping[int, str],
    shown: Sequence[Panel],
    height: int,
    *,
    is_named: bool,
) -> go.Figure:
    n_columns = min(3, max(1, len(shown)))
    n_rows = -(-len(shown) // n_columns) or 1
    figure = make_subplots(
        n_rows,
        n_columns,
        subplot_titles=[panel.title for panel in shown],
        vertical_spacing=0.32 / n_rows if n_rows > 1 else 0,
        horizontal_spacing=0.05,
    )
    last = max((run.iterations[-1].iteration for run in runs if run.iterations), default=0)
    for number, panel in enumerate(shown):
        place = {"row": number // n_columns + 1, "col": number % n_columns + 1}
        for at, run in enumerate(runs if panel.lines else ()):
            for line in panel.lines if at == 0 else panel.lines[:1]:
                is_told = is_named and len(runs) > 1
                _draw(figure, run, panel, line, RUNS[at % len(RUNS)], place, is_named=is_told)
        _name_lines(figure, runs[0], panel, place)
        if not panel.lines:
            _draw_seconds(figure, runs[0], place)
        _mark(figure, changes, place)
        end = _end_of_axis(panel, max(last, 1))
        figure.update_xaxes(range=[-_BEFORE, end], **place)
    _lay_out(figure, n_rows, last, height)
    return figure


def _end_of_axis(panel: Panel, last: int) -> float:
    """Return where an x axis ends: beyond the last iteration, with room for the names there."""
    if panel.lines:
        return last * (_ROOM if len(panel.lines) == 1 else _NAMES_ROOM) + 0.3
    share = _STEPS_SHARE
    return (last + _HALF_BAR + share * _BEFORE) / (1 - share)


def _draw(
    figure: go.Figure,
    run: Curve,
    panel: Panel,
    line: Line,
    color: str,
    place: dict[str, int],
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
        ),
        **place,
    )
    if (
        line.has_baseline and len(known) > 1 and known[0][0] == 0
    ):  # a single point needs no baseline
        dashed = {"dash": "dash", "color": color, "width": 1.2}
        figure.add_hline(y=known[0][1], line=dashed, opacity=0.75, **place)


def _name_lines(figure: go.Figure, run: Curve, panel: Panel, place: dict[str, int]) -> None:
    levels, ends = {}, {}
    for line in panel.lines:
        known = [(r.iteration, v) for r in run.iterations if (v := line.value(r)) is not None]
        if line.name and known:
            ends[line.name], levels[line.name] = known[-1]
    pixel = max([*levels.values(), 1e-9]) / _PANEL_HEIGHT  # the axes begin at 0
    for name, height in spread(levels, gap=_NAME_HEIGHT * pixel).items():
        figure.add_annotation(
            x=ends[name],
            y=levels[name],
            yshift=(height - levels[name]) / pixel,
            text=name,
            xanchor="left",
            xshift=6,
            showarrow=False,
            font={"size": 10, "color": RUNS[0]},
            **place,
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


def _draw_seconds(figure: go.Figure, run: Curve, place: dict[str, int]) -> None:
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
                    legend="legend2",
                    hovertemplate="%{y:.1f} s<extra>" + STEP_NAMES[step] + "</extra>",
                ),
                **place,
            )
    panel = figure.get_subplot(**place)
    figure.update_layout(
        legend2={
            "x": panel.xaxis.domain[1],
            "y": panel.yaxis.domain[1],
            "xanchor": "right",
            "yanchor": "top",
            "traceorder": "reversed",  # in the order of the stacked bars
            "font": {"size": 10},
            "bgcolor": "rgba(0,0,0,0)",
            "itemclick": False,
            "itemdoubleclick": False,
        }
    )


def _mark(figure: go.Figure, changes: Mapping[int, str], place: dict[str, int]) -> None:
    """Put a tick under each iteration in which something changed, and a faint line over it."""
    if not changes:
        return
    for iteration in changes:
        figure.add_vline(
            x=iteration, line={"dash": "dot", "color": "#888888", "width": 1}, opacity=0.6, **place
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
        ),
        **place,
    )


def _lay_out(figure: go.Figure, n_rows: int, last: int, height: int) -> None:
    whole = list(
        range(0, max(last, 1) + 1, max(1, -(-last // 8)))
    )  # ticks at whole iterations only
    figure.update_xaxes(tickvals=whole, showgrid=False)
    figure.update_yaxes(rangemode="tozero", nticks=5)
    titles = [a for a in figure.layout.annotations if a.yref == "paper"]
    axes = list(figure.select_xaxes())
    for title, axis in zip(titles, axes, strict=False):
        title.update(x=axis.domain[0], xanchor="left", font={"size": 13})
    figure.update_layout(
        height=height * n_rows + 50,
        margin={"l": 8, "r": 8, "t": 28, "b": 8},
        barmode="stack",
        clickmode="event+select",
        dragmode=False,
        hovermode="x unified",
        showlegend=True,
        legend={"orientation": "h", "y": -0.1, "x": 0},
    )
