"""The settings of a run, each with its description and the paper's value."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.services.settings import Setting

_EXCLUDED_BY = 0.01  # of a step: distance of the form's limit from an exclusive bound


def setting_input(setting: Setting, value: Any, paper: str, *, key: str) -> Any:
    """Show one setting and return its value.

    Args:
        setting: The setting.
        value: Its initial value.
        paper: The paper's value, shown below.
        key: Key of the widget.
    """
    entered = _entered(setting, value, key)
    paper_value = f" Paper: {paper}." if setting.is_in_paper else ""
    st.caption(setting.description + paper_value)
    return entered


def _entered(setting: Setting, value: Any, key: str) -> Any:
    if setting.choices:
        place = setting.choices.index(value)
        return st.selectbox(setting.label, setting.choices, place, key=key)
    if setting.kind == "switch":
        return st.toggle(setting.label, value, key=key)
    if setting.kind == "text":
        return st.text_input(setting.label, value, key=key)
    low, high = _bounds(setting)
    if setting.kind == "whole number":
        least, most = (None if bound is None else int(bound) for bound in (low, high))
        return st.number_input(setting.label, least, most, value, 1, key=key)
    n_digits = max(2, len(f"{setting.step:f}".rstrip("0")) - 2)
    return st.number_input(
        setting.label,
        low,
        high,
        0.0 if value is None else float(value),
        float(setting.step),
        format=f"%.{n_digits}f",
        key=key,
    )


def _bounds(setting: Setting) -> tuple[float | None, float | None]:
    """Return the lowest and the highest value that the form accepts."""
    low, high = setting.minimum, setting.maximum
    inside = 1 if setting.kind == "whole number" else setting.step * _EXCLUDED_BY
    if low is not None:
        low = float(low) + inside * setting.is_above
    if high is not None:
        high = float(high) - inside * setting.is_below
    return low, high


def settings_grid(
    settings: Sequence[Setting],
    values: Mapping[str, Any],
    paper: Mapping[str, str],
    *,
    key: str,
    n_columns: int = 4,
) -> dict[str, Any]:
    """Show settings in columns and return their values by dotted name."""
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
