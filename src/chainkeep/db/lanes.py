"""Writes that wait for the database, in lanes: in a lane one after the other, beside each other
between lanes.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Any, Generic, TypeVar

from chainkeep.errors import ChainkeepError, ConflictError

__all__ = ["NO_THREAD", "Batch", "Entry", "Lane", "Unit"]

T = TypeVar("T")
logger = logging.getLogger("chainkeep.writer")

NO_THREAD = ""
"""The key of a write whose thread the caller does not know: it may be any."""

# More would hold up the event loop while they are made ready, and save little.
_BATCH = 128


@dataclass(frozen=True, slots=True)
class Unit(Generic[T]):
    """A write that commits or fails whole."""

    key: str
    """Whose write it is, most often a thread's id, by which its order is kept and
    ``Writer.settled`` waits; what has ``NO_THREAD`` keeps its place among all others.
    """
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


class Entry(Generic[T]):
    """A unit in the queue."""

    __slots__ = ("_over", "absent", "done", "number", "result", "since", "unit")

    def __init__(self, unit: Unit[T], number: int) -> None:
        loop = asyncio.get_running_loop()
        self.unit = unit
        self.number = number
        """Its place in the order of submission."""
        self.result: asyncio.Future[T] = loop.create_future()
        """The submitter's, who may cancel it."""
        self.since = loop.time()
        self.done = False
        """Whether the unit is committed, kept, or has failed, whoever still waits."""
        self.absent = 0
        """How many of the lanes that it stands in have not come to it yet."""
        self._over: asyncio.Future[None] | None = None

    def succeed(self, result: T) -> None:
        """Hand over what the unit's work gave."""
        if not self.result.done():
            self.result.set_result(result)
        self._finish()

    def fail(self, exc: BaseException) -> None:
        """Hand over the error, and log it."""
        expected = isinstance(exc, ConflictError)
        reason = str(exc) if isinstance(exc, ChainkeepError) else type(exc).__name__
        level = logging.WARNING if expected else logging.ERROR
        logger.log(level, "Not written: %s: %s", self.unit.label, reason)
        if not self.result.done():
            self.result.set_exception(exc)
            # Chainlit leaves most writes to themselves, and this one was just logged.
            self.result.exception()
        self._finish()

    def over(self) -> asyncio.Future[None]:
        """Done once the entry is; not to be cancelled."""
        if self._over is None:
            self._over = asyncio.get_running_loop().create_future()
            if self.done:
                self._over.set_result(None)
        return self._over

    def _finish(self) -> None:
        self.done = True
        if self._over is not None:
            self._over.set_result(None)


Batch = list[Entry[Any]]


class Lane:
    """Entries in the order in which they were submitted."""

    def __init__(self) -> None:
        self.entries: deque[Entry[Any]] = deque()
        self.running: asyncio.Task[None] | None = None
        """Brings them into the database, if there are any."""

    def put(self, entry: Entry[Any]) -> None:
        """Queue an entry; one that stands in several lanes is done by the last that comes to it."""
        entry.absent += 1
        self.entries.append(entry)

    def batch(self) -> Batch:
        """What can go together next; nothing where the next entry waits for other lanes."""
        ours = takewhile(lambda entry: entry.absent == 1, self.entries)
        return list(islice(ours, _BATCH))

    async def pass_on(self) -> None:
        """Leave the next entry to the lanes that have not come to it, and wait until it is done."""
        entry = self.entries[0]
        entry.absent -= 1
        await asyncio.wait([entry.over()])
        self.entries.popleft()
