"""Where statements run: SQLite in database threads, PostgreSQL on the event loop; the same plain
functions on both.

Driver errors become ours here, and nowhere else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Protocol, TypeVar, cast

from sqlalchemy import URL, Connection, Engine
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import greenlet_spawn

from chainkeep.db import dialects
from chainkeep.db.connections import Connections
from chainkeep.db.drivers import STRAIGHT, tell
from chainkeep.db.execution import Change, is_done, is_soon_done
from chainkeep.errors import TransientStorageError
from chainkeep.settings import DatabaseSettings

__all__ = ["Database", "Make", "Work", "open_database"]

T = TypeVar("T")
Work = Callable[[Connection], T]
Make = Callable[[str], "Change | None"]
"""Makes ready a change for a database, by its dialect's name."""


class Database(Protocol):
    """Runs work, a plain function over a ``Connection``, and gives back what it returns.

    Each method raises ``TransientStorageError`` where the same call may succeed later and
    ``StorageError`` where it will not. What the work itself raises passes through, and undoes its
    transaction.
    """

    @property
    def lanes(self) -> int:
        """How many transactions that write are worth handing over at once."""

    async def read(self, work: Work[T]) -> T:
        """Run work that reads with one statement."""

    async def snapshot(self, work: Work[T]) -> T:
        """Run work that reads with several statements, all of them at one moment."""

    async def write(self, work: Work[T]) -> T:
        """Run work in one transaction."""

    async def write_alone(self, make: Make) -> bool:
        """Make one change, a transaction by itself: whether it was made, and not refused; False too
        where there is none to make.
        """

    async def bare(self, work: Work[T]) -> T:
        """Run work that begins and ends its own transactions."""

    async def close(self) -> None:
        """Release every connection. Closing twice is no error."""


def open_database(settings: DatabaseSettings, engine: AsyncEngine | None = None) -> Database:
    """The database that the settings name, not connected yet; or the one that ``engine`` is for.

    A PostgreSQL engine is used as it is and left open; of an SQLite engine only the URL is used.
    """
    url = dialects.supported_url(settings.url) if engine is None else engine.url
    if dialects.runs_in_thread(url):
        return ThreadDatabase(url, settings)
    return LoopDatabase(url, settings, engine)


@contextmanager
def our_errors() -> Iterator[None]:
    """Turn a driver's error into ours."""
    try:
        yield
    except dialects.driver_errors() as exc:
        error = dialects.storage_error(exc)
        if isinstance(error, TransientStorageError):
            raise error from exc
        # PostgreSQL quotes the row that it refuses, and Chainlit leaves the error to the log.
        raise error from None


