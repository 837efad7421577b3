"""The way through: the steps on every page, what is next, the welcome, the switcher."""

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import demo, services
from pul.data.datasets import read_dataset
from pul.store.workspace import Workspace
from tests.app.conftest import Open, component_data, header_of, labels, text_of
from tests.app.fabricated import fabricate

NAMES = ["Images", "Clusters", "Label", "Train", "Retrieval", "Finish"]
TITLES = {
    "": "Images", "label": "Label", "map": "Map", "identities": "Identities", "train": "Train",
    "retrieval": "Retrieval", "experiments": "Experiments", "finish": "Finish",
}  # fmt: skip


def steps(header: str) -> dict[str, str]:
    """Return the steps of a header, each with its state and what it says."""
    found = re.findall(r'<li class="(\w+)">.*?title="[^:]*: ([^"]*)">.*?</i>(\w+)<', header)
    return {name: f"{state}: {text}" for state, text, name in found}


def next_of(header: str) -> str:
    (found,) = re.findall(r'class="pul-next"[^>]*>([^<]*) →<', header)
    return str(found)


def name_people(location: Path, n: int) -> None:
    with Workspace.open(location) as workspace:
        ids = workspace.images("train").image_ids.tolist()
    for at in range(n):
        images = ids[at * 3 : at * 3 + 3]
        commit = {"token": f"t{at}", "kind": "create", "images": images}
        services.acts.store(str(location), "ann", commit)


@pytest.mark.parametrize("page", TITLES)
def test_frame__every_page_has_title_steps_and_one_next(
    location: Path, people: Path, open_studio: Open, page: str
) -> None:
    fabricate(location, people, status="finished")
    studio = open_studio(page)
    assert not studio.exception
    data = component_data(studio, "pul_header")
    assert data["title"] == TITLES[page]
    assert data["html"].count("<h1>") == 1
    assert list(steps(data["html"])) == NAMES
    assert set(NAMES) <= set(TITLES.values()) | {"Clusters"}  # one word for one page
    assert next_of(data["html"])


def test_steps__of_an_empty_workspace(location: Path, open_studio: Open) -> None:
    Workspace.create(location).close()
    header = header_of(open_studio())
    assert {name: text.split(":")[0] for name, text in steps(header).items()} == {
        "Images": "open", "Clusters": "blocked", "Label": "blocked", "Train": "blocked",
        "Retrieval": "blocked", "Finish": "blocked",
    }  # fmt: skip
    assert next_of(header) == "Add images"


NEEDS_A_RUN = ["clusters", "label", "map", "identities", "retrieval"]


@pytest.mark.parametrize("page", NEEDS_A_RUN)
def test_page__that_needs_a_run_says_what_comes_first(
    location: Path, people: Path, open_studio: Open, page: str
) -> None:
    with Workspace.create(location) as workspace:
        assert "Add images first." in markdown_of(open_studio(page))
        workspace.add_dataset(read_dataset(people))
        assert "Start with “Group without training”." in markdown_of(open_studio(page))


def markdown_of(studio: AppTest) -> list[str]:
    return [element.value for element in studio.markdown]


def test_steps__of_images_that_nobody_grouped(
    location: Path, people: Path, open_studio: Open
) -> None:
    with Workspace.create(location) as workspace:
        workspace.add_dataset(read_dataset(people))
    header = header_of(open_studio())
    assert steps(header)["Images"] == "done: 104 images"
    assert steps(header)["Clusters"] == "open: group the images"
    assert steps(header)["Label"] == "blocked: needs clusters"
    assert next_of(header) == "Group images"


def test_steps__of_a_trained_run(location: Path, people: Path, open_studio: Open) -> None:
    fabricate(location, people, status="finished")  # 22.4 % → 28.4 %
    header = header_of(open_studio())
    assert steps(header) == {
        "Images": "done: 104 images",
        "Clusters": "done: 8 clusters",
        "Label": "open: 0 of 8 people",
        "Train": "done: 3 iterations, finished",
        "Retrieval": "done: mAP 28.4, +6.0 over the start model",
        "Finish": "open: nothing is written yet",
    }
    assert next_of(header) == "Label 8 people"


