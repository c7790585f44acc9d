"""A blob store that stays usable while the store behind it is not."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from weakref import WeakValueDictionary

from chainkeep.blobs import BlobInfo, Blobs, BlobSource
from chainkeep.blobs.files import disk_errors, read_pieces
from chainkeep.blobs.spool import Entry, Spool
from chainkeep.blobs.workers import Workers
from chainkeep.errors import BlobError, TransientBlobError

__all__ = ["Backlog", "Outbox"]

logger = logging.getLogger("chainkeep.blobs")

Result = TypeVar("Result")


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


@dataclass(eq=False, slots=True)
class _Upload:
    """A blob on its way."""

    entry: Entry
    tried: asyncio.Event = field(default_factory=asyncio.Event)
    fault: BlobError | None = None

    @property
    def refused(self) -> bool:
        return self.fault is not None and not isinstance(self.fault, TransientBlobError)


class _Line:
    """What goes on with one key. Both locks are first come, first served."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.securing = asyncio.Lock()
        """Held while a blob enters the spool or is called back, each in its turn."""
        self.sending = asyncio.Lock()
        """Held while the store behind is asked to store or delete the key."""
        self.newest: _Upload | None = None
        """What the key holds, if that has not reached the store."""
        self.flying: _Upload | None = None
        """What is being sent at the moment."""
        self.nudge = asyncio.Event()
        """Ends a pause between tries."""
        self.courier: asyncio.Task[None] | None = None


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
        self._uploads = asyncio.Semaphore(max_uploads)
        self._wait_seconds = wait_seconds
        self._pauses = (first_pause, longest_pause)
        self._close_seconds = close_seconds
        self._starting = asyncio.Lock()
        self._started = self._closed = self._away = False
        self._lines: WeakValueDictionary[str, _Line] = WeakValueDictionary()
        self._waiting: dict[str, _Line] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        """Begin to send what earlier processes left; else the first use does it."""
        async with self._starting:
            if self._closed:
                raise BlobError("The blob store is closed; open a new one.")
            if not self._started:
                for entry in await self._workers.run(self._spool.open):
                    await self._accept(self._line(entry.key), entry)
                self._started = True

    async def put(
        self, key: str, source: BlobSource, *, content_type: str, disposition: str | None = None
    ) -> None:
        await self.start()
        # Shielded: if the caller gives up, what is half in the spool must still be accounted for.
        taking = self._task(self._take(key, source, content_type, disposition))
        upload = await asyncio.shield(taking)
        if upload is not None and not self._away:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(upload.tried.wait(), self._wait_seconds)

    async def info(self, key: str) -> BlobInfo:
        await self.start()
        if upload := self._pending(key):
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
        lines = [self._line(key) for key in sorted(set(keys))]
        for line in lines:
            async with line.securing:
                await self._replace(line, None)
        async with AsyncExitStack() as sending:
            for line in lines:
                await sending.enter_async_context(line.sending)
            await self._blobs.delete(keys)

    async def url(
        self, key: str, *, content_type: str, disposition: str | None = None
    ) -> str | None:
        """None also where the blob has yet to arrive: then it is read from here."""
        await self.start()
        if self._pending(key):
            return None
        return await self._blobs.url(key, content_type=content_type, disposition=disposition)

    async def keys(self) -> AsyncIterator[str]:
        await self.start()
        waiting = set(self._waiting)
        for key in waiting:
            yield key
        async for key in self._blobs.keys():
            if key not in waiting:
                yield key

    def pending(self) -> Backlog:
        """What has not reached the store, as far as this process knows."""
        uploads = [line.newest for line in self._waiting.values() if line.newest]
        oldest = min((upload.entry.secured_at for upload in uploads), default=time.time())
        return Backlog(
            count=len(uploads),
            bytes=sum(upload.entry.size for upload in uploads),
            oldest_seconds=max(time.time() - oldest, 0.0),
            refused=tuple(upload.entry.key for upload in uploads if upload.refused),
        )

    async def drain(self, timeout: float | None = None) -> bool:
        """Send what waits without further pause; whether all of it arrived within ``timeout``."""
        for line in self._waiting.values():
            line.nudge.set()
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._idle(), timeout)
        return not self._waiting

    async def close(self) -> None:
        """Send what waits, for ``close_seconds`` at most; the rest stays on disk for next time."""
        if self._closed:
            return
        async with self._starting:
            self._closed = True
        await self.drain(self._close_seconds)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._workers.run(self._spool.close)
        self._workers.close()
        await self._blobs.close()

    async def _idle(self) -> None:
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _take(
        self, key: str, source: BlobSource, content_type: str, disposition: str | None
    ) -> _Upload | None:
        line = self._line(key)
        async with line.securing:
            name = self._spool.next_name()
            try:
                entry = await self._workers.run(
                    self._spool.secure, name, key, source, content_type, disposition
                )
            except TransientBlobError:
                await self._bypass(line, source, content_type, disposition)
                return None
            return await self._accept(line, entry)

    async def _bypass(
        self, line: _Line, source: BlobSource, content_type: str, disposition: str | None
    ) -> None:
        """The spool has no room: straight to the store, and then nothing older may follow."""
        async with line.sending:
            await self._blobs.put(
                line.key, source, content_type=content_type, disposition=disposition
            )
            await self._replace(line, None)

    async def _accept(self, line: _Line, entry: Entry) -> _Upload:
        upload = _Upload(entry)
        await self._replace(line, upload)
        if line.courier is None:
            line.courier = self._task(self._deliver(line))
        return upload

    async def _replace(self, line: _Line, upload: _Upload | None) -> None:
        """Let the newest upload be another, or none; the one before no longer matters."""
        former, line.newest = line.newest, upload
        if upload is None:
            self._waiting.pop(line.key, None)
        else:
            self._waiting[line.key] = line
        line.nudge.set()
        # What is on its way is still being read; who sends it discards it.
        if former is not None and former is not line.flying:
            await self._discard(former)

    async def _deliver(self, line: _Line) -> None:
        pauses = self._growing_pauses()
        try:
            while (upload := line.newest) is not None and not upload.refused:
                line.nudge.clear()
                async with line.sending, self._uploads:
                    await self._send(line)
                if line.newest is upload and not upload.refused:
                    await self._rest(line, next(pauses))
        finally:
            line.courier = None

    async def _send(self, line: _Line) -> None:
        """Send the newest upload, which may be another than when the courier got in line."""
        upload = line.flying = line.newest
        if upload is None:
            return
        try:
            await self._try(upload)
        finally:
            line.flying = None
            upload.tried.set()
        if line.newest is not upload:
            await self._discard(upload)
        elif upload.fault is None:
            await self._replace(line, None)

    async def _try(self, upload: _Upload) -> None:
        entry = upload.entry
        try:
            await self._blobs.put(
                entry.key,
                entry.path,
                content_type=entry.content_type,
                disposition=entry.disposition,
            )
        except BlobError as error:
            self._note_fault(upload, error)
        else:
            upload.fault = None
            self._away = False

    def _note_fault(self, upload: _Upload, fault: BlobError) -> None:
        first, upload.fault = upload.fault is None, fault
        if upload.refused:
            logger.error("The store refused a blob, which stays in the spool: %s", fault)
            return
        self._away = True
        if first:
            logger.warning("A blob waits in the spool until the store answers: %s", fault)

    @staticmethod
    async def _rest(line: _Line, seconds: float) -> None:
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(line.nudge.wait(), seconds)

    def _growing_pauses(self) -> Iterator[float]:
        pause, longest = self._pauses
        while True:
            yield pause * random.uniform(0.5, 1.0)  # so that not all come back at once
            pause = min(2 * pause, longest)

    async def _discard(self, upload: _Upload) -> None:
        upload.tried.set()
        try:
            await self._workers.run(self._spool.discard, upload.entry)
        except BlobError as error:
            logger.warning("%s", error)

    async def _spooled(self, key: str) -> BinaryIO | None:
        upload = self._pending(key)
        if upload is None:
            return None
        with disk_errors(f"read blob {key}"), suppress(FileNotFoundError):
            # It is gone where it arrived in the store a moment ago.
            return await self._workers.run(upload.entry.path.open, "rb")
        return None

    def _pending(self, key: str) -> _Upload | None:
        line = self._waiting.get(key)
        return line.newest if line else None

    def _line(self, key: str) -> _Line:
        return self._lines.setdefault(key, _Line(key))

    def _task(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
