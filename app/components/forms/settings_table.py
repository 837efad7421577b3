"""The settings that differ between runs."""

from collections.abc import Sequence
from html import escape

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
    heads = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(
        f"<tr><td>{escape(setting)}</td>{''.join(f'<td>{escape(v)}</td>' for v in values)}</tr>"
        for setting, values in rows
    )
    st.html(
        '<table class="pul-table pul-differ"><thead><tr><th>Setting</th>'
        f"{heads}</tr></thead><tbody>{body}</tbody></table>"
    )
