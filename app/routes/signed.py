"""Routes that require a signed token of a workspace that this server has shown."""

import hashlib
import struct
from collections.abc import Callable
from functools import wraps
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.routes.tokens import TokenError, TokenExpiredError, verify
from pul.errors import PulError

_shown: dict[bytes, str] = {}  # workspaces that were shown, by the key in their tokens


def workspace_key(location: str) -> bytes:
    """Return the 8-byte key of a workspace in tokens, and remember that it was shown."""
    key = hashlib.sha256(location.encode()).digest()[:8]
    _shown[key] = location
    return key


def signed(
    purpose: str, payload: struct.Struct, *, gone: str
) -> Callable[[Callable[..., Response]], Callable[[Request], Response]]:
    """Decorate a function that serves GET /…/{token}; it is called for valid tokens only.

    The function gets the request, the workspace's location and the other values of the payload.
    For a `PulError` the answer is `gone`: the message may contain file names, which reveal
    identities.

    Args:
        purpose: Purpose of the tokens.
        payload: Layout of the tokens; the first value is the workspace's key.
        gone: Text of the answer 404, when what the token names cannot be read.
    """

    def decorate(handler: Callable[..., Response]) -> Callable[[Request], Response]:
        @wraps(handler)
        def serve(request: Request) -> Response:
            try:
                key, *values = payload.unpack(verify(purpose, request.path_params["token"]))
            except TokenExpiredError as error:
                return refuse(410, str(error))
            except (TokenError, struct.error):
                return refuse(403, "The token was not made by this server; reload the page.")
            if key not in _shown:
                return refuse(404, "The workspace is not open; reload the page.")
            arguments: list[Any] = [_shown[key], *values]
            try:
                return handler(request, *arguments)
            except PulError:
                return refuse(404, gone)

        return serve

    return decorate


def routes(prefix: str, serve: Callable[[Request], Response]) -> list[Route]:
    """Return the routes of GET prefix/{token}, at the root and below any base path.

    Streamlit knows the base path (`server.baseUrlPath`: an option, the environment or a file) only
    when it starts. The token alone gives access, so that the path before it need not be compared.
    """
    paths = (f"/{prefix}{{token}}", f"/{{base:path}}/{prefix}{{token}}")
    return [Route(path, serve, methods=["GET"]) for path in paths]


def response_headers(cache_control: str) -> dict[str, str]:
    """Return the headers of a signed response: how long to cache it, no type sniffing."""
    return {
        "Cache-Control": cache_control,
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


def refuse(status: int, reason: str) -> Response:
    """Return an error response."""
    return PlainTextResponse(reason, status_code=status, headers=response_headers("no-store"))
