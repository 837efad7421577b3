"""The curves and the scatter plots of an experiment."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.components.charts.palette import CAMERAS

_PANEL_HEIGHT, _CLOUD_HEIGHT = 300, 420


def paper_curves(panels: Sequence[Any]) -> go.Figure:
    """Draw panels side by side, two in a row, with one legend.

    Args:
        panels: Each with a title, names of its axes, and series with label, x, y and `dashed`.
    """
    n_rows = -(-len(panels) // 2)
    figure = make_subplots(
        n_rows, 2, subplot_titles=[panel.title for panel in panels], vertical_spacing=0.36 / n_rows
    )
    labels = list(dict.fromkeys(s.label for panel in panels for s in panel.series))
    named: set[str] = set()
    for number, panel in enumerate(panels):
        place = {"row": number // 2 + 1, "col": number % 2 + 1}
        for series in panel.series:
            color = CAMERAS[labels.index(series.label) % len(CAMERAS)]
            dash = "dash" if series.dashed else "solid"
            figure.add_trace(
                go.Scatter(
                    x=series.x,
                    y=series.y,
                    name=series.label,
                    legendgroup=series.label,
                    showlegend=series.label not in named,
                    mode="lines" if series.dashed or len(series.x) > 30 else "lines+markers",
                    line={"color": color, "width": 2, "dash": dash},
                    hovertemplate="%{y:.1f}<extra>" + series.label + "</extra>",
                ),
                **place,
            )
            named.add(series.label)
        figure.update_xaxes(title=panel.x_label, showgrid=False, **place)
        if panel.x_label == "iteration":  # ticks at whole iterations only
            last = max((s.x[-1] for s in panel.series), default=1)
            figure.update_xaxes(dtick=max(1, round(last / 8)), **place)
        figure.update_yaxes(title=panel.y_label, nticks=6, **place)
    figure.update_layout(
        height=_PANEL_HEIGHT * n_rows + 60,
        margin={"l": 8, "r": 8, "t": 28, "b": 8},
        legend={"orientation": "h", "y": -0.18 / n_rows - 0.04, "x": 0},
    )
    return figure


def paper_clouds(clouds: Sequence[Any]) -> go.Figure:
    """Draw images in two iterations: reliable ones filled, the others hollow.

    Args:
        clouds: Each with its iteration, points (M, 2), groups (M,) and the reliable mask (M,).
    """
    titles = [
        f"iteration {cloud.iteration}: {int(cloud.reliable.sum())} of {len(cloud.groups)} reliable"
        for cloud in clouds
    ]
    figure = make_subplots(1, len(clouds), subplot_titles=titles)
    for column, cloud in enumerate(clouds, start=1):
        colors = [CAMERAS[group % len(CAMERAS)] for group in cloud.groups.tolist()]
        symbols = ["circle" if yes else "circle-open" for yes in cloud.reliable.tolist()]
        dots = {"color": colors, "symbol": symbols, "size": 9, "line": {"width": 1.5}}
        figure.add_trace(
            go.Scatter(
                x=cloud.points[:, 0],
                y=cloud.points[:, 1],
                mode="markers",
                marker=dots,
                hoverinfo="skip",
                showlegend=False,
            ),
            row=1,
            col=column,
        )
    figure.update_xaxes(showticklabels=False, zeroline=False, matches="x")
    figure.update_yaxes(showticklabels=False, zeroline=False, matches="y")
    figure.update_layout(height=_CLOUD_HEIGHT, margin={"l": 8, "r": 8, "t": 28, "b": 8})
    return figure
