"""The one way to write: in order, many units in one transaction, retried, and finished before the
end.

Chainlit hands writes over as background tasks that nobody waits for, so what is queued here is all
there is between a message and its loss.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable, Sequence
from itertools import chain, count
from typing import Any, NamedTuple, Protocol, TypeVar

from sqlalchemy import Connection

from chainkeep.db.database import Database
from chainkeep.db.execution import Change
from chainkeep.db.lanes import Batch, Entry, Queue, Unit
from chainkeep.errors import ChainkeepError, StorageError, TransientStorageError

__all__ = ["AtOnce", "Run", "Writer"]

T = TypeVar("T")
logger = logging.getLogger("chainkeep.writer")

_BREATH = 16
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0
_CLOSED = "The store was closed before the database took this write; write it again."


class Overflow(Protocol):
    """Takes what the database cannot."""

    async def holds_up(self) -> bool:
        """Whether anything is kept; then whatever is new has to be kept behind it, at once."""

    async def start(self) -> None:
        """Runs before the first unit; may be called again."""

    async def keep(self, kept: Sequence[Unit[Any]], *, behind: bool) -> bool:
        """Keep units, in order, all or none, safe from a crash; else ``StorageError``.

        With ``behind`` only if anything is kept when their turn comes; whether they were.
        """


Run = Callable[[Connection, Sequence[Any]], Sequence[Any]]
"""Does the work of several units, in order, in one transaction, and gives their results."""


class AtOnce(NamedTuple):
    """A shorter way for some works, which give True: in one change."""

    fits: Callable[[Sequence[Any]], bool]
    """Whether it is the way for these."""
    change: Callable[[str, Sequence[Any]], Change | None]
    """The change for a dialect's name; ``Run`` follows where there is none, or it is refused."""


