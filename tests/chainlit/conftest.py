"""A data layer on a database of each kind, and a Chainlit app around it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import chainlit.config
import chainlit.data
import pytest

from chainkeep.chainlit import ChainkeepDataLayer
from tests.chainlit.contract.chats import App
from tests.support.postgres import PostgresDatabases

MakeLayer = Callable[..., ChainkeepDataLayer]

_EMPTY = """
    DO $$ DECLARE name TEXT; BEGIN
        FOR name IN SELECT tablename FROM pg_tables
            WHERE schemaname = 'public' AND tablename <> 'chainkeep_version'
        LOOP EXECUTE format('DELETE FROM %I', name); END LOOP;
    END $$
"""


@pytest.fixture
def own_database() -> None:
    """For a test that changes more than rows: nobody uses its database before or after it."""


@pytest.fixture(scope="session")
def emptied_postgres(postgres: PostgresDatabases, postgres_template: str) -> Iterator[str]:
    """The name of a database for all tests, each of which empties it first: that is quicker."""
    name = postgres.create_database(template=postgres_template)
    yield name
    postgres.drop_database(name)


@pytest.fixture
def database_url(
    database_kind: str, make_database_url: Callable[[bool], str], request: pytest.FixtureRequest
) -> str:
    """The URL of a database with chainkeep's tables and no rows."""
    if database_kind == "sqlite" or "own_database" in request.fixturenames:
        return make_database_url(True)
    postgres: PostgresDatabases = request.getfixturevalue("postgres")
    name: str = request.getfixturevalue("emptied_postgres")
    postgres.execute(_EMPTY, name)
    return postgres.url(name)


@pytest.fixture
async def make_layer(database_url: str, tmp_path: Path) -> AsyncIterator[MakeLayer]:
    """Makes layers, as many as there are processes, all on one database and one directory."""
    layers: list[ChainkeepDataLayer] = []

    def make(url: str = database_url, **options: Any) -> ChainkeepDataLayer:
        places = {name: str(tmp_path / name) for name in ("blobs", "spool", "journal")}
        layers.append(ChainkeepDataLayer(url, **{**places, **options}))
        return layers[-1]

    yield make
    for layer in layers:
        await layer.close()


@pytest.fixture
async def layer(make_layer: MakeLayer) -> ChainkeepDataLayer:
    """A layer on an empty database."""
    return make_layer()


@pytest.fixture
async def app(
    layer: ChainkeepDataLayer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[App]:
    """A Chainlit app with that layer, in which one must log in."""
    monkeypatch.setattr(chainlit.data, "_data_layer", layer)
    monkeypatch.setattr(chainlit.data, "_data_layer_initialized", True)
    monkeypatch.setattr(chainlit.config, "FILES_DIRECTORY", tmp_path)
    monkeypatch.setenv("CHAINLIT_CUSTOM_AUTH", "1")
    monkeypatch.setenv("CHAINLIT_AUTH_SECRET", "a secret that signs nothing but tests' cookies")
    app = App(layer)
    yield app
    await app.close()
