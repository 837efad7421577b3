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
    return _number(setting, value, key)


def _number(setting: Setting, value: float | None, key: str) -> float | None:
    """Show a number; one that may be without a value can be emptied.

    There are no bounds: the browser would keep a value beyond them to itself, and the last one that
    was allowed would start without a word. The form is checked as a whole.
    """
    is_whole = setting.kind == "whole number"
    is_lambda = setting.path == "lambda_"
    if is_lambda:
        value = value or 0.0  # none selects all, as 0 does
    n_digits = max(2, *(_n_decimals(number) for number in (setting.step, value or 0)))
    first = value if value is None or is_whole else float(value)
    if setting.may_be_empty and not is_lambda:  # Streamlit empties only a field that begins empty
        st.session_state.setdefault(key, first)
        first = None
    return st.number_input(
        setting.label,
        value=first,
        step=1 if is_whole else float(setting.step),
        format=None if is_whole else f"%.{n_digits}f",
        placeholder="no value",
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
