"""The settings of a run, each with its description and the paper's value."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.services.settings import Setting
from app.wording import plain


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
    # No bounds here: the browser would keep a value beyond them to itself, and the last one that
    # was allowed would start without a word. The form is checked as a whole.
    if setting.kind == "whole number":
        return st.number_input(setting.label, value=value, step=1, key=key)
    if value is None and setting.default is not None:
        value = 0.0  # λ: none selects all, as 0 does
    n_digits = max(2, *(_n_decimals(number) for number in (setting.step, value or 0)))
    return st.number_input(
        setting.label,
        value=None if value is None else float(value),
        step=float(setting.step),
        format=f"%.{n_digits}f",
        key=key,
    )


def _n_decimals(number: float) -> int:
    """Return how many digits after the point a number has, up to six."""
    return len(f"{number:.6f}".rstrip("0").partition(".")[2])


def problem_list(problems: Sequence[str]) -> None:
    """Show, in the form, why it cannot be used as it is; nothing if it can."""
    if problems:
        st.error(
            "\n".join(f"- {plain(text)}" for text in problems)
            if len(problems) > 1
            else plain(problems[0])
        )


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
