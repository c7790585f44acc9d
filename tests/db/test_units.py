"""Writes of steps that go together leave what they would have left one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from chainkeep.db import units
from chainkeep.db.database import Database
from chainkeep.db.records import Operation
from chainkeep.db.step_writes import StepWrite
from chainkeep.errors import ConflictError
from chainkeep.models import Caller, Step

MOMENTS = [f"2026-01-0{day}T00:00:00.000000Z" for day in range(1, 5)]
FIELDS = ("output", "name", "created_at", "metadata", "parent_id")

steps = st.builds(
    Step,
    id=st.sampled_from(["a", "b"]),
    thread_id=st.sampled_from(["t", "t", "t", "u"]),
    created_at=st.sampled_from(MOMENTS),
    output=st.sampled_from(["", "one", "two"]),
    name=st.sampled_from(["x", "y"]),
    parent_id=st.sampled_from([None, "a", "b"]),
    metadata=st.sampled_from([{}, {"favorite": True}, {"k": 1}]),
    extra=st.sampled_from([{}, {"icon": "1"}, {"indent": 2}, {"icon": "3", "new": None}]),
)
callers = st.sampled_from(
    [
        None,
        Caller(thread_id="t", identifier=None),
        Caller(thread_id="t", identifier="ada"),
        Caller(thread_id="u", identifier="bob", user_id="user-bob"),
    ]
)
step_writes = st.builds(
    StepWrite,
    step=steps,
    given=st.none() | st.frozensets(st.sampled_from(FIELDS), max_size=3),
    caller=callers,
    position=st.integers(1, 5),
)
deletions = st.sampled_from(
    [
        Operation("delete_step", {"step_id": "a", "caller": None, "position": 9}),
        Operation("delete_thread", {"thread_id": "t"}),
    ]
)
works = st.lists(
    st.one_of(step_writes, step_writes, step_writes, deletions), min_size=1, max_size=5
)

BOB = Operation(
    "user_upsert",
    {
        "id": "user-bob", "identifier": "bob", "display_name": None, "metadata": {},
        "created_at": MOMENTS[0],
    },
)  # fmt: skip

STATE = (
    """SELECT "id", "userId", "userIdentifier", "lastActivityAt", "createdAt", "deletedAt" IS NULL
    FROM threads ORDER BY "id" """,
    """SELECT "id", "threadId", "parentId", "name", "output", "createdAt", "metadata", "favorite",
    "extra", "revision", "position", "deletedAt" IS NULL FROM steps ORDER BY "id" """,
)


class UndoneError(Exception):
    """Takes a transaction back and brings out what was seen in it."""

    def __init__(self, seen: Any) -> None:
        super().__init__()
        self.seen = seen


def outcome(connection: Connection, portions: Sequence[Sequence[Any]]) -> Any:
    """What is returned, and then stored, when the portions run one after the other."""
    try:
        returned = [result for works in portions for result in units.run(connection, works)]
    except ConflictError:
        return None
    # The user's row comes back as it was made, which is the same for all.
    return returned[1:], [[tuple(row) for row in connection.execute(text(sql))] for sql in STATE]


async def undone(database: Database, portions: Sequence[Sequence[Any]]) -> Any:
    def work(connection: Connection) -> None:
        raise UndoneError(outcome(connection, portions))

    with pytest.raises(UndoneError) as raised:
        await database.write(work)
    return raised.value.seen


@settings(
    max_examples=150,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(before=works, together=works)
async def test_writes_that_go_together_leave_what_one_after_the_other_would(
    database: Database, before: list[Any], together: list[Any]
) -> None:
    first = [[BOB], *([work] for work in before)]
    grouped = await undone(database, [*first, together])
    # Where writes that go together clash, the writer runs them again apart.
    if grouped is not None:
        assert grouped == await undone(database, [*first, *([work] for work in together)])


def write(
    *, given: set[str] | None = None, caller: Caller | None = None, **fields: Any
) -> StepWrite:
    step = Step(id="a", thread_id="t", created_at=MOMENTS[0], **fields)
    names = None if given is None else frozenset(given)
    return StepWrite(step=step, given=names, caller=caller, position=1)


async def together_and_apart(database: Database, before: list[Any], together: list[Any]) -> bool:
    """Whether writes that go together leave what they leave one after the other."""
    first = [[BOB], *([work] for work in before)]
    apart = await undone(database, [*first, *([work] for work in together)])
    return bool(await undone(database, [*first, together]) == apart)


async def test_a_thread_that_two_people_write_in_first_belongs_to_the_first(
    database: Database,
) -> None:
    ada = Caller(thread_id="t", identifier="ada")
    bob = Caller(thread_id="t", identifier="bob", user_id="user-bob")
    writes = [write(), write(caller=ada), write(caller=bob)]
    assert await together_and_apart(database, [], writes)


async def test_a_create_that_comes_again_takes_no_extra_key_away(database: Database) -> None:
    before = [write(given=set(), extra={"icon": "1"})]
    writes = [write(), write(given={"extra"}, extra={"indent": 2})]
    assert await together_and_apart(database, before, writes)
