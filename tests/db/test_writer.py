"""The order of writes, what goes together, what is tried again, and the end."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, text

from chainkeep.db import queries
from chainkeep.db.database import Database, Work
from chainkeep.db.lanes import NO_THREAD, Unit
from chainkeep.db.migrate import migrate
from chainkeep.db.writer import Writer
from chainkeep.errors import ConflictError, StorageError, TransientStorageError
from tests.db.conftest import OpenDatabase
from tests.db.faults import SECRET, Turn, held_by_another_process, ids_of, touch
from tests.support.databases import run_on
from tests.support.faults import FaultProxy
from tests.support.postgres import PostgresServer, postgres_servers

T = TypeVar("T")
MakeWriter = Callable[..., Writer]


class Counting:
    """A database that counts the transactions in which something was written.

    It has one lane, unless a test is about several.
    """

    lanes = 1

    def __init__(self, database: Database) -> None:
        self.database = database
        self.begun = 0

    async def write(self, work: Work[T]) -> T:
        self.begun += 1
        return await self.database.write(work)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.database, name)


def in_order(connection: Connection, works: Sequence[Any]) -> list[Any]:
    return [work(connection) for work in works]


@pytest.fixture
def counting(database: Database) -> Counting:
    return Counting(database)


@pytest.fixture
async def make_writer() -> AsyncIterator[MakeWriter]:
    made: list[Writer] = []

    def make(database: Database, **options: Any) -> Writer:
        made.append(Writer(database, in_order, **options))
        return made[-1]

    yield make
    for writer in made:
        await writer.close(10)


@pytest.fixture
def writer(counting: Counting, make_writer: MakeWriter) -> Writer:
    return make_writer(counting)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server of this module's own, to be crashed."""
    with PostgresServer(postgres_servers()[0]) as running:
        yield running


def unit(thread_id: str, work: Callable[[Connection], Any] | None = None) -> Unit[Any]:
    return Unit(thread_id, f"making of thread {thread_id}", work or touch(thread_id))


def refused(connection: Connection) -> None:
    connection.execute(text("INSERT INTO threads (nothing) VALUES (:secret)"), {"secret": SECRET})


def conflicting(_connection: Connection) -> None:
    raise ConflictError("Thread t belongs to somebody else.")


# Order


async def test_a_unit_sees_what_the_ones_before_it_wrote(writer: Writer) -> None:
    def work(number: int) -> Callable[[Connection], int]:
        def touch_and_count(connection: Connection) -> int:
            touch(f"t{number}")(connection)
            return len(ids_of(connection))

        return touch_and_count

    futures = [writer.submit(unit(f"t{n}", work(n))) for n in range(50)]
    assert await asyncio.gather(*futures) == list(range(1, 51))


async def test_units_submitted_while_others_commit_come_after_them(writer: Writer) -> None:
    ran: list[int] = []

    def note(number: int) -> Callable[[Connection], None]:
        return lambda _: ran.append(number)

    first = [writer.submit(unit("t", note(number))) for number in range(3)]
    await asyncio.sleep(0)
    later = [writer.submit(unit("t", note(number))) for number in range(3, 6)]
    await asyncio.gather(*first, *later)
    assert ran == [0, 1, 2, 3, 4, 5]


async def test_a_result_is_there_once_it_is_committed(
    database_url: str, open_: OpenDatabase, writer: Writer
) -> None:
    other = open_(database_url)
    await writer.submit(unit("t"))
    assert await other.read(ids_of) == {"t"}


# Group commit


async def test_what_is_submitted_together_is_one_transaction(
    writer: Writer, counting: Counting
) -> None:
    await asyncio.gather(*(writer.submit(unit(f"t{n}")) for n in range(100)))
    assert counting.begun == 1


async def test_what_arrives_during_a_commit_goes_together_in_the_next(
    writer: Writer, counting: Counting
) -> None:
    begun, go_on = Turn(), Turn()

    def slow(connection: Connection) -> None:
        begun.come()
        go_on.wait(connection)

    first = writer.submit(unit("slow", slow))
    await begun.event.wait()
    gathered = [writer.submit(unit(f"t{n}")) for n in range(100)]
    assert writer.depth == 101
    go_on.event.set()
    await asyncio.gather(first, *gathered)
    assert counting.begun == 2
    assert writer.depth == 0


