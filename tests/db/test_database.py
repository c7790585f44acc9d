"""Reads, writes and faults of both databases as chainkeep opens them."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Connection, TextClause, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from chainkeep.db import queries
from chainkeep.db.database import Database, open_database
from chainkeep.db.dialects import supported_url
from chainkeep.db.migrate import migrate
from chainkeep.db.up_to_date import UpToDateDatabase
from chainkeep.errors import (
    PendingMigrationsError,
    StorageError,
    TransientStorageError,
    UnsupportedDatabaseError,
)
from chainkeep.models import Thread
from chainkeep.settings import DatabaseSettings
from tests.db.conftest import OpenDatabase
from tests.db.faults import SECRET, Turn, held_by_another_process, ids_of, touch
from tests.support.databases import plain_engine, run_on
from tests.support.faults import FaultProxy
from tests.support.pgbouncer import PROGRAM, pgbouncer
from tests.support.postgres import PostgresDatabases, PostgresServer, postgres_servers
from tests.support.server import free_port
from tests.support.waiting import eventually


def thread(thread_id: str) -> Callable[[Connection], Thread | None]:
    return lambda connection: queries.thread_get(connection, id=thread_id)


class Refused(Exception):
    pass


# Reads and writes


async def test_what_was_written_is_read(database: Database) -> None:
    await database.write(touch("t"))
    found = await database.read(thread("t"))
    assert found is not None
    assert found.id == "t"


async def test_work_gives_back_what_it_returns(database: Database) -> None:
    for run in (database.read, database.snapshot, database.write, database.bare):
        assert await run(lambda connection: connection.dialect.name[:2]) in ("sq", "po")


async def test_a_write_that_raises_leaves_nothing_behind(database: Database) -> None:
    def work(connection: Connection) -> None:
        touch("t")(connection)
        raise Refused

    with pytest.raises(Refused):
        await database.write(work)
    assert await database.read(thread("t")) is None


async def test_a_snapshot_sees_one_moment_while_another_connection_writes(
    database_url: str, open_: OpenDatabase
) -> None:
    reader, writer = open_(database_url), open_(database_url)
    await writer.write(touch("before"))
    read_once, written = Turn(), Turn()

    def work(connection: Connection) -> tuple[set[str], set[str]]:
        first = ids_of(connection)
        read_once.come()
        written.wait(connection)
        return first, ids_of(connection)

    snapshot = asyncio.create_task(reader.snapshot(work))
    await read_once.event.wait()
    await writer.write(touch("meanwhile"))
    written.event.set()

    assert await snapshot == ({"before"}, {"before"})
    assert await reader.read(ids_of) == {"before", "meanwhile"}


async def test_reads_run_beside_a_write(database_url: str, open_: OpenDatabase) -> None:
    database = open_(database_url)
    writing, done = Turn(), Turn()

    def work(connection: Connection) -> None:
        touch("t")(connection)
        writing.come()
        done.wait(connection)

    write = asyncio.create_task(database.write(work))
    await writing.event.wait()
    assert await database.read(thread("t")) is None
    done.event.set()
    await write


async def test_closing_twice_is_no_error(database: Database) -> None:
    await database.read(thread("t"))
    await database.close()
    await database.close()


# What driver errors become


async def test_a_refusal_is_permanent(database: Database) -> None:
    with pytest.raises(StorageError, match="The database refused") as raised:
        await database.write(
            lambda connection: connection.execute(text("SELECT nothing FROM users"))
        )
    assert not isinstance(raised.value, TransientStorageError)


CLASHING = text(
    """INSERT INTO users ("id", "identifier", "metadata", "createdAt")
    VALUES (:id, :id, '{}', '')"""
)


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        (CLASHING, SECRET),
        (text('INSERT INTO users ("metadata") VALUES (:id)'), SECRET),
        (text("SELECT nothing, CAST(:id AS TEXT)"), SECRET),
        (text("SELECT CAST(CAST(:id AS TEXT) AS INTEGER), nothing"), SECRET),
        (text("SELECT CAST(:id AS TEXT)"), [SECRET]),
        (text("SELECT CAST(:id AS INTEGER), nothing"), SECRET),
    ],
    ids=["clash", "missing", "unknown column", "cast", "type of parameter", "parameter"],
)
async def test_an_error_tells_nothing_of_what_was_written(
    database: Database, sql: TextClause, value: object
) -> None:
    await database.write(lambda connection: connection.execute(CLASHING, {"id": SECRET}))
    with pytest.raises(StorageError) as raised:
        await database.write(lambda connection: connection.execute(sql, {"id": value}))
    assert SECRET not in "".join(traceback.format_exception(raised.value))


async def test_a_value_that_does_not_fit_is_named_by_its_code(
    make_postgres: Callable[[bool], str], open_: OpenDatabase
) -> None:
    cast = text("SELECT CAST(CAST(:id AS TEXT) AS INTEGER)")
    with pytest.raises(StorageError, match="22P02"):
        await open_(make_postgres(True)).read(lambda c: c.execute(cast, {"id": SECRET}))


# Faults of a server


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server of this module's own, to be crashed."""
    with PostgresServer(postgres_servers()[0]) as running:
        yield running


