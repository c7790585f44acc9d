"""A database whose tables fit this version of chainkeep."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from chainkeep.db import migrate
from chainkeep.db.database import Database, Make, Work
from chainkeep.errors import TransientStorageError

__all__ = ["UpToDateDatabase"]

T = TypeVar("T")


class UpToDateDatabase:
    """A database that is brought up to date, or checked, before it is first used; reads are tried
    twice.
    """

    def __init__(self, database: Database, *, auto_migrate: bool) -> None:
        self._database = database
        self._prepare = migrate.migrate if auto_migrate else migrate.check
        self._ready = False
        self._preparing = asyncio.Lock()

    @property
    def lanes(self) -> int:
        return self._database.lanes

    async def read(self, work: Work[T]) -> T:
        return await self._twice(self._database.read, work)

    async def snapshot(self, work: Work[T]) -> T:
        return await self._twice(self._database.snapshot, work)

    async def write(self, work: Work[T]) -> T:
        await self._prepared()
        return await self._database.write(work)

    async def write_alone(self, make: Make) -> bool:
        await self._prepared()
        return await self._database.write_alone(make)

    async def bare(self, work: Work[T]) -> T:
        return await self._database.bare(work)

    async def close(self) -> None:
        await self._database.close()

    async def _prepared(self) -> None:
        if self._ready:
            return
        async with self._preparing:
            if not self._ready:
                await self._database.bare(self._prepare)
                self._ready = True

    async def _twice(self, run: Callable[[Work[T]], Awaitable[T]], work: Work[T]) -> T:
        await self._prepared()
        try:
            return await run(work)
        except TransientStorageError:
            # A connection that died while it lay in the pool is the commonest fault, and the pool
            # is new by now.
            return await run(work)
