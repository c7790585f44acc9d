"""Plain engines and connections for tests that look into a database from outside."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, inspect, make_url
from sqlalchemy.engine.interfaces import ReflectedColumn, ReflectedIndex
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

T = TypeVar("T")


@asynccontextmanager
async def plain_engine(url: str, schema: str | None = None) -> AsyncIterator[AsyncEngine]:
    """An engine without any of chainkeep's settings, disposed of in the end."""
    settings = {"server_settings": {"search_path": schema}} if schema else {}
    engine = create_async_engine(make_url(url), poolclass=NullPool, connect_args=settings)
    try:
        yield engine
    finally:
        await engine.dispose()


async def run_on(url: str, work: Callable[[Connection], T], schema: str | None = None) -> T:
    """Run a plain function on a fresh connection that is in no transaction."""
    async with plain_engine(url, schema) as engine, engine.connect() as connection:
        return await connection.run_sync(work)


def shape(connection: Connection) -> dict[str, Any]:
    """Everything of every table that the database itself knows."""
    inspector = inspect(connection)
    return {
        table: {
            "columns": [described(column) for column in inspector.get_columns(table)],
            "key": inspector.get_pk_constraint(table),
            "indexes": sorted(map(described, inspector.get_indexes(table))),
            "foreign keys": inspector.get_foreign_keys(table),
            "unique": inspector.get_unique_constraints(table),
        }
        for table in inspector.get_table_names()
    }


def described(thing: ReflectedColumn | ReflectedIndex) -> str:
    return json.dumps(thing, default=str, sort_keys=True)