@pytest.fixture
async def crashing(server: PostgresServer, open_: OpenDatabase) -> Database:
    """A database on that server, with its connection open."""
    database = open_(server.url(await server.acreate_database()))
    await database.bare(migrate)
    return database


KILL_OURS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'chainkeep'
"""


async def kill_all(server: PostgresServer) -> None:
    await server.aexecute(KILL_OURS)


def own_pid(connection: Connection) -> int:
    return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


async def test_a_connection_that_was_killed_while_idle_is_a_transient_fault(
    server: PostgresServer, crashing: Database
) -> None:
    await kill_all(server)
    with pytest.raises(TransientStorageError):
        await crashing.read(thread("t"))


async def test_after_one_fault_the_next_call_gets_a_new_connection(
    server: PostgresServer, crashing: Database
) -> None:
    await asyncio.gather(*(crashing.read(own_pid) for _ in range(10)))
    await kill_all(server)
    with pytest.raises(TransientStorageError):
        await crashing.write(touch("t"))
    await crashing.write(touch("t"))
    assert await crashing.read(thread("t")) is not None


async def test_a_connection_that_is_killed_midway_is_a_transient_fault(
    server: PostgresServer, crashing: Database
) -> None:
    begun, killed = Turn(), Turn()

    def work(connection: Connection) -> None:
        touch("t")(connection)
        begun.come()
        killed.wait(connection)
        touch("u")(connection)

    write = asyncio.create_task(crashing.write(work))
    await begun.event.wait()
    await kill_all(server)
    killed.event.set()
    with pytest.raises(TransientStorageError):
        await write
    assert await crashing.read(thread("t")) is None


async def test_a_statement_that_is_killed_while_it_runs_is_a_transient_fault(
    server: PostgresServer, crashing: Database
) -> None:
    sleeping = asyncio.create_task(
        crashing.read(lambda connection: connection.execute(text("SELECT pg_sleep(60)")).all())
    )
    await _until_sleeping(server)
    await kill_all(server)
    with pytest.raises(TransientStorageError):
        await sleeping


async def _until_sleeping(server: PostgresServer) -> None:
    sleepers = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")

    async def sleeping() -> bool:
        return bool(await run_on(server.url(), lambda connection: connection.scalar(sleepers)))

    await eventually(sleeping)


async def test_a_server_that_restarts_is_a_transient_fault(
    server: PostgresServer, crashing: Database
) -> None:
    await crashing.write(touch("t"))
    await asyncio.to_thread(server.restart, "immediate")
    with pytest.raises(TransientStorageError):
        await crashing.read(thread("t"))
    assert await crashing.read(thread("t")) is not None


async def test_a_read_is_tried_again_by_itself(server: PostgresServer, crashing: Database) -> None:
    database = UpToDateDatabase(crashing, auto_migrate=True)
    await database.write(touch("t"))
    await kill_all(server)
    assert await database.read(thread("t")) is not None
    await kill_all(server)
    assert await database.snapshot(thread("t")) is not None


async def test_a_server_that_is_down_is_a_transient_fault(open_: OpenDatabase) -> None:
    database = open_(f"postgresql+asyncpg://postgres@127.0.0.1:{free_port()}/none")
    with pytest.raises(TransientStorageError) as raised:
        await database.read(thread("t"))
    assert isinstance(raised.value.__cause__, ConnectionRefusedError)


async def test_a_server_that_hangs_up_on_us_is_a_transient_fault(
    server: PostgresServer, open_: OpenDatabase
) -> None:
    async with FaultProxy(server.port) as proxy:
        database = open_(f"postgresql+asyncpg://postgres@127.0.0.1:{proxy.port}/postgres")
        await database.read(own_pid)
        proxy.reset()
        with pytest.raises(TransientStorageError):
            await database.read(own_pid)
        assert await database.read(own_pid)


async def test_a_server_that_never_answers_is_a_transient_fault(
    server: PostgresServer, open_: OpenDatabase
) -> None:
    async with FaultProxy(server.port) as proxy:
        proxy.swallow()
        database = open_(
            f"postgresql+asyncpg://postgres@127.0.0.1:{proxy.port}/postgres",
            connect_args={"timeout": 0.2},
        )
        with pytest.raises(TransientStorageError):
            await database.read(own_pid)


async def test_an_answer_to_a_commit_may_be_lost_although_it_happened(
    server: PostgresServer, crashing: Database, open_: OpenDatabase
) -> None:
    name = await crashing.read(lambda c: str(c.execute(text("SELECT current_database()")).scalar()))
    async with FaultProxy(server.port) as proxy:
        database = open_(f"postgresql+asyncpg://postgres@127.0.0.1:{proxy.port}/{name}")
        await database.read(own_pid)
        proxy.cut_answer_to(b"COMMIT;")
        with pytest.raises(TransientStorageError):
            await database.write(touch("t"))
        assert proxy.cut.is_set()
    assert await crashing.read(thread("t")) is not None


# SQLite


async def test_a_file_that_another_process_holds_is_a_transient_fault_in_the_end(
    make_sqlite: Callable[[bool], str], open_: OpenDatabase
) -> None:
    url = make_sqlite(True)
    database = open_(url, lock_timeout_seconds=0.1)
    with held_by_another_process(url), pytest.raises(TransientStorageError):
        await database.write(touch("t"))
    await database.write(touch("t"))


async def test_a_file_that_another_process_holds_is_waited_for(
    make_sqlite: Callable[[bool], str], open_: OpenDatabase
) -> None:
    url = make_sqlite(True)
    database = open_(url)
    await database.read(thread("t"))
    with held_by_another_process(url):
        write = asyncio.create_task(database.write(touch("t")))
        assert await database.read(thread("t")) is None
        assert not write.done()
    await write
    assert await database.read(thread("t")) is not None


async def test_a_new_file_that_another_process_holds_is_waited_for(
    make_sqlite: Callable[[bool], str], open_: OpenDatabase
) -> None:
    url = make_sqlite(True)
    database = open_(url)
    with held_by_another_process(url):
        read = asyncio.create_task(database.read(thread("t")))
        done, _ = await asyncio.wait([read], timeout=0.1)
        assert not done
    assert await read is None


async def test_a_file_is_kept_in_a_write_ahead_log_and_synced(
    make_sqlite: Callable[[bool], str], open_: OpenDatabase
) -> None:
    def work(connection: Connection) -> list[object]:
        pragmas = ("journal_mode", "synchronous")
        return [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas]

    assert await open_(make_sqlite(True)).read(work) == ["wal", 2]


async def test_the_log_beside_a_file_keeps_its_bound(tmp_path: Path, open_: OpenDatabase) -> None:
    def grow(connection: Connection) -> None:
        connection.exec_driver_sql("INSERT INTO grown VALUES (?)", ("x" * 1_000_000,))

    database = open_(f"sqlite+aiosqlite:///{tmp_path}/log.db")
    await database.write(lambda connection: connection.exec_driver_sql("CREATE TABLE grown (a)"))
    for _ in range(50):
        await database.write(grow)
    assert (tmp_path / "log.db-wal").stat().st_size < 20_000_000


async def test_the_directory_of_a_file_is_made(tmp_path: Path, open_: OpenDatabase) -> None:
    database = open_(f"sqlite+aiosqlite:///{tmp_path}/some/where/chainkeep.db")
    await database.bare(migrate)
    assert (tmp_path / "some" / "where" / "chainkeep.db").exists()


async def test_a_file_named_by_a_uri_is_that_file(
    tmp_path: Path, open_: OpenDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    await open_(f"sqlite+aiosqlite:///file:{tmp_path}/a.db?uri=true").bare(migrate)
    assert {name.partition("-")[0] for name in os.listdir()} == {"a.db"}  # noqa: PTH208 - short


@pytest.mark.parametrize(
    "url",
    [
        "sqlite+aiosqlite://",
        "sqlite+aiosqlite:///:memory:",
        "sqlite+aiosqlite:///file:shared?mode=memory&cache=shared&uri=true",
    ],
)
async def test_a_database_in_memory_is_one_for_all_its_reads_and_writes(
    url: str, open_: OpenDatabase
) -> None:
    database = open_(url)
    await database.bare(migrate)
    await asyncio.gather(*(database.write(touch(f"t{n}")) for n in range(20)))
    found = await asyncio.gather(*(database.read(ids_of) for _ in range(20)))
    assert all(ids == {f"t{n}" for n in range(20)} for ids in found)


async def test_letters_of_all_alphabets_are_lowered(
    make_sqlite: Callable[[bool], str], open_: OpenDatabase
) -> None:
    database = open_(make_sqlite(True))
    lowered = await database.read(lambda c: c.scalar(text("SELECT LOWER('ÄÖ Ж Ǆ')")))
    assert lowered == "äö ж ǆ"


# PostgreSQL, as it is set up


async def test_an_engine_that_was_given_is_used_and_left_open(
    make_postgres: Callable[[bool], str],
) -> None:
    engine = create_async_engine(make_postgres(True), pool_size=1, max_overflow=0)
    try:
        database = open_database(DatabaseSettings(), engine)
        pid = await database.read(own_pid)
        await database.close()
        async with engine.connect() as connection:
            assert await connection.run_sync(own_pid) == pid
        assert await database.read(own_pid) == pid
    finally:
        await engine.dispose()


async def test_a_closed_database_has_no_connection_left(
    postgres: PostgresDatabases, make_postgres: Callable[[bool], str], open_: OpenDatabase
) -> None:
    url = make_postgres(True)
    database, looking = open_(url), open_(postgres.url())
    await asyncio.gather(*(database.read(own_pid) for _ in range(5)))
    await database.close()
    ours = text("SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = :name")
    name = {"name": make_url(url).database}

    async def none_left() -> bool:
        return bool(await looking.read(lambda connection: connection.scalar(ours, name)))

    await eventually(none_left)


@pytest.fixture
async def with_schema(make_postgres: Callable[[bool], str]) -> str:
    """An empty database with a schema whose name has to be quoted."""
    url = make_postgres(False)
    async with plain_engine(url) as engine, engine.begin() as connection:
        await connection.execute(text('CREATE SCHEMA "Our ""chats"""'))
    return url


