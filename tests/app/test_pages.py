"""Every page in every state, without a browser."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import demo, services
from pul.config import RunConfig
from pul.data.datasets import read_dataset
from pul.data.samples import Skipped
from pul.jobs import WorkerProcess
from pul.records import JobProgress
from pul.store.workspace import Workspace
from tests.app.conftest import (
    Open,
    component_data,
    components,
    go_to,
    header_of,
    labels,
    text_of,
    wait_for,
)
from tests.app.fabricated import draw_people, fabricate, iteration_arrays, iteration_record
from tests.support.odd_names import ODD_NAMES


def map_data(studio: AppTest) -> dict[str, object]:
    """Return what the map's component was given."""
    return component_data(studio, "pul_scatter")


# The frame


def test_frame__a_damaged_workspace_is_explained(location: Path, open_studio: Open) -> None:
    location.mkdir()
    (location / "pul.db").write_bytes(b"this is no database" * 100)
    studio = open_studio()
    assert not studio.exception
    assert len(studio.error) == 1
    assert "pul.db" in studio.error[0].value


@pytest.mark.parametrize("page", ["label", "map", "rounds", "export"])
def test_frame__the_demo_being_made_is_told_on_every_page(
    open_studio: Open, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    making = demo.DemoState("making", "drawing people: 40 of 600 images", 40 / 600)
    monkeypatch.setattr(demo, "state", lambda: making)
    studio = open_studio(page)
    assert "The demo is being made" in text_of(studio)
    assert "nobody to label" not in text_of(studio)


def test_header__says_where_the_run_stands(location: Path, people: Path, open_studio: Open) -> None:
    fabricate(location, people, n_iterations=3, status="running")
    header = header_of(open_studio())
    for part in (
        "<b>workspace</b>", "104 images", "run 1", "iteration 4/10 (epoch 2/5)",
        "mAP <b>28.4</b> (+6.0)", "trapezoid AP", "reliable <b>",
    ):  # fmt: skip
        assert part in header


def test_header__counts_images_alone_and_the_page_says_who_labelled(
    location: Path, people: Path, open_studio: Open
) -> None:
    fabricate(location, people, n_iterations=2, status="finished")
    studio = open_studio("identities")
    name = next(field for field in studio.sidebar.text_input if field.label == "Your name")
    name.set_value("Ann Lee").run()
    author = services.authors.of_browser(studio.session_state["desks"][str(location)].desk_id)
    images = {"token": "t", "kind": "create", "images": [1, 2, 3], "seconds": 9.1}
    services.acts.store(str(location), author, images)
    header = header_of(studio.run())
    for part in ("104 images", "iteration 2/", "mAP"):
        assert part in header
    assert "IDs" not in header  # labels are counted once, where they are made
    assert studio.dataframe[0].value["who"].tolist() == ["Ann Lee"]


def test_frame__a_run_named_in_the_address_is_looked_at(
    location: Path, people: Path, open_studio: Open
) -> None:
    fabricate(location, people, status="finished", name="first")
    fabricate(location, people, status="finished", name="second")
    assert open_studio(run="1").sidebar.selectbox[0].value == 1
    assert open_studio().sidebar.selectbox[0].value == 2


def test_frame__another_run_is_picked(location: Path, people: Path, open_studio: Open) -> None:
    fabricate(location, people, status="finished", name="first")
    fabricate(location, people, status="stopped", name="second")
    studio = open_studio("rounds")
    assert "second" in text_of(studio)
    studio.sidebar.selectbox[0].set_value(1).run()
    assert "**first** finished after 3 iterations" in text_of(studio)
    assert studio.query_params["run"] == "1"


# Workspace


def test_workspace__none_there(open_studio: Open) -> None:
    studio = open_studio()
    assert labels(studio, "button")[:2] == ["Try the demo", "Add my images"]


def test_workspace__a_server_that_does_not_answer(
    tmp_path: Path, open_studio: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = f"postgresql://pul:secret@127.0.0.1:1/pul?artifacts={tmp_path}/arrays"
    monkeypatch.setenv("PUL_WORKSPACE", place)
    studio = open_studio()
    assert "does not answer, or went away. Check that it runs" in studio.error[0].value
    assert labels(studio, "button")[0] == "Try the demo"
    assert "secret" not in text_of(studio)


def test_workspace__make_one(location: Path, open_studio: Open) -> None:
    studio = open_studio()
    studio.text_input[0].set_value(str(location))
    studio.button[-1].click().run()
    assert Workspace.exists(location)
    assert "Add images" in text_of(studio)


def test_workspace__a_folder_that_is_not_empty(tmp_path: Path, open_studio: Open) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    studio = open_studio()
    studio.text_input[0].set_value(str(tmp_path / "full"))
    studio.button[-1].click().run()
    assert "is not empty" in studio.error[0].value


def test_workspace__empty(location: Path, open_studio: Open) -> None:
    Workspace.create(location).close()
    studio = open_studio()
    assert "Add images" in text_of(studio)
    assert "no training images" not in text_of(studio)
    assert "Start training" not in labels(studio, "button")


def test_workspace__look_at_a_folder(location: Path, people: Path, open_studio: Open) -> None:
    Workspace.create(location).close()
    studio = open_studio()
    studio.text_input[0].set_value(str(people))
    studio.button[0].click().run()
    assert "read as `market1501`" in text_of(studio)
    assert "Import 104 images" in labels(studio, "button")
    with Workspace.open(location) as workspace:
        assert len(workspace.images()) == 0


def test_workspace__asks_what_folders_mean_where_nothing_decides(
    location: Path, tmp_path: Path, people: Path, open_studio: Open
) -> None:
    images = sorted(people.rglob("*.jpg"))
    for number, image in enumerate(images[:60]):
        target = tmp_path / "site" / ("red", "green", "blue")[number % 3] / f"{number}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(image.read_bytes())
    Workspace.create(location).close()
    studio = open_studio()
    studio.text_input[0].set_value(str(tmp_path / "site"))
    studio.button[0].click().run()
    assert not [label for label in labels(studio, "button") if label.startswith("Import")]
    (choice,) = (radio for radio in studio.radio if "several ways" in radio.label)
    assert [option.partition(":")[0] for option in choice.options] == [
        "`person`",
        "`camera`",
        "`-`",
    ]
    choice.set_value("camera")
    next(b for b in studio.button if b.label == "Read them this way").click().run()
    assert "read as `folders, camera`" in text_of(studio)
    next(b for b in studio.button if b.label.startswith("Import 60")).click().run()
    wait_for(location, "finished")
    with Workspace.open(location) as workspace:
        assert set(workspace.images().camids.tolist()) == {1, 2, 3}


def test_workspace__folders_are_read_another_way(
    location: Path, tmp_path: Path, people: Path, open_studio: Open
) -> None:
    images = sorted(people.rglob("*.jpg"))
    for number, image in enumerate(images[:48]):
        target = tmp_path / "site" / "campus" / f"{number % 12:03}_{1 + number // 24}_{number}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(image.read_bytes())
    Workspace.create(location).close()
    studio = open_studio()
    studio.text_input[0].set_value(str(tmp_path / "site"))
    studio.button[0].click().run()
    assert "read as `folders, -`" in text_of(studio)
    (levels,) = (field for field in studio.text_input if field.label.startswith("Levels"))
    assert levels.value == "-"
    levels.set_value("-/person_camera")
    next(b for b in studio.button if b.label == "Check again").click().run()
    assert "read as `folders, -/person_camera`" in text_of(studio)
    next(b for b in studio.button if b.label.startswith("Import 48")).click().run()
    wait_for(location, "finished")
    with Workspace.open(location) as workspace:
        assert set(workspace.images().camids.tolist()) == {1, 2}
        assert len(set(workspace.images().pids.tolist())) == 12


def test_workspace__a_reading_that_is_none_is_explained(
    location: Path, people: Path, tmp_path: Path, open_studio: Open
) -> None:
    target = tmp_path / "site" / "x" / "1.jpg"
    target.parent.mkdir(parents=True)
    target.write_bytes(next(people.rglob("*.jpg")).read_bytes())
    Workspace.create(location).close()
    studio = open_studio()
    studio.text_input[0].set_value(str(tmp_path / "site"))
    studio.button[0].click().run()
    next(f for f in studio.text_input if f.label.startswith("Levels")).set_value("kamera")
    next(b for b in studio.button if b.label == "Check again").click().run()
    assert "'kamera'" in studio.error[0].value


def test_workspace__look_at_nothing(location: Path, tmp_path: Path, open_studio: Open) -> None:
    Workspace.create(location).close()
    studio = open_studio()
    studio.text_input[0].set_value(str(tmp_path / "nowhere"))
    studio.button[0].click().run()
    assert "nowhere" in studio.error[0].value


def test_workspace__import(location: Path, people: Path, open_studio: Open) -> None:
    Workspace.create(location).close()
    studio = open_studio()
    studio.text_input[0].set_value(str(people))
    studio.button[0].click().run()
    next(b for b in studio.button if b.label.startswith("Import")).click().run()
    wait_for(location, "finished")
    studio.run()
    assert "<td>48</td>" in text_of(studio)
    assert "Start training" in labels(studio, "button")


def move_images(location: Path, tmp_path: Path) -> Path:
    """Import images into a new workspace, move them, and return where they are."""
    shown = draw_people(tmp_path / "here")
    with Workspace.create(location) as workspace:
        workspace.add_dataset(read_dataset(shown))
    return shown.rename(tmp_path / "there")


def places(location: Path) -> set[str]:
    """Return the folders of a workspace's images."""
    with Workspace.open(location) as workspace:
        return {str(Path(path).parents[1]) for path in workspace.images().paths}


def press(studio: AppTest, label: str) -> AppTest:
    return next(b for b in studio.button if b.label.startswith(label)).click().run()


def test_workspace__moved_images_are_found_again(
    location: Path, tmp_path: Path, open_studio: Open
) -> None:
    place = move_images(location, tmp_path)
    studio = open_studio()
    assert "Files of images are missing" in text_of(studio)
    field = next(f for f in studio.text_input if f.label.startswith("Folder that the images"))
    field.set_value(str(tmp_path))
    studio = press(studio, "Find images")
    assert "104 of 104 images found" in text_of(studio)
    assert places(location) == {str(tmp_path / "here")}
    studio = press(studio, "Use the new place of 104 images")
    assert places(location) == {str(place)}
    assert "Files of images are missing" not in text_of(studio)


def test_workspace__an_import_that_would_double_images_offers_both_ways(
    location: Path, tmp_path: Path, open_studio: Open
) -> None:
    place = move_images(location, tmp_path)
    studio = open_studio()
    field = next(f for f in studio.text_input if f.label.startswith("Folder, CSV"))
    field.set_value(str(place))
    studio = press(studio, "Check folder")
    assert "104 images of 104 are in this workspace already" in text_of(studio)
    assert "Import 104 images as new" in labels(studio, "button")
    press(studio, "They were moved")
    assert places(location) == {str(place)}
    with Workspace.open(location) as workspace:
        assert len(workspace.images()) == 104


def test_workspace__images_that_are_there_twice_are_merged(
    location: Path, tmp_path: Path, open_studio: Open
) -> None:
    place = move_images(location, tmp_path)
    with Workspace.open(location) as workspace:
        n_images, run_ids = workspace.n_images(), [run.run_id for run in workspace.runs()]
        workspace.add_dataset(read_dataset(place), duplicates="add")
        before = [workspace.run_images(run_id).image_ids.tolist() for run_id in run_ids]
    studio = open_studio()
    field = next(f for f in studio.text_input if f.label.startswith("Folder that the images"))
    field.set_value(str(tmp_path))
    studio = press(studio, "Find images")
    assert f"{n_images} pictures are in this workspace twice" in text_of(studio)
    studio = press(studio, f"Merge {n_images} doubled images")
    with Workspace.open(location) as workspace:
        assert (workspace.n_images(), workspace.missing_images()) == (n_images, [])
        after = [workspace.run_images(run_id).image_ids.tolist() for run_id in run_ids]
        assert after == before
    assert "twice" not in text_of(studio)


def test_workspace__files_of_any_name_are_shown(
    location: Path, tmp_path: Path, open_studio: Open
) -> None:
    folder = tmp_path / "crops"
    folder.mkdir()
    for name in ODD_NAMES:
        (folder / name).write_bytes(b"no image")
    skipped = tuple(Skipped(folder / name, "damaged") for name in ODD_NAMES)
    shown = read_dataset(draw_people(tmp_path / "people"))
    with Workspace.create(location) as workspace:
        workspace.add_dataset(replace(shown, skipped=skipped))
    studio = open_studio()
    assert not studio.exception
    assert "caf\\xe9.png" in text_of(studio)
    field = next(f for f in studio.text_input if f.label.startswith("Folder, CSV"))
    field.set_value(str(folder))
    next(box for box in studio.selectbox if box.label == "Layout").select("folders")
    studio = press(studio, "Check folder")
    assert not studio.exception


def test_workspace__importing(location: Path, open_studio: Open) -> None:
    with Workspace.create(location) as workspace:
        job = workspace.create_job("import", params={"root": "x", "format": "auto"})
        worker = str(WorkerProcess.of(os.getpid()))
        workspace.claim_job(job.job_id, worker)
        workspace.heartbeat(job.job_id, JobProgress("import", 5, 9), worker=worker)
    studio = open_studio()
    assert studio.main.get("progress")[0].proto.text == "importing · 5/9"
    assert labels(studio, "button")[0] == "Stop"


def test_workspace__import_failed(location: Path, open_studio: Open) -> None:
    with Workspace.create(location) as workspace:
        job = workspace.create_job("import", params={"root": "x", "format": "auto"})
        workspace.finish_job(job.job_id, "failed", "The folder vanished.")
    assert "The folder vanished." in open_studio().error[0].value


def test_workspace__start_a_run_that_fails(location: Path, people: Path, open_studio: Open) -> None:
    fabricate(location, people, status="finished")
    studio = open_studio()
    start_model = next(box for box in studio.selectbox if box.label == "Start model")
    start_model.select("fabricated").run()  # it is no network
    next(b for b in studio.button if b.label == "Group without training").click().run()
    wait_for(location, "failed")
    with Workspace.open(location) as workspace:
        run = workspace.runs()[-1]
    assert (run.run_id, run.config["n_iterations"], run.config["n_clusters"]) == (2, 0, 3)
    studio = go_to(studio, "rounds")
    assert "“run 2” failed." in studio.error[0].value
    assert "Resume" in labels(studio, "button")


# Map


def test_map__no_workspace(open_studio: Open) -> None:
    assert "There is no map yet." in text_of(open_studio("map"))


def test_map__the_first_one_is_being_made(location: Path, people: Path, open_studio: Open) -> None:
    fabricate(location, people, n_iterations=-1)
    assert "The first map is being made." in text_of(open_studio("map"))


def test_map__newest_iteration_and_its_centers(
    location: Path, people: Path, open_studio: Open
) -> None:
    fabricate(location, people, n_iterations=2)
    studio = open_studio("map")
    assert studio.slider[0].value == 2
    assert map_data(studio)["lambda_"] == 0.85
    assert "**8 centers**" in text_of(studio)
    assert text_of(studio).count("thumbs/") == 8


@pytest.mark.parametrize("by", ["cluster", "identity", "camera", "cosine", "reliable", "doubt"])
def test_map__colourings(location: Path, people: Path, open_studio: Open, by: str) -> None:
    fabricate(location, people)
    studio = open_studio("map")
    studio.segmented_control[0].set_value(by).run()
    color = map_data(studio)["color"]
    assert isinstance(color, dict)
    assert color["by"] == by
    assert ["center", "", "ring"] in color["labels"]
    if by == "camera":
        assert [label[0] for label in color["labels"]][:3] == ["camera 1", "camera 2", "camera 3"]


def test_map__an_earlier_iteration(location: Path, people: Path, open_studio: Open) -> None:
    fabricate(location, people, n_iterations=2)
    studio = open_studio("map")
    newest = map_data(studio)["layout_urls"]
    studio.slider[0].set_value(0).run()
    assert map_data(studio)["layout_urls"] != newest


def test_map__a_new_iteration_comes_by_itself_unless_another_was_chosen(
    location: Path, people: Path, open_studio: Open
) -> None:
    fabricate(location, people, n_iterations=1)
    following, staying = open_studio("map"), open_studio("map")
    staying.slider[0].set_value(0).run()
    with Workspace.open(location) as workspace:
        pids = workspace.images("train").pids
        arrays = iteration_arrays(pids, 2, 8)
        config = RunConfig(**workspace.run(1).config)
        workspace.add_iteration(1, iteration_record(2, arrays, config, 0.02), arrays, b"none")
    assert (following.run().slider[0].value, staying.run().slider[0].value) == (2, 0)


def test_map__shows_no_file_names(location: Path, people: Path, open_studio: Open) -> None:
    fabricate(location, people)
    studio = open_studio("map")
    said = text_of(studio) + json.dumps(map_data(studio))
    assert ".jpg" not in said
    assert str(people) not in said


def test_identities__an_empty_page_shows_no_control_that_does_nothing(
    location: Path, people: Path, open_studio: Open
) -> None:
    fabricate(location, people, n_iterations=1, status="finished")
    studio = open_studio("identities")
    assert "Nobody is labelled yet." in text_of(studio)
    assert "pul_identity_rows" not in components(studio)
    services.acts.store(str(location), "ann", {"token": "t", "kind": "create", "images": [1, 2]})
    services.acts.store(str(location), "ann", {"token": "u", "kind": "undo"})
    studio = open_studio("identities")  # what was undone can be done again
    assert "Nobody is labelled yet." in text_of(studio)
    assert "pul_identity_rows" in components(studio)
