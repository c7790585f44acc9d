"""A blob store for tests: in memory, as slow and as unreliable as a test wants it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

from chainkeep.blobs import BlobInfo, BlobSource
from chainkeep.errors import BlobError, BlobNotFoundError, TransientBlobError


class MemoryBlobs:
    """Keeps blobs in ``content``; outlives its ``close``, so that stores can follow each other."""

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}
        self.fault: BlobError | None = None
        """Raised by everything, where set."""
        self.tried: list[tuple[str, tuple[str, ...]]] = []
        """What was asked for, failed or not: ``put`` or ``delete``, and the keys."""
        self.putting, self.go_on = asyncio.Event(), asyncio.Event()
        """Set when a put begins; and what it waits for."""
        self.go_on.set()
        self.before_delete: Callable[[], Awaitable[None]] | None = None
        self.closed = 0

    def away(self) -> None:
        """Be unreachable until ``back``."""
        self.fault = TransientBlobError("the bucket does not answer")

    def back(self) -> None:
        self.fault = None

    def deletions(self) -> int:
        """How many deletions were tried."""
        return sum(1 for what, _ in self.tried if what == "delete")

    async def put(
        self, key: str, source: BlobSource, *, content_type: str, disposition: str | None = None
    ) -> None:
        del content_type, disposition
        self.tried.append(("put", (key,)))
        self.putting.set()
        await self.go_on.wait()
        self._check()
        self.content[key] = source.read_bytes() if isinstance(source, Path) else source

    async def info(self, key: str) -> BlobInfo:
        self._check()
        if key not in self.content:
            raise BlobNotFoundError
        return BlobInfo(size=len(self.content[key]), etag=str(hash(self.content[key])))

    async def stream(
        self, key: str, *, start: int = 0, end: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        await self.info(key)
        yield self.content[key][start:end]

    async def delete(self, keys: Sequence[str]) -> None:
        self.tried.append(("delete", tuple(keys)))
        if self.before_delete is not None:
            await self.before_delete()
        self._check()
        for key in keys:
            self.content.pop(key, None)

    async def url(
        self, key: str, *, content_type: str, disposition: str | None = None
    ) -> str | None:
        del key, content_type, disposition
        return None

    async def keys(self) -> AsyncIterator[str]:
        for key in list(self.content):
            yield key

    async def close(self) -> None:
        self.closed += 1

    def _check(self) -> None:
        if self.fault is not None:
            raise self.fault
