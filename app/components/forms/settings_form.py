"""The settings of a run, each with the paper's value and a sentence."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.components.forms.settings_list import Setting


def setting_input(setting: Setting, value: Any, paper: str, *, key: str) -> Any:
    """Show one setting and return what stands in it.

    Args:
        setting: The setting.
        value: What it begins with.
        paper: The paper's value, named below it.
        key: Key of the widget.
    """
    entered = _entered(setting, value, key)
    paper_value = f" Paper: {paper}." if setting.is_in_paper else ""
    st.caption(setting.sentence + paper_value)
    return entered


def _entered(setting: Setting, value: Any, key: str) -> Any:
    if setting.choices:
        place = setting.choices.index(value)
        return st.selectbox(setting.label, setting.choices, place, key=key)
    if isinstance(value, bool):
        return st.toggle(setting.label, value, key=key)
    if isinstance(value, str):
        return st.text_input(setting.label, value, key=key)
    low, high = setting.low, setting.high
    if isinstance(setting.step, int):
        return st.number_input(setting.label, int(low), int(high), value, 1, key=key)
    n_digits = max(2, len(f"{setting.step:f}".rstrip("0")) - 2)
    return st.number_input(
        setting.label,
        low * 1.0,
        high * 1.0,
        0.0 if value is None else float(value),
        setting.step,
        format=f"%.{n_digits}f",
        key=key,
    )


def settings_grid(
    settings: Sequence[Setting],
    values: Mapping[str, Any],
    paper: Mapping[str, str],
    *,
    key: str,
    n_columns: int = 4,
) -> dict[str, Any]:
    """Show settings in columns and return what stands in them, by dotted name."""
    entered: dict[str, Any] = {}
    for start in range(0, len(settings), n_columns):
        for column, setting in zip(
            st.columns(n_columns), settings[start : start + n_columns], strict=False
        ):
            with column:
                entered[setting.path] = setting_input(
                    setting, values[setting.path], paper[setting.path], key=f"{key}:{setting.path}"
                )
    return entered
