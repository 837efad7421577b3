"""GET /maps/<token>: the arrays of one iteration's map, as bytes for the browser to draw."""

import json
import struct
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app import services
from app.signing import TokenError, TokenExpiredError, expiry, sign, verify
from app.thumbnails import keep, location_of, refuse, tokens, workspace_key
from pul.errors import PulError

PREFIX = "/maps/"
_PURPOSE = "map"
_PAYLOAD = struct.Struct(">8sII")  # workspace, run, iteration
_KEEP = "private, max-age=21600, immutable"  # no longer than the tokens within are good


def url(location: str, run_id: int, iteration: int) -> str:
    """Return the address of a map that is about to be shown."""
    payload = _PAYLOAD.pack(workspace_key(location), run_id, iteration)
    return PREFIX + sign(_PURPOSE, payload, expires=expiry())


def serve_map(request: Request) -> Response:
    """Answer with the arrays, or 403, 404 or 410; starlette runs this in a thread."""
    try:
        payload = _PAYLOAD.unpack(verify(_PURPOSE, request.path_params["token"]))
    except TokenExpiredError as error:
        return refuse(410, str(error))
    except (TokenError, struct.error):
        return refuse(403, "The token was not made by this server; reload the page.")
    key, run_id, iteration = payload
    location = location_of(key)
    if location is None:
        return refuse(404, "The workspace is not open; reload the page.")
    try:
        content = _content(location, services.map_arrays(location, run_id, iteration), expiry())
    except PulError:
        return refuse(404, "This iteration is gone; reload the page.")
    return Response(content, media_type="application/octet-stream", headers=keep(_KEEP))


@lru_cache(maxsize=8)
def _content(location: str, arrays: services.MapArrays, _expires: int) -> bytes:
    text = "".join(tokens(location, arrays.image_ids)).encode("ascii")
    return pack(
        {
            "points": arrays.points.ravel(),
            "clusters": arrays.clusters,
            "centers": arrays.centers,
            "similarities": arrays.similarities,
            "cameras": arrays.cameras,
            "tokens": np.frombuffer(text, dtype=np.uint8),
        }
    )


def pack(arrays: dict[str, NDArray[np.generic]]) -> bytes:
    """Join arrays: the length of a JSON head in 4 bytes, the head, then the arrays' bytes.

    Args:
        arrays: One-dimensional arrays of float32, int32 or uint8, by name.

    Returns:
        The bytes. The head lists name, dtype, offset from the start and length of each array;
        every offset is a multiple of four, as JavaScript's typed arrays want it.
    """
    fields = [
        {"name": name, "dtype": str(array.dtype), "offset": 0, "length": array.size}
        for name, array in arrays.items()
    ]
    # Offsets have ten digits, so that the length of the head does not depend on them.
    head_size = len(_head(fields))
    start = 4 + head_size
    for field, array in zip(fields, arrays.values(), strict=True):
        field["offset"] = start
        start += _padded(array.nbytes)
    blobs = [array.tobytes().ljust(_padded(array.nbytes), b"\0") for array in arrays.values()]
    return struct.pack("<I", head_size) + _head(fields) + b"".join(blobs)


def _head(fields: list[dict[str, object]]) -> bytes:
    text = json.dumps([{**f, "offset": 0} for f in fields]).encode()
    room = _padded(len(text) + 10 * len(fields))
    return json.dumps(fields).encode().ljust(room)


def _padded(size: int) -> int:
    return -(-size // 4) * 4


ROUTES = [Route(PREFIX + "{token}", serve_map, methods=["GET"])]
