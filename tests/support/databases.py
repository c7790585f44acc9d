"""Plain engines and connections for tests that look into a database from outside."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from sqlalchemy import Connection, make_url
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