async def test_a_transaction_takes_no_more_than_some_hundred_units(
    writer: Writer, counting: Counting
) -> None:
    await asyncio.gather(*(writer.submit(unit(f"t{n}")) for n in range(300)))
    assert counting.begun == 3


async def test_the_event_loop_breathes_while_a_batch_is_acknowledged(writer: Writer) -> None:
    futures = [writer.submit(unit(f"t{n}")) for n in range(100)]
    counts: set[int] = set()
    while not all(future.done() for future in futures):
        await asyncio.sleep(0)
        counts.add(sum(future.done() for future in futures))
    assert len(counts) > 5


# Lanes


@pytest.fixture
def lanes(counting: Counting, make_writer: MakeWriter) -> Writer:
    counting.lanes = 3
    return make_writer(counting)


def noted(ran: list[str], name: str) -> Callable[[Connection], None]:
    return lambda _: ran.append(name)


async def test_the_units_of_a_key_keep_their_order_in_any_lane(lanes: Writer) -> None:
    ran: list[str] = []
    units = [unit(f"t{n % 7}", noted(ran, f"{n % 7} {n:03}")) for n in range(700)]
    await asyncio.gather(*map(lanes.submit, units))
    by_key = {key: [each for each in ran if each[0] == key] for key in "0123456"}
    assert len(ran) == 700
    assert all(names == sorted(names) for names in by_key.values())


@pytest.mark.parametrize("database_kind", ["postgresql"])  # SQLite writes one after the other
async def test_other_threads_do_not_wait_for_one_that_is_slow(lanes: Writer) -> None:
    begun, go_on = Turn(), Turn()

    def slow(connection: Connection) -> None:
        begun.come()
        go_on.wait(connection)

    first = lanes.submit(unit("slow", slow))
    await begun.event.wait()
    await asyncio.gather(*(lanes.submit(unit(f"t{n}")) for n in range(20)))
    assert not first.done()
    go_on.event.set()
    await first


@pytest.mark.parametrize("database_kind", ["postgresql"])
async def test_what_a_thread_says_while_it_is_written_waits_in_its_order(lanes: Writer) -> None:
    begun, go_on = Turn(), Turn()
    ran: list[str] = []

    def slow(connection: Connection) -> None:
        begun.come()
        go_on.wait(connection)
        ran.append("first")

    first = lanes.submit(unit("slow", slow))
    await begun.event.wait()
    later = [lanes.submit(unit("slow", noted(ran, f"{n}"))) for n in range(5)]
    await lanes.submit(unit("other", noted(ran, "other")))
    assert ran == ["other"]
    last = [lanes.submit(unit("slow", noted(ran, f"{n}"))) for n in range(5, 8)]
    go_on.event.set()
    await asyncio.gather(first, *later, *last)
    assert ran == ["other", "first", *"01234567"]


async def test_each_lane_has_its_part_of_what_is_there(lanes: Writer, counting: Counting) -> None:
    await asyncio.gather(*(lanes.submit(unit(f"t{n}")) for n in range(90)))
    assert counting.begun == 3


async def test_the_units_of_one_key_go_together(lanes: Writer, counting: Counting) -> None:
    await asyncio.gather(*(lanes.submit(unit("t", touch(f"{n}"))) for n in range(90)))
    assert counting.begun == 1


async def test_a_unit_of_no_one_thread_keeps_its_place_among_all(lanes: Writer) -> None:
    ran: list[str] = []
    units = [
        unit(NO_THREAD if n % 10 == 0 else f"t{n % 7}", noted(ran, f"{n // 10:02}"))
        for n in range(1, 300)
    ]
    await asyncio.gather(*map(lanes.submit, units))
    assert ran == sorted(ran)
    assert len(ran) == 299


async def test_a_unit_of_no_one_thread_runs_once_and_its_failure_is_its_own(
    lanes: Writer, counting: Counting
) -> None:
    units = [unit(NO_THREAD if n == 5 else f"t{n}", refused if n == 5 else None) for n in range(10)]
    results = await asyncio.gather(*map(lanes.submit, units), return_exceptions=True)
    assert [isinstance(result, StorageError) for result in results] == [n == 5 for n in range(10)]
    assert await counting.read(ids_of) == {f"t{n}" for n in range(10) if n != 5}


