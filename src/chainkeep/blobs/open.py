"""From a setting to a blob store."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from chainkeep.blobs import Blobs
from chainkeep.blobs.local import LocalBlobs
from chainkeep.blobs.outbox import Outbox
from chainkeep.blobs.s3 import S3Blobs
from chainkeep.errors import InvalidInputError

__all__ = ["open_blobs"]


def open_blobs(url: str, *, spool: Path | str) -> Blobs:
    """The store at ``s3://bucket/prefix?…``, ``file:///path``, ``file:path`` or a plain path.

    A bucket comes with an ``Outbox`` that keeps its spool in the directory ``spool``. Nothing is
    reached or made before the first use. ``InvalidInputError`` never repeats the URL.
    """
    if url.startswith("s3:"):
        return Outbox(S3Blobs.from_url(url), spool)
    return LocalBlobs(_directory(url))


def _directory(url: str) -> Path:
    parts = urlsplit(url)
    if not url or parts.scheme not in {"", "file"}:
        raise InvalidInputError("Blobs are kept in a directory or at s3://bucket/prefix.")
    if parts.scheme == "":
        return Path(url)
    if parts.netloc not in {"", "localhost"}:
        raise InvalidInputError("Write file:///absolute/path, or file:path for a relative one.")
    return Path(unquote(parts.path))
