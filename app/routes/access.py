"""Who may look: all who reach the server, or only those whom an OIDC provider has logged in.

Streamlit's `st.login` sets a signed cookie, which the pages see as `st.user`. The routes beside
the pages see the cookie itself, so that a picture's address alone opens nothing.
"""

import json
import os
from collections.abc import Callable, Mapping
from importlib import metadata
from typing import Any

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from streamlit.auth_util import get_secrets_auth_section
from streamlit.web.server.server_util import AUTH_COOKIE_NAME
from streamlit.web.server.starlette.starlette_websocket import _get_signed_cookie_with_chunks

from app.routes.signed import refuse
from pul.errors import ConfigError

LOGIN = "PUL_STUDIO_LOGIN"
USERS = "PUL_STUDIO_USERS"

Serve = Callable[[Request], Response]


def is_required() -> bool:
    """Whether people must log in: `python -m app --login`."""
    return os.environ.get(LOGIN) == "1"


def check_set_up() -> None:
    """Make sure that people can log in where they must; an open studio by mistake would be worse.

    Raises:
        ConfigError: The provider is not configured, or the package that talks to it is missing.
    """
    if not get_secrets_auth_section().get("cookie_secret"):
        raise ConfigError(
            "--login needs a provider: write redirect_uri, cookie_secret, client_id, client_secret "
            "and server_metadata_url below [auth] into .streamlit/secrets.toml."
        )
    try:
        metadata.version("authlib")
    except metadata.PackageNotFoundError as error:
        raise ConfigError("--login needs the package Authlib: pip install Authlib.") from error


def is_allowed(user: Mapping[str, Any]) -> bool:
    """Whether somebody may look: logged in, and on the list where there is one.

    Args:
        user: What the provider said of them. `PUL_STUDIO_USERS` lists e-mail addresses, or
            domains such as `@example.org`, with commas between; without it everybody whom the
            provider lets in may look.
    """
    if not user.get("is_logged_in"):
        return False
    listed = [entry.strip().lower() for entry in os.environ.get(USERS, "").split(",")]
    listed = [entry for entry in listed if entry]
    if not listed:
        return True
    email = str(user.get("email") or "").lower()
    is_known = email in listed or f"@{email.rpartition('@')[2]}" in listed
    return bool(email) and is_known and user.get("email_verified") is not False


def require_access() -> None:
    """Let who may look see the page; show others the way to log in, and draw nothing else."""
    user = st.user.to_dict()
    if not is_required() or is_allowed(user):
        return
    if user.get("is_logged_in"):
        st.warning("You are logged in, but not on the list of those who may look here.")
        st.button("Log out", on_click=st.logout)
    else:
        st.info("Log in to see this studio.")
        st.button("Log in", type="primary", on_click=st.login)
    st.stop()


def guarded(route: Route) -> Route:
    """Return a route that answers 401 to who must log in and has not."""
    serve: Serve = route.endpoint

    def guard(request: Request) -> Response:
        if is_required() and not is_allowed(_user_of(request)):
            return refuse(401, "Log in, then reload the page.")
        return serve(request)

    return Route(route.path, guard, methods=["GET"])


def _user_of(request: Request) -> dict[str, Any]:
    """Return what the signed cookie of a request says of its sender; nothing where it is none."""
    signed = _get_signed_cookie_with_chunks(dict(request.cookies), AUTH_COOKIE_NAME)
    try:
        user = json.loads(signed or b"{}")
    except ValueError:
        return {}
    return user if isinstance(user, dict) else {}
