"""How blobs in the spool come to the store behind it: in order, and again until it has them."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from chainkeep.blobs import Blobs
from chainkeep.blobs.spool import Entry, Spool
from chainkeep.blobs.workers import Workers
from chainkeep.errors import BlobError, TransientBlobError

__all__ = ["Delivery", "Line", "Upload"]

logger = logging.getLogger("chainkeep.blobs")

Result = TypeVar("Result")


@dataclass(eq=False, slots=True)
class Upload:
    """A blob on its way."""

    entry: Entry
    tried: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when it was sent once, with whatever result, or no longer matters."""
    fault: BlobError | None = None
    """Of the latest try."""

    @property
    def refused(self) -> bool:
        """Whether the store will not take it, so that trying again would not help."""
        return self.fault is not None and not isinstance(self.fault, TransientBlobError)


class Line:
    """What goes on with one key. Both locks are first come, first served."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.securing = asyncio.Lock()
        """Held while a blob enters the spool or is called back, each in its turn."""
        self.sending = asyncio.Lock()
        """Held while the store behind is asked to store or delete the key."""
        self.newest: Upload | None = None
        """What the key holds, if that has not reached the store."""
        self.flying: Upload | None = None
        """What is being sent at the moment."""
        self.nudge = asyncio.Event()
        """Ends a pause between tries."""
        self.courier: asyncio.Task[None] | None = None


class Delivery:
    """Sends the newest blob of every key, one courier to a key, until the store has it."""

    def __init__(
        self, blobs: Blobs, spool: Spool, workers: Workers, slots: int, pauses: tuple[float, float]
    ) -> None:
        """``slots``: uploads at a time. ``pauses``: the first and the longest, in seconds."""
        self._blobs = blobs
        self._spool = spool
        self._workers = workers
        self._slots = asyncio.Semaphore(slots)
        self._pauses = pauses
        self._lines: WeakValueDictionary[str, Line] = WeakValueDictionary()
        self._tasks: set[asyncio.Task[Any]] = set()
        self.waiting: dict[str, Line] = {}
        """The lines that have an upload."""
        self.away = False
        """Whether the latest try found the store out of reach."""

    def line(self, key: str) -> Line:
        """The one line of that key, as long as anybody has to do with it."""
        return self._lines.setdefault(key, Line(key))

    def pending(self, key: str) -> Upload | None:
        """What the key holds, if that has not reached the store."""
        line = self.waiting.get(key)
        return line.newest if line else None

    async def accept(self, line: Line, entry: Entry) -> Upload:
        """Send an entry, in place of the one before."""
        upload = Upload(entry)
        await self.replace(line, upload)
        if line.courier is None:
            line.courier = self.task(self._deliver(line))
        return upload

    async def replace(self, line: Line, upload: Upload | None) -> None:
        """Let the newest upload be another, or none; the one before no longer matters."""
        former, line.newest = line.newest, upload
        if upload is None:
            self.waiting.pop(line.key, None)
        else:
            self.waiting[line.key] = line
        line.nudge.set()
        # What is on its way is still being read; who sends it discards it.
        if former is not None and former is not line.flying:
            await self._discard(former)

    async def drain(self, timeout: float | None) -> bool:
        """Send what waits without further pause; whether all of it arrived."""
        for line in self.waiting.values():
            line.nudge.set()
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._idle(), timeout)
        return not self.waiting

    async def stop(self) -> None:
        """Send no more. What a thread is sending goes on, and stays in the spool nevertheless."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def task(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        """Work that goes on whoever waits for it, and that ``drain`` waits for."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _idle(self) -> None:
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _deliver(self, line: Line) -> None:
        pauses = self._growing_pauses()
        try:
            while (upload := line.newest) is not None and not upload.refused:
                line.nudge.clear()
                async with line.sending, self._slots:
                    await self._send(line)
                if line.newest is upload and not upload.refused:
                    await self._rest(line, next(pauses))
        finally:
            line.courier = None

    async def _send(self, line: Line) -> None:
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
            await self.replace(line, None)

    async def _try(self, upload: Upload) -> None:
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
            self._note_arrival(upload)

    def _note_fault(self, upload: Upload, fault: BlobError) -> None:
        upload.fault = fault
        if upload.refused:
            logger.error("The store refused a blob, which stays in the spool: %s", fault)
        elif not self.away:
            self.away = True
            logger.warning("Blobs wait in the spool until the store answers: %s", fault)

    def _note_arrival(self, upload: Upload) -> None:
        upload.fault = None
        if self.away:
            self.away = False
            logger.info("The blob store answers again.")

    @staticmethod
    async def _rest(line: Line, seconds: float) -> None:
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(line.nudge.wait(), seconds)

    def _growing_pauses(self) -> Iterator[float]:
        pause, longest = self._pauses
        while True:
            yield pause * random.uniform(0.5, 1.0)  # so that not all come back at once
            pause = min(2 * pause, longest)

    async def _discard(self, upload: Upload) -> None:
        upload.tried.set()
        try:
            await self._workers.run(self._spool.discard, upload.entry)
        except BlobError as error:
            logger.warning("%s", error)
