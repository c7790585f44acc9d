"""Where the bytes of elements are kept: a small protocol, and the stores that speak it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

__all__ = ["BlobInfo", "BlobSource", "Blobs"]

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

    Keys are made by chainkeep: lower-case hexadecimal segments joined by ``/``. Every method
    raises ``TransientBlobError`` where a later call may succeed and ``BlobError`` where it will
    not, always from its cause. A store belongs to the event loop that first uses it.
    """

    async def put(
        self, key: str, source: BlobSource, *, content_type: str, disposition: str | None = None
    ) -> None:
        """Store a blob, replacing what was there.

        After it returns, a reader sees all of it; before, none of it.
        """

    async def info(self, key: str) -> BlobInfo:
        """Size and ETag, or ``BlobNotFoundError``."""

    def stream(
        self, key: str, *, start: int = 0, end: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        """The bytes ``[start, end)``, in pieces of at most 256 KiB.

        ``BlobNotFoundError`` comes before the first piece. A range beyond the blob's end holds no
        bytes and is no error.
        """

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove blobs; a key that is not there is no error.

        All are tried; those that could not be removed are named in the error.
        """

    async def url(
        self, key: str, *, content_type: str, disposition: str | None = None
    ) -> str | None:
        """A signed address that a browser can read for a while.

        None where the store has no such thing. Whether the blob exists is not looked up.
        """

    def keys(self) -> AsyncIterator[str]:
        """Every key in the store, in no particular order; for finding orphans."""

    async def close(self) -> None:
        """Release connections and threads. Closing twice is no error."""
