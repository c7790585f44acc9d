"""Keeps the search index in step, in the background: one process at a time, a batch at a time, and
slowly while there is writing.

Nothing depends on how far it is: a search reads what is not indexed where it is. If it stops at any
moment, the next one goes on from there, in whatever process.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable
from functools import partial

from sqlalchemy import Connection

from chainkeep.db import search_queries as sql
from chainkeep.db.database import Database
from chainkeep.db.indexing import LEASE_SECONDS, Batch, claim, next_batch, write_batch
from chainkeep.db.migrations.search import make_trigram_index
from chainkeep.errors import ChainkeepError, StorageError, TransientStorageError

__all__ = ["FIRST_PAUSE", "Indexer"]

logger = logging.getLogger("chainkeep.search")

FIRST_PAUSE = 1.0
"""Seconds from the first change to the first batch, which more may join."""
# What folds longer than some milliseconds is folded beside the event loop.
_LONG = 200_000
# Of its time the indexer takes this share while there is writing, and else.
_SHARE_BUSY, _SHARE_IDLE = 0.05, 0.5
# Counting takes a hundredth of the time at most.
_REST_AFTER_COUNT = 100


class Indexer:
    """Begins when it is woken, and goes on until there is nothing left to index."""

    def __init__(self, database: Database, *, busy: Callable[[], bool]) -> None:
        """``busy`` says whether writes are waiting."""
        self._database = database
        self._busy = busy
        self._holder = uuid.uuid4().hex
        self._loop: asyncio.AbstractEventLoop | None = None
        self._planned: asyncio.TimerHandle | None = None
        self._running: asyncio.Task[None] | None = None
        self._woken = self._closed = self._asked = False
        self._count_again = 0.0
        self.waiting = 0
        """How many rows are not indexed, when they were last counted."""
        self.indexed: bool | None = None
        """Whether there is a trigram index; None while nobody has asked."""

    def wake(self) -> None:
        """There may be something to index."""
        self._woken = True
        loop = asyncio.get_running_loop()
        if self._loop is not loop:  # such as a script's next asyncio.run
            self._loop, self._planned, self._running = loop, None, None
        if self._planned is None and (self._running is None or self._running.done()):
            self._plan(FIRST_PAUSE)

    async def close(self, timeout: float) -> None:
        """Stop after the batch that is being written."""
        self._closed = True
        if self._loop is not asyncio.get_running_loop():
            return
        if self._planned is not None:
            self._planned.cancel()
        if self._running is not None:
            await asyncio.wait([self._running], timeout=timeout)
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    def _plan(self, pause: float) -> None:
        # While it rests there is a timer and no task, which would pass for work under way.
        if self._loop is not None and not self._closed:
            self._planned = self._loop.call_later(pause, self._start)

    def _start(self) -> None:
        self._planned = None
        self._running = asyncio.ensure_future(self._run())

    async def _run(self) -> None:
        try:
            pause = await self._go_on()
        except TransientStorageError as exc:
            logger.info("The search index will be kept in step later: %s", exc)
            pause = LEASE_SECONDS
        except ChainkeepError as exc:
            logger.warning("The search index is not kept in step: %s", exc)
            return
        if pause is not None:
            self._plan(pause)
        elif self._woken:
            self._plan(FIRST_PAUSE)

    async def _go_on(self) -> float | None:
        """Write a batch; how long to rest then, None where nothing is left."""
        if not self._asked:
            await self._prepare()
        clock = asyncio.get_running_loop().time
        began = clock()
        if self._woken:
            self._woken = False
            await self._count()
        batch = await self._database.snapshot(next_batch)
        if not batch.size:
            self.waiting = 0
            return None
        done = await self._write(batch)
        if not done:
            # Another process indexes, or all of it was being written just then.
            return LEASE_SECONDS
        self.waiting = max(0, self.waiting - done)
        # Between the writes of a chat that awaits each of them nothing is queued; it woke this one.
        share = _SHARE_BUSY if self._woken or self._busy() else _SHARE_IDLE
        return (clock() - began) * (1 / share - 1)

    async def _count(self) -> None:
        """Count what waits, unless that took long and was done not long ago: with much to do, to
        count it takes longer than to do some of it.
        """
        clock = asyncio.get_running_loop().time
        began = clock()
        if began < self._count_again:
            return
        self.waiting = await self._database.read(sql.search_waiting)
        self._count_again = clock() + _REST_AFTER_COUNT * (clock() - began)

    async def _write(self, batch: Batch) -> int | None:
        if batch.characters > _LONG:
            folded = await asyncio.to_thread(batch.folded)
        else:
            folded = batch.folded()
        return await self._database.write(partial(write_batch, holder=self._holder, batch=folded))

    async def _prepare(self) -> None:
        """Make the trigram index where it is missing and can be made."""
        state = await self._database.read(sql.search_index_state)
        if not state.ready:
            await self._make()
            state = await self._database.read(sql.search_index_state)
        self.indexed, self._asked = state.ready, True

    async def _make(self) -> None:
        try:
            await self._database.write(self._make_alone)
        except TransientStorageError:
            raise
        except StorageError as exc:
            logger.warning(
                "Search has no trigram index, and reads all that a user said: %s "
                "Have it made by an owner of the database: docs/decisions/0013-search.md",
                exc,
            )

    def _make_alone(self, connection: Connection) -> None:
        if claim(connection, self._holder) is None:
            raise TransientStorageError("Another process makes the search index.")
        if not sql.search_index_state(connection).ready:
            make_trigram_index(connection)