SCHEMA = 'Our "chats"'


async def tables(url: str) -> set[tuple[str, str]]:
    query = text(
        "SELECT table_schema, table_name FROM information_schema.tables"
        " WHERE table_schema NOT IN ('pg_catalog', 'information_schema')"
    )
    return await run_on(url, lambda connection: {tuple(row) for row in connection.execute(query)})


async def test_the_tables_stand_in_the_schema_that_was_chosen(
    with_schema: str, open_: OpenDatabase
) -> None:
    database = open_(with_schema, schema=SCHEMA)
    await database.bare(migrate)
    await database.write(touch("t"))
    assert await database.read(thread("t")) is not None
    assert {schema for schema, _ in await tables(with_schema)} == {SCHEMA}


@pytest.fixture(scope="module")
def pooled(server: PostgresServer) -> Iterator[PostgresDatabases]:
    """The module's server as it is reached through PgBouncer in transaction mode."""
    if PROGRAM is None:
        message = "pgbouncer is not installed; on Debian: apt-get install pgbouncer"
        pytest.fail(message) if os.environ.get("CI", "").lower() == "true" else pytest.skip(message)
    with pgbouncer(server) as databases:
        yield databases


async def through_the_pooler(database: Database) -> set[str]:
    """Reads, snapshots and writes of more clients than there are connections to the server."""
    await database.bare(migrate)

    async def one(name: str) -> None:
        for turn in range(5):
            await database.write(touch(f"{name}.{turn}"))
            assert await database.read(thread(f"{name}.{turn}")) is not None
            assert await database.snapshot(thread(f"{name}.{turn}")) is not None

    results = await asyncio.gather(*(one(f"t{n}") for n in range(16)), return_exceptions=True)
    for result in results:
        if result is not None:
            raise result
    return await database.snapshot(ids_of)


