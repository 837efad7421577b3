"""GET maps/<token>: the arrays of one iteration's map, as bytes for the browser to draw.

A map is a base and layers: clusters of another K, identities, doubts. Each layer has its own
address, so that the browser fetches it only when it is shown, and only once.
"""

import json
import struct
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response

from app import services
from app.components.charts.palette import CAMERAS
from app.routes.signed import refuse, response_headers, routes, signed, workspace_key
from app.routes.thumbnails import tokens
from app.routes.tokens import expiry, sign
from app.services.cache import cached

Layer = Literal["base", "preview", "identities", "doubts", "people"]
Arrays = dict[str, NDArray[np.generic]]

PREFIX = "maps/"  # relative to a page, which may be behind a sub-path
_PURPOSE = "map"
_LAYERS: tuple[Layer, ...] = ("base", "preview", "identities", "doubts", "people")
_PAYLOAD = struct.Struct(">8sIIBIQ")  # workspace, run, iteration, layer, K, version
_NO_FEATURES = (
    "doubt needs the features of this iteration, which were removed to save room; choose a later "
    "iteration, or other colours."
)
_CACHE_CONTROL = "private, max-age=21600, immutable"  # not longer than the tokens in it are valid


def urls(location: str, run_id: int, iteration: int, n_clusters: int, color_by: str) -> list[str]:
    """Return the addresses of a map and its layers, the base first.

    Args:
        location: The workspace.
        run_id: The run.
        iteration: The iteration.
        n_clusters: K of the preview to show; 0 for the iteration's own clusters.
        color_by: What the colours show.
    """
    found = [url(location, run_id, iteration)]
    made = services.map.preview(location, run_id, iteration, n_clusters) if n_clusters else None
    version = int(made.annotations_hash[:12] or "0", 16) if made else 0
    shown = n_clusters if made else 0
    if made:
        found.append(url(location, run_id, iteration, "preview", shown, version))
    if color_by == "identity":
        version = services.map.identities_version(location)
        found.append(url(location, run_id, iteration, "identities", version=version))
    if color_by == "doubt":
        found.append(url(location, run_id, iteration, "doubts", shown, version))
    return found


def url(
    location: str,
    run_id: int,
    iteration: int,
    layer: Layer = "base",
    n_clusters: int = 0,
    version: int = 0,
) -> str:
    """Return the address of one layer; a new version of its content has a new address."""
    place = (workspace_key(location), run_id, iteration)
    payload = _PAYLOAD.pack(*place, _LAYERS.index(layer), n_clusters, version)
    return PREFIX + sign(_PURPOSE, payload, expires=expiry())


@signed(_PURPOSE, _PAYLOAD, gone="This iteration no longer exists; reload the page.")
def serve_map(
    _request: Request,
    location: str,
    run_id: int,
    iteration: int,
    layer: int,
    n_clusters: int,
    _version: int,
) -> Response:
    """Answer with the arrays; starlette runs this in a thread."""
    name = _LAYERS[layer]
    if name == "doubts" and not services.map.has_features(location, run_id, iteration):
        return refuse(404, _NO_FEATURES)
    content = _content(location, run_id, iteration, name, n_clusters)
    return Response(
        content, media_type="application/octet-stream", headers=response_headers(_CACHE_CONTROL)
    )


def _content(location: str, run_id: int, iteration: int, layer: Layer, n_clusters: int) -> bytes:
    if layer == "identities":
        colors = services.map.identity_colors(location, run_id, len(CAMERAS))
        return pack({"identities": colors})
    if layer == "people":
        purities = services.clusters.purities(location, run_id, iteration)
        owners = services.clusters.owners(location, run_id)
        return pack({"owners": owners, "purities": purities.shares})
    if layer == "base":
        arrays = services.map.map_arrays(location, run_id, iteration)
        return _base(location, arrays, expiry())
    arrays = services.map.shown_arrays(location, run_id, iteration, n_clusters or None)
    if layer == "doubts":
        return pack({"doubts": services.map.doubts(location, run_id, iteration, arrays)})
    return pack(_clustering(arrays))


@cached(maxsize=8)
def _base(location: str, arrays: services.map.MapArrays, _expires: int) -> bytes:
    text = "".join(tokens(location, arrays.image_ids)).encode("ascii")
    return pack(
        {
            "points": arrays.points.ravel(),
            **_clustering(arrays),
            "cameras": arrays.cameras,
            "images": arrays.image_ids.astype(np.int32),
            "tokens": np.frombuffer(text, dtype=np.uint8),
        }
    )


def _clustering(arrays: services.map.MapArrays) -> Arrays:
    return {
        "clusters": arrays.clusters,
        "centers": arrays.centers,
        "similarities": arrays.similarities,
    }


def pack(arrays: Arrays) -> bytes:
    """Join arrays: the length of a JSON head in 4 bytes, the head, then the arrays' bytes.

    Args:
        arrays: One-dimensional arrays of float32, int32 or uint8, by name.

    Returns:
        The bytes. The head lists name, dtype, offset from the start and length of each array;
        every offset is a multiple of four, as JavaScript's typed arrays require.
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


ROUTES = routes(PREFIX, serve_map)
