"""Signed tokens: what opens, what is refused, and how long they are."""

import hashlib
import hmac
import struct
from base64 import urlsafe_b64encode

import pytest

from app.routes import tokens
from app.routes.tokens import TokenError, TokenExpiredError, expiry, sign, verify


def test_verify__gives_back_what_was_signed() -> None:
    assert verify("a", sign("a", b"payload", expires=100), now=100) == b"payload"


def test_sign__is_the_same_for_the_same() -> None:
    assert sign("a", b"x", expires=9) == sign("a", b"x", expires=9)


def test_verify__expired() -> None:
    with pytest.raises(TokenExpiredError, match="expired"):
        verify("a", sign("a", b"x", expires=100), now=101)


@pytest.mark.parametrize("token", ["", "no", "ä" * 32, "A" * 32, "=" * 32, "A" * 33, "../../etc"])
def test_verify__not_a_token(token: str) -> None:
    with pytest.raises(TokenError):
        verify("a", token, now=0)


@pytest.mark.parametrize("place", [0, 3, 15, 16, 17, 18, -1])
def test_verify__any_changed_byte(place: int) -> None:
    token = sign("a", b"payload!", expires=100)
    changed = list(token)
    changed[place] = "A" if token[place] != "A" else "B"
    with pytest.raises(TokenError, match="not made by this server"):
        verify("a", "".join(changed), now=0)


@pytest.mark.parametrize("change", ["{}=", "{}!", " {}", "{}\n", "{}.", ".{}", "{}é"])
def test_verify__the_same_token_written_otherwise(change: str) -> None:
    with pytest.raises(TokenError):
        verify("a", change.format(sign("a", b"payload!", expires=100)), now=0)


def test_sign__is_an_hmac_by_the_key_of_the_purpose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUL_STUDIO_SECRET", "shared")
    tokens._secret.cache_clear()
    tokens._signer.cache_clear()
    try:
        token = sign("a", b"payload", expires=9)
    finally:
        tokens._secret.cache_clear()
        tokens._signer.cache_clear()
    key = hmac.digest(hashlib.sha256(b"shared").digest(), b"a", "sha256")
    body = urlsafe_b64encode(b"payload" + struct.pack(">I", 9)).rstrip(b"=")
    signature = urlsafe_b64encode(hmac.digest(key, body, "sha256")[:12])
    assert token.encode() == body + b"." + signature


def test_sign__is_short_enough_for_thousands_on_a_page() -> None:
    assert len(sign("thumbnail", bytes(12), expires=2**31)) == 39


def test_verify__other_purpose() -> None:
    with pytest.raises(TokenError, match="not made by this server"):
        verify("b", sign("a", b"x", expires=100), now=0)


def test_expiry__is_six_to_twelve_hours_ahead_in_whole_windows() -> None:
    hour = 3600
    assert expiry(0) == 12 * hour
    assert expiry(6 * hour - 1) == 12 * hour
    assert expiry(6 * hour) == 18 * hour
