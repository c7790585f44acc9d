"""The Thread API on a fresh database, once of each kind."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from chainkeep.settings import DatabaseSettings, Settings
from chainkeep.store import Store
from chainkeep.threads import Thread, Threads, open_threads

OpenThreads = Callable[..., Any]


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(
        database=DatabaseSettings(url=database_url),
        blobs=str(tmp_path / "blobs"),
        journal=str(tmp_path / "journal"),
    )


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    opened = Store(settings)
    yield opened
    await opened.close()


@pytest.fixture
async def open_(store: Store) -> AsyncIterator[OpenThreads]:
    """Opens the threads of the store with other options: ``await open_(strict_roles=True)``."""
    async with AsyncExitStack() as stack:

        async def open_one(**options: Any) -> Threads:
            return await stack.enter_async_context(open_threads(store, **options))

        yield open_one


@pytest.fixture
async def threads(open_: OpenThreads) -> Threads:
    found: Threads = await open_()
    return found


@pytest.fixture
async def thread(threads: Threads) -> Thread:
    return await threads.create("A chat", owner="ada")
