"""A database is brought up to date once, by whoever comes first, and never half."""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Connection, inspect, text

from chainkeep.db import migrate as migrations
from chainkeep.db.database import open_database
from chainkeep.db.migrate import check, current, latest, migrate, pending
from chainkeep.db.migrations.transactions import exclusive_transaction
from chainkeep.errors import (
    AdoptionRequiredError,
    MigrationError,
    NewerSchemaError,
    PendingMigrationsError,
    TransientStorageError,
)
from chainkeep.settings import DatabaseSettings
from tests.support.databases import plain_engine, run_on
from tests.support.postgres import PostgresServer

SCHEMA = Path(__file__).parents[2] / "schema.sql"
REVISIONS = ["0001", "0002", "0003", "0004", "0005", "0006", "0007"]
OURS = set(re.findall(r"^CREATE TABLE (\w+)", SCHEMA.read_text(), re.MULTILINE))

THREAD_BEFORE_STARS = """
INSERT INTO threads ("id", "createdAt", "metadata", "lastActivityAt") VALUES ('{n}', '', '', '')
"""
STEP_BEFORE_STARS = """
INSERT INTO steps ("id", "threadId", "type", "name", "input", "output", "createdAt", "streaming",
"metadata", "favorite", "position", "revision")
VALUES ('{n}', '{n}', 'run', '', '', '', '', FALSE, '', {star}, 0, 0)
"""


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


def execute(statement: str) -> Callable[[Connection], None]:
    def work(connection: Connection) -> None:
        with connection.begin():
            connection.execute(text(statement))

    return work


async def test_an_empty_database_gets_every_table(empty_database_url: str) -> None:
    assert await run_on(empty_database_url, migrate) == REVISIONS
    assert await run_on(empty_database_url, tables) == OURS


async def test_a_migrated_database_is_accepted(empty_database_url: str) -> None:
    await run_on(empty_database_url, migrate)
    await run_on(empty_database_url, check)
    assert await run_on(empty_database_url, current) == latest()


async def test_a_second_start_finds_nothing_to_do(database_url: str) -> None:
    assert await run_on(database_url, migrate) == []


async def test_a_start_with_nothing_to_do_waits_for_nobody(database_url: str) -> None:
    async with plain_engine(database_url) as engine, engine.connect() as busy:
        lock = ExitStack()
        await busy.run_sync(lambda c: lock.enter_context(exclusive_transaction(c)))
        assert await asyncio.wait_for(run_on(database_url, migrate), 2) == []
        await busy.run_sync(lambda _: lock.close())


async def test_an_empty_database_is_pending(empty_database_url: str) -> None:
    assert await run_on(empty_database_url, pending) == REVISIONS
    with pytest.raises(PendingMigrationsError, match="chainkeep migrate"):
        await run_on(empty_database_url, check)


async def test_looking_writes_nothing(empty_database_url: str) -> None:
    assert await run_on(empty_database_url, current) is None
    await run_on(empty_database_url, pending)
    assert await run_on(empty_database_url, tables) == set()


async def test_a_dry_run_says_what_it_would_do_and_leaves_nothing(empty_database_url: str) -> None:
    def dry_run(connection: Connection) -> list[str]:
        return migrate(connection, dry_run=True)

    assert await run_on(empty_database_url, dry_run) == REVISIONS
    assert await run_on(empty_database_url, tables) == set()


async def test_ten_connections_at_once_migrate_once(empty_database_url: str) -> None:
    applied = await asyncio.gather(*(run_on(empty_database_url, migrate) for _ in range(10)))
    assert sorted(applied) == [[]] * 9 + [REVISIONS]


STARTER = """
import asyncio, sys
from tests.support.databases import run_on
from chainkeep.db.migrate import migrate
sys.stdin.readline()
print(asyncio.run(run_on(sys.argv[1], migrate)))
"""


async def test_ten_processes_at_once_migrate_once(empty_database_url: str) -> None:
    pipe = asyncio.subprocess.PIPE
    starters = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", STARTER, empty_database_url, stdin=pipe, stdout=pipe
        )
        for _ in range(10)
    ]
    answers = await asyncio.gather(*(starter.communicate(b"go\n") for starter in starters))
    assert sorted(out for out, _ in answers) == [f"{REVISIONS}\n".encode()] + [b"[]\n"] * 9


