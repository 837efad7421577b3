"""After the log-in: back to the address that was asked for, with the workspace that it names.

Streamlit leads everybody to its first page. The browser says, when it goes to log in, from which
page it comes; that page is kept in a cookie until it is back.
"""

from urllib.parse import quote, unquote, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.routes.doors import base_path, path_below_base

COOKIE = "pul_way_back"
_KEPT_S = 1800  # for a log-in with a password, a second factor and a phone in another room
_MOST = 2000  # letters of an address; browsers refuse cookies over 4 KB
_TO_LOG_IN, _FROM_LOG_IN = "/auth/login", "/oauth2callback"


class WayBack:
    """ASGI middleware: keeps the address over the log-in at a provider."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            connection = HTTPConnection(scope)
            path = path_below_base(connection)
            if path == _TO_LOG_IN and (place := _asked_from(connection)):
                send = _with_cookie(send, place)
            elif path == _FROM_LOG_IN and (place := _kept(connection)):
                send = _to(send, place)
        await self._app(scope, receive, send)


def _asked_from(connection: HTTPConnection) -> str:
    """Return path and query of the page that asks for the log-in; "" if it is not one of ours."""
    try:
        page = urlsplit(connection.headers.get("referer", ""))
        own = urlsplit(f"//{connection.headers.get('host', '')}")
        is_ours = page.hostname is not None and page.hostname == own.hostname
    except ValueError:
        return ""
    place = page.path + (f"?{page.query}" if page.query else "")
    return place if is_ours and _is_place(place) else ""


def _kept(connection: HTTPConnection) -> str:
    place = unquote(connection.cookies.get(COOKIE, ""))
    return place if _is_place(place) else ""


def _is_place(place: str) -> bool:
    """Whether this is an address of the studio itself, and leads to no other server."""
    is_below = place.startswith(f"{base_path()}/") and not place.startswith(("//", "/\\"))
    return is_below and len(place) <= _MOST and place.isascii() and place.isprintable()


def _with_cookie(send: Send, place: str) -> Send:
    return _answering(send, f"{COOKIE}={quote(place, safe='')}; Max-Age={_KEPT_S}")


def _to(send: Send, place: str) -> Send:
    return _answering(send, f"{COOKIE}=; Max-Age=0", to=place)


def _answering(send: Send, cookie: str, to: str = "") -> Send:
    """Return what sends a redirection with a cookie, and, if `to` is given, to there."""

    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start" and 300 <= message["status"] < 400:
            headers = MutableHeaders(scope=message)
            # Lax: the browser comes back from a page of the provider.
            headers.append("set-cookie", f"{cookie}; Path={base_path()}/; HttpOnly; SameSite=Lax")
            if to:
                headers["location"] = to
        await send(message)

    return answer
