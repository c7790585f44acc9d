"""What a store is made of, opened and closed together: a database, its writer, and a blob store."""

from __future__ import annotations

import asyncio
import atexit
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from chainkeep.attachments import Attachments, Content
from chainkeep.blobs import Blobs
from chainkeep.blobs.open import open_blobs
from chainkeep.db import units
from chainkeep.db.database import Work, open_database
from chainkeep.db.indexer import Indexer
from chainkeep.db.journal import Journal
from chainkeep.db.lanes import NO_THREAD, Unit
from chainkeep.db.records import Operation
from chainkeep.db.replay import Replay
from chainkeep.db.search import Finder, Search
from chainkeep.db.step_writes import StepWrite, put_steps
from chainkeep.db.up_to_date import UpToDateDatabase
from chainkeep.db.writer import AtOnce, Writer
from chainkeep.errors import TransientStorageError
from chainkeep.models import Health
from chainkeep.scope import EVERYTHING, Scope
from chainkeep.settings import Settings

__all__ = ["NO_THREAD", "Keeper"]

P = ParamSpec("P")
T = TypeVar("T")
logger = logging.getLogger("chainkeep")


class Keeper:
    """The parts, and the two ways through them: reads, and writes in the order of the calls."""

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        engine: AsyncEngine | None = None,
        blobs: Blobs | None = None,
        write_retry_seconds: float = 10.0,
    ) -> None:
        """``write_retry_seconds`` go by before a write that the database does not take is kept."""
        self.settings = settings or Settings.from_environment()
        self._database = UpToDateDatabase(
            open_database(self.settings.database, engine), auto_migrate=self.settings.auto_migrate
        )
        self._replay = Replay(self._database, Journal(Path(self.settings.journal)))
        self._writer = Writer(
            self._database,
            units.run,
            at_once=AtOnce(units.fit_one_statement, put_steps),
            overflow=self._replay,
            retry_seconds=write_retry_seconds,
            capacity=self.settings.write_queue,
        )
        self._attachments = Attachments(
            blobs or open_blobs(self.settings.blobs, spool=Path(self.settings.spool)),
            self._database,
            self._writer,
        )
        self._indexer = Indexer(self._database, busy=lambda: self._writer.depth > 0)
        self._finder = Finder()
        self._tasks: set[asyncio.Future[Any]] = set()
        self._opened = self._at_exit = False

    @property
    def blobs(self) -> Blobs:
        """Where the bytes of elements are."""
        return self._attachments.blobs

    def health(self) -> Health:
        """How the ways into the database and the blob store are doing; asks neither of them."""
        backlog = self._attachments.backlog()
        return Health(
            queued_writes=self._writer.depth,
            waiting_writes=self._writer.waiting,
            oldest_queued_seconds=self._writer.oldest_seconds,
            retries=self._writer.retries,
            failed_writes=self._writer.failures,
            journal_writes=self._replay.waiting,
            journal_bytes=self._replay.size,
            waiting_blobs=backlog.count if backlog else 0,
            waiting_blob_bytes=backlog.bytes if backlog else 0,
            last_error=self._writer.last_error,
            unindexed=self._indexer.waiting,
            indexed=self._indexer.indexed,
        )

    async def blob_arrived(self, key: str) -> None:
        """Wait for a blob that is on its way into the store: its element is there before it."""
        await self._attachments.arrived(key)

    async def drain(self) -> None:
        """Wait until all that was handed over so far is committed and stored, or has failed."""
        while self._tasks:
            await asyncio.wait(list(self._tasks))
        await self._writer.settled()

    async def close(self) -> None:
        """Finish what was handed over, within ``close_timeout_seconds``, then release it all."""
        # What was fired as a task in the same breath takes its place in the queue first.
        await asyncio.sleep(0)
        atexit.unregister(self._keep_leftovers)
        self._at_exit = False
        left = self._countdown(self.settings.close_timeout_seconds)
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=left())
        await self._attachments.finish(left())
        await self._indexer.close(left())
        undone = await self._writer.close(left())
        if undone:
            logger.error("%d writes could not be committed before closing and are lost.", undone)
        await self._replay.close()
        await self.blobs.close()
        await self._database.close()

    async def execute(
        self, statement: str, parameters: Mapping[str, Any]
    ) -> list[dict[str, Any]] | int:
        """Run a statement of your own in one transaction: its rows, or how many rows it changed."""
        await self.settled()
        return await self._database.write(
            partial(units.execute, statement=statement, parameters=parameters)
        )

    def _keep_leftovers(self) -> None:
        self._replay.keep_at_exit(self._writer.leftovers())

    @staticmethod
    def _countdown(seconds: float) -> Callable[[], float]:
        """How much is left of so many seconds from now."""
        clock = asyncio.get_running_loop().time
        end = clock() + seconds
        return lambda: max(0.0, end - clock())

    async def settled(self, thread_id: str | None = None) -> None:
        """Wait for what was handed over so far, for a thread or at all, so that it can be read.

        ``TransientStorageError`` where a write of the thread is kept until the database is back: a
        part of the thread would pass for the whole.
        """
        await self._writer.settled(thread_id)
        if thread_id is not None:
            await self._writer.settled(NO_THREAD)
        if thread_id is not None and self._replay.holds(thread_id):
            raise TransientStorageError(
                f"Writes of thread {thread_id} wait in the journal until the database takes them."
            )

    async def snapshot(self, work: Work[T]) -> T:
        """Run work that reads with several statements, all of them at one moment."""
        return await self._database.snapshot(work)

    def store_blob(
        self, key: str, content: Content, written: asyncio.Future[T]
    ) -> asyncio.Future[T]:
        """Store a blob once the row that names it is written; done when both are, with the row's
        result.
        """
        return self.background(self._attachments.put(key, content, written))

    async def search(self, search: Search, read: Callable[..., list[T]]) -> list[T]:
        """What ``read`` gives for the ``ids`` of the threads in which something is said, the newest
        activity first; after the writes made so far, whether the search index has seen them or not.
        """
        await self.settled()
        return await self.snapshot(self._searching(search, read))

    def _searching(self, search: Search, read: Callable[..., list[T]]) -> Work[list[T]]:
        def look(connection: Connection) -> list[T]:
            ids = self._finder.find(connection, search)
            return read(connection, ids=ids)[: search.count] if ids else []

        self._index()
        return look

    def _index(self) -> None:
        if self.settings.search_index:
            self._indexer.wake()

    def remove_blobs(self, keys: Sequence[str]) -> None:
        """Remove blobs whose deletion is committed, in the background."""
        self._attachments.remove_soon(keys)

    async def _read(
        self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return await self._database.read(lambda connection: query(connection, *args, **kwargs))

    def submit(
        self,
        key: str,
        subject: str,
        function: Callable[..., T],
        *,
        promise: T | None = None,
        scope: Scope = EVERYTHING,
        **arguments: Any,
    ) -> asyncio.Future[T]:
        """Queue a function of ``units.OPERATIONS``; ``promise`` is as in ``Unit``.

        ``NotFoundError`` where the thread is not in the scope.
        """
        name = function.__name__
        work = Operation(name, arguments, scope)
        return self._queue(Unit(key, f"{name} of {subject}", work, promise))

    def _submit_step(self, label: str, write: StepWrite) -> asyncio.Future[bool]:
        step = write.step
        return self._queue(
            Unit(
                step.thread_id,
                f"{label} of step {step.id} in thread {step.thread_id}",
                write,
                promise=True,
            )
        )

    def _queue(self, unit: Unit[T]) -> asyncio.Future[T]:
        if not self._opened:
            self._opened = True
            _ = self.background(self._attachments.start())
        # Chainlit mounted in another app is never told to close its data layer, and elsewhere
        # chats that are cancelled may still write after it was.
        if not self._at_exit:
            self._at_exit = True
            atexit.register(self._keep_leftovers)
        self._index()
        return self._writer.submit(unit)

    def _removing(self, committed: asyncio.Future[list[str]]) -> asyncio.Future[None]:
        async def finish() -> None:
            self._attachments.remove_soon(await committed)

        return self.background(finish())

    def background(self, work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
        """Start a task and hold on to it until it is done: the event loop itself does not.

        What is returned may be cancelled; the task goes on.
        """
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        outside = asyncio.shield(task)
        outside.add_done_callback(_retrieved)
        return outside


def _retrieved(future: asyncio.Future[Any]) -> None:
    # Chainlit leaves most writes to themselves; the failure was logged where it happened.
    if not future.cancelled():
        future.exception()