async def test_everything_works_behind_pgbouncer_in_transaction_mode(
    server: PostgresServer, pooled: PostgresDatabases, open_: OpenDatabase
) -> None:
    url = pooled.url(await server.acreate_database())
    assert len(await through_the_pooler(open_(url, pgbouncer=True, pool_size=16))) == 80


async def test_a_schema_is_chosen_behind_pgbouncer_too(
    server: PostgresServer, pooled: PostgresDatabases, open_: OpenDatabase
) -> None:
    name = await server.acreate_database()
    await server.aexecute('CREATE SCHEMA "Our ""chats"""', name)
    database = open_(pooled.url(name), pgbouncer=True, schema=SCHEMA, pool_size=16)
    assert len(await through_the_pooler(database)) == 80
    assert {schema for schema, _ in await tables(server.url(name))} == {SCHEMA}


async def test_behind_pgbouncer_the_error_names_the_setting_that_is_missing(
    server: PostgresServer, pooled: PostgresDatabases, open_: OpenDatabase
) -> None:
    database = open_(pooled.url(await server.acreate_database()), pool_size=16)
    with pytest.raises(StorageError, match="pgbouncer=True"):
        await through_the_pooler(database)


async def test_a_password_is_asked_for_with_each_connection(
    server: PostgresServer, open_: OpenDatabase
) -> None:
    asked = count()

    def password() -> str:
        return f"token {next(asked)}"

    database = open_(server.url(), password_provider=password)
    connections = set(await asyncio.gather(*(database.read(own_pid) for _ in range(3))))
    assert next(asked) == len(connections)


