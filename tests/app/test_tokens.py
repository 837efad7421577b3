import base64

import pytest

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


@pytest.mark.parametrize("place", [0, 3, 7, -1])
def test_verify__any_changed_byte(place: int) -> None:
    raw = bytearray(base64.urlsafe_b64decode(sign("a", b"payload!", expires=100)))
    raw[place] ^= 1
    changed = base64.urlsafe_b64encode(raw).decode()
    with pytest.raises(TokenError, match="not made by this server"):
        verify("a", changed, now=0)


def test_verify__other_purpose() -> None:
    with pytest.raises(TokenError, match="not made by this server"):
        verify("b", sign("a", b"x", expires=100), now=0)


def test_expiry__is_six_to_twelve_hours_ahead_in_whole_windows() -> None:
    hour = 3600
    assert expiry(0) == 12 * hour
    assert expiry(6 * hour - 1) == 12 * hour
    assert expiry(6 * hour) == 18 * hour
