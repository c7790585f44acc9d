"""Where a server under test keeps its data: SQLite and a directory, or PostgreSQL and a bucket."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.support.postgres import PostgresDatabases
from tests.support.s3 import moto_server, nanio_server
from tests.support.server import ChainlitServer

PLACES = ("sqlite-disk", "postgresql-s3")


@pytest.fixture(scope="session", params=PLACES)
def place(request: pytest.FixtureRequest) -> str:
    """Runs the test once per kind of place."""
    return str(request.param)


@pytest.fixture(scope="session")
def make_server(
    place: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., ChainlitServer]:
    """Makes servers with a database and a blob store of their own, and ``more_env`` in their
    environment; not started.
    """

    def make(*, more_env: Mapping[str, str] | None = None, **options: object) -> ChainlitServer:
        home = tmp_path_factory.mktemp("server") / "app"
        env = {**request.getfixturevalue(_ENVIRONMENTS[place])(home), **(more_env or {})}
        return ChainlitServer(home, env=env, **options)  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def server(make_server: Callable[..., ChainlitServer]) -> Iterator[ChainlitServer]:
    """The example app, running; shared by all tests, each of which has chats of its own."""
    with make_server() as running:
        yield running


_ENVIRONMENTS = {"sqlite-disk": "sqlite_and_disk", "postgresql-s3": "postgresql_and_s3"}


@pytest.fixture(scope="session")
def sqlite_and_disk() -> Callable[[Path], dict[str, str]]:
    """Settings for a new SQLite file and a new directory beside a server's home."""
    return lambda home: {
        "CHAINKEEP_DATABASE_URL": f"sqlite+aiosqlite:///{home.parent}/kept/chainkeep.db",
        "CHAINKEEP_BLOBS": f"file://{home.parent}/kept/blobs",
    }


@pytest.fixture(scope="session")
def postgresql_and_s3(
    postgres: PostgresDatabases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Path], dict[str, str]]]:
    """Settings for a new PostgreSQL database and a new bucket."""
    if sys.version_info >= (3, 11):
        running = nanio_server(tmp_path_factory.mktemp("s3"))
    else:
        running = moto_server()
    with running as s3:
        query = urlencode({"endpoint_url": s3.url})
        yield lambda _home: {
            "CHAINKEEP_DATABASE_URL": postgres.url(postgres.create_database()),
            "CHAINKEEP_BLOBS": f"s3://{s3.make_bucket()}/kept?{query}",
            "AWS_ACCESS_KEY_ID": s3.access_key,
            "AWS_SECRET_ACCESS_KEY": s3.secret_key,
        }
