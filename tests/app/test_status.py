"""The line over every page and where it asks, called as the server calls it."""

import json
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response

from app import services
from app.routes import maps, status
from app.routes.status import serve_status
from pul.store.workspace import Workspace
from tests.app.fabricated import add_iteration, fabricate


def ask(url: str, tag: str = "") -> Response:
    token = url.removeprefix(status.PREFIX)
    headers = [(b"if-none-match", tag.encode())] if tag else []
    scope = {"type": "http", "method": "GET", "headers": headers, "path_params": {"token": token}}
    return serve_status(Request(scope))


@pytest.fixture
def filled(location: Path, people: Path) -> str:
    fabricate(location, people, n_iterations=1, status="running")
    return str(location)


def test_serve_standing__says_what_the_page_says(filled: str) -> None:
    now = status.read_status(filled, None)
    answer = json.loads(ask(status.url(filled, None)).body)
    assert answer["html"] == status.line(filled, now)
    assert answer["moved"] == status.moved(filled, now)
    assert ask(answer["url"]).status_code == 200
    assert "104 images" in answer["html"]


def test_serve_standing__what_did_not_change_is_not_sent_again(filled: str) -> None:
    url = status.url(filled, None)
    first = ask(url)
    same = ask(url, first.headers["etag"])
    assert (first.status_code, same.status_code, same.body) == (200, 304, b"")
    with Workspace.open(filled) as elsewhere:  # as a worker would, in a process of its own
        elsewhere.set_setting("workspace_name", "shop")
    assert b"shop" in ask(url, first.headers["etag"]).body


def test_serve_standing__a_new_iteration_has_moved_and_a_label_has_not(filled: str) -> None:
    url = status.url(filled, 1)
    before = json.loads(ask(url).body)
    with Workspace.open(filled) as elsewhere:
        elsewhere.append_annotation_event("create", {"images": [1]}, "ann")
        labelled = json.loads(ask(url).body)
        add_iteration(elsewhere, 1)
    after = json.loads(ask(url).body)
    assert labelled["moved"] == before["moved"]
    assert "open: 0 of 8 people" in before["html"]
    assert "open: 1 of 8 people" in labelled["html"]
    assert after["moved"] != before["moved"]


def test_serve_standing__forged_foreign_and_gone(filled: str, tmp_path: Path) -> None:
    url = status.url(filled, None)
    forged = status.PREFIX + ("A" if url[len(status.PREFIX)] != "A" else "B")
    assert ask(forged + url[len(forged) :]).status_code == 403
    of_a_map = maps.url(filled, 1, 0).removeprefix(maps.PREFIX)
    assert ask(status.PREFIX + of_a_map).status_code == 403
    answer = json.loads(ask(status.url(str(tmp_path / "none"), None)).body)
    assert "no workspace open" in answer["html"]


def test_standing__is_read_once_until_something_is_committed(filled: str) -> None:
    first = services.workspace.workspace_status(filled)
    assert services.workspace.workspace_status(filled) is first
    services.workspace.open_workspace(filled).set_setting("anything", 1)
    second = services.workspace.workspace_status(filled)
    assert second is not first
    assert second == first
