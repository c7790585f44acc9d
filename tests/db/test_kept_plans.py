"""What every request reads, PostgreSQL plans a few times and then no more: to plan a page of the
sidebar takes longer than to read it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Connection, text

from benchmarks.explain import ARGUMENTS, analyze, fill
from chainkeep.db import list_queries, queries
from chainkeep.db.statements import STATEMENTS
from tests.db.conftest import OpenDatabase

PLANNED_ANEW = 5
"""How often the server plans a statement with its values before it thinks about keeping a plan."""

CALLS: Mapping[str, Callable[..., Any]] = {
    "steps_favorite": queries.steps_favorite,
    "thread_author": queries.thread_author,
    "thread_content": queries.thread_content,
    "threads_page": list_queries.threads_page,
    "threads_page-first": list_queries.threads_page,
    "threads_page_voted": list_queries.threads_page_voted,
    "user_get": queries.user_get,
}


@pytest.fixture
def database_kind() -> str:
    return "postgresql"


def planned(connection: Connection) -> list[tuple[int, int]]:
    """How often each statement of this connection was planned anew, and how often it was not."""
    asked = text("SELECT custom_plans, generic_plans FROM pg_prepared_statements")
    return [(row.custom_plans, row.generic_plans) for row in connection.execute(asked)]


def prepare(connection: Connection) -> None:
    """Put enough into the tables that the server prefers the indexes."""
    fill(connection)
    analyze(connection)


UNEVEN = """
UPDATE threads SET "userId" = 'user-7' WHERE "userId" <> 'user-3';
UPDATE steps SET "threadId" = 'thread-9' WHERE "threadId" <> 'thread-77' AND "position" % 4 > 0
"""
"""One user has nearly all threads, and one thread most steps."""


def prepare_unevenly(connection: Connection) -> None:
    """As ``prepare``, but what is asked for is far from the average."""
    fill(connection)
    for statement in UNEVEN.split(";"):
        connection.execute(text(statement))
    analyze(connection)


@pytest.mark.parametrize("filled", [prepare, prepare_unevenly])
@pytest.mark.parametrize("call", CALLS)
async def test_the_server_keeps_a_plan(
    call: str,
    filled: Callable[[Connection], None],
    database_url: str,
    open_: OpenDatabase,
) -> None:
    def read(connection: Connection) -> Any:
        return CALLS[call](connection, **ARGUMENTS[call])

    writer, reader = open_(database_url), open_(database_url)
    await writer.write(filled)
    for _ in range(20):
        await reader.read(read)
    assert (PLANNED_ANEW, 20 - PLANNED_ANEW) in await reader.read(planned)


@pytest.mark.parametrize(
    ("name", "values"),
    [("threads_page", "'user-7', 'z', '', 36"), ("threads_page_voted", "'user-7', 'z', '', 1, 36")],
)
async def test_the_plan_that_is_kept_stops_at_the_end_of_the_page(
    name: str, values: str, database_url: str, open_: OpenDatabase
) -> None:
    await open_(database_url).write(prepare)
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    try:
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        sql = STATEMENTS["postgresql"][name].numbered("$")
        await connection.execute(f"PREPARE kept AS {sql}")
        plan = "\n".join(
            row[0] for row in await connection.fetch(f"EXPLAIN EXECUTE kept({values})")
        )
    finally:
        await connection.close()
    assert "Index Scan Backward using threads_user_activity_idx" in plan
    assert 'ROW("lastActivityAt", id) < ROW' in plan.partition("Index Cond: ((")[2]
    assert "Sort" not in plan
