"""GET /thumbs/<token>: one picture, for users who were shown the page with it."""

import struct
from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app import services
from app.routes.signed import response_headers, signed, workspace_key
from app.routes.tokens import expiry, sign

PREFIX = "/thumbs/"
_PURPOSE = "thumbnail"
_PAYLOAD = struct.Struct(">8sI")  # workspace, image
_CACHE_CONTROL = "private, max-age=86400, immutable"


def tokens(location: str, image_ids: Iterable[int]) -> list[str]:
    """Return the tokens of images to show; all have the same length."""
    key, expires = workspace_key(location), expiry()
    return [sign(_PURPOSE, _PAYLOAD.pack(key, int(i)), expires=expires) for i in image_ids]


def urls(location: str, image_ids: Iterable[int]) -> list[str]:
    """Return the addresses of images to show."""
    return [PREFIX + token for token in tokens(location, image_ids)]


@signed(_PURPOSE, _PAYLOAD, gone="The image is missing or cannot be read.")
def serve_thumbnail(_request: Request, location: str, image_id: int) -> Response:
    """Answer with the picture; starlette runs this in a thread."""
    content, media_type = services.workspace.picture(location, image_id)
    return Response(content, media_type=media_type, headers=response_headers(_CACHE_CONTROL))


ROUTES = [Route(PREFIX + "{token}", serve_thumbnail, methods=["GET"])]
