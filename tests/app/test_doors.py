"""What every request passes: host, origin, log-in, the browser's cookie; and its limits."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import suppress

import pytest
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send
from streamlit import config
from uvicorn.server import ServerState

from app import server
from app.http_limits import LimitedProtocol
from app.routes import access
from app.routes.doors import BROWSER_COOKIE, Doors
from app.routes.way_back import WayBack
from tests.app.test_access import ANN, cookie

Answer = tuple[int, list[str]]


async def inside(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer to whatever was let in."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
    else:
        await PlainTextResponse("in")(scope, receive, send)


def ask(path: str = "/", *, type: str = "http", method: str = "GET", **headers: str) -> Answer:
    """Return the status, 101 for an open WebSocket, and the cookies that are set."""
    sent: list[Message] = []
    named = {"host": "localhost:8501", **headers}
    scope: Scope = {
        "type": type, "path": path, "scheme": "http", "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in named.items() if value],
    }  # fmt: skip
    if type == "http":
        scope["method"] = method

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    asyncio.run(Doors(inside)(scope, receive, send))
    first = sent[0]
    if type == "websocket":
        return (101 if first["type"] == "websocket.accept" else 403), []
    return first["status"], [v.decode() for k, v in first["headers"] if k == b"set-cookie"]


@pytest.fixture
def options() -> Iterator[None]:
    """Streamlit's options; a test may change them."""
    names = ("server.allowedHosts", "server.baseUrlPath", "server.corsAllowedOrigins")
    before = {name: config.get_option(name) for name in names}
    yield
    for name, value in before.items():
        config.set_option(name, value)


def test_app__has_the_doors() -> None:
    assert [middleware.cls for middleware in server.app._user_middleware] == [Doors, WayBack]


@pytest.mark.parametrize("type", ["http", "websocket"])
@pytest.mark.parametrize("path", ["/", "/thumbs/x", "/_stcore/metrics", "/_stcore/stream"])
def test_doors__answer_to_their_own_names(options: None, path: str, type: str) -> None:
    config.set_option("server.allowedHosts", ["localhost", "lab.example.org"])
    for host in ("localhost", "LOCALHOST:8501", "lab.example.org"):
        assert ask(path, type=type, host=host)[0] in (200, 101)
    for host in ("evil.example.org", "localhost.evil.org", "", "localhost@evil.org", "x:y"):
        assert ask(path, type=type, host=host)[0] in (421, 403)
    config.set_option("server.allowedHosts", [])  # another --host, without --allow-host
    assert ask(path, type=type, host="any.example.org")[0] in (200, 101)


def test_doors__the_health_is_told_to_whoever_asks(options: None) -> None:
    config.set_option("server.allowedHosts", ["lab.example.org"])
    config.set_option("server.baseUrlPath", "pul")
    assert ask("/pul/_stcore/health", host="192.0.2.7:8501")[0] == 200


@pytest.mark.parametrize(
    ("origin", "host", "is_let_in"),
    [
        ("", "localhost:8501", True),  # no browser
        ("http://localhost:8501", "localhost:8501", True),
        ("https://lab.example.org", "lab.example.org", True),
        ("https://lab.example.org", "lab.example.org:443", True),
        ("http://lab.example.org", "lab.example.org:80", True),
        ("https://lab.example.org", "lab.example.org:80", False),
        ("http://localhost:9999", "localhost:8501", False),
        ("http://localhost", "localhost:8501", False),
        ("http://127.0.0.1:8501", "localhost:8501", False),
        ("http://evil.example.org", "localhost:8501", False),
        ("null", "localhost:8501", False),
        ("file://", "localhost:8501", False),
        ("http://[", "localhost:8501", False),
    ],
)
def test_doors__a_page_of_another_port_is_another_site(
    origin: str, host: str, is_let_in: bool
) -> None:
    stream = ask("/_stcore/stream", type="websocket", origin=origin, host=host)[0]
    upload = ask("/_stcore/upload_file/a/b", method="PUT", origin=origin, host=host)[0]
    assert (stream, upload) == ((101, 200) if is_let_in else (403, 403))
    assert ask("/thumbs/x", origin=origin, host=host)[0] == 200  # a GET changes nothing


def test_doors__an_origin_that_is_listed_is_let_in(options: None) -> None:
    config.set_option("server.corsAllowedOrigins", ["https://hub.example.org"])
    for origin, status in (("https://hub.example.org", 101), ("https://hub.example.org:8", 403)):
        assert ask("/_stcore/stream", type="websocket", origin=origin)[0] == status


