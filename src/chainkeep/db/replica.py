"""Lists from a replica, as long as it has what this process wrote for whoever asks."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, NamedTuple, TypeVar

from sqlalchemy import Connection

from chainkeep.db import dialects
from chainkeep.db.database import Database, Work, open_database
from chainkeep.db.replica_queries import wal_position, wal_replayed
from chainkeep.errors import StorageError, UnsupportedDatabaseError
from chainkeep.settings import DatabaseSettings

__all__ = ["Replica", "open_replica"]

T = TypeVar("T")
logger = logging.getLogger("chainkeep")

_MOST_USERS = 10_000
_PAUSE = 10.0


class Mark(NamedTuple):
    """A place in the primary's log, and the writes that come before it."""

    writes: int
    place: str


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """What a replica gave, which may be nothing."""

    value: T


_START = Mark(0, "0/0")


class Replica:
    """A copy of the primary database that follows it, some moments late.

    After a user's write in this process their next list comes from the primary, and so does each
    one until the replica is where the primary was then. So a user whom one process serves sees what
    they did; what was done elsewhere is seen some moments later.
    """

    def __init__(
        self, primary: Database, copy: Database, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._primary, self._copy, self._clock = primary, copy, clock
        self._writes = 0
        self._last_of_anybody = 0
        self._last_of: dict[str, int] = {}
        self._marks: dict[str, Mark] = {}
        self._away_until = 0.0

    def note_write(self, user_id: str | None) -> None:
        """Before a write is queued: whose it is, None where nobody can tell."""
        self._writes += 1
        if user_id is None or len(self._last_of) >= _MOST_USERS:
            self._forget()
        else:
            self._last_of[user_id] = self._writes

    def _forget(self) -> None:
        """Whose writes they were, and who has seen them: everybody's next list is the primary's."""
        self._last_of_anybody = self._writes
        self._last_of.clear()
        self._marks.clear()

    async def read(
        self,
        user_id: str,
        work: Work[T],
        *,
        settled: Callable[[], Awaitable[None]],
        snapshot: bool = False,
    ) -> T:
        """Run work that lists what is a user's, after the writes that ``settled`` waits for; where
        it is a ``snapshot``, all of its statements at one moment.
        """
        last = max(self._last_of_anybody, self._last_of.get(user_id, 0))
        mark, writes = self._marks.get(user_id, _START), self._writes
        await settled()
        if last > mark.writes:
            place, value = await _run(
                self._primary, partial(_with_position, work=work), snapshot=snapshot
            )
            if len(self._marks) >= _MOST_USERS:
                self._forget()
            self._marks[user_id] = max(Mark(writes, place), self._marks.get(user_id, _START))
            return value
        found = await self._from_copy(
            partial(_unless_behind, place=mark.place, work=work), snapshot=snapshot
        )
        if found is not None:
            return found.value
        return await _run(self._primary, work, snapshot=snapshot)

    async def _from_copy(self, work: Work[Found[T] | None], *, snapshot: bool) -> Found[T] | None:
        if self._clock() < self._away_until:
            return None
        try:
            return await _run(self._copy, work, snapshot=snapshot)
        except StorageError as exc:
            self._away_until = self._clock() + _PAUSE
            logger.warning("The replica is left alone for %d s: %s", _PAUSE, exc)
            return None

    async def close(self) -> None:
        """Release the replica's connections."""
        await self._copy.close()


async def _run(database: Database, work: Work[T], *, snapshot: bool) -> T:
    return await (database.snapshot(work) if snapshot else database.read(work))


def _with_position(connection: Connection, *, work: Work[T]) -> tuple[str, T]:
    return wal_position(connection), work(connection)


def _unless_behind(connection: Connection, *, place: str, work: Work[T]) -> Found[T] | None:
    if not wal_replayed(connection, place=place):
        return None
    # A snapshot is taken before its first statement looks where the replica is: begin another.
    connection.commit()
    return Found(work(connection))


def open_replica(settings: DatabaseSettings, primary: Database) -> Replica | None:
    """The replica that the settings name, if they name one; not connected yet."""
    if settings.replica_url is None:
        return None
    if dialects.runs_in_thread(dialects.supported_url(settings.replica_url)):
        raise UnsupportedDatabaseError("A replica follows a server; a file has none.")
    # A replica that is away must not hold a list up for long.
    patience = {"timeout": 2, "command_timeout": 10, **settings.connect_args}
    copied = replace(settings, url=settings.replica_url, connect_args=patience)
    return Replica(primary, open_database(copied))