class ThreadDatabase:
    """A database whose driver blocks: one thread writes, a few read, and a piece of work crosses
    over once.
    """

    lanes = 2
    """One at a time is written; meanwhile the loop answers those of the one before."""

    def __init__(self, url: URL, settings: DatabaseSettings) -> None:
        with our_errors():
            self._engine = dialects.thread_engine(url, settings)
        self._straight = self._engine.execution_options(**STRAIGHT)
        self._writing: Connection | None = None
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="chainkeep-write")
        # A database in memory is one connection, which two threads must not use at once.
        self._readers = (
            self._writer
            if dialects.is_in_memory(url)
            else ThreadPoolExecutor(4, thread_name_prefix="chainkeep-read")
        )

    async def read(self, work: Work[T]) -> T:
        return await self.snapshot(work)

    async def snapshot(self, work: Work[T]) -> T:
        return await self._cross(self._readers, self._snapshot, work)

    async def write(self, work: Work[T]) -> T:
        return await self._cross(self._writer, self._write, work)

    async def write_alone(self, make: Make) -> bool:
        # Here and not in the thread, which has the more to do.
        change = make(self._engine.dialect.name)
        return change is not None and await self._cross(self._writer, self._write_alone, change)

    async def bare(self, work: Work[T]) -> T:
        return await self._cross(self._writer, self._bare, work)

    async def close(self) -> None:
        await asyncio.to_thread(self._writer.shutdown)
        await asyncio.to_thread(self._readers.shutdown)
        self._let_go()
        self._engine.dispose()

    async def _cross(self, pool: ThreadPoolExecutor, run: Callable[..., T], *args: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(pool, run, *args)

    def _snapshot(self, work: Work[T]) -> T:
        with our_errors(), self._straight.connect() as connection, connection.begin():
            return work(connection)

    def _write(self, work: Work[T]) -> T:
        with self._kept() as connection, connection.begin():
            return work(connection)

    def _write_alone(self, change: Change) -> bool:
        with self._kept() as connection:
            done = is_done(connection, change)
            if connection.in_transaction():  # SQLAlchemy began one, to tell whoever watches
                connection.commit()
            return done

    @contextmanager
    def _kept(self) -> Iterator[Connection]:
        """The connection that writes, kept for the next time: to fetch one takes as long as to
        write.
        """
        with our_errors():
            try:
                if self._writing is None:
                    self._writing = self._straight.connect().execution_options(**dialects.IMMEDIATE)
                    dialects.prepare_to_write(self._writing)
                yield self._writing
            except dialects.driver_errors():
                self._let_go()
                raise

    def _let_go(self) -> None:
        connection, self._writing = self._writing, None
        if connection is not None:
            connection.close()

    def _bare(self, work: Work[T]) -> T:
        with our_errors(), self._engine.connect() as connection:
            return work(connection)


class LoopDatabase:
    """A database whose driver awaits: work runs on the event loop, on a connection of a pool."""

    def __init__(self, url: URL, settings: DatabaseSettings, engine: AsyncEngine | None) -> None:
        self._url = url
        self._settings = settings
        self._given = engine
        self._engine: AsyncEngine | None = None
        self._connections: Connections | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._transactions = dialects.needs_transactions(settings)
        self._begin = dialects.begin(settings, "READ COMMITTED")
        self._begin_snapshot = dialects.begin(settings, "REPEATABLE READ")

    @property
    def lanes(self) -> int:
        return self._settings.write_lanes

    async def read(self, work: Work[T]) -> T:
        # Without a transaction there is neither a BEGIN nor a COMMIT to wait for.
        return await self._run(work, self._begin if self._transactions else None)

    async def write_alone(self, make: Make) -> bool:
        change = make(self._url.get_backend_name())
        if change is None:
            return False
        with our_errors():
            _, connections = self._opened()
            loan = None if self._transactions else connections.at_hand()
            if loan is None:
                return await self.read(lambda connection: is_done(connection, change))
            # Past SQLAlchemy's greenlet, which takes a seventh of our time with 32 chats at once.
            async with loan as connection:
                return await is_soon_done(connection, change)

    async def snapshot(self, work: Work[T]) -> T:
        return await self._run(work, self._begin_snapshot)

    async def write(self, work: Work[T]) -> T:
        return await self._run(work, self._begin)

    async def bare(self, work: Work[T]) -> T:
        with our_errors():
            engine, _ = self._opened()
            return await greenlet_spawn(_bare, engine.sync_engine, work)

    async def close(self) -> None:
        engine, self._engine = self._engine, None
        connections, self._connections = self._connections, None
        if connections is not None:
            await greenlet_spawn(connections.close)
        if engine is not None:
            await engine.dispose()

    def _opened(self) -> tuple[AsyncEngine, Connections]:
        # Not made before there is a loop: Chainlit builds the layer outside any coroutine of ours.
        # And made again in another, such as a script's next asyncio.run: connections are a loop's.
        loop = asyncio.get_running_loop()
        if self._connections is not None and self._loop is loop:
            return self._given or cast("AsyncEngine", self._engine), self._connections
        if self._given is None:
            self._engine = dialects.loop_engine(self._url, self._settings)
        engine = self._given or cast("AsyncEngine", self._engine)
        keep = dialects.connections_to_keep(self._settings) if self._given is None else 0
        self._connections, self._loop = Connections(engine.sync_engine, keep=keep), loop
        return engine, self._connections

    async def _run(self, work: Work[T], begin: str | None) -> T:
        with our_errors():
            _, connections = self._opened()
            # All of it in one greenlet: SQLAlchemy's own coroutines begin one for each step.
            return await greenlet_spawn(_whole, connections, work, begin)


def _bare(engine: Engine, work: Work[T]) -> T:
    with engine.connect() as connection:
        result = work(connection)
        connection.commit()
        return result


def _whole(connections: Connections, work: Work[T], begin: str | None) -> T:
    with connections.lend() as connection:
        if begin is None:
            return work(connection)
        tell(connection, begin)
        result = work(connection)
        tell(connection, "COMMIT;")
        return result
