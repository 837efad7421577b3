"""GET similar/<token>: what is similar to what in one iteration, as JSON.

The token gives access to the iteration. What is asked for follows as parameters of the address, so
that the browser can ask without a rerun of the page, as numbers separated by commas: `?to=` images
(indices of the run) for similar clusters and identities, `?split=` clusters for two groups of their
images, `?alike=` an image for similar images.
"""

import json
import struct
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app import services
from app.routes.signed import refuse, response_headers, routes, signed, workspace_key
from app.routes.tokens import expiry, sign

PREFIX = "similar/"  # relative to a page, which may be behind a sub-path
_PURPOSE = "similar"
_PAYLOAD = struct.Struct(">8sII")  # workspace, run, iteration
_MOST_NUMBERS = 500  # in one question; addresses have an end

Place = tuple[str, int, int]


def url(location: str, run_id: int, iteration: int) -> str:
    """Return the address at which the browser asks about an iteration."""
    payload = _PAYLOAD.pack(workspace_key(location), run_id, iteration)
    return PREFIX + sign(_PURPOSE, payload, expires=expiry())


@signed(
    _PURPOSE,
    _PAYLOAD,
    gone="The features of this iteration are gone; choose a newer iteration.",
)
def serve_similar(request: Request, location: str, run_id: int, iteration: int) -> Response:
    """Answer a question about images; starlette runs this in a thread."""
    asked = [name for name in _ANSWERS if name in request.query_params]
    if len(asked) != 1:
        return refuse(400, f"Ask for one of {', '.join(_ANSWERS)}.")
    try:
        numbers = [int(number) for number in request.query_params[asked[0]].split(",")]
    except ValueError:
        return refuse(400, "Ask with numbers, separated by commas.")
    answer = _ANSWERS[asked[0]]((location, run_id, iteration), numbers[:_MOST_NUMBERS])
    return Response(
        json.dumps(answer), media_type="application/json", headers=response_headers("no-store")
    )


def _to(place: Place, images: list[int]) -> dict[str, Any]:
    clusters = services.clusters.similar_clusters(*place, images)
    identities = services.clusters.nearest_identities(*place, images)
    return {"clusters": clusters, "identities": identities}


def _split(place: Place, clusters: list[int]) -> dict[str, Any]:
    return {"images": services.clusters.halves(*place, clusters)}


def _alike(place: Place, images: list[int]) -> dict[str, Any]:
    return {"images": services.clusters.alike(*place, images[0])}


_ANSWERS: dict[str, Callable[[Place, list[int]], dict[str, Any]]] = {
    "to": _to,
    "split": _split,
    "alike": _alike,
}

ROUTES = routes(PREFIX, serve_similar)
