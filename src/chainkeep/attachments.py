"""The blobs of elements: stored beside their rows, and removed once the rows are gone for good."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

from chainkeep.blobs import Blobs, BlobSource
from chainkeep.blobs.outbox import Backlog, Outbox
from chainkeep.db import queries
from chainkeep.db.database import Database
from chainkeep.db.writer import Unit, Writer
from chainkeep.errors import BlobError, ConflictError, StorageError, TransientBlobError

__all__ = ["Attachments", "Content"]

logger = logging.getLogger("chainkeep.blobs")

_PORTION = 500
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """An element's bytes, and how a browser is to take them."""

    source: BlobSource
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
        self._arriving: dict[str, set[asyncio.Future[None]]] = {}

    def put(
        self, key: str, content: Content, written: asyncio.Future[bool]
    ) -> Coroutine[Any, Any, bool]:
        """Store a blob whose row is being written; the row's result once both are done.

        A blob whose row was refused, or came too late, is taken away again. From this call on, and
        not only once it is awaited, ``arrived`` waits for the blob.
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
        written: asyncio.Future[bool],
        arrival: asyncio.Future[None],
    ) -> bool:
        try:
            await self._store(key, content)
        finally:
            arrival.set_result(None)
        try:
            wanted = await asyncio.shield(written)
        except ConflictError:
            await self._discard(key)
            raise
        if not wanted:
            await self._discard(key)
        return wanted

    async def _store(self, key: str, content: Content) -> None:
        try:
            async with self._alone([key]):
                await self.blobs.put(
                    key,
                    content.source,
                    content_type=content.content_type,
                    disposition=content.disposition,
                )
        except BlobError as exc:
            message = "Blob %s was not stored, and its element cannot be shown: %s"
            logger.log(logging.ERROR, message, key, exc)
            raise

    def remove_soon(self, keys: Sequence[str]) -> None:
        """Remove blobs whose deletion is committed, in the background, until it succeeds."""
        for start in range(0, len(keys), _PORTION):
            task = asyncio.ensure_future(self._remove(keys[start : start + _PORTION]))
            self._removals.add(task)
            task.add_done_callback(self._removals.discard)

    async def _discard(self, key: str) -> None:
        """Remove a blob whose row was not written, unless a row that was wants it after all."""
        async with self._alone([key]):
            if not await self._database.read(
                lambda connection: queries.elements_with_key(connection, object_key=key)
            ):
                await self.blobs.delete([key])

    async def start(self) -> None:
        """Take up what earlier processes left: blobs to be delivered, and blobs to be removed."""
        if isinstance(self.blobs, Outbox):
            await self.blobs.start()
        self.remove_soon(
            await self._database.read(
                lambda connection: queries.blob_deletion_requests(connection, count=10_000)
            )
        )

    def backlog(self) -> Backlog | None:
        """What waits for a bucket; None for a store that nothing waits for."""
        return self.blobs.pending() if isinstance(self.blobs, Outbox) else None

    async def close(self, timeout: float) -> None:
        """Finish the removals, for at most ``timeout`` seconds, then close the blob store."""
        if self._removals:
            _, late = await asyncio.wait(self._removals, timeout=timeout)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self.blobs.close()

    @asynccontextmanager
    async def _alone(self, keys: Sequence[str]) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for key in sorted(set(keys)):
                await stack.enter_async_context(self._locks.setdefault(key, asyncio.Lock()))
            yield

    async def _remove(self, keys: Sequence[str]) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                return await self._remove_once(keys)
            except TransientBlobError as exc:
                logger.warning("%d blobs will be removed later: %s", len(keys), exc)
            except (BlobError, StorageError) as exc:
                # Without a traceback, which could quote a row.
                message = "%d blobs were not removed and stay listed in blob_deletions: %s"
                return logger.log(logging.ERROR, message, len(keys), exc)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _remove_once(self, keys: Sequence[str]) -> None:
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
