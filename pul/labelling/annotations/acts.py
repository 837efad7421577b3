"""What a person can do: each act as the kind and the plain payload that the log keeps."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import index
from typing import Any, Literal, SupportsIndex

from pul.errors import ConfigError

Role = Literal["training", "validation"]
ROLES: tuple[Role, ...] = ("training", "validation")
MAX_NAME_LENGTH = 200
_LISTS = ("images", "refused", "shown")  # of images, in payloads
KINDS = (
    "create",
    "add",
    "remove",
    "merge",
    "split",
    "same",
    "not_same",
    "undecided",
    "unsure",
    "junk",
    "rename",
    "role",
    "second",
    "settle",
    "undo",
    "redo",
)


@dataclass(frozen=True, slots=True)
class Act:
    """One act before it is stored: `append_annotation_event(act.kind, act.payload, author)`.

    Attributes:
        kind: One of `KINDS`.
        payload: Over which images and identities; plain values. Images are named by their number
            in the store, never by row or cluster, so that labels outlive every re-clustering.
    """

    kind: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a pair: an identity, or images that are not named yet (such as a cluster).

    Attributes:
        identity: The identity; None where the side is images.
        images: The images; empty where the side is an identity.
    """

    identity: int | None = None
    images: tuple[int, ...] = ()

    def to_plain(self) -> dict[str, Any]:
        """Return the side as a payload holds it."""
        if (self.identity is None) != bool(self.images):
            raise ConfigError(
                "A side of a pair is either one identity or at least one image, but is "
                f"identity {self.identity} and {len(self.images)} images."
            )
        if self.identity is not None:
            return {"identity": int(self.identity)}
        return {"images": _images(self.images)}


def create(
    images: Iterable[int],
    *,
    refused: Iterable[int] = (),
    shown: Iterable[int] = (),
    name: str = "",
    role: Role = "training",
) -> Act:
    """Make a new identity; its number is that of the event.

    Args:
        images: Its images.
        refused: Images that were shown with them and are someone else.
        shown: Images that were shown last and not taken: most of them are someone else.
        name: What people call it; "" for ID_001, ID_002, ...
        role: `training`, or `validation` to hold it out.

    Raises:
        ConfigError: No image, no such role, or a name that cannot be written down.
    """
    payload = {"images": _images(images), "refused": _images(refused, least=0)} | _shown(shown)
    return Act("create", payload | {"name": check_name(name), "role": _role(role)})


def add(
    identity: int,
    images: Iterable[int],
    *,
    refused: Iterable[int] = (),
    shown: Iterable[int] = (),
) -> Act:
    """Say that images show an identity, and that others which were shown do not.

    Args:
        identity: The identity.
        images: Images that show it.
        refused: Images that were shown with them and are someone else.
        shown: Images that were shown last and not taken: most of them are someone else.

    Raises:
        ConfigError: No image at all.
    """
    payload = {"images": _images(images, least=0), "refused": _images(refused, least=0)}
    if not payload["images"] and not payload["refused"]:
        raise ConfigError("Adding to an identity needs at least one image.")
    return Act("add", {"identity": to_number(identity)} | payload | _shown(shown))


def remove(identity: int, images: Iterable[int]) -> Act:
    """Say that images do not show an identity, whoever said they did.

    Raises:
        ConfigError: No image.
    """
    return Act("remove", {"identity": to_number(identity), "images": _images(images)})


def merge(identities: Sequence[int]) -> Act:
    """Say that identities are one person; the first keeps its number, name and role.

    Raises:
        ConfigError: Fewer than two different identities.
    """
    numbers = list(dict.fromkeys(to_number(identity) for identity in identities))
    if len(numbers) < 2:
        raise ConfigError(f"A merge needs at least two identities, but got {numbers}.")
    return Act("merge", {"identities": numbers})


def split(identity: int, images: Iterable[int]) -> Act:
    """Move images of an identity to a new one, which is a different person.

    Raises:
        ConfigError: No image.
    """
    return Act("split", {"identity": to_number(identity), "images": _images(images)})


def same(images: Iterable[int]) -> Act:
    """Say that images show one person, without naming whom (a must-link).

    Raises:
        ConfigError: Fewer than two images.
    """
    return Act("same", {"images": _images(images, least=2)})


def not_same(left: Side, right: Side) -> Act:
    """Say that nobody on the left is anybody on the right (a cannot-link).

    Raises:
        ConfigError: A side is empty.
    """
    return Act("not_same", {"left": left.to_plain(), "right": right.to_plain()})


