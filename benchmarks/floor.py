"""The floor: what the drivers alone take for the same calls, by hand, one statement for each.

As durable as chainkeep, on chainkeep's tables, and good for nothing else: no guards, no merging, no
retries, and a step does not move its thread up the list.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
from chainlit.element import Element
from chainlit.step import StepDict
from chainlit.types import PageInfo, PaginatedResponse, Pagination, ThreadDict, ThreadFilter
from typing_extensions import override

from benchmarks.seed import named
from benchmarks.storage import Directory
from chainkeep.db.dialects import PARAMETER_MARKS
from chainkeep.db.statements import Statement
from chainkeep.values import next_position, utc_now

__all__ = ["FloorPostgres", "FloorSqlite"]

T = TypeVar("T")
Rows = list[dict[str, Any]]

_STATEMENTS = named("floor")
_DELETIONS = ("delete_feedbacks", "delete_elements", "delete_steps", "delete_thread")


@cache
def _written(statement: Statement, mark: str) -> str:
    return statement.numbered(mark)


class Floor(ABC):
    """The calls; a driver's own class says how one statement runs."""

    mark: str
    own: dict[str, Statement]
    """What differs from the other database."""

    def __init__(self, home: Path) -> None:
        self._files = Directory(home)

    @abstractmethod
    async def _run(self, sql: str, values: Sequence[Any]) -> Rows:
        """Run one statement, durably where it writes; its rows."""

    @abstractmethod
    async def _run_together(self, statements: Sequence[str], values: Sequence[Any]) -> None:
        """Run several statements with the same values in one transaction."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of the database."""

    async def _rows(self, name: str, /, **binds: Any) -> Rows:
        statement = self.own.get(name) or _STATEMENTS[name]
        values = [binds[key] for key in statement.binds_in_order]
        return await self._run(_written(statement, self.mark), values)

    async def get_user(self, identifier: str) -> object:
        """The user's row."""
        rows = await self._rows("user", identifier=identifier)
        return rows[0] if rows else None

    async def get_thread_author(self, thread_id: str) -> str:
        """The owner's identifier."""
        return str((await self._rows("author", id=thread_id))[0]["identifier"])

    async def create_step(self, step_dict: StepDict) -> None:
        """Write it, whatever was there."""
        await self._rows(
            "step",
            id=step_dict["id"],
            thread_id=step_dict["threadId"],
            parent_id=step_dict.get("parentId"),
            type=step_dict["type"],
            name=step_dict["name"],
            input=step_dict.get("input") or "",
            output=step_dict["output"],
            created_at=step_dict["createdAt"],
            start=step_dict["start"],
            end=step_dict["end"],
            position=next_position(),
        )

    async def update_step(self, step_dict: StepDict) -> None:
        """The same as ``create_step``."""
        await self.create_step(step_dict)

    async def update_thread(
        self, thread_id: str, name: str | None = None, user_id: str | None = None
    ) -> None:
        """Make it, or give it a name."""
        await self._rows("thread", id=thread_id, name=name, user_id=user_id, created_at=utc_now())

    async def create_element(self, element: Element) -> None:
        """Store its bytes, then write its row."""
        await self._files.upload_file(element.id, element.content or b"")
        await self._rows(
            "element",
            id=element.id,
            thread_id=element.thread_id,
            for_id=element.for_id,
            type=element.type,
            name=element.name,
            display=element.display,
            object_key=element.id,
            mime=element.mime,
            created_at=utc_now(),
            position=next_position(),
        )

    async def list_threads(
        self, pagination: Pagination, filters: ThreadFilter
    ) -> PaginatedResponse[ThreadDict]:
        """A page; the cursor is the last thread's id."""
        count = pagination.first + 1
        if filters.search:
            words = filters.search.lower()
            rows = await self._rows("found", user_id=filters.userId, words=words, count=count)
        else:
            after = pagination.cursor
            rows = await self._rows("page", user_id=filters.userId, after=after, count=count)
        page: list[Any] = rows[: pagination.first]
        end = page[-1]["id"] if page else None
        info = PageInfo(hasNextPage=len(rows) == count, startCursor=None, endCursor=end)
        return PaginatedResponse(pageInfo=info, data=page)

    async def get_thread(self, thread_id: str) -> dict[str, Any]:
        """Its row, with its steps and elements."""
        [thread] = await self._rows("thread_row", id=thread_id)
        steps = await self._rows("thread_steps", id=thread_id)
        for step in steps:
            step["metadata"] = json.loads(step["metadata"])
        elements = await self._rows("thread_elements", id=thread_id)
        return {**thread, "steps": steps, "elements": elements}

    async def get_favorite_steps(self, user_id: str) -> Rows:
        """What the user starred."""
        return await self._rows("favorites", user_id=user_id)

    async def delete_thread(self, thread_id: str) -> None:
        """Remove it with all that is in it."""
        statements = [_written(_STATEMENTS[name], self.mark) for name in _DELETIONS]
        await self._run_together(statements, [thread_id])


class FloorSqlite(Floor):
    """The driver of the standard library, in one thread."""

    mark = PARAMETER_MARKS["sqlite"]
    own = named("floor.sqlite")

    def __init__(self, path: str, home: Path) -> None:
        super().__init__(home)
        self._thread = ThreadPoolExecutor(1)
        self.connection = self._thread.submit(_connected, path).result()

    @override
    async def _run(self, sql: str, values: Sequence[Any]) -> Rows:
        return await self._cross(partial(self._execute, sql, values))

    @override
    async def _run_together(self, statements: Sequence[str], values: Sequence[Any]) -> None:
        await self._cross(partial(self._transaction, statements, values))

    @override
    async def close(self) -> None:
        await self._cross(self.connection.close)
        self._thread.shutdown()

    async def _cross(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _execute(self, sql: str, values: Sequence[Any]) -> Rows:
        return [dict(row) for row in self.connection.execute(sql, values)]

    def _transaction(self, statements: Sequence[str], values: Sequence[Any]) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        for sql in statements:
            self.connection.execute(sql, values)
        self.connection.execute("COMMIT")


def _connected(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


class FloorPostgres(Floor):
    """asyncpg, with ten connections that are handed on as they are."""

    mark = PARAMETER_MARKS["postgresql"]
    own = named("floor.postgresql")

    def __init__(self, dsn: str, home: Path) -> None:
        super().__init__(home)
        self._dsn = dsn
        self._idle: asyncio.LifoQueue[Any] = asyncio.LifoQueue()
        self._opened = 0

    @override
    async def _run(self, sql: str, values: Sequence[Any]) -> Rows:
        connection = await self._take()
        try:
            return [dict(row) for row in await connection.fetch(sql, *values)]
        finally:
            self._idle.put_nowait(connection)

    @override
    async def _run_together(self, statements: Sequence[str], values: Sequence[Any]) -> None:
        connection = await self._take()
        try:
            async with connection.transaction():
                for sql in statements:
                    await connection.fetch(sql, *values)
        finally:
            self._idle.put_nowait(connection)

    @override
    async def close(self) -> None:
        while not self._idle.empty():
            await self._idle.get_nowait().close()

    async def _take(self) -> Any:
        if self._idle.empty() and self._opened < 10:
            self._opened += 1
            return await asyncpg.connect(self._dsn)
        return await self._idle.get()
