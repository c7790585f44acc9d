"""Writes that wait for the database, in order under each key, several keys beside each other."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from time import monotonic
from typing import Any, Generic, TypeVar

from chainkeep.errors import ChainkeepError, ConflictError

__all__ = ["NO_THREAD", "Batch", "Entry", "Queue", "Unit"]

T = TypeVar("T")
logger = logging.getLogger("chainkeep.writer")

NO_THREAD = ""
"""The key of a write whose thread the caller does not know: it may be any."""

# More would hold up the event loop while they are made ready, and save little.
_MOST = 128
# Fewer are not worth a batch for each lane.
_FEW = 16


@dataclass(slots=True)
class Unit(Generic[T]):
    """A write that commits or fails whole. Nobody changes one; frozen, it would take three times as
    long to make, and one is made for each write.
    """

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

    __slots__ = ("_over", "_since", "done", "number", "result", "unit")

    def __init__(self, unit: Unit[T], number: int) -> None:
        self.unit = unit
        self.number = number
        """Its place in the order of submission."""
        self.result: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        """The submitter's, who may cancel it."""
        self._since = monotonic()
        self.done = False
        """Whether the unit is committed, kept, or has failed, whoever still waits."""
        self._over: asyncio.Future[None] | None = None

    @property
    def age(self) -> float:
        """How many seconds ago it was submitted."""
        return monotonic() - self._since

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


class Queue:
    """Entries in the order in which they were submitted, taken in batches.

    Several batches may be under way at once. What is submitted under a key waits until the batch
    with that key is over, and what has ``NO_THREAD`` until everything before it is.
    """

    def __init__(self, lanes: int) -> None:
        """``lanes`` is how many batches are under way when there is enough to do."""
        self.lanes = lanes
        self._entries: deque[Entry[Any]] = deque()
        self._batches: list[Batch] = []
        self._keys: set[str] = set()
        """Those of the batches under way."""
        self._held: dict[str, Batch] = {}
        """What waits for one of these batches, by key."""

    def __iter__(self) -> Iterator[Entry[Any]]:
        """All that is not over, in no order."""
        return chain(self._entries, *self._held.values(), *self._batches)

    def put(self, entry: Entry[Any]) -> bool:
        """Queue an entry; whether it could be in a batch at once."""
        self._entries.append(entry)
        return entry.unit.key not in self._keys

    def take(self) -> Batch:
        """What can go together next, and is under way from now on; nothing where all that is there
        waits.
        """
        batch: Batch = []
        keys: set[str] = set()
        share = self._share()
        while self._entries and len(batch) < _MOST:
            key = self._entries[0].unit.key
            if self._is_barred(key) or (len(batch) >= share and key not in keys):
                break
            entry = self._entries.popleft()
            if key in self._keys:
                self._held.setdefault(key, []).append(entry)
            else:
                batch.append(entry)
                keys.add(key)
        if batch:
            self._batches.append(batch)
            self._keys |= keys
        return batch

    def _share(self) -> int:
        """How many entries make a batch: a lane's part of all that are there."""
        count = len(self._entries) + sum(map(len, self._batches))
        return min(_MOST, max(_FEW, -(-count // self.lanes)))

    def _is_barred(self, key: str) -> bool:
        return bool(self._batches) and (key == NO_THREAD or NO_THREAD in self._keys)

    def put_back(self, batch: Batch) -> None:
        """A batch is over; what of it is not done stands before all others again."""
        self._batches.remove(batch)
        keys = {entry.unit.key for entry in batch}
        self._keys -= keys
        held = chain.from_iterable(self._held.pop(key, ()) for key in keys)
        undone = [entry for entry in batch if not entry.done]
        first = sorted(chain(undone, held), key=lambda entry: entry.number, reverse=True)
        self._entries.extendleft(first)

    def clear(self) -> None:
        """Forget all but what is under way."""
        self._entries.clear()
        self._held.clear()
