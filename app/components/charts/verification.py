"""Cosines of pairs of one person and of two people, as two histograms with the threshold."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from app.components.charts.palette import RUNS
from app.wording import fit

_N_BINS = 50

Cosines = NDArray[np.float32]


def verification_histograms(
    same: Cosines, different: Cosines, threshold: float, *, height: int, key: str
) -> None:
    """Show what share of pairs has which cosine.

    Args:
        same: Cosines of pairs of one person.
        different: Cosines of pairs of two people.
        threshold: Where the line is.
        height: Height in pixels.
        key: Key of the chart.
    """
    edges = np.linspace(-1, 1, _N_BINS + 1)
    middles = (edges[:-1] + edges[1:]) / 2
    figure = go.Figure()
    kinds = ((same, fit("same person"), RUNS[0], ""), (different, fit("two people"), RUNS[1], "/"))
    for cosines, name, color, shape in kinds:
        shares = 100 * np.histogram(cosines, edges)[0] / len(cosines)
        figure.add_trace(
            go.Bar(
                x=middles, y=shares, name=name, opacity=0.7,
                marker={"color": color, "pattern": {"shape": shape}},
                hovertemplate=f"cosine %{{x:.2f}}: %{{y:.1f}} % of pairs<extra>{name}</extra>",
            )
        )  # fmt: skip
    figure.add_vline(x=threshold, line={"color": "#888888", "width": 2, "dash": "dash"})
    low = float(min(same[0], different[0]))
    figure.update_xaxes(title="cosine", range=[low - 0.05, 1.02], showgrid=False)
    figure.update_yaxes(title="% of pairs", nticks=4)
    figure.update_layout(
        barmode="overlay", bargap=0, height=height, showlegend=True,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend={"orientation": "h", "y": 1.12, "x": 0},
    )  # fmt: skip
    alt = fit("Cosines of pairs of the same person and of two people, and the threshold")
    st.plotly_chart(figure, config={"displayModeBar": False}, alt=alt, key=key)