def test_next__follows_what_was_done(
    location: Path, people: Path, open_studio: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    fabricate(location, people, status="finished")
    monkeypatch.setattr(services.labels, "_GOALS", (3, 25))
    name_people(location, 3)
    assert next_of(header_of(open_studio())) == "Train with 3 people"
    assert steps(header_of(open_studio()))["Label"] == "done: 3 of 8 people"
    fabricate(location, people, status="running", name="second")
    assert next_of(header_of(open_studio())) == "See the training"
    fabricate(location, people, status="failed", name="third")
    assert next_of(header_of(open_studio())) == "See what failed"


# The welcome


def test_welcome__says_in_one_sentence_what_this_is(open_studio: Open) -> None:
    studio = open_studio()
    assert component_data(studio, "pul_header")["title"] == "Welcome"
    assert "fits a model that recognises people to your own cameras" in text_of(studio)
    assert [b for b in labels(studio, "button") if b != "Open or create"] == [
        "Try the demo", "Add my images",
    ]  # fmt: skip
    (picture,) = studio.get("image")
    assert "data:image/svg+xml" in str(picture.proto)


def test_welcome__add_my_images_makes_a_workspace(location: Path, open_studio: Open) -> None:
    studio = open_studio()
    next(b for b in studio.button if b.label == "Add my images").click().run()
    field = next(f for f in studio.text_input if f.label == "Folder for the workspace")
    assert field.value == str(location)
    next(b for b in studio.button if b.label == "Create it").click().run()
    assert Workspace.exists(location)
    assert "Add images" in text_of(studio)
    assert studio.query_params["w"] == "workspace"


def test_welcome__a_folder_that_is_full_is_refused_in_the_form(
    location: Path, tmp_path: Path, open_studio: Open
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("…")
    studio = open_studio()
    next(b for b in studio.button if b.label == "Add my images").click().run()
    field = next(f for f in studio.text_input if f.label == "Folder for the workspace")
    field.set_value(str(tmp_path / "full"))
    next(b for b in studio.button if b.label == "Create it").click().run()
    assert "is not empty" in studio.error[0].value
    assert "Create it" in labels(studio, "button")


def test_welcome__the_demo_being_made_says_how_long_and_shows_pictures(
    location: Path, tmp_path: Path, open_studio: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    making = demo.DemoState("making", "drawing people: 40 of 600 images", 40 / 600, 31.0)
    monkeypatch.setattr(demo, "state", lambda: making)
    folder = tmp_path / "demo.making" / "images"
    folder.mkdir(parents=True)
    (folder / "1.jpg").write_bytes(b"\xff\xd8 drawn \xff\xd9")
    (folder / "2.jpg").write_bytes(b"\xff\xd8 half dra")
    studio = open_studio()
    assert studio.main.get("progress")[0].proto.text == (
        "drawing people: 40 of 600 images · about 31 s left"
    )
    assert text_of(studio).count("data:image/jpeg;base64,") == 1
    assert "a model that knows one place learns the other" in text_of(studio)


# The switcher


def test_switcher__opens_a_recent_workspace(
    location: Path, tmp_path: Path, open_studio: Open
) -> None:
    Workspace.create(location).close()
    shop = tmp_path / "shop"
    Workspace.create(shop).close()
    services.places.name_of(str(shop))
    services.places.remember(str(shop))
    studio = open_studio("label")
    assert labels(studio.sidebar, "button").count("workspace") == 0  # it is open
    next(b for b in studio.sidebar.button if b.label == "shop").click().run()
    assert "<b>shop</b>" in header_of(studio)
    assert studio.query_params["w"] == "shop"
    assert "workspace" in labels(studio.sidebar, "button")


def test_switcher__a_folder_that_cannot_be_opened_is_told_there(
    location: Path, tmp_path: Path, open_studio: Open
) -> None:
    Workspace.create(location).close()
    (tmp_path / "letter.txt").write_text("…")
    studio = open_studio("export")
    next(f for f in studio.sidebar.text_input if f.label == "Folder").set_value(
        str(tmp_path / "letter.txt")
    )
    next(b for b in studio.sidebar.button if b.label == "Open or create").click().run()
    assert len(studio.sidebar.error) == 1
    assert "<b>workspace</b>" in header_of(studio)
    assert not studio.exception
