"""Authors of labels: their ids, and the names that are shown. No Streamlit here."""

from collections.abc import Iterable, Mapping
from typing import Any

from app.services.workspace import open_workspace
from pul.errors import ConfigError
from pul.labelling import authors

MAX_NAME_LENGTH = authors.MAX_AUTHOR_NAME_LENGTH


def of_browser(key: str) -> str:
    """Return the author who labels in the browser that keeps a key."""
    return authors.browser_author(key)


def of_login(claims: Mapping[str, Any]) -> str:
    """Return the author who has logged in: by issuer and subject, whatever the name.

    Raises:
        ConfigError: The provider does not say whose account it is.
    """
    issuer, subject = claims.get("iss") or claims.get("provider"), claims.get("sub")
    if not issuer or not subject:
        raise ConfigError(
            "The login provider sends no issuer and subject (`iss`, `sub`), by which labels are "
            "signed. Let the administrator set up an OIDC provider, then log in again."
        )
    return authors.login_author(str(issuer), str(subject))


def name_of_login(claims: Mapping[str, Any]) -> str:
    """Return what to call who has logged in; "" if the provider gives neither name nor e-mail."""
    name = str(claims.get("name") or claims.get("email") or "")
    shown = " ".join("".join(sign if sign.isprintable() else " " for sign in name).split())
    return shown[:MAX_NAME_LENGTH].strip()


def given_name(location: str, author: str) -> str:
    """Return the name that an author has in a workspace; "" for none."""
    return authors.author_name(open_workspace(location), author)


def give_name(location: str, author: str, name: str) -> None:
    """Set an author's name in a workspace.

    Raises:
        ConfigError: The name is too long, or holds signs that cannot be shown.
        StoreError: The database refuses.
    """
    authors.set_author_name(open_workspace(location), author, name)


def shown_names(location: str, signed: Iterable[str]) -> dict[str, str]:
    """Return what to show for each author of acts, given in the order of the acts."""
    return authors.author_names(open_workspace(location), signed)
