"""GET status/<token>: the status of a workspace and a run, for the header above every page.

The header polls this route: rerunning the page to learn that nothing changed would cost the
server and the browser a hundred times as much.
"""

import hashlib
import json
import struct
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from app import demo, services
from app.components.header.header import header_html, way_html
from app.paths import PATHS
from app.routes.signed import response_headers, routes, signed, workspace_key
from app.routes.tokens import expiry, sign
from app.services.workspace import WorkspaceStatus

PREFIX = "status/"  # relative to a page, which may be behind a sub-path
_PURPOSE = "status"
_PAYLOAD = struct.Struct(">8sI")  # workspace, run; 0 is the newest run
_NO_WORKSPACE = (
    '<div class="pul-title"><h1></h1><div class="pul-header"><b>PUL Studio</b>'
    "<span>no workspace open</span></div></div>"
)


def read_status(location: str, run_id: int | None) -> WorkspaceStatus | None:
    """Return the status of a workspace; None if there is none."""
    return (
        services.workspace.workspace_status(location, run_id)
        if services.workspace.exists(location)
        else None
    )


def line(location: str, now: WorkspaceStatus | None) -> str:
    """Return the header as HTML."""
    if now is None:
        return _NO_WORKSPACE
    place = services.runs.newest_iteration(location, now)  # what is labelled on
    known = services.runs.iterations(location, place[0]) if place else ()
    n_clusters = known[-1].n_clusters if known else 0
    pace = services.labels.pace(services.labels.read_annotations(location), n_clusters)
    way = way_html(services.way.way(location, now, pace), _addresses(location))
    return way + header_html(now.name, now.n_images, now.run, now.iterations, now.job)


def _addresses(location: str) -> dict[str, str]:
    """Return the address of each page, relative to a page, by key."""
    name = quote(services.places.name_of(location))
    known = {key: f"{path or '.'}?w={name}" for key, path in PATHS.items()}
    return known | {"clusters": known.get("clusters", known["map"])}


def moved(location: str, now: WorkspaceStatus | None) -> str:
    """Return a hash of all that a page is drawn from; it changes when the page must rerun."""
    parts: tuple[object, ...] = (location, demo.state().status)
    if now is not None:
        jobs = [(job.job_id, job.status) for job in (now.job, now.import_job) if job is not None]
        runs = [(run.run_id, run.status) for run in now.runs]
        parts = (location, now.n_images, runs, len(now.iterations), jobs)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def url(location: str, run_id: int | None) -> str:
    """Return the address that the header polls; it is valid for hours."""
    payload = _PAYLOAD.pack(workspace_key(location), run_id or 0)
    return PREFIX + sign(_PURPOSE, payload, expires=expiry())


@signed(_PURPOSE, _PAYLOAD, gone="The workspace cannot be read; reload the page.")
def serve_status(request: Request, location: str, run_id: int) -> Response:
    """Answer with the header and the hash, or with 304 if they have not changed."""
    content = answer(location, run_id or None)
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    headers = response_headers("private, no-cache") | {"ETag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type="application/json", headers=headers)


def answer(location: str, run_id: int | None) -> bytes:
    """Return the header, the hash, and the next address to poll, as JSON."""
    now = read_status(location, run_id)
    content = {"html": line(location, now), "moved": moved(location, now)}
    return json.dumps(content | {"url": url(location, run_id)}).encode()


ROUTES = routes(PREFIX, serve_status)
