"""What an edit of a step costs PostgreSQL: none of the table's indexes, unless the search index has
seen the text already.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import Connection, text

from chainkeep.db.database import Database
from chainkeep.db.execution import Change, is_done
from chainkeep.db.step_queries import StepRow, Touch, step_put, step_write, steps_put, thread_touch
from chainkeep.models import Step

MESSAGE = Step(
    id="s",
    thread_id="t",
    type="assistant_message",
    name="Ada",
    input="What?",
    output="That.",
    created_at="2026-01-01T00:00:00.000000Z",
)
GIVEN = frozenset(["type", "output", "created_at", "parent_id"])


@pytest.fixture
def database_kind() -> str:
    return "postgresql"


TOUCH = Touch(id="t", created_at=MESSAGE.created_at, activity_at=MESSAGE.created_at)

Write = Callable[[Connection, StepRow], object]


def put_many(rows: list[StepRow]) -> Change:
    change = steps_put(rows=rows, touches=[TOUCH])
    assert change is not None
    return change


WRITES: dict[str, Write] = {
    "step_write": lambda connection, row: step_write(connection, [row]),
    "step_put": lambda connection, row: is_done(connection, step_put(row=row, touch=TOUCH)),
    "steps_put": lambda connection, row: is_done(connection, put_many([row])),
}


@pytest.fixture(params=WRITES)
def write(request: pytest.FixtureRequest) -> Write:
    """Each statement that edits a step."""
    return WRITES[request.param]


def create(connection: Connection, write: Write, step: Step) -> None:
    thread_touch(connection, [TOUCH])
    write(connection, StepRow(step=step, created=True, position=1))


def edit(connection: Connection, write: Write, step: Step) -> tuple[int, int]:
    """How many rows were changed, and how many of them where no index was."""
    edited = replace(step, output="It says more now.")
    before = updates(connection)
    write(connection, StepRow(step=edited, created=False, given=GIVEN, updates=1, position=2))
    after = updates(connection)
    return after[0] - before[0], after[1] - before[1]


def updates(connection: Connection) -> tuple[int, int]:
    """What the server has counted so far and not given away yet."""
    asked = text(
        "SELECT pg_stat_get_xact_tuples_updated(oid) AS changed,"
        " pg_stat_get_xact_tuples_hot_updated(oid) AS alone"
        " FROM pg_class WHERE oid = CAST('steps' AS regclass)"
    )
    row = connection.execute(asked).one()
    return row.changed, row.alone


@pytest.mark.parametrize("kind", ["assistant_message", "run", "tool", "llm"])
async def test_an_edit_of_what_waits_to_be_indexed_or_never_is_changes_no_index(
    database: Database, write: Write, kind: str
) -> None:
    step = replace(MESSAGE, type=kind)
    await database.write(lambda connection: create(connection, write, step))
    assert await database.write(lambda connection: edit(connection, write, step)) == (1, 1)


async def test_an_edit_of_an_indexed_message_has_it_indexed_again(
    database: Database, write: Write
) -> None:
    def index(connection: Connection) -> None:
        connection.execute(text('UPDATE steps SET "unindexed" = 0'))

    def waiting(connection: Connection) -> int:
        return int(connection.scalar(text('SELECT "unindexed" FROM steps')) or 0)

    await database.write(lambda connection: create(connection, write, MESSAGE))
    await database.write(index)
    assert await database.write(lambda connection: edit(connection, write, MESSAGE)) == (1, 0)
    assert await database.read(waiting) == 1
