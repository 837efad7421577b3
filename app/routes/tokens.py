"""Tokens that open one thing for a while: short, signed, and telling nothing to who reads them."""

import base64
import hashlib
import hmac
import os
import secrets
import struct
import time
from functools import cache

from pul.errors import PulError

_MAC_BYTES = 12
_WINDOW_S = 6 * 3600  # a token is the same for a while, so that the browser's cache holds
_TIME = struct.Struct(">I")


class TokenError(PulError):
    """A token was not made by this server, or was changed."""


class TokenExpiredError(TokenError):
    """A token was good once."""


@cache
def _key() -> bytes:
    # Several servers behind one address share a key by environment; one server draws its own.
    shared = os.environ.get("PUL_STUDIO_SECRET", "")
    return hashlib.sha256(shared.encode()).digest() if shared else secrets.token_bytes(32)


def expiry(now: float | None = None) -> int:
    """Return when a token made now expires: 6 to 12 hours ahead, in whole windows.

    Args:
        now: Seconds since the epoch; the clock's where None.
    """
    return (int((time.time() if now is None else now) // _WINDOW_S) + 2) * _WINDOW_S


def sign(purpose: str, payload: bytes, *, expires: int) -> str:
    """Make a token for a payload.

    Args:
        purpose: What it opens; a token for one purpose does not open another.
        payload: What it says; readable by who looks, so nothing private.
        expires: Seconds since the epoch.

    Returns:
        URL-safe text, 4/3 of payload + 16 bytes.
    """
    body = payload + _TIME.pack(expires)
    return base64.urlsafe_b64encode(body + _mac(purpose, body)).rstrip(b"=").decode("ascii")


def verify(purpose: str, token: str, *, now: float | None = None) -> bytes:
    """Return the payload of a token.

    Raises:
        TokenError: It was not made here, was made for something else, or was changed.
        TokenExpiredError: Its time is over.
    """
    body, mac = _split(token)
    if not hmac.compare_digest(mac, _mac(purpose, body)):
        raise TokenError("The token was not made by this server; reload the page.")
    (expires,) = _TIME.unpack(body[-_TIME.size :])
    if expires < (time.time() if now is None else now):
        raise TokenExpiredError("The token has expired; reload the page.")
    return body[: -_TIME.size]


def _split(token: str) -> tuple[bytes, bytes]:
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise TokenError("The token is not of this server's form; reload the page.") from error
    if len(raw) < _TIME.size + _MAC_BYTES:
        raise TokenError("The token is too short to be of this server; reload the page.")
    return raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]


def _mac(purpose: str, body: bytes) -> bytes:
    return hmac.digest(_key(), purpose.encode() + b"\0" + body, "sha256")[:_MAC_BYTES]
