"""Writes how each database carries each statement: ``benchmarks/plans/<statement>.<dialect>.txt``.

    python -m benchmarks.explain

Fills a throw-away database of each kind with some thousand rows, calls every query once, and asks
for the plan of the statement that it ran, with the very values.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, event

from benchmarks.search_calls import SEARCH_CALLS
from benchmarks.thread_calls import THREAD_CALLS
from chainkeep.db import (
    attachment_queries,
    figure_queries,
    journal_queries,
    list_queries,
    migrations,
    queries,
    replica_queries,
    search_queries,
    step_queries,
    thread_queries,
)
from chainkeep.db.database import Database, open_database
from chainkeep.db.execution import is_done
from chainkeep.db.migrate import migrate
from chainkeep.db.migrations.search import make_trigram_index
from chainkeep.db.statements import STATEMENTS
from chainkeep.db.step_queries import StepRow, Touch
from chainkeep.models import Element, Step
from chainkeep.paging import Cursor
from chainkeep.settings import DatabaseSettings
from tests.support.postgres import PostgresServer, with_trigrams

PLANS = Path(__file__).parent / "plans"
ROWS = Path(__file__).with_name("rows.sql")

EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN ", "postgresql": "EXPLAIN (COSTS OFF) "}

NOW = "2026-01-02T00:00:00.000000Z"
PLACE = Cursor("2026-01-01T00:00:00.003000Z", "thread-3000")
STEP = Step(id="step-77", thread_id="thread-77", created_at=NOW, output="changed")
ELEMENT = Element(id="element-77", thread_id="thread-77", for_id="step-77")

ARGUMENTS: Mapping[str, Mapping[str, Any]] = {
    **SEARCH_CALLS,
    **THREAD_CALLS,
    "blob_deletion_request": {"object_keys": ["gone-new"], "requested_at": NOW},
    "blob_deletion_requests": {"count": 100},
    "blob_deletions_done": {"object_keys": ["gone-1", "gone-2"]},
    "blob_deletions_wanted": {"object_keys": ["gone-1", "gone-2"]},
    "element_bury": {
        "id": "element-new", "thread_id": "thread-77", "deleted_at": NOW, "position": 1,
    },
    "element_get": {"id": "element-77", "thread_id": "thread-77"},
    "element_upsert": {"element": ELEMENT, "created_at": NOW, "position": 1, "revive": False},
    "elements_delete": {"ids": ["element-77", "element-78"], "deleted_at": NOW},
    "elements_of_steps": {"ids": ["step-77", "step-78"]},
    "elements_of_thread": {"thread_id": "thread-77"},
    "feedback_delete": {"id": "feedback-77"},
    "feedback_get": {"id": "feedback-77"},
    "feedback_upsert": {
        "id": "feedback-new", "for_id": "step-77", "thread_id": "thread-77",
        "value": 1, "comment": "good", "now": NOW,
    },
    "journal_advance": {"id": "journal-7", "replayed_to": 100, "updated_at": NOW},
    "journal_forget": {"id": "journal-7"},
    "journal_progress": {"id": "journal-7"},
    "step_author": {"id": "step-77"},
    "step_bury": {"id": "step-new", "thread_id": "thread-77", "deleted_at": NOW, "position": 1},
    "step_get": {"id": "step-77"},
    "step_put": {
        "row": StepRow(step=STEP, created=True, position=1),
        "touch": Touch(id="thread-77", created_at=NOW, activity_at=NOW, user_identifier="person-7"),
    },
    "step_set_metadata": {"id": "step-77", "metadata": {"favorite": True}},
    "step_tree": {"id": "step-0"},
    "step_write": {
        "rows": [
            StepRow(step=STEP, created=False, given=frozenset(["output"]), updates=1, position=1)
        ],
    },
    "steps_clear_feedbacks": {"ids": ["step-77", "step-78"]},
    "steps_delete": {"ids": ["step-77", "step-78"], "deleted_at": NOW},
    "steps_favorite": {"user_id": "user-7"},
    "steps_known": {"ids": ["step-77", "step-78"]},
    "steps_put": {
        "rows": [
            StepRow(step=STEP, created=True, position=1),
            StepRow(step=replace(STEP, id="step-78"), created=True, position=2),
        ],
        "touches": [
            Touch(id="thread-77", created_at=NOW, activity_at=NOW, user_identifier="person-7")
        ],
    },
    "steps_put_rows": {
        "rows": [StepRow(step=STEP, created=True, position=1)],
        "touches": [
            Touch(id="thread-77", created_at=NOW, activity_at=NOW, user_identifier="person-7")
        ],
    },
    "thread_author": {"id": "thread-77"},
    "thread_content": {"id": "thread-77"},
    "thread_clear_elements": {"thread_id": "thread-77"},
    "thread_clear_feedbacks": {"thread_id": "thread-77"},
    "thread_clear_steps": {"thread_id": "thread-77"},
    "thread_delete": {"id": "thread-77", "deleted_at": NOW},
    "thread_erase": {"thread_id": "thread-77", "requested_at": NOW},
    "thread_get": {"id": "thread-77"},
    "thread_touch": {
        "touches": [
            Touch(id="thread-77", created_at=NOW, activity_at=NOW, user_identifier="person-7")
        ],
    },
    "thread_update": {
        "id": "thread-77", "name": "new", "keep_name": False, "org_id": None, "product": None,
        "tags": ["a"], "metadata": {},
    },
    "threads_star": {"ids": ["thread-77"]},
    "threads_page": {"user_id": "user-7", "before": PLACE, "count": 36},
    "threads_page-first": {"user_id": "user-7", "before": None, "count": 36},
    "threads_page_voted": {"user_id": "user-7", "before": PLACE, "feedback": 1, "count": 36},
    "user_get": {"identifier": "person-7"},
    "wal_position": {},
    "wal_replayed": {"place": "0/0"},
    "user_upsert": {
        "id": "user-new", "identifier": "person-7", "display_name": "Ada",
        "metadata": {}, "created_at": NOW,
    },
}  # fmt: skip
"""What each query is called with, by its name; what follows a hyphen tells calls apart."""


def calls_of(dialect: str) -> list[str]:
    """The calls whose statements a database has."""
    return [call for call in ARGUMENTS if call.partition("-")[0] in STATEMENTS[dialect]]


def fill(connection: Connection) -> None:
    """Put rows into every table that grows."""
    for statement in migrations.statements(ROWS.read_text("utf-8")):
        connection.exec_driver_sql(statement)


def analyze(connection: Connection) -> None:
    """Let the database count what it holds, as PostgreSQL does by itself from time to time."""
    connection.exec_driver_sql("ANALYZE")


Ran = tuple[str, Any]
"""A statement as the driver was given it, and its parameters."""


def run(connection: Connection, call: str) -> list[Ran]:
    """Call a query and undo it; the statements that it ran."""
    ran: list[Ran] = []

    def note(_c: object, _d: object, sql: str, parameters: Any, _x: object, _m: object) -> None:
        ran.append((sql, parameters))

    with _undone(connection):
        event.listen(connection, "before_cursor_execute", note)
        try:
            name = call.partition("-")[0]
            modules = (
                queries,
                step_queries,
                thread_queries,
                list_queries,
                figure_queries,
                journal_queries,
                replica_queries,
                attachment_queries,
                search_queries,
            )
            module = next(each for each in modules if hasattr(each, name))
            query = getattr(module, name)
            if "connection" in signature(query).parameters:
                query(connection, **ARGUMENTS[call])
            else:
                is_done(connection, query(**ARGUMENTS[call]))
        finally:
            event.remove(connection, "before_cursor_execute", note)
    return ran


def plan(connection: Connection, call: str) -> str:
    """How the database carries a statement, as text; what is nested is indented."""
    [(sql, parameters)] = run(connection, call)
    dialect = connection.dialect.name
    with _undone(connection):
        rows = connection.exec_driver_sql(EXPLAIN[dialect] + sql, parameters).all()
    lines = [row[0] for row in rows] if dialect == "postgresql" else list(_indented(rows))
    return "\n".join(lines) + "\n"


@contextmanager
def _undone(connection: Connection) -> Iterator[None]:
    savepoint = connection.begin_nested()
    try:
        yield
    finally:
        savepoint.rollback()


def _indented(rows: Sequence[Row[Any]]) -> Iterator[str]:
    depth = {0: -1}
    for row in rows:
        depth[row.id] = depth[row.parent] + 1
        yield "  " * depth[row.id] + row.detail


async def plans(database: Database, dialect: str) -> dict[str, str]:
    """The plan of every statement, on a database that is made and filled here."""

    def work(connection: Connection) -> dict[str, str]:
        fill(connection)
        make_trigram_index(connection)
        if dialect == "postgresql":  # nobody analyzes an SQLite file
            analyze(connection)
        return {call: plan(connection, call) for call in calls_of(dialect)}

    await database.bare(migrate)
    try:
        return await database.write(work)
    finally:
        await database.close()


async def _main() -> None:
    PLANS.mkdir(exist_ok=True)
    for stale in PLANS.glob("*.txt"):
        stale.unlink()
    with (
        tempfile.TemporaryDirectory() as home,
        PostgresServer(with_trigrams()[0]) as server,
    ):
        urls = {
            "sqlite": f"sqlite+aiosqlite:///{home}/plans.db",
            "postgresql": server.url(await server.acreate_database()),
        }
        for dialect, url in urls.items():
            database = open_database(DatabaseSettings(url=url))
            for name, how in (await plans(database, dialect)).items():
                (PLANS / f"{name}.{dialect}.txt").write_text(how, "utf-8")


if __name__ == "__main__":
    asyncio.run(_main())
