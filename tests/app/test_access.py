"""Access control of the pages and the routes."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from streamlit.web.server.server_util import AUTH_COOKIE_NAME, get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from app import server
from app.routes import access, maps, similar, status, thumbnails
from app.routes.access import is_allowed
from tests.app.conftest import Open, text_of
from tests.app.fabricated import fabricate

OURS = (*thumbnails.ROUTES, *maps.ROUTES, *similar.ROUTES, *status.ROUTES)
ANN = {"is_logged_in": True, "email": "ann@example.org", "email_verified": True}


@pytest.mark.parametrize(
    ("user", "users", "expected"),
    [
        ({}, "", False),
        ({"is_logged_in": False, "email": "ann@example.org"}, "", False),
        (ANN, "", True),
        (ANN, "bob@example.org", False),
        (ANN, "bob@example.org, Ann@Example.org", True),
        (ANN, "@example.org", True),
        (ANN, "example.org", False),
        (ANN | {"email": "ann@evil-example.org"}, "@example.org", False),
        (ANN | {"email_verified": "true"}, "@example.org", True),
        (ANN | {"email_verified": False}, "@example.org", False),
        (ANN | {"email_verified": "false"}, "@example.org", False),
        (ANN | {"email_verified": None}, "ann@example.org", False),
        ({"is_logged_in": True, "email": "ann@example.org"}, "ann@example.org", False),
        ({"is_logged_in": True, "email": "ann@example.org"}, "", True),
        ({"is_logged_in": True}, "@", False),
        ({"is_logged_in": True}, "@example.org", False),
    ],
)
def test_is_let_in(
    user: dict[str, object], users: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(access.USERS, users)
    assert is_allowed(user) is expected


@pytest.fixture
def addresses(location: Path, people: Path) -> list[str]:
    """An address of each route, as a page that was shown holds them."""
    fabricate(location, people, n_iterations=1, status="finished")
    place = str(location)
    return [
        thumbnails.urls(place, [1])[0],
        maps.url(place, 1, 1),
        similar.url(place, 1, 1) + "?alike=1",
        status.url(place, None),
    ]


def cookie(user: dict[str, object]) -> str:
    """Return the value of the cookie that Streamlit sets for somebody."""
    return create_signed_value(get_cookie_secret(), AUTH_COOKIE_NAME, json.dumps(user)).decode()


def statuses(addresses: list[str], value: str = "") -> list[int]:
    """Ask the guarded routes for addresses, with a cookie; a base path changes no answer."""
    headers = [(b"cookie", f"{AUTH_COOKIE_NAME}={value}".encode())] if value else []
    found = []
    for base in ("/", "/user/ann/pul/"):
        parts = [(base + address).partition("?") for address in addresses]
        scopes = [{"type": "http", "method": "GET", "headers": headers, "path": path,
                   "query_string": query.encode()} for path, _, query in parts]  # fmt: skip
        found.append([answer(scope).status_code for scope in scopes])
    assert found[0] == found[1]
    return found[0]


def answer(scope: dict[str, object]) -> Response:
    """Let the one guarded route that fits answer a request."""
    fitting = [(route, route.matches(scope)) for route in map(access.guarded, OURS)]
    ((route, (_, child)),) = [each for each in fitting if each[1][0] is Match.FULL]
    return route.endpoint(Request(scope | child))


def test_guarded__is_open_unless_log_in_is_asked_for(addresses: list[str]) -> None:
    assert statuses(addresses) == [200] * 4


def test_guarded__a_good_token_is_not_enough_where_people_log_in(
    addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(access.LOGIN, "1")
    assert statuses(addresses) == [401] * 4
    assert statuses(addresses, cookie(ANN)) == [200] * 4
    assert statuses(addresses, cookie({"is_logged_in": False})) == [401] * 4
    monkeypatch.setenv(access.USERS, "bob@example.org")
    assert statuses(addresses, cookie(ANN)) == [401] * 4


@pytest.mark.parametrize(
    "change", [lambda x: x[:-2], lambda x: "A" + x[1:], lambda x: "{}", str.upper]
)
def test_guarded__a_forged_cookie_opens_nothing(
    addresses: list[str], monkeypatch: pytest.MonkeyPatch, change: Callable[[str], str]
) -> None:
    monkeypatch.setenv(access.LOGIN, "1")
    assert statuses(addresses, change(cookie(ANN))) == [401] * 4


def test_app__guards_every_route_of_ours() -> None:
    routes = {route.path: route.endpoint for route in server.app._user_routes}
    assert routes.keys() == {route.path for route in OURS}
    assert {guard.__qualname__.partition(".")[0] for guard in routes.values()} == {"guarded"}


def test_admit__shows_nothing_but_the_way_to_log_in(
    location: Path, people: Path, open_studio: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    fabricate(location, people, n_iterations=1, status="finished")
    monkeypatch.setenv(access.LOGIN, "1")
    studio = open_studio()
    assert not studio.exception
    assert [button.label for button in studio.button] == ["Log in"]
    assert "Log in to see this studio." in text_of(studio)
    assert "run 1" not in text_of(studio)