def undecided(left: Side, right: Side) -> Act:
    """Say that a pair cannot be told, so that it is not asked again.

    Raises:
        ConfigError: A side is empty.
    """
    return Act("undecided", {"left": left.to_plain(), "right": right.to_plain()})


def unsure(images: Iterable[int]) -> Act:
    """Set images aside: it cannot be told whom they show.

    Raises:
        ConfigError: No image.
    """
    return Act("unsure", {"images": _images(images)})


def junk(images: Iterable[int]) -> Act:
    """Mark images as bad detections, which show nobody.

    Raises:
        ConfigError: No image.
    """
    return Act("junk", {"images": _images(images)})


def rename(identity: int, name: str) -> Act:
    """Call an identity by a name; "" brings ID_001 back.

    Raises:
        ConfigError: The name is too long, or cannot be written down.
    """
    return Act("rename", {"identity": to_number(identity), "name": check_name(name)})


def set_role(identity: int, role: Role) -> Act:
    """Use an identity for training, or hold it out for validation.

    Raises:
        ConfigError: There is no such role.
    """
    return Act("role", {"identity": to_number(identity), "role": _role(role)})


def second(identity: int, images: Iterable[int], *, refused: Iterable[int] = ()) -> Act:
    """Say, without knowing what others did, which images of an identity's card show one person.

    It changes no identity; where it differs, `settle` decides.

    Args:
        identity: The identity that somebody else made of the card.
        images: The images; none where there is no one person.
        refused: Images that were shown with them and are someone else.
    """
    said = {"images": _images(images, least=0), "refused": _images(refused, least=0)}
    return Act("second", {"identity": to_number(identity)} | said)


def settle(event: int, *, is_taken: bool) -> Act:
    """Decide between the two who answered a card.

    Args:
        event: The second opinion.
        is_taken: Whether the identity becomes what the second one said; else it stays as it is.
    """
    return Act("settle", {"event": int(event), "is_taken": bool(is_taken)})


def undo(event: int) -> Act:
    """Take back the act of an event, whichever it is, as if it had never been."""
    return Act("undo", {"event": int(event)})


def redo(event: int) -> Act:
    """Bring an act back that was taken back."""
    return Act("redo", {"event": int(event)})


def _shown(images: Iterable[int]) -> dict[str, Any]:
    shown = _images(images, least=0)
    return {"shown": shown} if shown else {}


def _images(images: Iterable[int], *, least: int = 1) -> list[int]:
    numbers = sorted({to_number(image) for image in images})
    if numbers and numbers[0] < 0:
        raise ConfigError(f"Images have numbers from 1, but got {numbers[0]} to {numbers[-1]}.")
    if len(numbers) < least:
        raise ConfigError(f"This act needs at least {least} images, but got {len(numbers)}.")
    return numbers


def named_images(act: Act) -> frozenset[int]:
    """Return every image that an act names."""
    sides = [act.payload.get(name, {}) for name in ("left", "right")]
    lists = (part.get(key, ()) for part in (act.payload, *sides) for key in _LISTS)
    return frozenset(chain.from_iterable(lists))


def to_number(value: SupportsIndex) -> int:
    """Return the number of an image or identity; text and fractions are none.

    Raises:
        ConfigError: It is no whole number, or too large to be one of a database.
    """
    try:
        number = index(value)
    except TypeError as error:
        raise ConfigError(
            f"Images and identities have whole numbers, but this is {str(value)[:40]!r}."
        ) from error
    if not -(2**63) <= number < 2**63:
        raise ConfigError("Images and identities have numbers below 2^63.")
    return number


def check_name(name: str, most: int = MAX_NAME_LENGTH) -> str:
    """Return a name without spaces around it, if it can be written down.

    Raises:
        ConfigError: It has more signs than allowed, or some that cannot be shown, such as NUL.
    """
    shown = name.strip()
    if len(shown) > most:
        raise ConfigError(f"A name has at most {most} signs, but this has {len(shown):,}.")
    if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in shown):
        raise ConfigError(f"The name {shown!r} holds signs that cannot be shown; leave them out.")
    return shown


def _role(role: str) -> str:
    if role not in ROLES:
        raise ConfigError(f"There is no role {role!r}; choose one of {', '.join(ROLES)}.")
    return role