async def test_closing_finishes_what_waits_for_other_lanes(
    lanes: Writer, counting: Counting
) -> None:
    for number in range(100):
        _ = lanes.submit(unit(f"t{number}"))
        _ = lanes.submit(unit(NO_THREAD, touch(f"any{number}")))
    assert await lanes.close(10) == 0
    assert len(await counting.read(ids_of)) == 200
    assert lanes.depth == 0


# A full queue


async def test_what_is_written_gives_its_room_back_also_where_its_batch_is_cut_short(
    counting: Counting, make_writer: MakeWriter
) -> None:
    writer = make_writer(counting, capacity=120)
    first, *_ = [writer.submit(unit(f"t{n}")) for n in range(120)]
    await first
    await writer.close(0)
    for number in range(120):
        _ = writer.submit(unit(f"later{number}"))
    assert writer.waiting == 0
    await writer.settled()


async def test_a_full_queue_makes_writes_wait_and_drops_none(
    counting: Counting, make_writer: MakeWriter, caplog: pytest.LogCaptureFixture
) -> None:
    writer, ran = make_writer(counting, capacity=10), list[str]()
    futures = [writer.submit(unit(f"t{n % 3}", noted(ran, f"{n:02}"))) for n in range(35)]
    assert (writer.depth, writer.waiting) == (35, 25)
    await asyncio.gather(*futures)
    assert ran == [f"{n:02}" for n in range(35)]
    assert (writer.depth, writer.waiting) == (0, 0)
    assert counting.begun == 4
    assert [r.getMessage()[:17] for r in caplog.records] == ["The queue is full"]


async def test_reading_and_closing_wait_for_what_waits_for_room(
    counting: Counting, make_writer: MakeWriter
) -> None:
    writer = make_writer(counting, capacity=2)
    for number in range(9):
        _ = writer.submit(unit(f"t{number}"))
    await writer.settled("t7")
    assert "t7" in await counting.read(ids_of)
    assert await writer.close(10) == 0
    assert len(await counting.read(ids_of)) == 9


async def test_what_waits_for_room_at_the_time_limit_fails_too(
    outage: Outage, make_writer: MakeWriter
) -> None:
    writer = make_writer(outage.through, capacity=1)
    outage.proxy.refuse()
    futures = [writer.submit(unit(f"t{n}")) for n in range(3)]
    assert await writer.close(0.1) == 3
    assert all(isinstance(future.exception(), TransientStorageError) for future in futures)


# Faults of one unit


@pytest.mark.parametrize(
    ("bad", "error"), [(refused, StorageError), (conflicting, ConflictError), (int, TypeError)]
)
async def test_a_bad_unit_fails_alone_and_its_neighbours_commit(
    writer: Writer, counting: Counting, bad: Callable[[Connection], Any], error: type[Exception]
) -> None:
    units = [unit(f"t{n}", bad if n == 5 else None) for n in range(10)]
    results = await asyncio.gather(*map(writer.submit, units), return_exceptions=True)
    assert [isinstance(result, error) for result in results] == [n == 5 for n in range(10)]
    assert await counting.read(ids_of) == {f"t{n}" for n in range(10) if n != 5}


async def test_one_bad_unit_costs_few_transactions(writer: Writer, counting: Counting) -> None:
    units = [unit(f"t{n}", conflicting if n == 100 else None) for n in range(256)]
    await asyncio.gather(*map(writer.submit, units), return_exceptions=True)
    assert counting.begun < 20


async def test_units_keep_their_order_around_a_bad_one(writer: Writer, counting: Counting) -> None:
    def name(number: int) -> Callable[[Connection], int]:
        return lambda connection: queries.thread_update(
            connection,
            id="t",
            name=str(number),
            keep_name=False,
            org_id=None,
            product=None,
            tags=None,
            metadata=None,
        )

    await writer.submit(unit("t"))
    units = [unit("t", conflicting if n % 3 == 0 else name(n)) for n in range(1, 30)]
    await asyncio.gather(*map(writer.submit, units), return_exceptions=True)
    thread = await counting.read(lambda connection: queries.thread_get(connection, id="t"))
    assert thread is not None
    assert thread.name == "29"


