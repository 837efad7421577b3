"""Who signs acts: ids of authors that never change, and the names that people read."""

import hashlib
from collections import Counter
from collections.abc import Iterable

from pul.labelling.annotations.acts import check_name
from pul.store.workspace import Workspace

MAX_AUTHOR_NAME_LENGTH = 60
_NAMELESS = {"browser:": "Guest", "login:": "User"}  # what authors without a name are called
_SETTING = "author name "


def browser_author(key: str) -> str:
    """Return the author who labels in a browser.

    Args:
        key: The secret that this browser alone keeps; the author's id does not reveal it.
    """
    return f"browser:{_digest(key)}"


def login_author(issuer: str, subject: str) -> str:
    """Return the author who has logged in.

    Args:
        issuer: The provider: OIDC's `iss`.
        subject: The account there: OIDC's `sub`, which a provider never gives to another.
    """
    return f"login:{_digest(issuer, subject)}"


def set_author_name(workspace: Workspace, author: str, name: str) -> None:
    """Set what an author is called in a workspace, for earlier acts too; "" for no name.

    Raises:
        ConfigError: The name is too long, or holds signs that cannot be shown.
        StoreError: The database refuses.
    """
    checked = check_name(name, MAX_AUTHOR_NAME_LENGTH)
    if checked != author_name(workspace, author):
        workspace.set_setting(_SETTING + author, checked)


def author_name(workspace: Workspace, author: str) -> str:
    """Return the name that was set for an author; "" for none."""
    return str(workspace.get_setting(_SETTING + author, ""))


def author_names(workspace: Workspace, authors: Iterable[str]) -> dict[str, str]:
    """Return what to show for each author; no two are shown alike.

    Args:
        workspace: Where the names are.
        authors: The author of each act, in the order of the acts. Those of the command line,
            imports and older versions are names already.

    Returns:
        The authors in that order: the name that was set, or else the author; `Guest 1`,
        `Guest 2`, ... without one. Another of the same name is shown as `Ann (2)`.
    """
    names: dict[str, str] = {}
    n_alike: Counter[str] = Counter()
    for author in dict.fromkeys(authors):
        kind = next((kind for kind in _NAMELESS if author.startswith(kind)), "")
        n_alike[kind] += 1
        nameless = f"{_NAMELESS[kind]} {n_alike[kind]}" if kind else author
        names[author] = _unlike(names, author_name(workspace, author) if kind else author, nameless)
    return names


def _unlike(names: dict[str, str], name: str, nameless: str) -> str:
    shown = wanted = name or nameless
    taken, n_same = set(names.values()), 1
    while shown in taken:
        n_same += 1
        shown = f"{wanted} ({n_same})"
    return shown


def _digest(*parts: str) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]
