"""A blob store that stays usable while the store behind it is not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from chainkeep.blobs import BlobInfo, Blobs, BlobSource
from chainkeep.blobs.delivery import Delivery, Line, Upload
from chainkeep.blobs.files import disk_errors, read_pieces
from chainkeep.blobs.spool import Spool
from chainkeep.blobs.workers import Workers
from chainkeep.errors import BlobError, TransientBlobError

__all__ = ["Backlog", "Outbox"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What has not reached the store."""

    count: int
    """Blobs, the refused ones among them."""
    bytes: int
    oldest_seconds: float
    """Age of the oldest; 0 when nothing waits."""
    refused: tuple[str, ...]
    """Keys that the store will not take. They are tried again when the app next starts."""


class Outbox:
    """Keeps blobs on local disk until the store behind has them.

    ``put`` returns when the blob is on local disk and was tried once, or after ``wait_seconds``;
    it does not raise because the store is away or refuses. What has not arrived is sent in the
    background: after growing pauses where that may help, else when the app next starts. Until then
    it is read from the disk. It survives the process: the next one to use the directory sends it.

    Any number of processes on one machine may share the directory, which must be on a local disk.
    Only the process that took a blob in can read it before it has arrived.
    """

    def __init__(
        self,
        blobs: Blobs,
        directory: Path | str,
        *,
        max_uploads: int = 4,
        wait_seconds: float = 5.0,
        first_pause: float = 1.0,
        longest_pause: float = 60.0,
        close_seconds: float = 10.0,
        link: bool = False,
    ) -> None:
        """``link``: files handed over are never written to again, so a hard link will do."""
        self._blobs = blobs
        self._spool = Spool(Path(directory), link=link)
        self._workers = Workers("spool", 2)
        pauses = (first_pause, longest_pause)
        self._delivery = Delivery(blobs, self._spool, self._workers, max_uploads, pauses)
        self._wait_seconds = wait_seconds
        self._close_seconds = close_seconds
        self._starting = asyncio.Lock()
        self._started = self._closed = False

    async def start(self) -> None:
        """Begin to send what earlier processes left; else the first use does it."""
        async with self._starting:
            if self._closed:
                raise BlobError("The blob store is closed; open a new one.")
            if not self._started:
                for entry in await self._workers.run(self._spool.open):
                    await self._delivery.accept(self._delivery.line(entry.key), entry)
                self._started = True

    async def put(
        self, key: str, source: BlobSource, *, content_type: str, disposition: str | None = None
    ) -> None:
        await self.start()
        # Shielded: if the caller gives up, what is half in the spool must still be accounted for.
        taking = self._delivery.task(self._take(key, source, content_type, disposition))
        upload = await asyncio.shield(taking)
        if upload is not None and not self._delivery.away:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(upload.tried.wait(), self._wait_seconds)

    async def info(self, key: str) -> BlobInfo:
        await self.start()
        if upload := self._delivery.pending(key):
            return BlobInfo(size=upload.entry.size, etag=f"spool-{upload.entry.name}")
        return await self._blobs.info(key)

    async def stream(
        self, key: str, *, start: int = 0, end: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        await self.start()
        if file := await self._spooled(key):
            pieces = read_pieces(self._workers, file, start, end)
        else:
            pieces = self._blobs.stream(key, start=start, end=end)
        async with aclosing(pieces):
            async for piece in pieces:
                yield piece

    async def delete(self, keys: Sequence[str]) -> None:
        """Call back what waits, let what is on its way arrive, then delete in the store behind."""
        await self.start()
        # In one order for all, so that no two deletions wait for each other.
        lines = [self._delivery.line(key) for key in sorted(set(keys))]
        for line in lines:
            async with line.securing:
                await self._delivery.replace(line, None)
        async with AsyncExitStack() as sending:
            for line in lines:
                await sending.enter_async_context(line.sending)
            await self._blobs.delete(keys)

    async def url(
        self, key: str, *, content_type: str, disposition: str | None = None
    ) -> str | None:
        """None also where the blob has yet to arrive: then it is read from here."""
        await self.start()
        if self._delivery.pending(key):
            return None
        return await self._blobs.url(key, content_type=content_type, disposition=disposition)

    async def keys(self) -> AsyncIterator[str]:
        await self.start()
        waiting = set(self._delivery.waiting)
        for key in waiting:
            yield key
        async for key in self._blobs.keys():
            if key not in waiting:
                yield key

    def pending(self) -> Backlog:
        """What has not reached the store, as far as this process knows."""
        uploads = [line.newest for line in self._delivery.waiting.values() if line.newest]
        oldest = min((upload.entry.secured_at for upload in uploads), default=time.time())
        return Backlog(
            count=len(uploads),
            bytes=sum(upload.entry.size for upload in uploads),
            oldest_seconds=max(time.time() - oldest, 0.0),
            refused=tuple(upload.entry.key for upload in uploads if upload.refused),
        )

    async def drain(self, timeout: float | None = None) -> bool:
        """Send what waits without further pause; whether all of it arrived within ``timeout``."""
        return await self._delivery.drain(timeout)

    async def close(self) -> None:
        """Send what waits, for ``close_seconds`` at most; the rest stays on disk for next time."""
        async with self._starting:
            if self._closed:
                return
            self._closed = True
        await self._delivery.drain(self._close_seconds)
        await self._delivery.stop()
        await self._workers.run(self._spool.close)
        self._workers.close()
        await self._blobs.close()

    async def _take(
        self, key: str, source: BlobSource, content_type: str, disposition: str | None
    ) -> Upload | None:
        line = self._delivery.line(key)
        async with line.securing:
            name = self._spool.next_name()
            try:
                entry = await self._workers.run(
                    self._spool.secure, name, key, source, content_type, disposition
                )
            except TransientBlobError:
                await self._bypass(line, source, content_type, disposition)
                return None
            return await self._delivery.accept(line, entry)

    async def _bypass(
        self, line: Line, source: BlobSource, content_type: str, disposition: str | None
    ) -> None:
        """The spool has no room: straight to the store, and then nothing older may follow."""
        async with line.sending:
            await self._blobs.put(
                line.key, source, content_type=content_type, disposition=disposition
            )
            await self._delivery.replace(line, None)

    async def _spooled(self, key: str) -> BinaryIO | None:
        upload = self._delivery.pending(key)
        if upload is None:
            return None
        with disk_errors(f"read blob {key}"), suppress(FileNotFoundError):
            # It is gone where it arrived in the store a moment ago.
            return await self._workers.run(upload.entry.path.open, "rb")
        return None
