"""Short signed tokens that each give access to one thing for some hours; not encrypted."""

import hashlib
import hmac
import os
import secrets
import struct
import time
from functools import cache

from itsdangerous import BadData
from itsdangerous.encoding import base64_decode, base64_encode
from itsdangerous.signer import Signer, SigningAlgorithm

from pul.errors import PulError

_SIGNATURE_BYTES = 12
_WINDOW_S = 6 * 3600  # a token is the same within a window, so that the browser can cache
_TIME = struct.Struct(">I")


class TokenError(PulError):
    """A token was not made by this server, or was changed."""


class TokenExpiredError(TokenError):
    """A token has expired."""


class _ShortHmac(SigningAlgorithm):
    """HMAC-SHA256, cut to 96 bits: a page of thumbnails holds thousands of tokens."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        return hmac.digest(key, value, "sha256")[:_SIGNATURE_BYTES]


@cache
def _secret() -> bytes:
    # Several servers behind one address share a secret by environment; one server makes its own.
    shared = os.environ.get("PUL_STUDIO_SECRET", "")
    return hashlib.sha256(shared.encode()).digest() if shared else secrets.token_bytes(32)


@cache
def _signer(purpose: str) -> Signer:
    # The key of a purpose is derived once: a signer would derive it for every token.
    derived = Signer(
        _secret(), salt=purpose, key_derivation="hmac", digest_method=hashlib.sha256
    ).derive_key()
    return Signer(derived, key_derivation="none", algorithm=_ShortHmac())


def expiry(now: float | None = None) -> int:
    """Return when a token made now expires: 6 to 12 hours ahead, in whole windows.

    Args:
        now: Seconds since the epoch; None for now.
    """
    return (int((time.time() if now is None else now) // _WINDOW_S) + 2) * _WINDOW_S


def sign(purpose: str, payload: bytes, *, expires: int) -> str:
    """Make a token for a payload.

    Args:
        purpose: What it gives access to; a token for one purpose is not valid for another.
        payload: What it names; anyone can read it, so nothing private.
        expires: Seconds since the epoch.

    Returns:
        URL-safe text: 4/3 of payload + 4 bytes, a dot, and 16 characters of signature.
    """
    body = base64_encode(payload + _TIME.pack(expires))
    return _signer(purpose).sign(body).decode("ascii")


def verify(purpose: str, token: str, *, now: float | None = None) -> bytes:
    """Return the payload of a token.

    Raises:
        TokenError: It was not made here, was made for something else, or was changed.
        TokenExpiredError: It has expired.
    """
    signer = _signer(purpose)
    try:
        body = signer.unsign(token)
        # Base64 ignores unknown characters: accept the canonical encoding only.
        if not hmac.compare_digest(signer.sign(body), token.encode()):
            raise TokenError("The token was changed; reload the page.")
        content = base64_decode(body)
    except (BadData, ValueError) as error:
        raise TokenError("The token was not made by this server; reload the page.") from error
    payload, stamp = content[: -_TIME.size], content[-_TIME.size :]
    (expires,) = _TIME.unpack(stamp)
    if expires < (time.time() if now is None else now):
        raise TokenExpiredError("The token has expired; reload the page.")
    return payload
