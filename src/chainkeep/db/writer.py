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
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import Connection

from chainkeep.db.database import Database
from chainkeep.errors import ChainkeepError, ConflictError, StorageError, TransientStorageError

__all__ = ["Run", "Unit", "Writer"]

T = TypeVar("T")
logger = logging.getLogger("chainkeep.writer")

_BATCH = 256
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0
_CLOSED = "The store was closed before the database took this write; write it again."


@dataclass(frozen=True, slots=True)
class Unit(Generic[T]):
    """A write that commits or fails whole."""

    key: str
    """Whose write it is, most often a thread's id; ``Writer.settled`` waits by it."""
    label: str
    """What it is, for logs: the operation and ids, never content."""
    work: object
    """What ``Writer``'s ``run`` is given. Everything it needs was copied when the unit was made: it
    may run several times, and only the last run commits.
    """
    promise: T | None = None
    """The result where the unit is kept for later because the database is away; None where nobody
    can promise one, and the unit fails instead.
    """


class Overflow(Protocol):
    """Takes what the database cannot."""

    async def holds_up(self) -> bool:
        """Whether anything is kept; then whatever is new has to be kept behind it, at once."""

    async def start(self) -> None:
        """Runs before the first unit; may be called again."""

    async def keep(self, kept: Sequence[Unit[Any]]) -> None:
        """Keep units, in order, all or none, safe from a crash; else ``StorageError``."""


Run = Callable[[Connection, Sequence[Any]], Sequence[Any]]
"""Does the work of several units, in order, in one transaction, and gives their results."""


class Entry(Generic[T]):
    """A unit in the queue."""

    def __init__(self, unit: Unit[T]) -> None:
        loop = asyncio.get_running_loop()
        self.unit = unit
        self.result: asyncio.Future[T] = loop.create_future()
        """The submitter's, who may cancel it."""
        self.since = loop.time()
        self.over: asyncio.Future[None] = loop.create_future()
        """Ours: done once the unit is committed, kept, or has failed, whoever still waits."""
        # Chainlit leaves most writes to themselves; a failure is logged when it happens.
        self.result.add_done_callback(lambda done: done.cancelled() or done.exception())

    def succeed(self, result: T) -> None:
        """Hand over what the unit's work gave."""
        if not self.result.done():
            self.result.set_result(result)
        self.over.set_result(None)

    def fail(self, exc: BaseException) -> None:
        """Hand over the error, and log it."""
        expected = isinstance(exc, ConflictError)
        reason = str(exc) if isinstance(exc, ChainkeepError) else type(exc).__name__
        level = logging.WARNING if expected else logging.ERROR
        logger.log(level, "Not written: %s: %s", self.unit.label, reason)
        if not self.result.done():
            self.result.set_exception(exc)
        self.over.set_result(None)


Batch = list[Entry[Any]]


