"""What every request passes, also those of Streamlit's own routes: who may come in, from where.

Streamlit checks host and origin of the WebSocket alone, and takes a page of any port of this
machine for its own.
"""

import re
import secrets
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose
from streamlit import config
from streamlit.web.server.server_util import is_allowed_origin
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from app.routes import access
from app.routes.signed import refuse

BROWSER_COOKIE = "pul_browser"  # a secret of this browser, which its labels are signed by
_COOKIE_S = 400 * 86_400  # browsers keep nothing longer
_KEY = re.compile(r"[0-9a-f]{32}")
_PRIVATE = re.compile(r"/(_stcore/(metrics|upload_file)|media)(/|$)")  # routes of Streamlit
_HEALTH = "/_stcore/health"  # it tells nothing; Kubernetes asks for it by the bare address
_HARMLESS = ("GET", "HEAD", "OPTIONS")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class Doors:
    """ASGI middleware: refuses foreign hosts, origins and strangers; gives a browser its cookie."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        refusal = _refusal(connection)
        if refusal is None:
            await self._app(scope, receive, _with_cookie(connection, send))
        elif scope["type"] == "websocket":
            await WebSocketClose(1008)(scope, receive, send)
        else:
            await refuse(*refusal)(scope, receive, send)


def _refusal(connection: HTTPConnection) -> tuple[int, str] | None:
    """Return status and reason if a request is refused."""
    is_probe = connection.scope["type"] == "http" and path_below_base(connection) == _HEALTH
    if not is_probe and not is_host_allowed(connection.headers.get("host")):
        return 421, "The studio does not answer to this name. Start it with --allow-host NAME."
    is_harmless = connection.scope.get("method") in _HARMLESS
    if not is_harmless and not _is_own_page(connection):
        return 403, "This comes from a page of another site."
    is_closed = access.is_required() and _PRIVATE.match(path_below_base(connection))
    if is_closed and not access.is_allowed(access.user_of(connection)):
        return 401, access.LOG_IN
    return None


def base_path() -> str:
    """Return the path below which the studio is served, as `/lab/pul`; "" for none."""
    base = str(config.get_option("server.baseUrlPath")).strip("/")
    return f"/{base}" if base else ""


def path_below_base(connection: HTTPConnection) -> str:
    """Return the path that is asked for, without the one below which the studio is served."""
    return str(connection.scope["path"]).removeprefix(base_path())


def _is_own_page(connection: HTTPConnection) -> bool:
    """Whether a request comes from a page of the studio, or from a program that is no browser."""
    origin = connection.headers.get("origin")
    if origin is None or is_allowed_origin(origin):
        return True
    try:
        page = urlsplit(origin)
    except ValueError:
        return False
    host = connection.headers.get("host", "").lower()
    default = _DEFAULT_PORTS.get(page.scheme, "")
    return bool(default) and page.netloc.lower() in (host, host.removesuffix(default))


def _with_cookie(connection: HTTPConnection, send: Send) -> Send:
    """Return what sends the answer, with a new secret for a browser that opens a page without."""
    is_page = "text/html" in connection.headers.get("accept", "")
    if not is_page or _KEY.fullmatch(connection.cookies.get(BROWSER_COOKIE, "")):
        return send
    is_secure = connection.scope["scheme"] == "https"
    cookie = (
        f"{BROWSER_COOKIE}={secrets.token_hex(16)}; Path=/; Max-Age={_COOKIE_S}; HttpOnly; "
        f"SameSite=Lax{'; Secure' if is_secure else ''}"
    )

    async def send_with_cookie(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).append("set-cookie", cookie)
        await send(message)

    return send_with_cookie
