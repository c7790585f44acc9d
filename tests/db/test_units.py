"""Writes of steps that go together leave what they would have left one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.util import await_only

from chainkeep.db import units
from chainkeep.db.database import Database
from chainkeep.db.execution import is_done
from chainkeep.db.records import Operation
from chainkeep.db.step_writes import StepWrite, put_steps
from chainkeep.errors import ConflictError
from chainkeep.models import Caller, Step

MOMENTS = [f"2026-01-0{day}T00:00:00.000000Z" for day in range(1, 5)]
FIELDS = ("output", "type", "name", "created_at", "metadata", "parent_id")

steps = st.builds(
    Step,
    id=st.sampled_from(["a", "b"]),
    thread_id=st.sampled_from(["t", "t", "t", "u"]),
    created_at=st.sampled_from(MOMENTS),
    type=st.sampled_from(["run", "assistant_message"]),
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
plain_writes = step_writes.filter(lambda write: units.fit_one_statement([write]))


def index(connection: Connection) -> None:
    """What the search index leaves."""
    connection.execute(text('UPDATE steps SET "unindexed" = 0'))


others = st.sampled_from(
    [
        index,
        Operation("delete_step", {"step_id": "a", "caller": None, "position": 9}),
        Operation("delete_thread", {"thread_id": "t"}),
    ]
)
works = st.lists(st.one_of(step_writes, step_writes, step_writes, others), min_size=1, max_size=5)

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
    """SELECT "id", "threadId", "parentId", "type", "name", "output", "createdAt", "metadata",
    "favorite", "extra", "revision" > 0, "position", "unindexed", "deletedAt" IS NULL
    FROM steps ORDER BY "id" """,
)


class UndoneError(Exception):
    """Takes a transaction back and brings out what was seen in it."""

    def __init__(self, seen: Any) -> None:
        super().__init__()
        self.seen = seen


def at_once(connection: Connection, works: Sequence[Any]) -> Sequence[Any]:
    """As the writer runs works: in one statement where they fit it and that comes out."""
    change = None
    if units.fit_one_statement(works):
        change = put_steps(connection.dialect.name, works)
    if change is not None:
        # To the writer, it is a transaction by itself.
        with connection.begin_nested() as alone:
            if is_done(connection, change):
                return [True] * len(works)
            alone.rollback()
    return units.run(connection, works)


def outcome(connection: Connection, portions: Sequence[Sequence[Any]], run: Any) -> Any:
    """What is returned, and then stored, when the portions run one after the other."""
    try:
        returned = [result for works in portions for result in run(connection, works)]
    except ConflictError:
        return None
    # The user's row comes back as it was made, which is the same for all.
    return returned[1:], [[tuple(row) for row in connection.execute(text(sql))] for sql in STATE]


async def undone(
    database: Database, portions: Sequence[Sequence[Any]], run: Any = units.run
) -> Any:
    def work(connection: Connection) -> None:
        raise UndoneError(outcome(connection, portions, run))

    with pytest.raises(UndoneError) as raised:
        await database.write(work)
    return raised.value.seen


@settings(
    max_examples=150,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(before=works, together=works | st.lists(plain_writes, min_size=1, max_size=5))
@pytest.mark.parametrize("run", [units.run, at_once])
async def test_writes_that_go_together_leave_what_one_after_the_other_would(
    database: Database, run: Any, before: list[Any], together: list[Any]
) -> None:
    first = [[BOB], *([work] for work in before)]
    grouped = await undone(database, [*first, together], run)
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


def owned(thread_id: str, **fields: Any) -> StepWrite:
    step = Step(thread_id=thread_id, created_at=MOMENTS[0], **fields)
    return StepWrite(step=step, caller=Caller(thread_id=thread_id, identifier="ada"), position=1)


async def put(database: Database, writes: list[StepWrite]) -> bool:
    """Whether that was done, and not refused."""
    assert units.fit_one_statement(writes)
    return await database.write_alone(lambda dialect: put_steps(dialect, writes))


async def outputs(database: Database) -> list[str]:
    sql = text("""SELECT "output" FROM steps WHERE "deletedAt" IS NULL ORDER BY "id" """)
    return await database.read(lambda connection: list(connection.execute(sql).scalars()))


async def test_steps_of_many_threads_are_made_and_changed_at_once(database: Database) -> None:
    made = [owned(f"t{number}", id=f"s{number}", output="made") for number in range(40)]
    changed = [
        write._replace(
            step=replace(write.step, output="changed"),
            given=frozenset(["output", "created_at"]),
        )
        for write in made[20:]
    ]
    assert await put(database, made[:30])
    assert await put(database, [*made[30:], *changed])
    assert sorted(await outputs(database)) == ["changed"] * 20 + ["made"] * 20


async def test_nothing_is_put_beside_a_step_that_is_in_another_thread(database: Database) -> None:
    await put(database, [owned("t", id="a"), owned("t", id="b")])
    writes = [owned("u", id="a", output="taken"), owned("v", id="c", output="new")]
    assert not await put(database, writes)
    assert await outputs(database) == ["", ""]
    threads = text('SELECT "id" FROM threads')
    assert await database.read(lambda connection: list(connection.execute(threads))) == [("t",)]


async def test_a_step_that_comes_too_late_is_left_to_a_transaction(database: Database) -> None:
    await put(database, [owned("gone", id="a")])
    await database.write(lambda connection: units.delete_thread(connection, "gone"))
    writes = [owned("gone", id="b", output="late"), owned("t", id="c", output="new")]
    assert not await put(database, writes)
    done = await database.write(lambda connection: units.run(connection, writes))
    assert done == [False, True]
    assert await outputs(database) == ["new"]


@pytest.mark.parametrize("count", [1, 3])
async def test_what_is_put_while_somebody_listens_to_statements_is_kept(
    database: Database, count: int
) -> None:
    told: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        told.append(statement)

    await put(database, [owned("t", id="before")])
    event.listen(Engine, "before_cursor_execute", note)
    try:
        writes = [owned("t", id=f"s{number}", output="heard") for number in range(count)]
        assert await put(database, writes)
        assert not await put(database, [owned("elsewhere", id="s0")])
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert len(told) == 2
    assert await put(database, [owned("t", id="x", output="after")])
    assert sorted(await outputs(database)) == ["", "after", *["heard"] * count]


@pytest.fixture
def on_postgres(make_postgres: Callable[[bool], str], open_: Callable[..., Database]) -> Database:
    """Where two transactions write at once."""
    return open_(make_postgres(True))


async def test_a_step_that_somebody_else_makes_meanwhile_is_updated(
    on_postgres: Database,
) -> None:
    asked = asyncio.Event()

    def make_slowly(connection: Connection) -> None:
        units.run(connection, [owned("t", id="a", output="theirs")])
        asked.set()
        while not connection.execute(text("SELECT bool_or(NOT granted) FROM pg_locks")).scalar():
            await_only(asyncio.sleep(0.01))

    theirs = asyncio.ensure_future(on_postgres.write(make_slowly))
    await asked.wait()
    ours = owned("t", id="a", output="ours")
    update = ours._replace(given=frozenset(["output", "created_at"]))
    assert await put(on_postgres, [update, owned("t", id="b", output="new")])
    await theirs
    assert await outputs(on_postgres) == ["ours", "new"]
