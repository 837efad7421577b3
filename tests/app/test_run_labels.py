"""From labels to training: what waits to train, and the press that trains with it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app import services, state
from pul.config import load_preset
from pul.labelling.annotations import create
from pul.labelling.guidance import fixed_guidance, read_guidance
from pul.records import JobStatus
from pul.store.workspace import Workspace
from tests.app import fabricated
from tests.app.browser.browsing import TIMEOUT_MS, serve
from tests.app.browser.carding import open_card, press_for_next, wait_until_saved
from tests.app.conftest import Open, component_data, labels, text_of, wait_for
from tests.app.fabricated import draw_people, fabricate
from tests.app.test_rounds import button


def label_people(location: Path, n_people: int, *, first: int = 0) -> None:
    """Make identities of the first people, with all their images."""
    with Workspace.open(location) as workspace:
        train = workspace.images("train")
        for pid in sorted(set(train.pids.tolist()))[first : first + n_people]:
            act = create(train.image_ids[train.pids == pid].tolist())
            workspace.append_annotation_event(act.kind, act.payload, "anna")


def test_rounds__nothing_is_said_without_labels(
    location: Path, people: Path, open_studio: Open
) -> None:
    fabricate(location, people, status="finished")
    studio = open_studio("rounds")
    assert "label" not in text_of(studio)
    assert "Train with them" not in labels(studio, "button")


def test_rounds__a_finished_run_is_made_anew_with_labels(
    location: Path, people: Path, open_studio: Open
) -> None:
    fabricate(location, people, status="finished", name="first", n_iterations=2, n_planned=2)
    label_people(location, 3)
    studio = open_studio("rounds")
    assert "**3 people, 18 images** are labelled; this run has not trained with them" in (
        text_of(studio)
    )
    button(studio, "Train with them").click().run()
    wait_for(location, "failed")  # its start model is no network
    with Workspace.open(location) as workspace:
        first, second = workspace.runs()
        assert workspace.start_model(2).read_bytes() == workspace.start_model(1).read_bytes()
    assert second.name == "first + 3 IDs"
    assert second.config == first.config
    assert second.parent_run_id is None
    assert studio.query_params["compare"] == "1"  # its curves are drawn over the old ones
    assert not studio.exception


def test_rounds__made_anew_with_lambda_and_k_as_they_were_at_the_end(
    location: Path, people: Path, open_studio: Open
) -> None:
    fabricate(location, people, status="finished", name="first + 2 IDs")
    label_people(location, 3)
    with Workspace.open(location) as workspace:
        workspace.set_control(1, "lambda_", 0.7, author="anna")
        workspace.set_control(1, "n_clusters", 5, author="anna")
    button(open_studio("rounds"), "Train with them").click().run()
    wait_for(location, "failed")
    with Workspace.open(location) as workspace:
        first, second = workspace.runs()
    assert second.config == first.config | {"lambda_": 0.7, "n_clusters": 5}
    assert second.name == "first + 3 IDs"


def test_rounds__a_first_look_gets_iterations(
    location: Path, people: Path, open_studio: Open
) -> None:
    fabricate(location, people, status="finished", n_iterations=0, n_planned=0)
    label_people(location, 1)
    studio = open_studio("rounds")
    assert "**1 person, 6 images** are labelled" in text_of(studio)
    button(studio, "Train with them").click().run()
    wait_for(location, "failed")
    with Workspace.open(location) as workspace:
        second = workspace.run(2)
    assert second.config["n_iterations"] == load_preset("quick").n_iterations
    assert (second.name, studio.query_params.get("compare")) == ("run 1 + 1 ID", None)


def test_rounds__a_fork_made_anew_is_a_fork_of_the_same(
    location: Path, people: Path, open_studio: Open
) -> None:
    fabricate(location, people, status="finished", n_iterations=2)
    label_people(location, 2)
    with Workspace.open(location) as workspace:
        old = workspace.run(1)
        model = workspace.checkpoint_path(1, 2)
        config = load_preset("quick").replace(n_clusters=8)
        fork = workspace.create_run(config, model=model, name="fork", parent=(1, 2))
        fabricated.put_job(workspace, fork.run_id, "finished", 0, 25)
    assert old.parent_run_id is None
    button(open_studio("rounds"), "Train with them").click().run()
    wait_for(location, "failed")
    with Workspace.open(location) as workspace:
        assert (workspace.run(3).parent_run_id, workspace.run(3).parent_iteration) == (1, 2)


def test_rounds__a_start_model_that_was_changed_is_told(
    location: Path, people: Path, open_studio: Open
) -> None:
    fabricate(location, people, status="finished")
    label_people(location, 2)
    (location / "models" / "fabricated.safetensors").write_bytes(b"another one")
    studio = open_studio("rounds")
    button(studio, "Train with them").click().run()
    assert "no longer the file that run 1 started from" in studio.error[0].value
    assert "compare" not in studio.query_params
    with Workspace.open(location) as workspace:
        assert len(workspace.runs()) == 1


def test_rounds__what_to_look_at_is_said_before_the_run_is_there(
    location: Path, people: Path, open_studio: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Once the run exists a rerun interrupts the script at its next Streamlit call.
    fabricate(location, people, status="finished")
    label_people(location, 2)
    compared = []
    monkeypatch.setattr(
        services.runs, "train_with_labels", lambda *_: compared.append(state.compared())
    )
    button(open_studio("rounds"), "Train with them").click().run()
    assert compared == [(1,)]


def test_rounds__labels_that_trained_are_not_offered_again(
    location: Path, people: Path, open_studio: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    fabricate(location, people, status="finished")
    label_people(location, 2)
    with Workspace.open(location) as workspace:
        known = read_guidance(workspace, 1).content_hash
    made = fabricated.iteration_record
    monkeypatch.setattr(
        fabricated, "iteration_record",
        lambda *args: replace(
            made(*args), annotations_hash=known, n_annotated_images=12, n_identities=2
        ),
    )  # fmt: skip
    fabricate(location, people, status="finished")
    assert "Train with them" not in labels(open_studio("rounds"), "button")
    both = open_studio("rounds", compare="1")
    used = f"2 identities, 12 images ({known[:4]})"
    assert f"<td>Labels</td><td>{used}</td><td>none</td>" in text_of(both)
    label_people(location, 1, first=2)
    studio = open_studio("rounds")
    assert "The labels have changed since this run trained: **3 people, 18 images** now" in (
        text_of(studio)
    )
    assert "Train with them" in labels(studio, "button")
    # An older run need not have trained with what came after it.
    assert "Train with them" not in labels(open_studio("rounds", run="1"), "button")


def test_rounds__an_experiment_keeps_to_its_own_labels(
    location: Path, people: Path, open_studio: Open
) -> None:
    fabricate(location, people, status="finished")
    label_people(location, 2)
    with Workspace.open(location) as workspace:
        for name, value in fixed_guidance(1, {}).items():
            workspace.set_setting(name, value)
    assert "Train with them" not in labels(open_studio("rounds"), "button")


@pytest.mark.parametrize(
    ("status", "n_planned", "expected"),
    [
        ("running", 10, "2 people, 12 images. The next iteration trains with them."),
        ("stopped", 10, "2 people, 12 images. *Resume* trains with them."),
        ("failed", 10, "2 people, 12 images. *Resume* trains with them."),
        ("running", 4, ""),  # the last iteration is the present one
    ],
)
def test_rounds__a_run_that_is_not_finished_says_when_labels_train(
    location: Path,
    people: Path,
    open_studio: Open,
    status: JobStatus,
    n_planned: int,
    expected: str,
) -> None:
    fabricate(location, people, status=status, n_iterations=3, n_planned=n_planned)
    label_people(location, 2)
    studio = open_studio("rounds")
    assert expected in text_of(studio)
    assert ("Labelled so far" in text_of(studio)) == bool(expected)
    assert "Train with them" not in labels(studio, "button")


def test_labelling__goes_on_while_a_run_begins(
    location: Path, people: Path, open_studio: Open
) -> None:
    fabricate(location, people, status="finished", n_iterations=1)
    label_people(location, 2)
    fabricate(location, people, status="running", n_iterations=-1)
    card = component_data(open_studio("label"), "pul_card")
    assert card["cards"]
    assert card["cards"][0]["id"].startswith("1:")
    rows = component_data(open_studio("identities"), "pul_identity_rows")
    assert len(rows["rows"]) == 2


def test_labelling__needs_one_iteration_of_any_run(
    location: Path, people: Path, open_studio: Open
) -> None:
    fabricate(location, people, status="running", n_iterations=-1)
    assert "People are being grouped for the first time." in text_of(open_studio("label"))
    assert "People are being grouped for the first time." in text_of(open_studio("identities"))


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which 49 of 51 people are labelled."""
    folder = tmp_path_factory.mktemp("many")
    root = draw_people(folder / "people", n_pids=51, n_images=3)
    fabricate(folder / "workspace", root, n_iterations=1, n_planned=1, status="finished")
    label_people(folder / "workspace", 49)
    return folder / "workspace"


@pytest.fixture(scope="module")
def studio(many: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve(str(many), log=tmp_path_factory.mktemp("log") / "studio.log") as address:
        yield address


@pytest.mark.browser
@pytest.mark.slow
def test_label__leads_to_the_training_once_there_are_enough(page: Page, studio: str) -> None:
    open_card(page, studio)
    expect(page.get_by_role("button", name="Train with 49 people")).to_be_visible()
    press_for_next(page, "Enter")
    wait_until_saved(page)
    expect(page.locator(".label-reason")).to_contain_text("Look again")  # 50 is a goal
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")  # the last one: no card is left
    expect(page.locator(".label-empty")).to_be_visible(timeout=TIMEOUT_MS)
    wait_until_saved(page)
    page.get_by_role("link", name="Train with 51 people").click(timeout=TIMEOUT_MS)
    page.wait_for_url("**/train*", timeout=TIMEOUT_MS)
    expect(page.get_by_text("51 people, 153 images")).to_be_visible(timeout=TIMEOUT_MS)
    expect(page.get_by_role("button", name="Train with them")).to_be_enabled(timeout=TIMEOUT_MS)
