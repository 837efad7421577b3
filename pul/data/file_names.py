"""Names of files, which may hold any bytes, as text for a database, a file or a person."""

import os
from os import PathLike
from urllib.parse import quote_from_bytes, unquote_to_bytes

_SCHEME = "file:"
_JOINER = "\u200d"  # within one emoji; it has no width, but is no trick


def to_text(path: str | PathLike[str]) -> str:
    r"""Return a path as text that any file or database takes.

    Linux allows names of any bytes. Those that are not UTF-8 are lone surrogates in Python, which
    no database and no strict file takes: such a path becomes a URI with its bytes quoted. All
    others stay as they are.

    >>> to_text("/crops/café.jpg")
    '/crops/café.jpg'
    >>> to_text("/crops/caf\udce9.jpg")
    'file:/crops/caf%E9.jpg'

    References:
        RFC 8089, the `file` URI scheme; PEP 383, surrogateescape.
    """
    text = os.fspath(path)
    if is_text(text) and not text.startswith(_SCHEME):
        return text
    return _SCHEME + quote_from_bytes(os.fsencode(text))


def is_text(text: str) -> bool:
    """Whether text has no lone surrogates, so that UTF-8 can write it."""
    return text.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in text)


def from_text(text: str) -> str:
    r"""Return the path that `to_text` wrote.

    >>> from_text("file:/crops/caf%E9.jpg")
    '/crops/caf\udce9.jpg'
    """
    if not text.startswith(_SCHEME):
        return text
    return os.fsdecode(unquote_to_bytes(text.removeprefix(_SCHEME)))


def printable(path: str | PathLike[str]) -> str:
    r"""Return a path for people, on one line: what cannot be shown is written as an escape.

    >>> printable("two\nlines, caf\udce9.jpg")
    'two\\nlines, caf\\xe9.jpg'
    """
    text = os.fspath(path)
    if text.isprintable():
        return text
    return "".join(map(_shown, text))


def _shown(sign: str) -> str:
    if sign.isprintable() or sign == _JOINER:
        return sign
    if "\udc80" <= sign <= "\udcff":
        return f"\\x{ord(sign) - 0xDC00:02x}"
    return sign.encode("unicode_escape").decode("ascii")