@pytest.mark.parametrize("base", ["", "user/ann/pul"])
@pytest.mark.parametrize("path", ["/_stcore/metrics", "/media/a.csv", "/_stcore/upload_file/a/b"])
def test_doors__what_streamlit_serves_is_behind_the_log_in(
    options: None, monkeypatch: pytest.MonkeyPatch, path: str, base: str
) -> None:
    config.set_option("server.baseUrlPath", base)
    path = f"/{base}{path}" if base else path
    assert ask(path)[0] == 200
    monkeypatch.setenv(access.LOGIN, "1")
    assert ask(path)[0] == 401
    assert ask(path, cookie=f"_streamlit_user={cookie(ANN)}")[0] == 200
    assert ask(path, cookie=f"_streamlit_user={cookie(ANN)[:-3]}")[0] == 401
    monkeypatch.setenv(access.USERS, "bob@example.org")
    assert ask(path, cookie=f"_streamlit_user={cookie(ANN)}")[0] == 401
    for free in ("/_stcore/health", "/static/media/font.woff2", "/oauth2callback"):
        assert ask(f"/{base}{free}" if base else free)[0] == 200


def test_doors__each_browser_gets_a_secret_once() -> None:
    first, second = (ask("/label", accept="text/html,*/*")[1] for _ in range(2))
    keys = []
    for set_cookies in (first, second):
        (text,) = set_cookies
        parts = [part.strip() for part in text.split(";")]
        assert {"HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=34560000"} <= set(parts)
        keys.append(parts[0])
        assert re.fullmatch(rf"{BROWSER_COOKIE}=[0-9a-f]{{32}}", parts[0])
        assert ask("/label", accept="text/html", cookie=parts[0])[1] == []
    assert keys[0] != keys[1]
    assert ask("/thumbs/x", accept="image/*")[1] == []
    assert len(ask("/", accept="text/html", cookie=f"{BROWSER_COOKIE}=ann")[1]) == 1


# What a connection may take up


class Impatient(LimitedProtocol):
    """Waits for a moment only."""

    HEAD_S = BODY_S = 0.2


class Full(LimitedProtocol):
    """Has no room for any connection."""

    MAX_CONNECTIONS = 0


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the body, then answer."""
    while (await receive()).get("more_body"):
        pass
    await PlainTextResponse("in")(scope, receive, send)


def exchange(protocol: type[LimitedProtocol], *sent: bytes) -> bytes:
    """Return what a server answers to some bytes, until it closes the connection."""

    async def talk() -> bytes:
        settings, state = uvicorn.Config(echo, lifespan="off", log_level="critical"), ServerState()
        settings.load()
        loop = asyncio.get_running_loop()
        listening = await loop.create_server(lambda: protocol(settings, state, {}), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
        with suppress(ConnectionError):  # it may have been closed already
            for part in sent:
                writer.write(part)
                await writer.drain()
        try:
            answer = await asyncio.wait_for(reader.read(), 60)
        except ConnectionResetError:
            answer = b"reset"  # closed before all was sent
        writer.close()
        listening.close()
        return answer

    return asyncio.run(talk())


GET = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 200000\r\n\r\n"


def test_limits__ordinary_requests_are_answered() -> None:
    cookies = b"Cookie: " + b"c" * 32_000 + b"\r\n"  # a log-in with many groups
    for request in (GET + b"\r\n", GET + cookies + b"\r\n", POST + b"b" * 200_000):
        assert exchange(LimitedProtocol, request).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (GET + b"X: " + b"a" * 70_000 + b"\r\n\r\n", b"4"),
        (GET + b"X: " + b"a" * 200_000, b"431"),
        (GET + b"".join(b"X%d: y\r\n" % n for n in range(20_000)) + b"\r\n", b"4"),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"4"),
    ],
)
def test_limits__a_head_that_is_too_long_is_refused(request_: bytes, status: bytes) -> None:
    said = exchange(LimitedProtocol, request_)
    assert said.startswith((b"HTTP/1.1 " + status, b"reset"))


@pytest.mark.parametrize(
    ("request_", "answer"),
    [(b"", b"HTTP/1.1 408"), (GET, b"HTTP/1.1 408"), (GET[:9], b"HTTP/1.1 408"), (POST, b"")],
)
def test_limits__who_sends_nothing_more_is_sent_away(request_: bytes, answer: bytes) -> None:
    said = exchange(Impatient, request_)
    assert said.startswith(answer)
    assert b"200 OK" not in said


def test_limits__too_many_connections_are_refused() -> None:
    assert exchange(Full, GET + b"\r\n").startswith(b"HTTP/1.1 503")
