"""Keeps in the journal what the database cannot take, and brings it in when it can."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection

from chainkeep.db import journal_queries, units
from chainkeep.db.database import Database
from chainkeep.db.journal import Journal, JournalFile, Record
from chainkeep.db.lanes import Unit
from chainkeep.db.records import from_record, to_record
from chainkeep.errors import ChainkeepError, TransientStorageError
from chainkeep.values import utc_now

__all__ = ["Replay"]

logger = logging.getLogger("chainkeep.journal")

_PORTION = 200
# What comes of a record that another version of chainkeep wrote.
_UNUSABLE = (AttributeError, LookupError, TypeError, ValueError)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0


class Replay:
    """Stands behind the writer: while it holds anything back, everything new is kept behind it.

    What dead processes left in the journal is taken over at the start, and goes first.
    """

    def __init__(self, database: Database, journal: Journal) -> None:
        self._database = database
        self._journal = journal
        self._taken: list[JournalFile] = []
        self._keys: Counter[str] = Counter()
        self._appending = asyncio.Lock()
        self._running: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._started = self._closed = False

    @property
    def holding(self) -> bool:
        """Whether anything waits for the database."""
        return bool(self._taken) or self._journal.own is not None

    async def holds_up(self) -> bool:
        """Whether what is new has to be kept behind what is; waits where that may soon be over."""
        if self.holding:
            async with self._appending:
                pass
        return self.holding

    def holds(self, key: str) -> bool:
        """Whether a write under this key waits for the database."""
        return self._keys[key] > 0

    @property
    def waiting(self) -> int:
        """How many writes wait for the database."""
        return self._keys.total()

    @property
    def size(self) -> int:
        """How much this process keeps, in bytes."""
        return self._journal.size

    async def start(self) -> None:
        """Bring in what dead processes left behind; what cannot be brought in now, is later."""
        async with self._starting:
            if self._started:
                return
            self._started = True
            await self._take_over()
            if self._taken:
                logger.warning("%d writes of an earlier process are brought in.", self.waiting)
                await self._try_all()
                self._go_on()

    async def bring_in(self) -> int:
        """Bring in what dead processes left behind, now or not at all; how many writes it was.

        ``TransientStorageError`` where the database is away; then nothing more is lost than time.
        """
        await self._take_over()
        found = self.waiting
        await self._all()
        return found

    async def _take_over(self) -> None:
        self._taken = await asyncio.to_thread(self._journal.take_over)
        for file in self._taken:
            await asyncio.to_thread(self._count, file)

    async def keep(self, kept: Sequence[Unit[Any]], *, behind: bool = False) -> bool:
        """Keep units, in order, all or none; they are on disk when this returns True.

        With ``behind`` only if anything is kept when their turn comes: else an app that never stops
        writing would begin another journal with the end of each. After ``close`` they are left to
        the next process.
        """
        records = [to_record(unit.key, unit.work) for unit in kept]
        try:
            async with self._appending:
                if behind and not self.holding:
                    return False
                await asyncio.to_thread(self._journal.append, records)
                self._keys.update(unit.key for unit in kept)
        finally:
            # Also where there was no room: a file that holds nothing must not hold up what is new.
            self._go_on()
        return True

    def keep_at_exit(self, kept: Sequence[Unit[Any]]) -> None:
        """Keep units without an event loop, as the last thing this process does."""
        if kept:
            self._journal.append([to_record(unit.key, unit.work) for unit in kept])
            self._journal.close()
            logger.warning("%d writes are kept for the next process.", len(kept))

    async def close(self) -> None:
        """Stop, and leave what is still kept to the next process."""
        if self._running is not None and not self._running.done():
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        self._closed = True
        for file in self._taken:
            file.close(remove=False)
        self._journal.close()

    def _count(self, file: JournalFile) -> None:
        start = 0
        while records := file.read(start, _PORTION):
            start = records[-1].end
            self._keys.update(map(_key, records))

    def _go_on(self) -> None:
        if self._closed:
            self._journal.close()
        elif self.holding and (self._running is None or self._running.done()):
            self._running = asyncio.ensure_future(self._until_empty())

    async def _until_empty(self) -> None:
        pause = _FIRST_PAUSE
        while self.holding:
            await asyncio.sleep(pause)
            pause = _FIRST_PAUSE if await self._try_all() else min(pause * 2, _LONGEST_PAUSE)
        logger.warning("The database has all that was kept in the journal.")

    async def _try_all(self) -> bool:
        """Whether the database took anything."""
        try:
            await self._all()
        except (ChainkeepError, OSError) as exc:
            logger.warning("%d writes wait in the journal: %s", self.waiting, exc)
            return False
        return True

    async def _all(self) -> None:
        while self._taken:
            end = await self._replay(self._taken[0])
            file = self._taken.pop(0)
            await self._finish(file.id, partial(file.finish, end))
        if self._journal.own is not None:
            await self._replay_own(self._journal.own)

    async def _replay_own(self, file: JournalFile) -> None:
        await self._replay(file)
        async with self._appending:
            # What came in meanwhile: a busy app would never be through if it could go on adding.
            end = await self._replay(file)
            await self._finish(file.id, partial(self._journal.finish_own, end))

    async def _finish(self, journal_id: str, remove: Callable[[], None]) -> None:
        # The file first: were it there without its row, it would be replayed again from the start.
        await asyncio.to_thread(remove)
        if not self.holding:
            self._keys.clear()
        await self._database.write(partial(journal_queries.journal_forget, id=journal_id))

    async def _replay(self, file: JournalFile) -> int:
        """Bring in what is in a file now, from where it was left; the end of its last write."""
        size = file.size
        end = await self._database.read(partial(journal_queries.journal_progress, id=file.id))
        while end < size:
            records = await asyncio.to_thread(file.read, end, _PORTION)
            if not records:
                break
            await self._bring_in(file, records)
            end = records[-1].end
        return end

    async def _bring_in(self, file: JournalFile, records: Sequence[Record]) -> None:
        try:
            works = [from_record(record.text)[1] for record in records]
            await self._database.write(
                partial(_apply, journal_id=file.id, end=records[-1].end, works=works)
            )
        except TransientStorageError:
            raise
        except (ChainkeepError, *_UNUSABLE) as exc:
            if len(records) > 1:
                for record in records:
                    await self._bring_in(file, [record])
                return
            await self._refuse(file, records[0], exc)
        self._keys.subtract(map(_key, records))

    async def _refuse(self, file: JournalFile, record: Record, exc: Exception) -> None:
        """Set a write aside that the database will never take, and go on behind it."""
        reason = str(exc) if isinstance(exc, ChainkeepError) else type(exc).__name__
        logger.error("A write in %s is refused and set aside: %s", file.path.name, reason)
        await asyncio.to_thread(file.set_aside, record.text)
        advance = partial(_apply, journal_id=file.id, end=record.end, works=[])
        await self._database.write(advance)


def _key(record: Record) -> str:
    """Whose write a record is; nobody's where it cannot be read."""
    try:
        return from_record(record.text)[0]
    except _UNUSABLE:
        return ""


def _apply(connection: Connection, *, journal_id: str, end: int, works: Sequence[Any]) -> None:
    units.run(connection, works)
    journal_queries.journal_advance(
        connection, id=journal_id, replayed_to=end, updated_at=utc_now()
    )
