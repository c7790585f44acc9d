"""Databases as Chainlit's built-in SQLAlchemy layer leaves them, written by that layer itself."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from chainlit.context import init_http_context
from chainlit.data.sql_alchemy import SQLAlchemyDataLayer
from chainlit.data.storage_clients.base import BaseStorageClient
from chainlit.element import Element
from chainlit.types import Feedback
from chainlit.user import User
from sqlalchemy import Connection, column, inspect, make_url, select, table, text
from typing_extensions import override

from chainkeep.db.migrations import statements
from tests.support.databases import run_on

TABLES = Path(__file__).parent / "tables"

Row = dict[str, Any]


class Bucket(BaseStorageClient):
    """Takes uploads and answers as Chainlit's S3 client does."""

    @override
    async def upload_file(self, object_key: str, *_args: Any, **_kwargs: Any) -> dict[str, Any]:
        return {"object_key": object_key, "url": f"https://bucket.example/{object_key}"}

    @override
    async def delete_file(self, object_key: str) -> bool:
        raise NotImplementedError

    @override
    async def get_read_url(self, object_key: str) -> str:
        raise NotImplementedError

    @override
    async def close(self) -> None:
        pass


def run_scripts(*names: str) -> Callable[[Connection], None]:
    def work(connection: Connection) -> None:
        with connection.begin():
            for name in names:
                for statement in statements((TABLES / name).read_text()):
                    connection.exec_driver_sql(statement)

    return work


def execute(statement: str, **values: Any) -> Callable[[Connection], None]:
    def work(connection: Connection) -> None:
        with connection.begin():
            connection.execute(text(statement), values)

    return work


def rows_of(name: str, order: str = "id") -> Callable[[Connection], list[Row]]:
    """Every row of a table."""

    def work(connection: Connection) -> list[Row]:
        rows = connection.execute(
            select(text("*")).select_from(table(name)).order_by(column(order))
        )
        return [dict(row) for row in rows.mappings()]

    return work


def everything(connection: Connection) -> dict[str, list[Row]]:
    """Every row of every table."""
    names = inspect(connection).get_table_names()
    found = {
        name: connection.execute(select(text("*")).select_from(table(name))).mappings().all()
        for name in names
    }
    return {name: sorted(map(dict, rows), key=str) for name, rows in found.items()}


@pytest.fixture
async def builtin_url(empty_database_url: str) -> str:
    """A database with the documented tables, empty."""
    backend = make_url(empty_database_url).get_backend_name()
    await run_on(empty_database_url, run_scripts(f"{backend}.sql"))
    return empty_database_url


@pytest.fixture
async def newer_url(builtin_url: str) -> str:
    """The same with the columns that later versions write and the documentation does not name."""
    await run_on(builtin_url, run_scripts("newer_columns.sql"))
    return builtin_url


class Builtin:
    """Chainlit's layer, and what it was given."""

    def __init__(self, layer: SQLAlchemyDataLayer) -> None:
        self.layer = layer
        self.given: dict[str, dict[str, Row]] = {t: {} for t in ("threads", "steps", "elements")}

    async def user(self, identifier: str, metadata: Row) -> str:
        user = await self.layer.create_user(User(identifier=identifier, metadata=metadata))
        assert user
        return str(user.id)

    async def thread(self, thread_id: str, **values: Any) -> None:
        self.given["threads"][thread_id] = values
        init_http_context(thread_id=thread_id)
        await self.layer.update_thread(thread_id, **values)

    async def step(self, step: Row) -> None:
        self.given["steps"][step["id"]] = copy.deepcopy(step)
        await self.layer.create_step(step)

    async def element(self, element: Element) -> None:
        await self.layer.create_element(element)
        self.given["elements"][element.id] = dict(element.to_dict())

    async def vote(self, **values: Any) -> str:
        return await self.layer.upsert_feedback(Feedback(**values))


@asynccontextmanager
async def builtin_layer(url: str) -> AsyncIterator[Builtin]:
    layer = SQLAlchemyDataLayer(url, storage_provider=Bucket())
    try:
        yield Builtin(layer)
    finally:
        await layer.close()
