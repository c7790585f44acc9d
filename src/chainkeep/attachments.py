"""The blobs of elements: stored beside their rows, and removed once the rows are gone for good."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from chainkeep.blobs import Blobs, BlobSource
from chainkeep.blobs.outbox import Backlog, Outbox
from chainkeep.db import queries
from chainkeep.db.database import Database
from chainkeep.db.lanes import Unit
from chainkeep.db.writer import Writer
from chainkeep.errors import BlobError, StorageError, TransientBlobError, TransientStorageError
from chainkeep.paging import portions

__all__ = ["Attachments", "Content", "OpenFile"]

T = TypeVar("T")
logger = logging.getLogger("chainkeep.blobs")

_PORTION = 500
_GATHERING = 0.2
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0


class OpenFile:
    """A file held open, so that its bytes can be read though it is deleted meanwhile.

    Chainlit deletes uploads with their session, and an app what it made for a message.
    """

    def __init__(self, path: Path) -> None:
        """``OSError`` where the file cannot be read."""
        self._path = path
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    @property
    def path(self) -> Path:
        """A path that leads to the open file, whatever became of its name."""
        path = Path(f"/dev/fd/{self._descriptor}")
        return path if path.exists() else self._path

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            os.close(self._descriptor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """An element's bytes, and how a browser is to take them."""

    source: BlobSource | OpenFile
    content_type: str = "application/octet-stream"
    disposition: str | None = None
    """A whole Content-Disposition value."""


class Attachments:
    """Puts blobs and removes them, one thing at a time for each key.

    Which blobs are to go stands in the database, written with the rows' own deletion, so a removal
    that is cut short is taken up again by the next process.
    """

    def __init__(self, blobs: Blobs, database: Database, writer: Writer) -> None:
        self.blobs = blobs
        self._database = database
        self._writer = writer
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._removals: set[asyncio.Task[None]] = set()
        self._doomed: list[str] = []
        self._gathering: asyncio.Task[None] | None = None
        self._pauses: set[asyncio.Future[None]] = set()
        self._finishing = False
        self._arriving: dict[str, set[asyncio.Future[None]]] = {}

    def put(self, key: str, content: Content, written: asyncio.Future[T]) -> Coroutine[Any, Any, T]:
        """Store a blob once its row is written, unless that gave False; the row's result when both
        are done.

        From this call on, and not only once it is awaited, ``arrived`` waits for the blob.
        """
        arrival: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._arriving.setdefault(key, set()).add(arrival)
        arrival.add_done_callback(partial(self._has_arrived, key))
        return self._put(key, content, written, arrival)

    async def arrived(self, key: str) -> None:
        """Wait for what is on its way into the store under a key; its row may be there already."""
        if arriving := self._arriving.get(key):
            await asyncio.wait(arriving)

    def _has_arrived(self, key: str, arrival: asyncio.Future[None]) -> None:
        self._arriving[key].discard(arrival)
        if not self._arriving[key]:
            del self._arriving[key]

    async def _put(
        self,
        key: str,
        content: Content,
        written: asyncio.Future[T],
        arrival: asyncio.Future[None],
    ) -> T:
        try:
            # Not before the row is there: the key names a thread and an element, and whoever is
            # refused must not have written over the bytes of whoever they belong to.
            result = await asyncio.shield(written)
            if result is not False:
                await self._store(key, content)
            return result
        finally:
            arrival.set_result(None)

    async def _store(self, key: str, content: Content) -> None:
        try:
            async with self._alone([key]):
                source = content.source
                await self.blobs.put(
                    key,
                    source.path if isinstance(source, OpenFile) else source,
                    content_type=content.content_type,
                    disposition=content.disposition,
                )
        except BlobError as exc:
            message = "Blob %s was not stored, and its element cannot be shown: %s"
            logger.log(logging.ERROR, message, key, exc)
            raise

    def remove_soon(self, keys: Sequence[str]) -> None:
        """Remove blobs whose deletion is committed, in the background, until it succeeds."""
        self._doomed += keys
        # One that ended with its event loop left its keys to the next, as of a script's next run.
        if self._doomed and (self._gathering is None or self._gathering.done()):
            self._gathering = self._in_background(self._remove_doomed())

    async def start(self) -> None:
        """Take up what earlier processes left: blobs to be delivered, and blobs to be removed."""
        if isinstance(self.blobs, Outbox):
            await self.blobs.start()
        _ = self._in_background(self._take_up_removals())

    def backlog(self) -> Backlog | None:
        """What waits for a bucket; None for a store that nothing waits for."""
        return self.blobs.pending() if isinstance(self.blobs, Outbox) else None

    async def finish(self, timeout: float) -> None:
        """Finish the removals, for at most ``timeout`` seconds; the next process does the rest, and
        what is away now.
        """
        self._finishing = True
        while self._pauses:
            self._pauses.pop().set_result(None)
        if self._removals:
            _, late = await asyncio.wait(self._removals, timeout=timeout)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    @asynccontextmanager
    async def _alone(self, keys: Sequence[str]) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for key in sorted(set(keys)):
                await stack.enter_async_context(self._locks.setdefault(key, asyncio.Lock()))
            yield

    def _in_background(self, removal: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(removal)
        self._removals.add(task)
        task.add_done_callback(self._removals.discard)
        return task

    async def _take_up_removals(self) -> None:
        async def listed() -> None:
            self.remove_soon(
                await self._database.read(
                    lambda connection: queries.blob_deletion_requests(connection, count=10_000)
                )
            )

        await self._persist(listed, "The blobs that are listed in blob_deletions")

    async def _remove_doomed(self) -> None:
        # Many deletions go together, and none holds up the deletion of the next thread.
        await self._ends_within(_GATHERING)
        keys, self._doomed, self._gathering = self._doomed, [], None
        await asyncio.gather(*map(self._remove, portions(keys, _PORTION)))

    async def _remove(self, keys: Sequence[str]) -> None:
        await self._persist(partial(self._remove_once, keys), f"{len(keys)} blobs")

    async def _persist(self, removal: Callable[[], Coroutine[Any, Any, None]], what: str) -> None:
        """Try until it succeeds, fails for good, or is left to the next process."""
        pause = _FIRST_PAUSE
        while True:
            try:
                return await removal()
            except (TransientBlobError, TransientStorageError) as exc:
                logger.warning("%s will be removed later: %s", what, exc)
            except (BlobError, StorageError) as exc:
                # Without a traceback, which could quote a row.
                message = "%s were not removed and stay listed in blob_deletions: %s"
                return logger.log(logging.ERROR, message, what, exc)
            if await self._ends_within(pause):
                return None
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _ends_within(self, pause: float) -> bool:
        """Wait, but not into ``finish``: whether that has begun."""
        if not self._finishing:
            end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._pauses.add(end)
            try:
                await asyncio.wait([end], timeout=pause)
            finally:
                self._pauses.discard(end)
        return self._finishing

    async def _remove_once(self, keys: Sequence[str]) -> None:
        await asyncio.gather(*map(self.arrived, keys))
        async with self._alone(keys):
            # An element that is sent again wants its blob back, and its row may be on its way.
            await self._writer.settled()
            wanted = await self._database.read(
                lambda connection: queries.blob_deletions_wanted(connection, object_keys=keys)
            )
            if wanted:
                await self.blobs.delete(wanted)
                await self._writer.write(
                    Unit(
                        "blobs",
                        f"blob_deletions_done of {len(wanted)} blobs",
                        lambda connection: queries.blob_deletions_done(
                            connection, object_keys=wanted
                        ),
                    )
                )
