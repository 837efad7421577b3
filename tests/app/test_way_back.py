"""The address over the log-in: kept from the page that asked, and never to another server."""

import asyncio
from collections.abc import Iterator

import pytest
from starlette.responses import RedirectResponse
from starlette.types import Message, Receive, Scope, Send
from streamlit import config

from app.routes.way_back import COOKIE, WayBack


async def to_the_first_page(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer as Streamlit does before and after a log-in."""
    await RedirectResponse("/", status_code=302)(scope, receive, send)


def ask(path: str, **headers: str) -> dict[str, str]:
    """Return the headers of the answer."""
    sent: list[Message] = []
    named = {"host": "lab.example:8501", **headers}
    scope: Scope = {
        "type": "http", "method": "GET", "path": path, "scheme": "http", "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
    }  # fmt: skip

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    asyncio.run(WayBack(to_the_first_page)(scope, receive, send))
    return {name.decode(): value.decode() for name, value in sent[0]["headers"]}


@pytest.fixture
def base() -> Iterator[None]:
    before = config.get_option("server.baseUrlPath")
    config.set_option("server.baseUrlPath", "lab/pul")
    yield
    config.set_option("server.baseUrlPath", before)


def test_way_back__from_the_page_that_asked_over_the_provider_to_the_same_page() -> None:
    page = "http://lab.example:8501/clusters?w=my%20shop&run=3"
    cookie = ask("/auth/login", referer=page)["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=%2Fclusters%3Fw%3Dmy%2520shop%26run%3D3; ")
    assert "HttpOnly; SameSite=Lax" in cookie
    back = ask("/oauth2callback", cookie=cookie.partition(";")[0])
    assert back["location"] == "/clusters?w=my%20shop&run=3"
    assert back["set-cookie"].startswith(f"{COOKIE}=; Max-Age=0; ")


def test_way_back__without_a_page_to_the_first() -> None:
    assert "set-cookie" not in ask("/auth/login")
    assert ask("/oauth2callback")["location"] == "/"
    assert ask("/label", cookie=f"{COOKIE}=%2Fclusters")["location"] == "/"  # no log-in


@pytest.mark.parametrize(
    "page",
    [
        "http://evil.example/label", "http://lab.example:8501//evil.example/x",
        "http://lab.example:8501/\\evil.example", "http://[", "label", "",
        "http://lab.example:8501/" + "x" * 3000,
    ],
)  # fmt: skip
def test_way_back__a_page_of_another_server_is_not_kept(page: str) -> None:
    assert "set-cookie" not in ask("/auth/login", referer=page)


@pytest.mark.parametrize(
    "kept", ["//evil.example", "/%5Cevil", "http%3A%2F%2Fevil", "%2F%2Fevil", "%2Fa%0d%0ab", ""]
)
def test_way_back__a_forged_cookie_leads_to_no_other_server(kept: str) -> None:
    assert ask("/oauth2callback", cookie=f"{COOKIE}={kept}")["location"] == "/"


def test_way_back__below_the_path_of_a_proxy(base: None) -> None:
    page = "http://lab.example/lab/pul/label?w=a"  # the proxy serves another port
    cookie = ask("/lab/pul/auth/login", referer=page)["set-cookie"]
    assert "Path=/lab/pul/;" in cookie
    kept = cookie.partition(";")[0]
    assert ask("/lab/pul/oauth2callback", cookie=kept)["location"] == "/lab/pul/label?w=a"
    assert "set-cookie" not in ask("/lab/pul/auth/login", referer="http://lab.example/other")
