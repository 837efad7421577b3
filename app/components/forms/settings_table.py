"""The settings that differ between runs."""

from collections.abc import Sequence

import streamlit as st


def settings_table(names: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> None:
    """Show a row for each setting that differs.

    Args:
        names: Names of the runs.
        rows: A setting's name, and its value in each run.
    """
    if not rows:
        st.write("These runs have the same start model, the same settings and the same labels.")
        return
    # Two runs may have the same name: columns are keyed by number.
    columns = {str(number): name for number, name in enumerate(names)}
    st.dataframe(
        [
            {"Setting": setting} | dict(zip(columns, values, strict=True))
            for setting, values in rows
        ],
        hide_index=True,
        column_config={
            number: st.column_config.TextColumn(name) for number, name in columns.items()
        },
    )
