"""Routes that answer only to a signed token, and only about a workspace that a page showed."""

import hashlib
import struct
from collections.abc import Callable
from functools import wraps
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from app.routes.tokens import TokenError, TokenExpiredError, verify
from pul.errors import PulError

_shown: dict[bytes, str] = {}  # workspaces of which a page was shown, by the key in their tokens


def workspace_key(location: str) -> bytes:
    """Return the 8 bytes that stand for a workspace in a token, and remember that it was shown."""
    key = hashlib.sha256(location.encode()).digest()[:8]
    _shown[key] = location
    return key


def signed(
    purpose: str, payload: struct.Struct, *, gone: str
) -> Callable[[Callable[..., Response]], Callable[[Request], Response]]:
    """Let a function answer GET /…/{token}; it is not called for a token that is not good.

    The function gets the request, the workspace's location and the other values of the payload.
    For an error of ours the answer is `gone`: the error may name files, which tell identities.

    Args:
        purpose: What the tokens were signed for.
        payload: What they say; its first value is the workspace's key.
        gone: What to answer, with status 404, where what the token names cannot be read.
    """

    def decorate(answer: Callable[..., Response]) -> Callable[[Request], Response]:
        @wraps(answer)
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
                return answer(request, *arguments)
            except PulError:
                return refuse(404, gone)

        return serve

    return decorate


def keep(cache_control: str) -> dict[str, str]:
    """Return the headers of something signed: how long to keep it, and no guessing of its type."""
    return {
        "Cache-Control": cache_control,
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


def refuse(status: int, reason: str) -> Response:
    """Answer that something is not to be had."""
    return PlainTextResponse(reason, status_code=status, headers=keep("no-store"))