@pytest.fixture
def add_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Adds a revision 9999 with the SQL given."""
    directory = tmp_path / "migrations"
    shutil.copytree(migrations._DIRECTORY, directory)
    monkeypatch.setattr(migrations, "_DIRECTORY", directory)
    monkeypatch.setattr(migrations, "_directory", migrations._directory.__wrapped__)

    def add(sql: str) -> None:
        first = (directory / "versions/0001_initial.py").read_text()
        second = first.replace("0001_initial", "9999_more").replace('"0001"', '"9999"')
        second = second.replace("down_revision = None", f'down_revision = "{REVISIONS[-1]}"')
        (directory / "versions/9999_more.py").write_text(second)
        (directory / "versions/9999_more.sql").write_text(sql)

    return add


async def test_a_database_that_is_behind_gets_what_is_missing(
    database_url: str, add_revision: Callable[[str], None]
) -> None:
    add_revision("CREATE TABLE more (a TEXT);")
    assert await run_on(database_url, pending) == ["9999"]
    with pytest.raises(PendingMigrationsError):
        await run_on(database_url, check)
    assert await run_on(database_url, migrate) == ["9999"]
    assert await run_on(database_url, tables) == {*OURS, "more"}


async def test_stars_from_before_the_index_of_stars_are_in_it(
    empty_database_url: str, add_revision: Callable[[str], None], tmp_path: Path
) -> None:
    add_revision("CREATE TABLE more (a TEXT);")
    versions = migrations._DIRECTORY / "versions"
    (versions / "9999_more.py").unlink()
    from_stars_on = REVISIONS.index("0006")
    later = [path for name in REVISIONS[from_stars_on:] for path in versions.glob(f"{name}_*.py")]
    for path in later:
        path.rename(tmp_path / path.name)
    assert await run_on(empty_database_url, migrate) == REVISIONS[:from_stars_on]
    for n in (1, 2):
        await run_on(empty_database_url, execute(THREAD_BEFORE_STARS.format(n=n)))
        await run_on(empty_database_url, execute(STEP_BEFORE_STARS.format(n=n, star=n == 1)))
    for path in later:
        (tmp_path / path.name).rename(path)
    assert await run_on(empty_database_url, migrate) == REVISIONS[from_stars_on:]
    starred = text('SELECT "id" FROM threads WHERE "starred"')
    assert await run_on(empty_database_url, lambda c: c.scalars(starred).all()) == ["1"]


@pytest.mark.parametrize("migrated", [True, False], ids=["behind", "empty"])
async def test_a_failing_step_changes_nothing_and_stays_pending(
    make_database_url: Callable[[bool], str], migrated: bool, add_revision: Callable[[str], None]
) -> None:
    url = make_database_url(migrated)
    before = await run_on(url, tables), await run_on(url, current)
    add_revision("CREATE TABLE more (a TEXT);\nINSERT INTO nowhere VALUES (1);")
    with pytest.raises(MigrationError, match=r"nothing was changed: .*nowhere"):
        await run_on(url, migrate)
    assert (await run_on(url, tables), await run_on(url, current)) == before
    assert (await run_on(url, pending))[-1] == "9999"


async def test_a_disk_that_is_full_during_the_first_migration_is_a_fault_that_passes(
    make_sqlite: Callable[[bool], str],
) -> None:
    def on_a_full_disk(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count = 8")
        connection.rollback()
        migrate(connection)

    url = make_sqlite(False)
    database = open_database(DatabaseSettings(url=url))
    with pytest.raises(TransientStorageError, match="full"):
        await database.bare(on_a_full_disk)
    await database.close()
    assert await run_on(url, migrate) == REVISIONS


async def test_a_step_takes_as_long_as_it_takes(
    make_postgres: Callable[[bool], str], add_revision: Callable[[str], None]
) -> None:
    url = make_postgres(True)
    add_revision("CREATE TABLE more (a TEXT);\nSELECT pg_sleep(1.5);")
    impatient = DatabaseSettings(url=url, connect_args={"command_timeout": 1})
    database = open_database(impatient)
    assert await database.bare(migrate) == ["9999"]
    await database.close()
    assert "more" in await run_on(url, tables)


async def test_a_step_may_differ_between_databases(
    database_kind: str, database_url: str, add_revision: Callable[[str], None]
) -> None:
    add_revision("CREATE TABLE more (a TEXT);")
    versions = migrations._DIRECTORY / "versions"
    for dialect in ("sqlite", "postgresql"):
        (versions / f"9999_more.{dialect}.sql").write_text(f"CREATE TABLE for_{dialect} (a TEXT);")
    await run_on(database_url, migrate)
    assert await run_on(database_url, tables) == {*OURS, "more", f"for_{database_kind}"}


@pytest.mark.parametrize("look", [pending, check, migrate])
async def test_a_database_from_a_newer_version_is_refused(
    database_url: str, look: Callable[[Connection], object]
) -> None:
    await run_on(database_url, execute("UPDATE chainkeep_version SET version_num = '99999'"))
    with pytest.raises(NewerSchemaError, match="upgrade the package"):
        await run_on(database_url, look)


@pytest.mark.parametrize("look", [check, migrate])
async def test_another_data_layers_tables_are_left_alone(
    empty_database_url: str, look: Callable[[Connection], object]
) -> None:
    await run_on(empty_database_url, execute('CREATE TABLE threads ("id" TEXT)'))
    await run_on(empty_database_url, execute('CREATE TABLE steps ("id" TEXT)'))
    with pytest.raises(AdoptionRequiredError, match="chainkeep adopt --dry-run"):
        await run_on(empty_database_url, look)
    assert await run_on(empty_database_url, tables) == {"threads", "steps"}


@pytest.mark.parametrize("look", [check, migrate])
async def test_an_apps_own_table_of_the_same_name_is_left_alone(
    empty_database_url: str, look: Callable[[Connection], object]
) -> None:
    await run_on(empty_database_url, execute("CREATE TABLE users (email TEXT)"))
    with pytest.raises(MigrationError, match="users; give chainkeep a database or a schema"):
        await run_on(empty_database_url, look)
    assert await run_on(empty_database_url, tables) == {"users"}


async def test_two_schemas_of_one_database_do_not_see_each_other(
    make_postgres: Callable[[bool], str],
) -> None:
    url = make_postgres(False)
    await run_on(url, execute("CREATE SCHEMA one"))
    assert await run_on(url, migrate) == REVISIONS
    assert await run_on(url, migrate, "one, public") == REVISIONS
    await run_on(url, check, "one, public")
    assert set(await run_on(url, lambda c: inspect(c).get_table_names("one"))) == OURS


async def test_a_schema_that_does_not_exist_is_named_as_the_reason(
    make_postgres: Callable[[bool], str],
) -> None:
    with pytest.raises(MigrationError, match="CREATE SCHEMA"):
        await run_on(make_postgres(False), migrate, "nowhere")


async def test_every_postgresql_version_at_hand_takes_the_tables(
    each_postgres: PostgresServer,
) -> None:
    url = each_postgres.url(await each_postgres.acreate_database())
    assert await run_on(url, migrate) == REVISIONS
    await run_on(url, check)
