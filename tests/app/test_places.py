"""The address names the workspace: which one a reload, a link and a second tab open."""

import json
from pathlib import Path

import pytest

from app import services
from pul.store.workspace import Workspace
from tests.app.conftest import Open, header_of
from tests.app.fabricated import fabricate


def make(place: Path) -> str:
    Workspace.create(place).close()
    return str(place)


def open_by_hand(open_studio: Open, place: str) -> str:
    """Open a workspace as people do, by its folder, and return its name in the address."""
    studio = open_studio()
    next(field for field in studio.text_input if field.label == "Folder").set_value(place)
    next(button for button in studio.button if button.label == "Open or create").click().run()
    assert not studio.exception
    name = studio.query_params["w"]
    return str(name[0] if isinstance(name, list) else name)


def test_address__a_reload_opens_the_same_workspace(
    location: Path, tmp_path: Path, open_studio: Open
) -> None:
    make(location)
    shop = make(tmp_path / "shop")
    assert open_by_hand(open_studio, shop) == "shop"
    assert "<b>shop</b>" in header_of(open_studio(w="shop"))
    assert "<b>workspace</b>" in header_of(open_studio())


def test_address__without_a_name_gets_that_of_the_server(location: Path, open_studio: Open) -> None:
    make(location)
    assert open_studio().query_params["w"] == "workspace"
    assert open_studio("map").query_params["w"] == "workspace"


@pytest.mark.parametrize("name", ["shop", "../shop", "/etc", "{shop}", "http://x"])
def test_address__opens_nothing_that_was_not_opened_here(
    location: Path, tmp_path: Path, open_studio: Open, name: str
) -> None:
    make(location)
    shop = make(tmp_path / "shop")
    named = name.format(shop=shop)
    studio = open_studio("label", w=named)
    assert f"No workspace called “{named}” was opened on this server" in studio.error[0].value
    assert "workspace open" in header_of(studio)
    assert "<b>" not in header_of(studio).replace("<b>PUL Studio</b>", "")
    assert studio.query_params["w"] == named  # a reload says the same


def test_address__of_another_server_opens_nothing(
    location: Path, tmp_path: Path, open_studio: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two servers of one user share the file of names, but not what may be opened by address."""
    make(location)
    open_by_hand(open_studio, make(tmp_path / "shop"))
    monkeypatch.setenv("PUL_WORKSPACE", make(tmp_path / "other"))
    assert "No workspace called “shop”" in open_studio(w="shop").error[0].value
    assert [place.name for place in services.places.recent()] == []


def test_name_of__two_folders_of_one_name_have_two_names(
    location: Path, tmp_path: Path, open_studio: Open
) -> None:
    make(location)
    first, second = (make(tmp_path / at / "shop") for at in ("a", "b"))
    names = [open_by_hand(open_studio, place) for place in (first, second)]
    assert names[0] == "shop"
    assert names[1].startswith("shop-")
    assert [services.places.location_of(name) for name in names] == [first, second]


def test_name_of__spellings_of_one_folder_have_one_name(location: Path, tmp_path: Path) -> None:
    spellings = [tmp_path / "shop", tmp_path / "x" / ".." / "shop", f"{tmp_path}/shop/"]
    assert {services.places.name_of(str(place)) for place in spellings} == {"shop"}


def test_name_of__is_no_other_place_s_where_names_cannot_be_kept(
    location: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a restart nothing would tell a plain `shop` from another one."""
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("PUL_STUDIO_STATE", str(tmp_path / "file" / "state"))
    first, second = (str(tmp_path / at / "shop") for at in ("a", "b"))
    names = [services.places.name_of(place) for place in (first, second)]
    assert len(set(names)) == 2
    assert all(name.startswith("shop-") for name in names)
    services.places.remember(first)
    assert services.places.location_of(names[0]) == first
    assert services.places.location_of(names[1]) is None


def test_name_of__a_database_has_no_password_on_the_disk(location: Path, tmp_path: Path) -> None:
    url = f"postgresql://pul:secret@host/db?artifacts={tmp_path}/market"
    assert services.places.name_of(url) == "market"
    services.places.remember(url)
    assert "secret" in str(services.places.location_of("market"))  # this server was told it
    written = (tmp_path / "state" / "workspaces.json").read_text()
    assert "secret" not in written
    assert "artifacts" in json.loads(written)[0]["location"]


@pytest.mark.parametrize("folder", ["a b", "caf\udce9", "ß & co", "…"])
def test_name_of__odd_folders_can_be_opened_again(
    location: Path, tmp_path: Path, open_studio: Open, folder: str
) -> None:
    place = make(tmp_path / folder)
    name = services.places.name_of(place)
    services.places.remember(place)
    assert name
    assert name.isprintable()
    assert services.places.location_of(name) == place


# Runs in the address


@pytest.mark.parametrize("run", ["99", "abc", "²", "9" * 30, "-1"])
@pytest.mark.parametrize("page", ["", "rounds", "map"])
def test_address__a_run_that_is_not_there_is_told(
    location: Path, people: Path, open_studio: Open, page: str, run: str
) -> None:
    fabricate(location, people, status="finished", name="first")
    studio = open_studio(page, run=run)
    assert not studio.exception
    said = studio.warning[0].value
    assert f"There is no run {run} in “workspace”; there are: 1." in said
    assert "Shown is “first”, the newest." in said


def test_address__a_run_that_is_there_is_shown_without_a_word(
    location: Path, people: Path, open_studio: Open
) -> None:
    fabricate(location, people, status="finished", name="first")
    fabricate(location, people, status="finished", name="second")
    assert not open_studio("rounds", run="1").warning