async def test_a_failure_is_logged_once_and_without_what_was_said(
    writer: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    await asyncio.gather(
        *(writer.submit(unit(f"t{n}", refused if n == 2 else None)) for n in range(5)),
        return_exceptions=True,
    )
    [record] = [each for each in caplog.records if each.name == "chainkeep.writer"]
    assert record.levelno == logging.ERROR
    assert "making of thread t2" in record.getMessage()
    assert record.exc_info is None
    assert SECRET not in caplog.text


async def test_a_conflict_is_a_warning_that_gives_its_reason(
    writer: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ConflictError):
        await writer.submit(unit("t", conflicting))
    [record] = [each for each in caplog.records if each.name == "chainkeep.writer"]
    assert record.levelno == logging.WARNING
    assert "belongs to somebody else" in record.getMessage()


async def test_a_failure_that_nobody_waits_for_is_no_forgotten_exception(writer: Writer) -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: complaints.append(told))
    _ = writer.submit(unit("t", refused))
    waiting = asyncio.create_task(writer.write(unit("t", refused)))
    await asyncio.sleep(0)
    waiting.cancel()
    await writer.settled()
    await asyncio.gather(waiting, return_exceptions=True)
    gc.collect()
    await asyncio.sleep(0)
    assert complaints == []


# Faults that pass


class Outage:
    """A PostgreSQL database behind a proxy, and another way to look into it."""

    def __init__(self, proxy: FaultProxy, through: Counting, beside: Database, url: str) -> None:
        self.url = url
        self.proxy = proxy
        self.through = through
        self.beside = beside


@pytest.fixture
async def outage(server: PostgresServer, open_: OpenDatabase) -> AsyncIterator[Outage]:
    name = await server.acreate_database()
    beside = open_(server.url(name))
    await beside.bare(migrate)
    async with FaultProxy(server.port) as proxy:
        through = open_(f"postgresql+asyncpg://postgres@127.0.0.1:{proxy.port}/{name}")
        await through.read(ids_of)
        yield Outage(proxy, Counting(through), beside, server.url(name))
        await through.close()


async def test_writes_wait_for_a_server_that_is_down_and_keep_their_order(
    outage: Outage, make_writer: MakeWriter, caplog: pytest.LogCaptureFixture
) -> None:
    writer, ran, futures = make_writer(outage.through), list[int](), list[asyncio.Future[Any]]()
    outage.proxy.refuse()

    def work(number: int) -> Callable[[Connection], None]:
        def note(connection: Connection) -> None:
            touch(f"t{number}")(connection)
            ran.append(number)

        return note

    for number in range(20):
        futures.append(writer.submit(unit(f"t{number}", work(number))))
        await asyncio.sleep(0.005)
    assert not any(future.done() for future in futures)
    await outage.proxy.accept()
    await asyncio.gather(*futures)

    assert ran == list(range(20))
    assert len(await outage.beside.read(ids_of)) == 20
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


async def test_a_connection_that_breaks_is_replaced_unnoticed(
    outage: Outage, make_writer: MakeWriter
) -> None:
    writer = make_writer(outage.through)
    await writer.write(unit("before"))
    outage.proxy.reset()
    await writer.write(unit("after"))
    assert await outage.beside.read(ids_of) == {"before", "after"}


async def test_a_server_that_crashes_in_between_loses_nothing(
    server: PostgresServer, outage: Outage, make_writer: MakeWriter
) -> None:
    writer = make_writer(outage.through)
    futures = [writer.submit(unit(f"t{n}")) for n in range(50)]
    crash = asyncio.create_task(asyncio.to_thread(server.restart, "immediate"))
    for number in range(50, 100):
        futures.append(writer.submit(unit(f"t{number}")))
        await asyncio.sleep(0.005)
    await asyncio.gather(crash, *futures)
    assert len(await run_on(outage.url, ids_of)) == 100


async def test_a_commit_whose_answer_is_lost_runs_again_and_changes_nothing(
    outage: Outage, make_writer: MakeWriter
) -> None:
    writer = make_writer(outage.through)
    outage.proxy.cut_answer_to(b"COMMIT;")
    await asyncio.gather(*(writer.submit(unit(f"t{n}")) for n in range(3)))
    assert outage.proxy.cut.is_set()
    assert outage.through.begun == 2
    assert await outage.beside.read(ids_of) == {"t0", "t1", "t2"}


