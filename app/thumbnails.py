"""GET /thumbs/<token>: one person's picture, to whoever was shown the page that it is on."""

import hashlib
import struct
from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app import services
from app.signing import TokenError, TokenExpiredError, expiry, sign, verify
from pul.errors import PulError

PREFIX = "/thumbs/"
_PURPOSE = "thumbnail"
_PAYLOAD = struct.Struct(">8sI")  # workspace, image
_KEEP = "private, max-age=86400, immutable"
_shown: dict[bytes, str] = {}  # workspaces of which a page was shown, by the key in their tokens


def workspace_key(location: str) -> bytes:
    """Return the 8 bytes that stand for a workspace in a token, and remember that it was shown."""
    key = hashlib.sha256(location.encode()).digest()[:8]
    _shown[key] = location
    return key


def location_of(key: bytes) -> str | None:
    """Return the workspace behind a token's key; None if no page of it was shown."""
    return _shown.get(key)


def tokens(location: str, image_ids: Iterable[int]) -> list[str]:
    """Make the tokens of images that are about to be shown; all are of one length."""
    key, expires = workspace_key(location), expiry()
    return [sign(_PURPOSE, _PAYLOAD.pack(key, int(i)), expires=expires) for i in image_ids]


def urls(location: str, image_ids: Iterable[int]) -> list[str]:
    """Return the addresses of images that are about to be shown."""
    return [PREFIX + token for token in tokens(location, image_ids)]


def serve_thumbnail(request: Request) -> Response:
    """Answer with the picture, or 403, 404 or 410; starlette runs this in a thread."""
    try:
        key, image_id = _PAYLOAD.unpack(verify(_PURPOSE, request.path_params["token"]))
    except TokenExpiredError as error:
        return refuse(410, str(error))
    except (TokenError, struct.error):
        return refuse(403, "The token was not made by this server; reload the page.")
    location = location_of(key)
    if location is None:
        return refuse(404, "The workspace is not open; reload the page.")
    try:
        content, media_type = services.thumbnail(services.image_path(location, image_id))
    except PulError:  # its message names the file, and file names tell identities
        return refuse(404, "The image is gone or cannot be read.")
    return Response(content, media_type=media_type, headers=keep(_KEEP))


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


ROUTES = [Route(PREFIX + "{token}", serve_thumbnail, methods=["GET"])]
