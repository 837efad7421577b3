"""Runs that cannot work are refused in the form, in words; a failed one says so everywhere."""

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from app import services
from pul.config import preset_names
from pul.config.base import flatten
from pul.data.datasets import read_dataset
from pul.store.workspace import Workspace
from tests.app.conftest import Open, component_data, go_to, labels, text_of
from tests.app.fabricated import fabricate
from tests.support.checkpoints import HOLLOW_MODEL

PAGES = (
    "", "clusters", "label", "map", "identities", "rounds", "retrieval", "experiments", "export",
)  # fmt: skip


def button(studio: AppTest, label: str) -> Button:
    return next(b for b in studio.button if b.label == label)


def field(studio: AppTest, label: str) -> object:
    return next(f for f in (*studio.number_input, *studio.text_input) if f.label == label)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The settings of the runs that were started; none is."""
    runs: list[object] = []
    monkeypatch.setattr(services.runs, "start_run", lambda _place, config, *_: runs.append(config))
    return runs


@pytest.fixture
def filled(location: Path, people: Path) -> Path:
    """A workspace with 48 training images and no run."""
    with Workspace.create(location) as workspace:
        workspace.add_dataset(read_dataset(people))
    return location


WRONG = [
    ("Clusters K", 5000, "Clusters K must be from 1 to 48, the number of training images, but is"),
    ("Clusters K", 0, "Clusters K must be at least 1, but is 0."),
    ("Clusters K", -7, "Clusters K must be at least 1, but is -7."),
    ("Threshold λ", 1.5, "Threshold λ must be -1 to 1, but is 1.5."),
    ("Threshold λ", -2.0, "Threshold λ must be -1 to 1, but is -2.0."),
]


def test_quick_start__is_refused_in_words(
    filled: Path, open_studio: Open, started: list[object]
) -> None:
    studio = open_studio()
    right = {"Clusters K": 3, "Threshold λ": 0.8}
    for number, (label, value, said) in enumerate(WRONG):
        for name, known in (right | {label: value}).items():
            field(studio, name).set_value(known)  # type: ignore[attr-defined]
        button(studio, ["Group without training", "Start training"][number % 2]).click().run()
        assert said in studio.error[0].value
        assert field(studio, label).value == value  # type: ignore[attr-defined]
    assert started == []
    assert "Add images" in "".join(labels(studio, "expander"))  # the rest of the page is there


WRONG_IN_FORM = [
    *WRONG,
    ("Iterations", -1, "Iterations must be 0 to 10,000, but is -1."),
    ("Epochs", 0, "Epochs must be 1 to 10,000, but is 0."),
    ("Learning rate", 0.0, "Learning rate must be above 0 to 10, but is 0.0."),
    ("Batch size", 1, "Batch size must be 2 to 65,536, but is 1."),
]


def test_form__is_refused_in_words(filled: Path, open_studio: Open, started: list[object]) -> None:
    studio = open_studio("rounds")
    for label, value, said in WRONG_IN_FORM:
        before = field(studio, label).value  # type: ignore[attr-defined]
        field(studio, label).set_value(value)  # type: ignore[attr-defined]
        button(studio, "Start training").click().run()
        assert studio.error[0].value.startswith(said)
        field(studio, label).set_value(before)  # type: ignore[attr-defined]
    assert started == []


@pytest.mark.parametrize("preset", preset_names())
def test_form__that_nobody_changed_starts_what_the_preset_says(
    filled: Path, open_studio: Open, started: list[object], preset: str
) -> None:
    studio = open_studio("rounds")
    studio.session_state[f"all:new:{preset}:drawn"] = True  # all settings are on the screen
    next(s for s in studio.selectbox if s.label == "Preset").set_value(preset).run()
    expected = services.runs.first_config(str(filled), preset)
    rate = field(studio, "Learning rate")
    n_digits = int(re.findall(r"\d+", rate.proto.format)[0])  # type: ignore[attr-defined]
    assert round(expected.finetune.learning_rate, n_digits) == expected.finetune.learning_rate
    assert field(studio, "Pooling exponent").value == expected.head.gem_p  # type: ignore[attr-defined]
    button(studio, "Start training").click().run()
    assert not studio.error
    assert started == [expected]


OPTIONAL = [  # for λ, 0 says the same
    s for s in services.settings.run_settings().values() if s.may_be_empty and s.path != "lambda_"
]


@pytest.mark.parametrize("preset", preset_names())
def test_form__what_may_be_without_a_value_can_be_emptied(
    filled: Path, open_studio: Open, started: list[object], preset: str
) -> None:
    paths = {setting.path for setting in OPTIONAL}
    assert {"head.gem_p", "head.last_stride", "finetune.n_steps", "keep_features"} < paths
    studio = open_studio("rounds")
    studio.session_state[f"all:new:{preset}:drawn"] = True  # all settings are on the screen
    next(s for s in studio.selectbox if s.label == "Preset").set_value(preset).run()
    drawn = {f.label: f for f in studio.number_input}
    filled_in = [drawn[s.label] for s in OPTIONAL if s.label in drawn]
    assert len(filled_in) == len(OPTIONAL)
    for shown, setting in zip(filled_in, OPTIONAL, strict=True):
        assert not shown.proto.HasField("default")  # else the browser keeps it from being emptied
        shown.set_value(setting.minimum)
    studio.run()
    for shown in (f for f in studio.number_input if f.label in {s.label for s in OPTIONAL}):
        assert shown.value is not None
        shown.set_value(None)
    button(studio, "Start training").click().run()
    assert not studio.error
    expected = services.runs.first_config(str(filled), preset)
    empty = dict.fromkeys(paths, "none")
    assert started == [expected.replace(**empty)]
    assert all(flatten(started[0].model_dump())[path] is None for path in paths)  # type: ignore[attr-defined]


def model_files(folder: Path) -> dict[str, str]:
    """Return files that are no start model, each with what the form says of it."""
    (folder / "notes.txt").write_text("not a model")
    (folder / "cut.safetensors").write_bytes(HOLLOW_MODEL[:-4])
    (folder / "empty.safetensors").write_bytes(b"")
    return {
        "notes.txt": "is a text file, not weights",
        "cut.safetensors": "cut off or damaged",
        "empty.safetensors": "is an empty file",
        "nowhere.safetensors": "There is no model at",
        "": "no file is named",
    }


@pytest.mark.parametrize("page", ["", "rounds"])
def test_form__a_file_that_is_no_model_is_refused(
    filled: Path, open_studio: Open, started: list[object], tmp_path: Path, page: str
) -> None:
    studio = open_studio(page)
    for name, said in model_files(tmp_path).items():
        next(s for s in studio.selectbox if s.label == "Start model").set_value("A file …").run()
        path = str(tmp_path / name) if name else ""
        field(studio, "Path of the model").set_value(path)  # type: ignore[attr-defined]
        button(studio, "Start training").click().run()
        assert studio.error[0].value.startswith("Start model: ")
        assert said in studio.error[0].value
    assert started == []


def test_form__several_faults_are_told_at_once(
    filled: Path, open_studio: Open, started: list[object]
) -> None:
    studio = open_studio("rounds")
    field(studio, "Threshold λ").set_value(3.0)  # type: ignore[attr-defined]
    field(studio, "Epochs").set_value(0)  # type: ignore[attr-defined]
    button(studio, "Start training").click().run()
    assert "Threshold λ must" in studio.error[0].value
    assert "Epochs must" in studio.error[0].value
    field(studio, "Threshold λ").set_value(0.9)  # type: ignore[attr-defined]
    field(studio, "Epochs").set_value(2).run()  # type: ignore[attr-defined]
    assert not studio.error
    button(studio, "Start training").click().run()
    (config,) = started
    assert (config.lambda_, config.finetune.n_epochs) == (0.9, 2)  # type: ignore[attr-defined]


def test_form__dbscan_needs_no_k(filled: Path, open_studio: Open, started: list[object]) -> None:
    studio = open_studio("rounds")
    field(studio, "Clusters K").set_value(5000)  # type: ignore[attr-defined]
    next(s for s in studio.selectbox if s.label == "Cluster by").set_value("dbscan").run()
    button(studio, "Start training").click().run()
    assert not studio.error
    assert started[0].clustering == "dbscan"  # type: ignore[attr-defined]


def test_steering__is_refused_in_words(location: Path, people: Path, open_studio: Open) -> None:
    fabricate(location, people)
    studio = open_studio("rounds")
    for label, value, _ in WRONG:
        live = {f.label: f for f in studio.number_input if f.key.startswith("live:")}
        right = {"Clusters K": 8, "Threshold λ": 0.85}
        for name, known in (right | {label: value}).items():
            live[name].set_value(known)
        button(studio, "Apply from the next iteration").click().run()
        assert studio.error[0].value.startswith(f"{label} must be")
        assert f"but is {value:,}" in studio.error[0].value
    with Workspace.open(location) as workspace:
        assert workspace.controls(1) == []


# A run that failed


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("n_iterations", [-1, 2])
def test_failed__is_told_on_every_page(
    location: Path, people: Path, open_studio: Open, page: str, n_iterations: int
) -> None:
    fabricate(location, people, status="failed", n_iterations=n_iterations, name="ours")
    studio = open_studio(page)
    assert not studio.exception
    said = [error.value for error in studio.error]
    assert said == ["**“ours” failed.** The disk is full: 0 bytes free."]
    assert labels(studio, "button").count("Fix and start again") == 1
    for text in ("being made", "being extracted", "for the first time"):
        assert text not in text_of(studio)


@pytest.mark.parametrize("page", ["map", "rounds"])
def test_failed__its_settings_are_put_right_in_the_form(
    location: Path, people: Path, open_studio: Open, started: list[object], page: str
) -> None:
    fabricate(location, people, status="failed", n_planned=3, name="ours")
    studio = open_studio(page)
    button(studio, "Fix and start again").click().run()
    if page != "rounds":
        studio = go_to(studio, "rounds")  # as `switch_page` does
    assert "Fix ours and start again" in labels(studio, "expander")
    form = {f.label: f for f in studio.number_input if f.key.startswith("again:")}
    values = {label: shown.value for label, shown in form.items()}
    assert (values["Clusters K"], values["Iterations"], values["Threshold λ"]) == (8, 3, 0.85)
    models = next(s for s in studio.selectbox if s.label == "Start model")
    assert models.value == "fabricated"
    form["Clusters K"].set_value(6)
    button(studio, "Start again").click().run()
    (config,) = started
    with Workspace.open(location) as workspace:
        before = workspace.run(1).config
    assert config.model_dump(mode="json") == before | {"n_clusters": 6}  # type: ignore[attr-defined]
    assert "Fix ours and start again" not in labels(studio, "expander")


def test_stopped__before_its_first_iteration_is_not_awaited(
    location: Path, people: Path, open_studio: Open
) -> None:
    fabricate(location, people, status="stopped", n_iterations=-1, name="ours")
    studio = open_studio("map")
    assert "“ours” has no finished iteration: it was stopped." in text_of(studio)
    assert component_data(studio, "pul_header")
