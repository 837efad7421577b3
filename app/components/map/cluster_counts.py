"""The comparison of several K: inertia, and the agreement of two seeds."""

from collections.abc import Callable, Sequence

import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from app.components.charts.palette import OTHER, RUNS

_TITLES = ("Inertia (elbow)", "Agreement of two seeds")


def cluster_counts(
    n_clusters: Sequence[int],
    inertias: Sequence[float],
    agreements: Sequence[float],
    *,
    present: int,
    on_pick: Callable[[int], None],
    key: str,
    height: int = 128,
) -> None:
    """Show inertia and agreement over K; a click on a point picks its K.

    Args:
        n_clusters: The K, ascending.
        inertias: k-means' sum of squared distances at each K.
        agreements: Adjusted mutual information of two seeds at each K.
        present: The current K.
        on_pick: Called with the K of the point that is clicked.
        key: Key of the chart.
        height: Height in pixels.
    """
    figure = make_subplots(1, 2, subplot_titles=_TITLES, horizontal_spacing=0.14)
    for column, values in ((1, inertias), (2, agreements)):
        line = {"color": RUNS[column - 1], "width": 2}
        hint = (
            "K %{x}: %{y:.3s}<extra></extra>" if column == 1 else "K %{x}: %{y:.3f}<extra></extra>"
        )
        figure.add_trace(
            go.Scatter(x=n_clusters, y=values, mode="lines+markers", line=line, hovertemplate=hint),
            row=1,
            col=column,
        )
        figure.add_vline(x=present, line={"color": OTHER, "dash": "dot"}, row=1, col=column)
    figure.update_xaxes(tickvals=list(n_clusters), tickfont_size=10, showgrid=False)
    figure.update_yaxes(nticks=4, tickfont_size=10)
    figure.update_annotations(font_size=12)
    figure.update_layout(height=height, margin={"l": 4, "r": 4, "t": 20, "b": 4}, showlegend=False)

    def pick() -> None:
        for point in st.session_state[key]["selection"]["points"]:
            on_pick(int(point["x"]))

    st.plotly_chart(
        figure,
        config={"displayModeBar": False},
        alt="Inertia and agreement of two seeds over the number of clusters",
        key=key,
        on_select=pick,
        selection_mode="points",
    )
