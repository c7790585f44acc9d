"""What every request reads, PostgreSQL plans a few times and then no more: to plan a page of the
sidebar takes longer than to read it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from sqlalchemy import Connection, text

from benchmarks.explain import ARGUMENTS, analyze, fill
from chainkeep.db import list_queries, queries
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


@pytest.mark.parametrize("call", CALLS)
async def test_the_server_keeps_a_plan(call: str, database_url: str, open_: OpenDatabase) -> None:
    def prepare(connection: Connection) -> None:
        fill(connection)
        analyze(connection)

    def read(connection: Connection) -> Any:
        return CALLS[call](connection, **ARGUMENTS[call])

    writer, reader = open_(database_url), open_(database_url)
    await writer.write(prepare)
    for _ in range(20):
        await reader.read(read)
    assert (PLANNED_ANEW, 20 - PLANNED_ANEW) in await reader.read(planned)
