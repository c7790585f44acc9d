"""Every query, called once on both databases."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from sqlalchemy import Connection

from benchmarks.explain import ARGUMENTS, calls_of, run
from chainkeep.db import execution, queries, search_queries, thread_queries
from chainkeep.db.database import Database
from chainkeep.db.migrations.search import make_trigram_index
from chainkeep.db.statements import STATEMENTS


@pytest.fixture(autouse=True)
async def trigrams(database: Database, database_kind: str) -> None:
    """In SQLite the trigram index is a table, which a statement reads."""
    if database_kind == "sqlite":
        await database.write(make_trigram_index)


# How a parameter is written, and how many make a list, is the driver's own affair.
PARAMETERS = re.compile(r"\?\d*|\$\d+|(?<!:):\w+|[(),\s]")


def words(sql: str) -> str:
    return PARAMETERS.sub("", sql)


def test_there_is_a_call_for_every_statement() -> None:
    called = {call.partition("-")[0] for call in ARGUMENTS}
    assert called == set().union(*STATEMENTS.values())


async def test_a_query_runs_the_statement_of_its_name_and_no_other(
    database: Database, database_kind: str
) -> None:
    def work(connection: Connection) -> dict[str, list[str]]:
        return {call: [words(sql) for sql, _ in run(connection, call)] for call in calls}

    calls, statements = calls_of(database_kind), STATEMENTS[database_kind]
    ran = await database.write(work)
    assert ran == {call: [words(statements[call.partition("-")[0]].sql)] for call in calls}


async def test_a_query_passes_exactly_the_parameters_of_its_statement(
    database: Database, database_kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed: dict[str, set[str]] = defaultdict(set)
    one, each = execution.written, execution.each

    def note_one(dialect: str, name: str, binds: Mapping[str, Any]) -> Any:
        passed[name].update(binds)
        return one(dialect, name, binds)

    def note_each(connection: Connection, name: str, many: Sequence[Mapping[str, Any]]) -> Any:
        passed[name].update(*many)
        return each(connection, name, many)

    monkeypatch.setattr(execution, "written", note_one)
    monkeypatch.setattr(queries, "each", note_each)
    monkeypatch.setattr(thread_queries, "each", note_each)
    monkeypatch.setattr(search_queries, "each", note_each)
    calls = calls_of(database_kind)
    await database.write(lambda connection: [run(connection, call) for call in calls])

    statements = STATEMENTS[database_kind]
    assert passed == {name: set(each.binds) for name, each in statements.items()}


async def test_a_statement_that_gives_rows_names_its_columns_in_snake_case(
    database: Database, database_kind: str
) -> None:
    def work(connection: Connection) -> list[str]:
        names: list[str] = []
        for call in calls_of(database_kind):
            if STATEMENTS[database_kind][call.partition("-")[0]].returns != "exec":
                [(sql, parameters)] = run(connection, call)
                names += connection.exec_driver_sql(sql, parameters).keys()
        return names

    names = await database.write(work)
    assert names
    assert [name for name in names if not re.fullmatch("[a-z_]+", name)] == []