async def test_a_server_without_tls_is_refused_where_tls_is_required(
    server: PostgresServer, open_: OpenDatabase
) -> None:
    database = open_(server.url(), ssl_require=True)
    with pytest.raises(StorageError, match="SSL"):
        await database.read(own_pid)


async def test_what_the_user_says_of_the_connection_comes_last(
    server: PostgresServer, open_: OpenDatabase
) -> None:
    shown = text("SELECT current_setting('application_name'), current_setting('work_mem')")
    settings = {"server_settings": {"application_name": "ours", "work_mem": "5MB"}}
    database = open_(server.url(), connect_args=settings)
    assert await database.read(lambda c: tuple(c.execute(shown).one())) == ("ours", "5MB")


# URLs


@pytest.mark.parametrize(
    "url",
    [
        "mysql+aiomysql://u:secret@h/d",
        "postgresql+psycopg://u:secret@h/d",
        "no url",
        "",
        "sqlite+x://",
    ],
)
def test_another_database_is_refused_without_repeating_its_password(url: str) -> None:
    with pytest.raises(UnsupportedDatabaseError, match="sqlite\\+aiosqlite://") as raised:
        open_database(DatabaseSettings(url=url))
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("sqlite:///x.db", "sqlite+aiosqlite:///x.db"),
        ("postgres://u@h/d", "postgresql+asyncpg://u@h/d"),
        ("postgresql://u@h/d", "postgresql+asyncpg://u@h/d"),
    ],
)
def test_the_driver_is_filled_in(given: str, used: str) -> None:
    assert str(supported_url(given)) == used


# Tables that fit


async def test_the_tables_are_made_on_first_use(
    empty_database_url: str, open_: OpenDatabase
) -> None:
    database = UpToDateDatabase(open_(empty_database_url), auto_migrate=True)
    assert await database.read(thread("t")) is None


async def test_the_tables_are_not_made_unasked(
    empty_database_url: str, open_: OpenDatabase
) -> None:
    database = UpToDateDatabase(open_(empty_database_url), auto_migrate=False)
    for _ in range(2):
        with pytest.raises(PendingMigrationsError, match="chainkeep migrate"):
            await database.write(touch("t"))
    await database.bare(migrate)
    await database.write(touch("t"))


async def test_many_first_uses_at_once_make_the_tables_once(
    empty_database_url: str, open_: OpenDatabase
) -> None:
    opened = [UpToDateDatabase(open_(empty_database_url), auto_migrate=True) for _ in range(4)]
    await asyncio.gather(*(each.write(touch(f"t{n}")) for n in range(5) for each in opened))
    assert await opened[0].read(ids_of) == {f"t{n}" for n in range(5)}


TWO_LOOPS = """
import asyncio, sys
from chainkeep.db.database import open_database
from chainkeep.settings import DatabaseSettings

database = open_database(DatabaseSettings(url=sys.argv[1]))

async def count():
    statement = "SELECT COUNT(*) FROM steps"
    return await database.read(lambda connection: connection.exec_driver_sql(statement).scalar())

print(asyncio.run(count()), asyncio.run(count()))
"""


def test_a_script_may_run_one_loop_after_another(database_url: str) -> None:
    command = [sys.executable, "-c", TWO_LOOPS, database_url]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout == "0 0\n"
