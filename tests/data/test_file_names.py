"""Names of any bytes as text, and back."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pul.data.file_names import from_text, printable, to_text
from tests.support.odd_names import ODD_NAMES

PATHS = st.binary(min_size=1).map(lambda name: os.fsdecode(b"/" + name.replace(b"\0", b"")))


@given(PATHS)
def test_to_text__of_any_bytes_comes_back(path: str) -> None:
    text = to_text(path)
    assert from_text(text) == path
    text.encode()  # UTF-8 takes it
    assert "\0" not in text


@given(PATHS, PATHS)
def test_to_text__tells_any_two_apart(one: str, other: str) -> None:
    assert (to_text(one) == to_text(other)) is (one == other)


@pytest.mark.parametrize("name", ODD_NAMES)
def test_to_text__names_that_are_utf_8_stay(name: str) -> None:
    is_utf_8 = os.fsencode(name).decode(errors="ignore") == name
    assert (to_text(f"/x/{name}") == f"/x/{name}") is is_utf_8
    assert from_text(to_text(name)) == name  # one that begins like ours too


@pytest.mark.parametrize("name", ODD_NAMES)
def test_printable__is_one_line_that_a_terminal_only_shows(name: str) -> None:
    shown = printable(name)
    shown.encode()
    assert not any(ord(sign) < 32 or sign in "\x7f\u202e" for sign in shown)
    if name.isprintable():
        assert shown == name


def test_printable__by_hand() -> None:
    assert printable("a\nb\x1b\u202e") == "a\\nb\\x1b\\u202e"
    assert printable(os.fsdecode(b"caf\xe9")) == "caf\\xe9"
    assert printable("👩\u200d👧") == "👩\u200d👧"