class Writer:
    """Commits units in the order in which they were submitted, under each key.

    While one transaction commits, what arrives gathers and goes together in the next. If a batch
    fails, its halves run again each for itself, so that in the end a bad unit fails alone.
    Transient faults are retried until ``retry_seconds`` have passed. As many batches are under way
    at once as the database has lanes, of different keys.
    """

    def __init__(
        self,
        database: Database,
        run: Run,
        *,
        at_once: AtOnce | None = None,
        overflow: Overflow | None = None,
        retry_seconds: float = 10.0,
        capacity: int = 10_000,
    ) -> None:
        """``capacity`` is how many units the queue holds; whoever submits more waits for room, in
        turn.
        """
        self._database = database
        self._overflow = overflow
        self._work = run
        self._at_once = at_once
        self._retry_seconds = retry_seconds
        self._queue = Queue(database.lanes)
        self._lanes: list[asyncio.Task[None]] = []
        self._room = capacity
        self._waiting: deque[Entry[Any]] = deque()
        self._latest: dict[str, Entry[Any]] = {}
        self._numbers = count()
        self._closed = False
        self.retries = 0
        """How many times a transient fault made a batch run again."""
        self.failures = 0
        """How many units were neither committed nor kept, because of a fault."""
        self.last_error: str | None = None
        """The last fault, transient or not; never content."""

    def submit(self, unit: Unit[T]) -> asyncio.Future[T]:
        """Take a place in the queue. The future has the work's result once it is committed, or its
        error.

        Cancelling the future does not take the write back. A failed unit is logged whether or not
        anybody waits.
        """
        entry = Entry(unit, next(self._numbers))
        self._latest[unit.key] = entry
        if self._room > 0 and not self._waiting:
            self._admit(entry)
        else:
            self._wait(entry)
        return entry.result

    async def write(self, unit: Unit[T]) -> T:
        """``submit``, and wait. A caller who is cancelled leaves the write in the queue."""
        return await self.submit(unit)

    async def settled(self, key: str | None = None) -> None:
        """Wait until what was submitted so far under ``key``, or at all, is committed or has
        failed.
        """
        latest = list(self._latest.values()) if key is None else [self._latest.get(key)]
        unfinished = [entry.over() for entry in latest if entry is not None]
        if unfinished:
            await asyncio.wait(unfinished)

    @property
    def depth(self) -> int:
        """How many units are not committed yet, in the queue and waiting for room in it."""
        return len(self._undone())

    @property
    def waiting(self) -> int:
        """How many of them wait for room."""
        return len(self._waiting)

    @property
    def oldest_seconds(self) -> float:
        """How long the oldest of them has waited."""
        undone = self._undone()
        return undone[0].age if undone else 0.0

    async def close(self, timeout: float) -> int:
        """Finish what was submitted, for at most ``timeout`` seconds, and keep the rest where it
        can be kept; how many units are lost. What is submitted afterwards is kept as well.
        """
        # One that is done may be of another event loop, which is closed.
        running = [task for task in self._lanes if not task.done()]
        if running:
            await asyncio.wait(running, timeout=timeout)
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        self._closed = True
        undone = self._undone()
        self._queue.clear()
        self._waiting.clear()
        failures = self.failures
        await self._keep(undone, TransientStorageError(_CLOSED))
        self._forget(undone)
        return self.failures - failures

    def leftovers(self) -> list[Unit[Any]]:
        """What is neither committed nor kept, and can be; for when there is no loop any more."""
        return [entry.unit for entry in self._undone() if entry.unit.promise is not None]

    def _undone(self) -> Batch:
        """In the order of submission."""
        undone = [entry for entry in chain(self._queue, self._waiting) if not entry.done]
        return sorted(undone, key=lambda entry: entry.number)

    def _admit(self, entry: Entry[Any]) -> None:
        self._room -= 1
        if self._queue.put(entry):
            self._open_lane()

    def _open_lane(self) -> None:
        """Bring more of the queue into the database at once, where that takes more."""
        self._lanes = [task for task in self._lanes if not task.done()]
        if len(self._lanes) < self._queue.lanes:
            self._lanes.append(asyncio.ensure_future(self._run()))

    def _wait(self, entry: Entry[Any]) -> None:
        if not self._waiting:
            logger.warning("The queue is full; further writes wait until the database takes some.")
        self._waiting.append(entry)

    def _forget(self, batch: Batch) -> None:
        for entry in batch:
            if self._latest.get(entry.unit.key) is entry:
                del self._latest[entry.unit.key]
        self._room += len(batch)
        while self._waiting and self._room > 0:
            self._admit(self._waiting.popleft())

    async def _run(self) -> None:
        if self._overflow is not None:
            await self._overflow.start()
        while batch := self._queue.take():
            try:
                await self._commit_or_keep(batch)
            finally:
                self._queue.put_back(batch)
                self._forget([entry for entry in batch if entry.done])

    async def _commit_or_keep(self, batch: Batch) -> None:
        """Commit, unless that would overtake what is kept, or there is no database any more."""
        if self._overflow is None:
            await self._commit(batch)
        elif self._closed:
            await self._keep(batch, TransientStorageError(_CLOSED))
        elif not await self._overflow.holds_up() or not await self._keep_behind(batch):
            await self._commit(batch)

    async def _commit(self, batch: Batch) -> None:
        works = [entry.unit.work for entry in batch]
        try:
            results = await self._with_retries(works)
        except TransientStorageError as exc:
            await self._keep(batch, exc)
        except Exception as exc:  # noqa: BLE001 - the boundary: whatever went wrong goes to whoever waits
            if len(batch) == 1:
                return self._fail(batch, exc, type(exc).__name__)
            middle = len(batch) // 2
            await self._commit_or_keep(batch[:middle])
            await self._commit_or_keep(batch[middle:])
        else:
            for number, (entry, result) in enumerate(zip(batch, results, strict=True), 1):
                entry.succeed(result)
                if number % _BREATH == 0:
                    # Whoever waited goes on at once; all of them together would hold up the loop.
                    await asyncio.sleep(0)
        return None

    async def _keep_behind(self, batch: Batch) -> bool:
        """``_keep``, unless all that was kept is brought in when its turn comes."""
        return await self._keep(batch, TransientStorageError(), behind=True)

    async def _keep(self, batch: Batch, cause: StorageError, *, behind: bool = False) -> bool:
        """Keep the units that can be kept; the others fail, as do all where none can be. False
        where they were to go ``behind`` others, and there are none any more: then nothing is done.
        """
        kept = [entry for entry in batch if entry.unit.promise is not None and self._overflow]
        if kept and self._overflow is not None:
            try:
                if not await self._overflow.keep([entry.unit for entry in kept], behind=behind):
                    return False
            except StorageError as exc:
                kept, cause = [], exc
        for entry in kept:
            entry.succeed(entry.unit.promise)
        self._fail([entry for entry in batch if not entry.done], cause, str(cause))
        return True

    def _fail(self, batch: Batch, exc: Exception, words: str) -> None:
        """Let units fail, and note that; ``words`` tell nothing of what was said."""
        if batch:
            self.last_error = words
        if isinstance(exc, StorageError) or not isinstance(exc, ChainkeepError):
            self.failures += len(batch)
        for entry in batch:
            entry.fail(exc)

    async def _attempt(self, works: Sequence[Any]) -> Sequence[Any]:
        if self._at_once is not None and self._at_once.fits(works):
            change = self._at_once.change
            if await self._database.write_alone(lambda dialect: change(dialect, works)):
                return [True] * len(works)
        return await self._database.write(lambda connection: self._work(connection, works))

    async def _with_retries(self, works: Sequence[Any]) -> Sequence[Any]:
        loop = asyncio.get_running_loop()
        deadline, pause = loop.time() + self._retry_seconds, _FIRST_PAUSE
        while True:
            try:
                return await self._attempt(works)
            except TransientStorageError as exc:
                self.last_error = str(exc)
                if loop.time() + pause > deadline:
                    raise
                self.retries += 1
                logger.warning("A write will be tried again in %.2f s: %s", pause, exc)
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))
                pause = min(pause * 2, _LONGEST_PAUSE)
