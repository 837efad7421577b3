"""Registers our Streamlit components from their HTML, CSS and JavaScript files."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

_FOLDER = Path(__file__).parent


def mount(
    name: str, scripts: Sequence[str], values: Sequence[str], *, html: str = "", css: str = ""
) -> Callable[..., Any]:
    """Register a component and return the function that draws it.

    Args:
        name: Name under which Streamlit registers the component.
        scripts: JavaScript files below `app/components`, in the order in which they are joined.
        values: Names of the values that the browser sends.
        html: Its HTML, or the file that holds it.
        css: The file of its style; "" for none.

    Returns:
        A function of `key`, `data` and, for any of the values, `on_VALUE_change`.
    """
    render = st.components.v2.component(
        name,
        html=_read(html) if html.endswith(".html") else html,
        css=_read(css) if css else None,
        js="\n".join(map(_read, scripts)),
        isolate_styles=False,
    )
    # Streamlit stores a value only if a callback for it is given.
    callbacks: dict[str, Any] = {f"on_{value}_change": _do_nothing for value in values}

    def draw(*, key: str, data: Any, **changed: Callable[[], None]) -> Any:
        return render(key=key, data=data, **(callbacks | changed))

    return draw


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _do_nothing() -> None: ...
