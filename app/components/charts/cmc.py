"""The CMC curve: share of queries with a true match at rank ≤ k."""

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from app.components.charts.palette import RUNS

N_RANKS = 50


def cmc_curves(curves: Sequence[tuple[str, Sequence[float]]], *, height: int) -> None:
    """Show CMC curves.

    Args:
        curves: Name of each, and its share of queries with a match at rank ≤ 1, 2, ...
        height: Height in pixels.
    """
    figure = go.Figure(
        [
            go.Scatter(
                x=list(range(1, min(len(shares), N_RANKS) + 1)),
                y=[100 * share for share in shares[:N_RANKS]],
                name=name,
                mode="lines",
                line={"color": RUNS[number], "width": 2, "dash": "solid" if not number else "dash"},
                hovertemplate=f"rank-%{{x}} %{{y:.1f}}<extra>{name}</extra>",
            )
            for number, (name, shares) in enumerate(curves)
        ]
    )
    figure.update_xaxes(title="rank", showgrid=False)
    figure.update_yaxes(title="queries with a match, %", nticks=6)
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        hovermode="x unified",
        legend={"orientation": "h", "y": -0.28, "x": 0},
        showlegend=True,
    )
    st.plotly_chart(figure, config={"displayModeBar": False}, alt="CMC curves", key="cmc")
