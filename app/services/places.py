"""Workspaces by name, for the address `?w=NAME`: those that people opened on this server.

The name of a workspace never changes and never means another one, which is why names are kept in
a file. An address opens nothing but what was opened here by its folder before. No Streamlit here.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

from filelock import FileLock
from pydantic import TypeAdapter, ValidationError

from app.services.workspace import default_location, demo_location
from pul.data.file_names import from_text, printable, to_text
from pul.store.locations import locate
from pul.store.workspace import without_password

STATE = "PUL_STUDIO_STATE"
N_RECENT = 12
_FILE = "workspaces.json"
_LOCK_S = 2.0
_NOT_IN_A_NAME = re.compile(r"[^\w.-]+")


@dataclass(frozen=True, slots=True)
class Place:
    """A workspace that has a name.

    Attributes:
        name: What the address calls it.
        location: Where it is, without a password, as text that any file takes.
        servers: Keys of the servers on which it was opened.
        opened_at: When it was opened last, UTC, ISO 8601; "" if only its name was asked for.
    """

    name: str
    location: str
    servers: tuple[str, ...] = ()
    opened_at: str = ""


_PLACES = TypeAdapter(tuple[Place, ...])
_lock = Lock()
_names: dict[tuple[str, str], str] = {}  # by file and location: names that were given
_kept: dict[str, tuple[Place, ...]] = {}  # by file: places of a file that cannot be written
_passwords: dict[str, str] = {}  # the whole location by the one without a password


def canonical(location: str) -> str:
    """Return one spelling of a location: `shop`, `shop/` and `~/shop` may be one place.

    Raises:
        WorkspaceError: The location is malformed.
    """
    if "://" in location:
        return locate(location)[2]
    return os.path.normpath(Path(location).expanduser().absolute())


def name_of(location: str) -> str:
    """Return the name of a workspace in the address; it keeps it for ever.

    It is the name of its folder. A second workspace of that name gets a few digits more, and so
    does one whose name cannot be kept, as where nothing may be written.
    """
    bare = _bare(location)
    _passwords[bare] = location
    key = (str(_path()), bare)
    if key not in _names:
        _names[key] = _change(bare, lambda place: place).name
    return _names[key]


def remember(location: str) -> None:
    """Note that a workspace was opened on this server: from now on its name opens it."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    name_of(location)
    _change(
        _bare(location),
        lambda place: replace(
            place, opened_at=now, servers=tuple(sorted({*place.servers, _server()}))
        ),
    )


def location_of(name: str) -> str | None:
    """Return the workspace of a name; None if none of that name was opened on this server.

    The workspace that the server was started on, and the demo, need not be opened before.
    """
    for location in (default_location(), demo_location()):
        if name_of(location) == name:
            return location
    found = (place for place in _read(_path()) if place.name == name)
    place = next((place for place in found if _server() in place.servers), None)
    if place is None:
        return None
    return _passwords.get(place.location, from_text(place.location))


def recent() -> list[Place]:
    """Return the workspaces that were opened on this server, the last one first."""
    opened = [place for place in _read(_path()) if place.opened_at and _server() in place.servers]
    return sorted(opened, key=lambda place: place.opened_at, reverse=True)[:N_RECENT]


def shown(place: Place) -> str:
    """Return where a place is, as it may be shown."""
    return printable(from_text(place.location))


def _bare(location: str) -> str:
    return to_text(without_password(canonical(location)))


def _plain_name(bare: str) -> str:
    folder = locate(bare)[1] if "://" in bare else Path(from_text(bare))
    text = printable(folder.name)
    return _NOT_IN_A_NAME.sub("-", text).strip("-.") or "workspace"


def _marked_name(bare: str) -> str:
    digits = hashlib.sha256(bare.encode()).hexdigest()[:8]
    return f"{_plain_name(bare)}-{digits}"


def _server() -> str:
    """Return the key of this server: that of the workspace it was started on."""
    return hashlib.sha256(_bare(default_location()).encode()).hexdigest()[:16]


def _path() -> Path:
    """Return the file of the names: in `PUL_STUDIO_STATE`, or where a user's state belongs."""
    given = os.environ.get(STATE, "")
    home = os.environ.get("XDG_STATE_HOME", "") or "~/.local/state"
    return (Path(given) if given else Path(home).expanduser() / "pul-studio") / _FILE


def _change(bare: str, change: Callable[[Place], Place]) -> Place:
    """Change one of the places in the file, which it is added to, and return it."""
    path = _path()
    with _lock:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(path.with_suffix(".lock"), timeout=_LOCK_S):
                places = _with(_read(path), bare, change, is_kept=True)
                _write(path, places)
        except (OSError, TimeoutError):
            places = _kept[str(path)] = _with(_read(path), bare, change, is_kept=False)
    return next(place for place in places if place.location == bare)


def _with(
    places: tuple[Place, ...], bare: str, change: Callable[[Place], Place], *, is_kept: bool
) -> tuple[Place, ...]:
    others = tuple(place for place in places if place.location != bare)
    known = next((place for place in places if place.location == bare), None)
    if known is None:
        # A name that nobody keeps must differ by itself from that of any other place.
        is_free = is_kept and all(place.name != _plain_name(bare) for place in others)
        known = Place(_plain_name(bare) if is_free else _marked_name(bare), bare)
    return (*others, change(known))


def _read(path: Path) -> tuple[Place, ...]:
    if str(path) in _kept:
        return _kept[str(path)]
    try:
        return _PLACES.validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return ()


def _write(path: Path, places: tuple[Place, ...]) -> None:
    with tempfile.NamedTemporaryFile(
        "wb", dir=path.parent, prefix=".places-", delete=False
    ) as file:
        file.write(_PLACES.dump_json(places, indent=1))
    Path(file.name).replace(path)