async def test_a_server_that_stays_away_is_given_up_after_the_time_limit(
    outage: Outage, make_writer: MakeWriter, caplog: pytest.LogCaptureFixture
) -> None:
    writer = make_writer(outage.through, retry_seconds=0.2)
    outage.proxy.refuse()
    with pytest.raises(TransientStorageError, match="tried again"):
        await writer.submit(unit("lost"))
    assert [r.getMessage()[:11] for r in caplog.records if r.levelno == logging.ERROR] == [
        "Not written"
    ]
    await outage.proxy.accept()
    await writer.submit(unit("kept"))
    assert await outage.beside.read(ids_of) == {"kept"}


async def test_a_file_that_another_process_holds_for_long_is_tried_again(
    make_sqlite: Callable[[bool], str], open_: OpenDatabase, make_writer: MakeWriter
) -> None:
    url = make_sqlite(True)
    counting = Counting(open_(url, lock_timeout_seconds=0.05))
    await counting.read(ids_of)
    writer = make_writer(counting)
    with held_by_another_process(url):
        future = writer.submit(unit("t"))
        while counting.begun < 3:
            await asyncio.sleep(0.01)
        assert not future.done()
    await future
    assert await counting.read(ids_of) == {"t"}


# Callers who go away


async def test_a_caller_who_is_cancelled_leaves_the_write_in_the_queue(
    writer: Writer, counting: Counting
) -> None:
    waiting = asyncio.create_task(writer.write(unit("t")))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await writer.settled("t")
    assert await counting.read(ids_of) == {"t"}


async def test_a_write_whose_future_is_cancelled_is_still_waited_for(
    writer: Writer, counting: Counting
) -> None:
    begun, go_on = Turn(), Turn()

    def slow(connection: Connection) -> None:
        begun.come()
        go_on.wait(connection)
        touch("t")(connection)

    writer.submit(unit("t", slow)).cancel()
    await begun.event.wait()
    settled = asyncio.create_task(writer.settled("t"))
    await asyncio.sleep(0)
    assert not settled.done()
    go_on.event.set()
    await settled
    assert await counting.read(ids_of) == {"t"}


async def test_settled_waits_for_the_writes_of_that_key_only(writer: Writer) -> None:
    begun, go_on = Turn(), Turn()

    def slow(connection: Connection) -> None:
        begun.come()
        go_on.wait(connection)

    future = writer.submit(unit("slow", slow))
    await begun.event.wait()
    await writer.settled("other")
    everything = asyncio.create_task(writer.settled())
    await asyncio.sleep(0)
    assert not everything.done()
    go_on.event.set()
    await everything
    assert future.done()


async def test_settled_returns_when_a_write_has_failed(writer: Writer) -> None:
    future = writer.submit(unit("t", refused))
    await writer.settled("t")
    assert isinstance(future.exception(), StorageError)


# The end


async def test_closing_finishes_what_was_submitted(writer: Writer, counting: Counting) -> None:
    for number in range(500):
        _ = writer.submit(unit(f"t{number}"))
    assert await writer.close(10) == 0
    assert len(await counting.read(ids_of)) == 500


async def test_closing_gives_up_at_its_time_limit_and_says_how_much_is_undone(
    outage: Outage, make_writer: MakeWriter, caplog: pytest.LogCaptureFixture
) -> None:
    writer = make_writer(outage.through)
    outage.proxy.refuse()
    futures = [writer.submit(unit(f"t{n}")) for n in range(3)]
    assert await writer.close(0.1) == 3
    results = await asyncio.gather(*futures, return_exceptions=True)
    assert all(isinstance(result, TransientStorageError) for result in results)
    assert [n for n in range(3) if f"making of thread t{n}" in caplog.text] == [0, 1, 2]


async def test_nothing_goes_on_after_closing(outage: Outage, make_writer: MakeWriter) -> None:
    writer = make_writer(outage.through)
    outage.proxy.refuse()
    _ = writer.submit(unit("t"))
    await writer.close(0.1)
    begun = outage.through.begun
    await outage.proxy.accept()
    await writer.settled()
    await asyncio.sleep(0.2)
    assert outage.through.begun == begun
    assert await outage.beside.read(ids_of) == set()


async def test_closing_an_idle_writer_returns_at_once(writer: Writer) -> None:
    assert await writer.close(0) == 0
    await writer.write(unit("t"))
    assert await writer.close(0) == 0
