"""A list of problems: what was observed and, expanded, why it matters and how to fix it."""

from collections.abc import Sequence
from html import escape
from typing import Protocol

import streamlit as st


class _Finding(Protocol):
    @property
    def severity(self) -> str: ...
    @property
    def observed(self) -> str: ...
    @property
    def why(self) -> str: ...
    @property
    def fix(self) -> str: ...


def findings(found: Sequence[_Finding]) -> None:
    """Show findings; nothing if there are none."""
    if found:
        st.html(f'<div class="pul-findings">{"".join(_line(each) for each in found)}</div>')


def _line(found: _Finding) -> str:
    return (
        f'<details class="{found.severity}"><summary>{escape(found.observed)}</summary>'
        f"<p>{escape(found.why)} <b>{escape(found.fix)}</b></p></details>"
    )
