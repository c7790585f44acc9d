"""The connections of PostgreSQL that stay open between two pieces of work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.util import await_only

from chainkeep.db import queries, step_queries
from chainkeep.db.database import Database, Make, open_database
from chainkeep.db.drivers import driver_of
from chainkeep.db.step_queries import Touch
from chainkeep.db.step_writes import StepWrite, put_steps
from chainkeep.errors import StorageError
from chainkeep.models import Step
from chainkeep.settings import DatabaseSettings
from tests.support.waiting import eventually

NOW = "2026-01-01T00:00:00.000000Z"
OpenDatabase = Callable[..., Database]


@pytest.fixture
async def open_(make_postgres: Callable[[bool], str]) -> AsyncIterator[OpenDatabase]:
    """Opens the same database, again and again."""
    url = make_postgres(True)
    opened: list[Database] = []

    def open_one(**settings: Any) -> Database:
        opened.append(open_database(DatabaseSettings(url=url, **settings)))
        return opened[-1]

    yield open_one
    for database in opened:
        await database.close()


def pid(connection: Connection) -> int:
    return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


def slow_pid(connection: Connection) -> int:
    await_only(asyncio.sleep(0.05))
    return pid(connection)


def in_transaction(connection: Connection) -> bool:
    return bool(driver_of(connection).is_in_transaction())


def touch(connection: Connection) -> None:
    step_queries.thread_touch(connection, [Touch(id="t", created_at=NOW)])


async def test_one_call_after_the_other_uses_the_same_connection(open_: OpenDatabase) -> None:
    database = open_()
    assert await database.read(pid) == await database.write(pid) == await database.snapshot(pid)


async def test_calls_at_once_use_a_connection_each_and_no_more_than_twice_the_pool(
    open_: OpenDatabase,
) -> None:
    database = open_(pool_size=3)
    pids = set(await asyncio.gather(*(database.read(slow_pid) for _ in range(20))))
    assert len(pids) == 6


async def test_an_app_that_limits_the_pool_gets_no_more_connections(open_: OpenDatabase) -> None:
    database = open_(engine_options={"pool_size": 1, "max_overflow": 0})
    pids = set(await asyncio.gather(*(database.read(slow_pid) for _ in range(5))))
    assert len(pids) == 1


async def test_work_that_fails_is_undone_and_its_connection_used_again(open_: OpenDatabase) -> None:
    database = open_()
    before = await database.read(pid)

    def work(connection: Connection) -> None:
        touch(connection)
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(work)
    assert await database.read(pid) == before
    assert not await database.read(in_transaction)
    assert await database.read(lambda connection: queries.thread_get(connection, id="t")) is None


async def test_a_statement_that_fails_is_undone_and_its_connection_used_again(
    open_: OpenDatabase,
) -> None:
    database = open_()
    before = await database.read(pid)

    def work(connection: Connection) -> None:
        touch(connection)
        connection.execute(text("SELECT nothing"))

    with pytest.raises(StorageError):
        await database.write(work)
    assert await database.read(pid) == before
    assert await database.read(lambda connection: queries.thread_get(connection, id="t")) is None


async def test_work_that_is_cancelled_is_undone_and_its_connection_closed(
    open_: OpenDatabase,
) -> None:
    database = open_()
    begun = asyncio.Event()
    before = await database.read(pid)

    def work(connection: Connection) -> None:
        touch(connection)
        begun.set()
        connection.execute(text("SELECT pg_sleep(60)"))

    write = asyncio.create_task(database.write(work))
    await begun.wait()
    write.cancel()
    with pytest.raises(asyncio.CancelledError):
        await write
    assert await database.read(pid) != before
    assert await database.read(lambda connection: queries.thread_get(connection, id="t")) is None


def put(step_id: str, thread_id: str) -> Make:
    """The change that writes a step."""
    step = Step(id=step_id, thread_id=thread_id, created_at=NOW)
    return lambda dialect: put_steps(dialect, [StepWrite(step=step, position=1)])


async def test_a_change_that_is_refused_leaves_its_connection_in_use(open_: OpenDatabase) -> None:
    database = open_()
    assert await database.write_alone(put("s", "t"))
    before = await database.read(pid)
    assert not await database.write_alone(put("s", "elsewhere"))
    assert await database.write_alone(put("another", "t"))
    assert await database.read(pid) == before


async def test_a_change_that_is_cancelled_has_its_connection_closed(
    open_: OpenDatabase,
) -> None:
    database, other = open_(), open_()
    await database.write(touch)
    used = await database.read(pid)
    touched, go_on = asyncio.Event(), asyncio.Event()

    def hold(connection: Connection) -> None:
        connection.execute(text('SELECT "id" FROM threads FOR UPDATE'))
        touched.set()
        await_only(go_on.wait())

    holding = asyncio.ensure_future(other.write(hold))
    await touched.wait()
    waiting = asyncio.ensure_future(database.write_alone(put("s", "t")))
    await eventually(lambda: other.read(is_anybody_waiting))
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await database.read(pid) != used
    go_on.set()
    await holding


def is_anybody_waiting(connection: Connection) -> bool:
    return bool(connection.execute(text("SELECT bool_or(NOT granted) FROM pg_locks")).scalar())


async def test_who_listens_to_statements_is_told_of_each(open_: OpenDatabase) -> None:
    told: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        told.append(statement)

    database = open_()
    await database.read(pid)
    event.listen(Engine, "before_cursor_execute", note)
    try:
        await database.write(touch)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert [statement.split()[:3] for statement in told] == [["INSERT", "INTO", "threads"]]


async def test_a_closed_database_leaves_no_connection(open_: OpenDatabase) -> None:
    database = open_()
    pids = await asyncio.gather(*(database.read(slow_pid) for _ in range(7)))
    await database.close()
    ours = text("SELECT pid FROM pg_stat_activity WHERE pid = ANY(:pids)")
    other = open_()

    def still_there(connection: Connection) -> int:
        return len(connection.execute(ours, {"pids": pids}).all())

    while await other.read(still_there):
        await asyncio.sleep(0.01)
