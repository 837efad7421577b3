"""Curves of runs over their iterations: mAP, rank-k, reliable share, loss."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.components.palette import RUNS
from pul.records import IterationRecord

_OPACITY = {1: 1.0, 5: 0.7, 10: 0.5, 20: 0.35}
_PANELS = ((1, 1), (1, 2), (2, 1), (2, 2))
_Value = Callable[[IterationRecord], float | None]


@dataclass(frozen=True, slots=True)
class Curve:
    """One run to draw.

    Attributes:
        name: What people call it.
        iterations: Its whole iterations, the baseline first.
    """

    name: str
    iterations: tuple[IterationRecord, ...]


def curves(runs: Sequence[Curve], *, ap_method: str, height: int = 460) -> go.Figure:
    """Draw runs over each other; the first one's ranks 5, 10 and 20 too.

    Args:
        runs: The runs; the first is the one that is looked at.
        ap_method: The definition of AP behind the mAP, for the title.
        height: Height of the figure in pixels.
    """
    titles = (f"mAP, % ({ap_method} AP)", "Rank-k, %", "Reliable share, %", "Loss of last epoch")
    figure = make_subplots(2, 2, subplot_titles=titles, vertical_spacing=0.16)
    for number, run in enumerate(runs):
        color = RUNS[number % len(RUNS)]
        baseline, trained = run.iterations[:1], run.iterations[1:]
        _add(figure, run, 0, partial(_metric, name="mean_ap"), color, is_named=True)
        for rank in _OPACITY if number == 0 else (1,):
            _add(figure, run, 1, partial(_metric, name=f"rank_{rank}"), color, rank=rank)
        _add(figure, run, 2, lambda r: 100 * r.reliable_share, color)
        _add(figure, Curve(run.name, trained), 3, lambda r: r.loss, color)
        for panel, name in ((0, "mean_ap"), (1, "rank_1")):
            if baseline and (level := _metric(baseline[0], name)) is not None:
                row, column = _PANELS[panel]
                line = {"dash": "dash", "color": color, "width": 1.2}
                figure.add_hline(y=level, line=line, opacity=0.75, row=row, col=column)
    _lay_out(figure, runs, height)
    if runs:
        _label_ranks(figure, runs[0], RUNS[0])
    return figure


def _metric(record: IterationRecord, name: str) -> float | None:
    return None if record.metrics is None else 100 * float(getattr(record.metrics, name))


def _add(
    figure: go.Figure,
    run: Curve,
    panel: int,
    value: _Value,
    color: str,
    *,
    rank: int = 1,
    is_named: bool = False,
) -> None:
    points = [(record.iteration, value(record)) for record in run.iterations]
    known = [(iteration, level) for iteration, level in points if level is not None]
    name = f"{run.name}, rank-{rank}" if panel == 1 else run.name
    row, column = _PANELS[panel]
    figure.add_trace(
        go.Scatter(
            x=[iteration for iteration, _ in known],
            y=[level for _, level in known],
            name=name,
            legendgroup=run.name,
            showlegend=is_named,
            mode="lines+markers",
            line={"color": color, "width": 2 if rank == 1 else 1.3},
            marker={"size": 6 if rank == 1 else 4, "color": color},
            opacity=_OPACITY[rank],
            hovertemplate=f"%{{y:.{3 if panel == 3 else 1}f}}<extra>{name}</extra>",
        ),
        row=row,
        col=column,
    )


def _label_ranks(figure: go.Figure, run: Curve, color: str) -> None:
    last = run.iterations[-1] if run.iterations else None
    for rank in _OPACITY:
        if last is not None and (level := _metric(last, f"rank_{rank}")) is not None:
            figure.add_annotation(
                x=last.iteration,
                y=level,
                text=f"rank-{rank}",
                xanchor="left",
                xshift=6,
                showarrow=False,
                font={"size": 11, "color": color},
                row=1,
                col=2,
            )


def _lay_out(figure: go.Figure, runs: Sequence[Curve], height: int) -> None:
    last = max((run.iterations[-1].iteration for run in runs if run.iterations), default=0)
    whole = list(range(0, max(last, 1) + 1, max(1, last // 10)))  # no iteration lies between two
    figure.update_xaxes(range=[-0.15, max(last, 1) * 1.06 + 0.1], tickvals=whole, showgrid=False)
    figure.update_xaxes(range=[-0.15, max(last, 1) * 1.18 + 0.1], row=1, col=2)  # room for labels
    figure.update_yaxes(rangemode="tozero", nticks=6)
    figure.update_annotations(font_size=13, xanchor="left")
    for annotation, x in zip(figure.layout.annotations, (0.0, 0.55) * 2, strict=True):
        annotation.x = x
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 28, "b": 8},
        hovermode="x unified",
        showlegend=len(runs) > 1,
        legend={"orientation": "h", "y": -0.06, "x": 0},
    )
