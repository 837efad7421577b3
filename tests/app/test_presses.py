"""A button acts on what stands in the fields when it is pressed: fields and press come as one."""

import ast
from pathlib import Path

import pytest
from streamlit.testing.v1.element_tree import Button

from app import services
from pul.store.workspace import Workspace
from tests.app.conftest import Open
from tests.app.fabricated import fabricate

ROOT = Path(__file__).parents[2]
WIDGETS = {
    "checkbox", "date_input", "multiselect", "number_input", "pills", "radio", "segmented_control",
    "select_slider", "selectbox", "slider", "text_area", "text_input", "toggle",
}  # fmt: skip


def button(studio: object, label: str) -> Button:
    return next(b for b in studio.button if b.label.startswith(label))  # type: ignore[attr-defined]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """What previews are started with; none is made."""
    calls: list[tuple[object, ...]] = []
    monkeypatch.setattr(
        services.previews, "start_preview", lambda _place, *rest: calls.append(rest)
    )
    return calls


@pytest.mark.parametrize("n_clusters", [5, 13, 47])
def test_preview__clusters_with_the_k_in_the_field(
    location: Path, people: Path, open_studio: Open, asked: list[tuple[object, ...]],
    n_clusters: int,
) -> None:  # fmt: skip
    fabricate(location, people)
    studio = open_studio("map")
    next(f for f in studio.number_input if f.label == "Clusters K").set_value(n_clusters)
    button(studio, "Preview K").click().run()  # no run between the two
    assert asked == [(1, 3, n_clusters)]


@pytest.mark.parametrize("n_clusters", [0, -3, 49, 5000])
def test_preview__a_k_that_cannot_be_is_refused(
    location: Path, people: Path, open_studio: Open, asked: list[tuple[object, ...]],
    n_clusters: int,
) -> None:  # fmt: skip
    fabricate(location, people)
    studio = open_studio("map")
    next(f for f in studio.number_input if f.label == "Clusters K").set_value(n_clusters)
    button(studio, "Preview K").click().run()
    assert asked == []
    said = studio.toast[0].value
    assert "Clusters K must be from 1 to 48" in said
    assert f"but is {n_clusters:,}" in said


def test_map__use_k_takes_the_k_in_the_field(
    location: Path, people: Path, open_studio: Open
) -> None:
    fabricate(location, people)
    studio = open_studio("map")
    next(f for f in studio.number_input if f.label == "Clusters K").set_value(11).run()
    next(f for f in studio.number_input if f.label == "Clusters K").set_value(13)
    button(studio, "Use K 11").click().run()
    with Workspace.open(location) as workspace:
        assert [(c.name, c.value) for c in workspace.controls(1)] == [("n_clusters", 13)]
    assert "K 13 from iteration 5 on, instead of K 8." in studio.toast[0].value


def test_train__stop_stops_the_job_of_now(location: Path, people: Path, open_studio: Open) -> None:
    """The job that was drawn has failed, and a colleague resumed the run."""
    from tests.app.fabricated import put_job

    fabricate(location, people)
    studio = open_studio("rounds")
    with Workspace.open(location) as workspace:
        workspace.finish_job(1, "failed", "It broke.")
        put_job(workspace, 1, "running", 3, 10)
        button(studio, "Stop").click().run()
        assert workspace.requested(2) == "stop"
    assert not studio.exception


def test_train__lambda_and_k_are_those_in_the_fields(
    location: Path, people: Path, open_studio: Open
) -> None:
    """A colleague changed λ since the page was drawn: what stands in the field counts."""
    fabricate(location, people)
    studio = open_studio("rounds")
    with Workspace.open(location) as workspace:
        workspace.set_control(1, "lambda_", 0.4, author="Bob")
        button(studio, "Apply from the next iteration").click().run()
        assert [c.value for c in workspace.controls(1) if c.name == "lambda_"] == [0.4, 0.85]


# The kind, everywhere


def test_views__no_callback_is_given_the_value_of_a_widget() -> None:
    """`args=(value,)` is what was drawn; a press comes with what stands in the field by now."""
    found = [
        f"{path.relative_to(ROOT)}:{line} {name}"
        for path in sorted((ROOT / "app").rglob("*.py"))
        for line, name in stale_arguments(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("def f():\n k = st.slider('K')\n st.button('x', on_click=g, args=(k,))", ["k"]),
        ("def f():\n k = c.text_input('K')\n c.button('x', on_click=partial(g, int(k)))", ["k"]),
        ("def f():\n k = st.radio('K')\n st.button('x', on_click=g, kwargs={'k': k})", ["k"]),
        ("def f():\n k = st.slider('K')\n if st.button('x'):\n  g(k)", []),
        ("def f():\n k = 3\n st.button('x', on_click=g, args=(k,))", []),
    ],
)
def test_stale_arguments__are_found(code: str, names: list[str]) -> None:
    assert [name for _, name in stale_arguments(ast.parse(code))] == names


def stale_arguments(tree: ast.Module) -> list[tuple[int, str]]:
    """Return line and name of each widget's value that a callback is given when it is drawn."""
    found = []
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        drawn = {
            target.id
            for node in ast.walk(function)
            if isinstance(node, ast.Assign) and calls(node.value) & WIDGETS
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            given = {k.arg: k.value for k in call.keywords if k.arg in ("args", "kwargs")}
            click = next((k.value for k in call.keywords if k.arg == "on_click"), None)
            parts = [*given.values(), *([click] if isinstance(click, ast.Call) else [])]
            names = (n for part in parts for n in ast.walk(part) if isinstance(n, ast.Name))
            found += [(name.lineno, name.id) for name in names if name.id in drawn]
    return found


def calls(node: ast.expr) -> set[str]:
    """Return the names of the methods that an expression calls."""
    called = (n.func for n in ast.walk(node) if isinstance(n, ast.Call))
    return {f.attr for f in called if isinstance(f, ast.Attribute)}
