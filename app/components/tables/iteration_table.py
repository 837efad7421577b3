"""The figures of every iteration of a run, one row each."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from app.wording import lambda_text
from pul.records import IterationRecord


def iteration_table(records: Sequence[IterationRecord]) -> None:
    """Show the iterations, the newest first; columns without values are hidden."""
    rows = [_row(record) for record in reversed(records)]
    known = {name for row in rows for name, value in row.items() if value is not None}
    columns = [name for name in rows[0] if name in known] if rows else []
    st.dataframe(
        [{name: row[name] for name in columns} for row in rows],
        hide_index=True,
        width="stretch",
        placeholder="–",
        column_config={name: _column(name) for name in columns},
    )


def _row(record: IterationRecord) -> dict[str, Any]:
    metrics, quality = record.metrics, record.cluster_quality
    ranks = {f"rank-{k} %": metrics and getattr(metrics, f"rank_{k}") * 100 for k in (1, 5, 10, 20)}
    method = metrics.ap_method if metrics else ""
    return {
        "Iteration": str(record.iteration) if record.iteration else "0 · baseline",
        "λ": lambda_text(record.lambda_),
        "K": record.n_clusters,
        "Reliable %": record.reliable_share * 100,
        "Kept clusters": record.n_kept_clusters,
        "Loss": record.loss,
        **ranks,
        f"mAP % {method}": metrics and metrics.mean_ap * 100,
        "Purity %": quality and quality.purity * 100,
        "Purity of reliable %": quality and quality.reliable_purity * 100,
        "NMI %": quality and quality.nmi * 100,
        "Seconds": sum(record.seconds.values()),
    }


def _column(name: str) -> Any:
    if name in ("Iteration", "λ"):
        return st.column_config.TextColumn(name)
    whole = name in ("K", "Kept clusters")
    form = "%.3f" if name == "Loss" else "%.0f" if whole else "%.1f"
    return st.column_config.NumberColumn(name, format=form)
