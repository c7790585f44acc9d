"""What an edit of a step costs SQLite: the page that the step is in, and none of an index, unless
the search index has seen the text already.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, make_url, text

from chainkeep.db.database import Database
from chainkeep.db.step_writes import StepWrite, put_steps
from chainkeep.models import Step

PAGE, FRAME, HEADER = 4096, 24, 32
"""Bytes of a page, and of what stands before it, and before all, in SQLite's log."""

STEPS = [
    Step(
        id=f"{number * 7919 % 997:03}",
        thread_id=f"t{number % 40}",
        type="assistant_message",
        output="That.",
        created_at=f"2026-01-01T00:{number % 60:02}:00.000000Z",
    )
    for number in range(400)
]


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


async def put(database: Database, step: Step, *, given: frozenset[str] | None) -> None:
    write = StepWrite(step=step, given=given, position=1)
    assert await database.write_alone(lambda dialect: put_steps(dialect, [write]))


@pytest.fixture
async def log(database: Database, database_url: str) -> Path:
    """The log of a database with some threads, empty."""
    for step in STEPS:
        await put(database, step, given=None)
    await database.bare(empty_log)
    return Path(f"{make_url(database_url).database}-wal")


def empty_log(connection: Connection) -> None:
    connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def pages(log: Path) -> int:
    """How many pages were written since the log was empty."""
    return max(0, log.stat().st_size - HEADER) // (FRAME + PAGE)


@pytest.mark.parametrize(
    "given", [{"output", "created_at"}, {"output", "created_at", "type", "metadata"}]
)
async def test_an_edit_writes_the_page_of_its_step_alone(
    database: Database, log: Path, given: set[str]
) -> None:
    step = replace(STEPS[200], output="This.")
    await put(database, step, given=frozenset(given))
    assert pages(log) == 1


@pytest.mark.usefixtures("log")
async def test_an_edit_of_an_indexed_message_has_it_indexed_again(database: Database) -> None:
    def index(connection: Connection) -> None:
        connection.execute(text('UPDATE steps SET "unindexed" = 0'))

    def waiting(connection: Connection) -> list[str]:
        return list(
            connection.execute(text('SELECT "id" FROM steps WHERE "unindexed" > 0')).scalars()
        )

    await database.write(index)
    step = replace(STEPS[200], output="This.")
    await put(database, step, given=frozenset({"output", "created_at"}))
    assert await database.read(waiting) == [step.id]
