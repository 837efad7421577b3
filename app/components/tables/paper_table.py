"""A table of the paper: our figures, the paper's, and the state of each row."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

import streamlit as st


@dataclass(frozen=True, slots=True)
class PaperRow:
    """One row.

    Attributes:
        name: Its name.
        state: Its state.
        figures: Rank-1, 5, 10, 20 and mAP in %, as text; "" where there are none yet.
        paper: What the paper reports for rank-1 and mAP, in %; NaN for none.
        setting: Where the paper's figures come from.
        run_id: Its run, if any.
    """

    name: str
    state: str
    figures: Sequence[str]
    paper: tuple[float, float]
    setting: str
    run_id: int | None


def paper_table(rows: Sequence[PaperRow], figures: Sequence[str], workspace: str) -> None:
    """Show the rows; the number of a run links to it.

    Args:
        rows: The rows.
        figures: Names of the figures.
        workspace: Name of the workspace in addresses.
    """
    st.dataframe(
        [_cells(row, figures, workspace) for row in rows],
        hide_index=True,
        height="content",
        column_config={
            "Run": st.column_config.LinkColumn(display_text=r"run=(\d+)", width="small"),
            **{name: st.column_config.TextColumn(width="small") for name in figures},
        },
    )


def _cells(row: PaperRow, figures: Sequence[str], workspace: str) -> dict[str, object]:
    rank_1, mean_ap = ("" if math.isnan(value) else f"{value:.1f}" for value in row.paper)
    return {
        "": row.name,
        **dict(zip(figures, row.figures, strict=True)),
        "Paper: rank-1": rank_1,
        "Paper: mAP": mean_ap,
        "The paper's setting": row.setting,
        "State": row.state,
        "Run": "" if row.run_id is None else f"rounds?w={quote(workspace)}&run={row.run_id}",
    }
