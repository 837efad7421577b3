"""Access control: open, or OIDC login required.

Streamlit's `st.login` sets a signed cookie, which pages read as `st.user`. The routes check the
cookie themselves, so that the address of a picture is not enough to see it.
"""

import json
import os
from collections.abc import Callable, Mapping
from importlib import metadata
from typing import Any

import streamlit as st
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route
from streamlit.auth_util import get_secrets_auth_section
from streamlit.web.server.server_util import AUTH_COOKIE_NAME
from streamlit.web.server.starlette.starlette_websocket import _get_signed_cookie_with_chunks

from app.routes.signed import refuse
from pul.errors import ConfigError

LOGIN = "PUL_STUDIO_LOGIN"
USERS = "PUL_STUDIO_USERS"

LOG_IN = "Log in, then reload the page."

Serve = Callable[[Request], Response]


def is_required() -> bool:
    """Whether people must log in: `python -m app --login`."""
    return os.environ.get(LOGIN) == "1"


def check_set_up() -> None:
    """Check that login is configured, so that the studio is never open by mistake.

    Raises:
        ConfigError: The provider is not configured, or the package Authlib is missing.
    """
    if not get_secrets_auth_section().get("cookie_secret"):
        raise ConfigError(
            "--login needs an OIDC provider: set redirect_uri, cookie_secret, client_id, "
            "client_secret and server_metadata_url under [auth] in .streamlit/secrets.toml."
        )
    try:
        metadata.version("authlib")
    except metadata.PackageNotFoundError as error:
        raise ConfigError(
            "--login needs the package Authlib; install it: pip install Authlib."
        ) from error


def is_allowed(user: Mapping[str, Any]) -> bool:
    """Whether a user has access: logged in, and on the list if there is one.

    Args:
        user: Claims of the provider. `PUL_STUDIO_USERS` lists e-mail addresses, or domains such
            as `@example.org`, separated by commas; without it every logged-in user has access.
    """
    if not user.get("is_logged_in"):
        return False
    listed = [entry.strip().lower() for entry in os.environ.get(USERS, "").split(",")]
    listed = [entry for entry in listed if entry]
    if not listed:
        return True
    email = str(user.get("email") or "").lower()
    is_known = email in listed or f"@{email.rpartition('@')[2]}" in listed
    return bool(email) and is_known and is_verified(user)


def is_verified(user: Mapping[str, Any]) -> bool:
    """Whether the provider says that the e-mail address is the user's own; silence is no yes."""
    return user.get("email_verified") in (True, "true")  # some providers send text


def require_access() -> None:
    """Continue if the user has access; otherwise show the login button and stop."""
    user = st.user.to_dict()
    if not is_required() or is_allowed(user):
        return
    if user.get("is_logged_in"):
        st.warning(
            "You are logged in, but not on the list of users with access; ask the administrator."
            if is_verified(user)
            else "You are logged in, but your provider does not confirm that your e-mail address "
            "is yours (`email_verified`). Confirm it there, or ask the administrator."
        )
        st.button("Log out", on_click=st.logout)
    else:
        st.info("Log in to see this studio.")
        st.button("Log in", type="primary", on_click=st.login)
    st.stop()


def guarded(route: Route) -> Route:
    """Return a route that answers 401 unless the user has access."""
    serve: Serve = route.endpoint

    def guard(request: Request) -> Response:
        if is_required() and not is_allowed(user_of(request)):
            return refuse(401, LOG_IN)
        return serve(request)

    return Route(route.path, guard, methods=["GET"])


def user_of(request: HTTPConnection) -> dict[str, Any]:
    """Return the user in the signed cookie of a request; empty if there is none."""
    signed = _get_signed_cookie_with_chunks(dict(request.cookies), AUTH_COOKIE_NAME)
    try:
        user = json.loads(signed or b"{}")
    except ValueError:
        return {}
    return user if isinstance(user, dict) else {}
