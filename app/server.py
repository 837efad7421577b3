"""The server: Streamlit's app with our routes beside it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pandas  # noqa: F401  imported before threads start: plotly may see it half imported otherwise
import streamlit as st
from starlette.middleware import Middleware
from uvicorn.config import HTTP_PROTOCOLS

from app import demo, services
from app.routes import access, maps, similar, status, thumbnails
from app.routes.doors import Doors
from app.routes.way_back import WayBack
from app.wording import plain
from pul.errors import PulError


@asynccontextmanager
async def _lifespan(_app: st.App) -> AsyncIterator[dict[str, Any]]:
    if services.workspace.default_location() == services.workspace.demo_location():
        demo.start()
    yield {}
    demo.stop()


def _explain(error: Exception) -> bool:
    """Show the message of a `PulError`; leave other exceptions to Streamlit."""
    if isinstance(error, PulError):
        st.error(plain(str(error)))
    return isinstance(error, PulError)


# Streamlit leaves the choice of the parser to uvicorn, and lets nobody else make it.
HTTP_PROTOCOLS["auto"] = "app.http_limits:LimitedProtocol"

_ROUTES = (*thumbnails.ROUTES, *maps.ROUTES, *similar.ROUTES, *status.ROUTES)

app = st.App(
    Path(__file__).with_name("studio.py"),
    middleware=[Middleware(Doors), Middleware(WayBack)],
    routes=[access.guarded(route) for route in _ROUTES],
    lifespan=_lifespan,
    on_script_error=_explain,
)