class Writer:
    """Commits units in the order in which they were submitted.

    While one transaction commits, what arrives gathers and goes together in the next. If a batch
    fails, its halves run again each for itself, so that in the end a bad unit fails alone.
    Transient faults are retried until ``retry_seconds`` have passed.
    """

    def __init__(
        self,
        database: Database,
        run: Run,
        *,
        overflow: Overflow | None = None,
        retry_seconds: float = 10.0,
    ) -> None:
        self._database = database
        self._overflow = overflow
        self._work = run
        self._retry_seconds = retry_seconds
        self._queue: deque[Entry[Any]] = deque()
        self._latest: dict[str, asyncio.Future[None]] = {}
        self._running: asyncio.Task[None] | None = None
        self._closed = False
        self.retries = 0
        """How many times a transient fault made a batch run again."""
        self.last_error: str | None = None
        """The last fault, transient or not; never content."""

    def submit(self, unit: Unit[T]) -> asyncio.Future[T]:
        """Take a place in the queue. The future has the work's result once it is committed, or its
        error.

        Cancelling the future does not take the write back. A failed unit is logged whether or not
        anybody waits.
        """
        entry = Entry(unit)
        self._queue.append(entry)
        self._latest[unit.key] = entry.over
        entry.over.add_done_callback(lambda over: self._forget(unit.key, over))
        if self._running is None or self._running.done():
            self._running = asyncio.ensure_future(self._run())
        return entry.result

    async def write(self, unit: Unit[T]) -> T:
        """``submit``, and wait. A caller who is cancelled leaves the write in the queue."""
        return await asyncio.shield(self.submit(unit))

    async def settled(self, key: str | None = None) -> None:
        """Wait until what was submitted so far under ``key``, or at all, is committed or has
        failed.
        """
        latest = list(self._latest.values()) if key is None else [self._latest.get(key)]
        unfinished = [over for over in latest if over is not None and not over.done()]
        if unfinished:
            await asyncio.wait(unfinished)

    @property
    def depth(self) -> int:
        """How many units are not committed yet."""
        return len(self._queue)

    @property
    def oldest_seconds(self) -> float:
        """How long the oldest of them has waited."""
        return asyncio.get_running_loop().time() - self._queue[0].since if self._queue else 0.0

    async def close(self, timeout: float) -> int:
        """Finish what was submitted, for at most ``timeout`` seconds, and keep the rest where it
        can be kept; how many units are lost. What is submitted afterwards is kept as well.
        """
        if self._running is not None and not self._running.done():
            await asyncio.wait([self._running], timeout=timeout)
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        self._closed = True
        undone = self._undone()
        self._queue.clear()
        return await self._keep(undone, TransientStorageError(_CLOSED))

    def leftovers(self) -> list[Unit[Any]]:
        """What is neither committed nor kept, and can be; for when there is no loop any more."""
        return [entry.unit for entry in self._undone() if entry.unit.promise is not None]

    def _undone(self) -> Batch:
        return [entry for entry in self._queue if not entry.over.done()]

    def _forget(self, key: str, over: asyncio.Future[None]) -> None:
        if self._latest.get(key) is over:
            del self._latest[key]

    async def _run(self) -> None:
        if self._overflow is not None:
            await self._overflow.start()
        while self._queue:
            batch = list(islice(self._queue, _BATCH))
            await self._commit_or_keep(batch)
            for _ in batch:
                self._queue.popleft()

    async def _commit_or_keep(self, batch: Batch) -> None:
        """Commit, unless that would overtake what is kept, or there is no database any more."""
        if self._overflow is not None and (self._closed or await self._overflow.holds_up()):
            await self._keep(batch, TransientStorageError(_CLOSED if self._closed else None))
        else:
            await self._commit(batch)

    async def _commit(self, batch: Batch) -> None:
        works = [entry.unit.work for entry in batch]
        try:
            results = await self._with_retries(lambda connection: self._work(connection, works))
        except TransientStorageError as exc:
            await self._keep(batch, exc)
        except Exception as exc:  # noqa: BLE001 - the boundary: whatever went wrong goes to whoever waits
            if len(batch) == 1:
                self.last_error = type(exc).__name__
                return batch[0].fail(exc)
            middle = len(batch) // 2
            await self._commit_or_keep(batch[:middle])
            await self._commit_or_keep(batch[middle:])
        else:
            for entry, result in zip(batch, results, strict=True):
                entry.succeed(result)
        return None

    async def _keep(self, batch: Batch, cause: StorageError) -> int:
        """Keep the units that can be kept; the others fail, as do all where none can be. How many
        failed.
        """
        kept = [entry for entry in batch if entry.unit.promise is not None and self._overflow]
        if kept and self._overflow is not None:
            try:
                await self._overflow.keep([entry.unit for entry in kept])
            except StorageError as exc:
                kept, cause = [], exc
        for entry in kept:
            entry.succeed(entry.unit.promise)
        refused = [entry for entry in batch if not entry.over.done()]
        for entry in refused:
            entry.fail(cause)
        return len(refused)

    async def _with_retries(self, work: Callable[[Connection], Sequence[Any]]) -> Sequence[Any]:
        loop = asyncio.get_running_loop()
        deadline, pause = loop.time() + self._retry_seconds, _FIRST_PAUSE
        while True:
            try:
                return await self._database.write(work)
            except TransientStorageError as exc:
                self.last_error = str(exc)
                if loop.time() + pause > deadline:
                    raise
                self.retries += 1
                logger.warning("A write will be tried again in %.2f s: %s", pause, exc)
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))
                pause = min(pause * 2, _LONGEST_PAUSE)
