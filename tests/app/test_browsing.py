"""Images without typing a path: the server's folders, and files dropped on the page."""

import io
import json
import os
import time
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app import services
from app.services.uploads import Sent
from pul.cli.main import app
from pul.data.datasets import read_dataset
from pul.errors import DatasetError
from pul.jobs.worker import work
from pul.store.workspace import Workspace
from tests.app.conftest import Open, labels, text_of
from tests.app.fabricated import fabricate


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root that people may look through, with one folder outside it."""
    root = tmp_path / "home"
    for name in ("kameras/Eingang", "kameras/Hof", ".ssh"):
        (root / name).mkdir(parents=True)
    (root / "kameras" / "1.jpg").touch()
    (tmp_path / "secret").mkdir()
    (root / "kameras" / "out").symlink_to(tmp_path / "secret")
    (root / "near").symlink_to(root / "kameras")
    monkeypatch.setenv(services.browsing.ROOT, str(root))
    return root


# The server's folders


def test_look__the_root_and_below(home: Path) -> None:
    top = services.browsing.look("")
    assert (top.path, top.place, top.folders) == (home, "", ("kameras", "near"))
    below = services.browsing.look("kameras")
    assert (below.folders, below.n_folders, below.n_images) == (("Eingang", "Hof"), 2, 1)
    assert services.browsing.look("near").place == "kameras"  # links inside are followed


@pytest.mark.parametrize(
    "place", ["..", "../secret", "kameras/out", "kameras/../../secret", "/", "/etc", "a\0b"]
)
def test_look__never_outside_the_root(home: Path, place: str) -> None:
    with pytest.raises(DatasetError, match=r"outside the folders|is no folder"):
        services.browsing.look(place)


def test_look__a_folder_that_is_gone(home: Path) -> None:
    with pytest.raises(DatasetError, match="There is no folder 'gone' any more"):
        services.browsing.look("gone")


def test_root__is_the_home_by_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(services.browsing.ROOT, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert services.browsing.root() == tmp_path.resolve()


@pytest.mark.parametrize("place", ["", "kameras"])
def test_look__a_root_that_is_not_there_is_named_with_its_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setenv(services.browsing.ROOT, str(tmp_path / "typo"))
    with pytest.raises(DatasetError, match=r"There is no folder '.*/typo'.*--browse-root"):
        services.browsing.look(place)
    monkeypatch.delenv(services.browsing.ROOT)
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    with pytest.raises(DatasetError, match=r"no home folder '.*/nobody'.*--browse-root FOLDER"):
        services.browsing.look(place)


def test_page__a_root_that_is_not_there_is_told_once_and_the_rest_works(
    location: Path, tmp_path: Path, open_studio: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(services.browsing.ROOT, str(tmp_path / "typo"))
    Workspace.create(location).close()
    studio = open_studio()
    assert not studio.exception
    [error] = studio.error
    assert "typo" in error.value
    assert "browse-root" in error.value
    assert "Open a folder" not in labels(studio, "selectbox")
    assert len(studio.file_uploader) == 1


def test_page__browses_to_a_folder_and_checks_it(
    location: Path, people: Path, open_studio: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(services.browsing.ROOT, str(people.parent))
    Workspace.create(location).close()
    studio = open_studio()
    [folders] = [box for box in studio.selectbox if box.label == "Open a folder"]
    assert people.name in folders.options
    folders.set_value(people.name).run()
    assert not studio.exception
    assert str(people) in text_of(studio)
    [check] = [button for button in studio.button if button.label == "Check this folder"]
    check.click().run()
    assert "Import 104 images" in labels(studio, "button")
    [up] = [button for button in studio.button if button.label == "Up"]
    up.click().run()
    assert not studio.exception
    assert [box.value for box in studio.selectbox if box.label == "Open a folder"] == [None]


def test_page__nobody_browses_without_logging_in(
    location: Path, home: Path, open_studio: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUL_STUDIO_LOGIN", "1")
    Workspace.create(location).close()
    studio = open_studio()
    assert labels(studio, "selectbox") == []
    assert str(home) not in text_of(studio)


# What is dropped


def zip_of(folder: Path) -> io.BytesIO:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder.parent))
    return content


def image(folder: Path, name: str) -> Sent:
    path = next(folder.rglob("*.jpg"))
    return Sent(name, io.BytesIO(path.read_bytes()))


def test_keep__a_zip_is_read_like_the_folder(location: Path, people: Path) -> None:
    Workspace.create(location).close()
    folder = services.uploads.keep(str(location), [Sent("Leute.zip", zip_of(people))])
    assert folder.is_relative_to(location / "uploads")
    dropped, own = (
        services.imports.inspect(str(location), str(place)) for place in (folder, people)
    )
    assert (dropped.format, dropped.contents) == (own.format, own.contents)


def test_keep__loose_images(location: Path, people: Path) -> None:
    Workspace.create(location).close()
    sent = [image(people, "C:\\Users\\ann\\a.jpg"), image(people, "../../b.JPG")]
    folder = services.uploads.keep(str(location), sent)
    assert sorted(path.name for path in folder.iterdir()) == ["a.jpg", "b.JPG"]
    assert folder.parent == location / "uploads"


def test_keep__what_was_never_imported_goes_after_a_week(location: Path, people: Path) -> None:
    with Workspace.create(location) as workspace:
        used, asked, stray, young = (
            services.uploads.keep(str(location), [image(people, "a.jpg")]) for _ in range(4)
        )
        workspace.add_dataset(read_dataset(used))
        job = workspace.create_job("import", params={"root": str(asked), "format": "auto"})
        week_ago = time.time() - 8 * 86_400
        for folder in (used, asked, stray):
            os.utime(folder, (week_ago, week_ago))
        newest = services.uploads.keep(str(location), [image(people, "b.jpg")])
        assert set((location / "uploads").iterdir()) == {used, asked, young, newest}
        claimed = workspace.claim_job(job.job_id, "nobody")
        assert claimed
        done = CliRunner().invoke(app, ["clean", "--workspace", str(location), "--json"])
        assert json.loads(done.stdout)["n_uploads"] == 0  # all are young, used or at work
        os.utime(young, (time.time() - 7200,) * 2)
        done = CliRunner().invoke(app, ["clean", "--workspace", str(location), "--json"])
        assert json.loads(done.stdout)["n_uploads"] == 1
        assert not young.exists()


def test_keep__what_is_refused_leaves_nothing(location: Path, people: Path) -> None:
    Workspace.create(location).close()
    text = Sent("notes.txt", io.BytesIO(b"x"))
    for sent, said in (
        ([image(people, "a.jpg"), text], "notes.txt is not an image"),
        ([image(people, "a.jpg"), image(people, "x/a.jpg")], "Two files are called a.jpg"),
        ([image(people, "a.jpg"), Sent("b.zip", io.BytesIO(b"PK"))], "b.zip is not a whole zip"),
    ):
        with pytest.raises(DatasetError, match=said):
            services.uploads.keep(str(location), sent)
    assert list((location / "uploads").rglob("*")) == []


def test_page__drops_a_zip_and_imports_it(
    location: Path, people: Path, open_studio: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    Workspace.create(location).close()
    studio = open_studio()
    [uploader] = studio.file_uploader
    uploader.upload("crops.zip", zip_of(people).getvalue(), "application/zip")
    [check] = [button for button in studio.button if button.label == "Check these"]
    check.click().run()
    assert not studio.exception
    assert "Import 104 images" in labels(studio, "button")
    started: list[object] = []
    monkeypatch.setattr(
        services.imports, "start_import", lambda *given, **_: started.append(given[1])
    )
    studio.button[labels(studio, "button").index("Import 104 images")].click().run()
    [found] = started
    with Workspace.open(location) as workspace:
        params = {"root": found.root, "format": found.format, "levels": "", "place": "new"}  # type: ignore[attr-defined]
        job = work(workspace, workspace.create_job("import", params=params).job_id)
        assert (job.status, workspace.n_images()) == ("finished", 104)
        paths = workspace.images().paths
    assert all(Path(path).is_relative_to(location / "uploads") for path in paths)


def test_page__a_zip_that_can_be_read_in_several_ways_asks(
    location: Path, people: Path, open_studio: Open
) -> None:
    Workspace.create(location).close()
    content, picture = io.BytesIO(), next(people.rglob("*.jpg")).read_bytes()
    with zipfile.ZipFile(content, "w") as archive:
        for color in ("rot", "gelb", "blau"):
            for number in range(60):
                archive.writestr(f"{color}/{number}.jpg", picture)
    studio = open_studio()
    studio.file_uploader[0].upload("farben.zip", content.getvalue(), "application/zip")
    [check] = [button for button in studio.button if button.label == "Check these"]
    check.click().run()
    [ways] = studio.radio
    assert any("person" in way for way in ways.options)
    assert any("camera" in way for way in ways.options)
    assert len(list((location / "uploads").iterdir())) == 1


def test_page__a_zip_without_images_is_refused_and_not_kept(
    location: Path, open_studio: Open
) -> None:
    Workspace.create(location).close()
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("a/notes.txt", "x")
    studio = open_studio()
    studio.file_uploader[0].upload("a.zip", content.getvalue(), "application/zip")
    [check] = [button for button in studio.button if button.label == "Check these"]
    check.click().run()
    assert len(studio.error) == 1
    assert list((location / "uploads").iterdir()) == []


# Labels


@pytest.mark.parametrize("folder", ["", "export/"])
def test_import_labels__a_zip(location: Path, people: Path, folder: str) -> None:
    fabricate(location, people, n_iterations=1, status="finished")
    with Workspace.open(location) as workspace:
        paths = workspace.images("train").paths[:4]
    rows = "".join(f"{Path(path).name},ann\n" for path in paths)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(f"{folder}labels.csv", f"path,identity\n{rows}")
    sent = Sent("labels.zip", content)
    report = services.exports.import_labels(str(location), sent, "bob", dry_run=True)
    assert (report.n_created, report.n_images) == (1, 4)
