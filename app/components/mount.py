"""Registers our Streamlit components from their HTML, CSS and JavaScript files."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from app.wording import fit, subject

_FOLDER = Path(__file__).parent
_IMPORT = re.compile(r'^import \{[^}]*\} from "(\..*)";\n', re.MULTILINE)
_INCLUDE = re.compile(r"<!-- include: (\S+) -->")
_TEXT = re.compile(r'>[^<]+<|title="[^"]*"')  # what people read, and no names of classes
_EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)


def mount(
    name: str,
    script: str,
    values: Sequence[str],
    *,
    html: str = "",
    css: str | Sequence[str] = "",
) -> Callable[..., Any]:
    """Register a component and return the function that draws it.

    Args:
        name: Name under which Streamlit registers the component.
        script: Its JavaScript module, below `app/components`; its imports are joined with it.
        values: Names of the values that the browser sends.
        html: Its HTML, or the file that holds it, in which `<!-- include: FILE -->` is another.
        css: The file of its style, or several; "" for none.

    Returns:
        A function of `key`, `data` and, for any of the values, `on_VALUE_change`.
    """
    styles = [css] if isinstance(css, str) else css
    render = st.components.v2.component(
        name,
        html=_fit_html(_read_html(html)) if html.endswith(".html") else html,
        css="\n".join(map(_read, filter(None, styles))) or None,
        js=_fit_script(join_modules(_FOLDER / script)),
        isolate_styles=False,
    )
    # Streamlit stores a value only if a callback for it is given.
    callbacks: dict[str, Any] = {f"on_{value}_change": _do_nothing for value in values}

    def draw(*, key: str, data: Any, **changed: Callable[[], None]) -> Any:
        return render(key=key, data=data, **(callbacks | changed))

    return draw


def join_modules(path: Path) -> str:
    """Join a JavaScript module with all that it imports, each once and before it is used.

    Streamlit gives a component's script to the browser as one text, which can import nothing from
    beside it. The names of joined modules must therefore differ (docs/decisions/0052).
    """
    texts: dict[Path, str] = {}

    def add(module: Path) -> None:
        if module in texts:
            return
        text = module.read_text(encoding="utf-8")
        for imported in _IMPORT.findall(text):
            add((module.parent / imported).resolve())
        texts[module] = _EXPORT.sub("", _IMPORT.sub("", text))

    add(path.resolve())
    return "\n".join(texts.values())


def _fit_html(html: str) -> str:
    return _TEXT.sub(lambda text: fit(text[0]), html)


def _fit_script(script: str) -> str:
    one, many = subject()  # instead of those of shared_js/words.js
    script = script.replace('PERSON = "person"', f'PERSON = "{one}"')
    return script.replace('PEOPLE = "people"', f'PEOPLE = "{many}"')


def _read_html(name: str) -> str:
    return _INCLUDE.sub(lambda found: _read(found[1]), _read(name))


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _do_nothing() -> None: ...
