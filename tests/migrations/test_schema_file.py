"""schema.sql is what the migrations make, and the databases' own clients take it as it stands."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import make_url

from chainkeep.db.migrate import check, latest, migrate, render
from tests.support.databases import run_on, shape

SCHEMA = Path(__file__).parents[2] / "schema.sql"


def feed_client(url: str, script: str) -> None:
    """Give the script to sqlite3 or psql, whichever the database is for."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        command = [shutil.which("sqlite3"), "-bail", address.database]
    else:
        dsn = address.set(drivername="postgresql").render_as_string(hide_password=False)
        command = [shutil.which("psql"), "-q", "-v", "ON_ERROR_STOP=1", "-1", dsn]
    if command[0] is None:
        pytest.skip("neither sqlite3 nor psql is installed")
    subprocess.run(list(map(str, command)), input=script, text=True, check=True)


async def test_the_schema_file_and_the_migrations_make_the_same_tables(
    make_database_url: Callable[[bool], str],
) -> None:
    by_migrations, by_file = make_database_url(False), make_database_url(False)
    await run_on(by_migrations, migrate)
    feed_client(by_file, SCHEMA.read_text())
    assert await run_on(by_file, shape) == await run_on(by_migrations, shape)


async def test_a_database_made_from_the_schema_file_is_up_to_date(empty_database_url: str) -> None:
    feed_client(empty_database_url, SCHEMA.read_text())
    await run_on(empty_database_url, check)


def test_the_schema_file_names_the_latest_migration() -> None:
    assert f"VALUES ('{latest()}');" in SCHEMA.read_text()


async def test_the_rendered_script_makes_the_same_tables(
    make_database_url: Callable[[bool], str], database_kind: str
) -> None:
    by_migrations, by_script = make_database_url(False), make_database_url(False)
    await run_on(by_migrations, migrate)
    script = render(database_kind).replace("BEGIN;", "").replace("COMMIT;", "")
    feed_client(by_script, script)
    assert await run_on(by_script, shape) == await run_on(by_migrations, shape)
    await run_on(by_script, check)


async def test_the_comparison_sees_a_partial_index(
    make_database_url: Callable[[bool], str],
) -> None:
    whole, partial = make_database_url(False), make_database_url(False)
    feed_client(whole, "CREATE TABLE t (a BOOLEAN); CREATE INDEX i ON t (a);")
    feed_client(partial, "CREATE TABLE t (a BOOLEAN); CREATE INDEX i ON t (a) WHERE a;")
    assert await run_on(whole, shape) != await run_on(partial, shape)
