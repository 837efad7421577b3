"""GET /thumbs/<token>: one person's picture, to whoever was shown the page that it is on."""

import struct
from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app import services
from app.routes.signed import keep, signed, workspace_key
from app.routes.tokens import expiry, sign

PREFIX = "/thumbs/"
_PURPOSE = "thumbnail"
_PAYLOAD = struct.Struct(">8sI")  # workspace, image
_KEEP = "private, max-age=86400, immutable"


def tokens(location: str, image_ids: Iterable[int]) -> list[str]:
    """Make the tokens of images that are about to be shown; all are of one length."""
    key, expires = workspace_key(location), expiry()
    return [sign(_PURPOSE, _PAYLOAD.pack(key, int(i)), expires=expires) for i in image_ids]


def urls(location: str, image_ids: Iterable[int]) -> list[str]:
    """Return the addresses of images that are about to be shown."""
    return [PREFIX + token for token in tokens(location, image_ids)]


@signed(_PURPOSE, _PAYLOAD, gone="The image is gone or cannot be read.")
def serve_thumbnail(_request: Request, location: str, image_id: int) -> Response:
    """Answer with the picture; starlette runs this in a thread."""
    content, media_type = services.workspace.thumbnail(
        services.workspace.image_path(location, image_id)
    )
    return Response(content, media_type=media_type, headers=keep(_KEEP))


ROUTES = [Route(PREFIX + "{token}", serve_thumbnail, methods=["GET"])]
