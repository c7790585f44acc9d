"""Where the bytes of elements are kept: a small protocol, and the stores that speak it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

__all__ = ["BlobInfo", "Blobs", "BlobSource"]

BlobSource = bytes | Path
"""What a blob is made from: the bytes themselves, or a file that is read in pieces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobInfo:
    """What a store knows of a blob without reading it."""

    size: int
    """Bytes."""
    etag: str
    """Changes whenever the bytes change; without quotes."""


class Blobs(Protocol):
    """A blob store.

    Keys are made by chainkeep: lower-case hexadecimal segments joined by ``/``. Every method raises
    ``TransientBlobError`` where a later call may succeed and ``BlobError`` where it will not, always from its cause.
    """

    async def put(
        self, key: str, source: BlobSource, *, content_type: str, disposition: str | None = None
    ) -> None:
        """Store a blob, replacing what was there. After it returns, a reader sees all of it; before, none of it."""

    async def info(self, key: str) -> BlobInfo:
        """Size and ETag, or ``BlobNotFoundError``."""

    def stream(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes ``[start, end)`` in pieces of bounded size, or ``BlobNotFoundError`` before the first piece."""

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove blobs; a key that is not there is no error. What could not be removed is named in the error."""

    async def url(
        self, key: str, *, content_type: str, disposition: str | None = None
    ) -> str | None:
        """A signed address that a browser can read for a while, or None where the store has no such thing."""

    def keys(self) -> AsyncIterator[str]:
        """Every key in the store, in no particular order; for finding orphans."""

    async def close(self) -> None:
        """Release connections and threads. Closing twice is no error."""
