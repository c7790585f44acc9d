"""What is read by its id: a user, a thread, a step, an element, and what a user starred.

A read of a thread waits for the writes of that thread that were handed over before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar, cast

from typing_extensions import override

from chainkeep.db import queries, units
from chainkeep.db.attachment_queries import element_shown
from chainkeep.db.content_rows import step_of
from chainkeep.db.database import Work
from chainkeep.db.lanes import Unit
from chainkeep.db.records import Operation
from chainkeep.db.replica import open_replica
from chainkeep.db.search import Search
from chainkeep.db.search_queries import search_threads
from chainkeep.db.step_writes import StepWrite
from chainkeep.keeper import Keeper
from chainkeep.models import (
    STEP_COLUMNS,
    Caller,
    Element,
    Step,
    StepValues,
    Thread,
    ThreadContent,
    ThreadValues,
    User,
)
from chainkeep.recent import Recent
from chainkeep.settings import Settings
from chainkeep.values import cleaned_json

__all__ = ["Reads", "user_key"]

T = TypeVar("T")
_DELETED_AT = STEP_COLUMNS.index("deleted_at")


def user_key(identifier: str) -> str:
    """The key of a user's writes."""
    return f"user {identifier}"


class Reads(Keeper):
    """The reads of the store that make no list of threads."""

    def __init__(self, settings: Settings | None = None, **options: Any) -> None:
        """As a ``Keeper``."""
        super().__init__(settings, **options)
        self._users: Recent[User] = Recent(self.settings.cache_seconds)
        self._authors: Recent[str] = Recent(self.settings.cache_seconds)
        self._replica = open_replica(self.settings.database, self._database)

    async def get_user(self, identifier: str) -> User | None:
        """The user who logs in as ``identifier``, as of at most ``Settings.cache_seconds`` ago."""
        key = user_key(identifier)
        user = self._users.get(key)
        if user is None:
            ticket = self._users.reading(key)
            await self.settled(key)
            user = await self._read(queries.user_get, identifier=identifier)
            self._users.keep(key, user, ticket)
        # The caller's own: whoever changes a user's metadata does not change what others read.
        return user and replace(user, metadata=cleaned_json(user.metadata))

    async def get_thread(self, thread_id: str) -> ThreadContent | None:
        """A thread and all that is in it, at one moment, after the writes made to it so far."""
        await self.settled(thread_id)
        return await self._read(units.thread_content, thread_id=thread_id)

    async def thread_values(self, thread_id: str) -> ThreadValues | None:
        """``get_thread`` in less time, for who makes something else of the steps anyway."""
        await self.settled(thread_id)
        return await self._read(queries.thread_content, id=thread_id)

    async def thread_author(self, thread_id: str) -> str | None:
        """The identifier of a thread's owner; None if it is unknown or nobody owns it yet.

        An owner is set once, so one that was known some seconds ago is told without asking again,
        unless this process deleted the thread since.
        """
        author = self._authors.get(thread_id)
        if author is None:
            ticket = self._authors.reading(thread_id)
            await self.settled(thread_id)
            author = await self._read(queries.thread_author, id=thread_id)
            self._authors.keep(thread_id, author, ticket)
        return author

    async def get_step(self, step_id: str) -> Step | None:
        """A step that is not deleted."""
        values = await self.step_values(step_id)
        return None if values is None else step_of(values)

    async def step_values(self, step_id: str) -> StepValues | None:
        """What ``get_step`` makes a step of."""
        await self.settled()
        values = await self._read(queries.step_get, id=step_id)
        return None if values is None or values[_DELETED_AT] else values

    async def favorite_steps(self, user_id: str) -> list[StepValues]:
        """The steps that are starred in a user's threads, newest first."""
        await self.settled()
        return await self._read(queries.steps_favorite, user_id=user_id)

    async def get_element(self, element_id: str, *, thread_id: str | None = None) -> Element | None:
        """An element that is not deleted or private; of that thread, where one is named."""
        await self.settled(thread_id)
        return await self._read(element_shown, id=element_id, thread_id=thread_id)

    async def list_read(self, user_id: str, work: Work[T]) -> T:
        """Run work that lists what is a user's, after all writes so far; from the replica, where
        there is one that has what this process wrote for them.
        """
        # What waits in the journal is written to the primary some time, unnoticed here.
        if self._replica is None or self._replay.waiting:
            await self.settled()
            return await self._database.read(work)
        return await self._replica.read(user_id, work, settled=self.settled)

    async def find_threads(self, search: Search) -> list[Thread]:
        """The threads, of one user, in which something is said, as ``search`` finds them; where all
        is indexed, without a transaction, and from the replica as ``list_read``.
        """
        self._index()
        if not self._indexer.waiting and (user_id := search.filters.user_id) is not None:
            work = partial(self._finder.find_indexed, search=search)
            found = await self.list_read(user_id, work)
            if found is not None:
                return found
        return await self.search(search, search_threads)

    @override
    async def search(self, search: Search, read: Callable[..., list[T]]) -> list[T]:
        user_id = search.filters.user_id
        if self._replica is None or self._replay.waiting or user_id is None:
            return await super().search(search, read)
        work = self._searching(search, read)
        return await self._replica.read(user_id, work, settled=self.settled, snapshot=True)

    @override
    async def close(self) -> None:
        await super().close()
        if self._replica is not None:
            await self._replica.close()

    @override
    async def execute(
        self, statement: str, parameters: Mapping[str, Any]
    ) -> list[dict[str, Any]] | int:
        try:
            return await super().execute(statement, parameters)
        finally:
            self._users.forget_all()
            self._authors.forget_all()

    @override
    def _queue(self, unit: Unit[T]) -> asyncio.Future[T]:
        # A step changes neither; what else is written may. A read that comes after waits for it.
        if not isinstance(unit.work, StepWrite):
            self._users.forget(unit.key)
            self._authors.forget(unit.key)
        if self._replica is not None and not _is_about_a_user(unit.work):
            self._replica.note_write(_writer_of(unit.work))
        return super()._queue(unit)


def _is_about_a_user(work: object) -> bool:
    return isinstance(work, Operation) and work.name == queries.user_upsert.__name__


def _writer_of(work: object) -> str | None:
    """The id of the user for whom a write is made, where it says so."""
    caller: Caller | None = None
    if isinstance(work, StepWrite):
        caller = work.caller
    elif isinstance(work, Operation):
        if work.name == units.update_thread.__name__:
            return cast("str | None", work.arguments["user_id"])
        caller = work.arguments.get("caller")
    return caller and caller.user_id
