"""Databases as chainkeep opens them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from chainkeep.db.database import Database, open_database
from chainkeep.settings import DatabaseSettings

OpenDatabase = Callable[..., Database]


@pytest.fixture
async def open_() -> AsyncIterator[OpenDatabase]:
    """Opens databases: ``open_(url, **settings)``; closes them after the test."""
    opened: list[Database] = []

    def open_one(url: str, **settings: Any) -> Database:
        opened.append(open_database(DatabaseSettings(url=url, **settings)))
        return opened[-1]

    yield open_one
    await asyncio.gather(*(database.close() for database in opened))


@pytest.fixture
def database(database_url: str, open_: OpenDatabase) -> Database:
    """A fresh database with chainkeep's tables, once of each kind."""
    return open_(database_url)
