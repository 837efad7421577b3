"""Which file is behind an address, as annotation tools write images."""

import re
from urllib.parse import parse_qs, unquote, urlsplit

_ADDRESS = re.compile(r"[a-z][\w+.-]+://|/data/", re.IGNORECASE)
_UPLOADED = re.compile(r"[0-9a-f]{8}-(?=.)")  # Label Studio puts it before an uploaded file's name


def file_behind(address: str) -> str:
    """Return the path in an address: of Label Studio's local files and uploads, S3, or the web.

    >>> file_behind("/data/local-files/?d=gate/a%20b.jpg"), file_behind("s3://bucket/gate/a.jpg")
    ('gate/a b.jpg', '/gate/a.jpg')
    >>> file_behind("/data/upload/3/0a1b2c3d-a.jpg"), file_behind("gate/a%20b.jpg")
    ('/data/upload/3/a.jpg', 'gate/a%20b.jpg')
    """
    if not _ADDRESS.match(address):
        return address
    try:
        parts = urlsplit(address)
    except ValueError:  # a host in brackets that is none
        return address
    query = parse_qs(parts.query, errors="surrogateescape")
    named = query.get("d") or query.get("fileuri")
    if named:
        return named[0]
    folder, slash, name = unquote(parts.path, errors="surrogateescape").rpartition("/")
    return folder + slash + (_UPLOADED.sub("", name, count=1) if "/upload" in folder else name)
