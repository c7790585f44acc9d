"""One process indexes what another writes and searches."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from chainkeep.db import search_queries
from chainkeep.models import Step
from chainkeep.settings import DatabaseSettings, Settings
from chainkeep.store import Store
from tests.store import indexing_alone
from tests.store.searching import found, say
from tests.support.waiting import eventually

Process = asyncio.subprocess.Process


@asynccontextmanager
async def indexing(url: str, journal: Path) -> AsyncIterator[Process]:
    """A process that indexes meanwhile."""
    arguments = ["-m", indexing_alone.__name__, url, str(journal)]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdin=pipe, stdout=pipe
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"indexing\n"
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await asyncio.wait_for(process.wait(), 30)


@pytest.fixture
async def writer(database_url: str, tmp_path: Path) -> AsyncIterator[Store]:
    """A store that leaves the indexing to other processes."""
    database = DatabaseSettings(url=database_url)
    settings = Settings(database=database, journal=str(tmp_path / "own"), search_index=False)
    store = Store(settings)
    yield store
    await store.close()


async def everything_indexed(store: Store) -> None:
    async def done() -> bool:
        return await store._database.read(search_queries.search_waiting) == 0

    await eventually(done, seconds=60)


async def test_what_one_process_writes_another_indexes_and_no_search_misses_it(
    writer: Store, database_url: str, tmp_path: Path
) -> None:
    await say(writer, "t0", "hay")  # makes the tables
    async with indexing(database_url, tmp_path / "other"):
        for n in range(1, 121):
            words = "needle" if n % 3 else "hay"
            await say(writer, f"t{n}", f"a {words} that is number {n}")
            assert (await found(writer, f"NUMBER {n}"))[:1] == [f"t{n}"]
            if n % 5 == 0:
                edited = Step(id=f"t{n}.0", thread_id=f"t{n}", created_at="", output="gone")
                await writer.update_step(edited, given=["output"])
                assert f"t{n}" not in await found(writer, "that", first=200)
                assert f"t{n}" in await found(writer, "gone", first=200)
        expected = [f"t{n}" for n in range(120, 0, -1) if n % 3 and n % 5]
        assert await found(writer, "needle", first=200) == expected
        await everything_indexed(writer)
    assert await found(writer, "needle", first=200) == expected
    assert await writer.execute("SELECT COUNT(*) AS n FROM search_texts", {}) == [{"n": 121}]


async def test_a_process_that_is_killed_while_it_indexes_is_replaced(
    writer: Store, database_url: str, tmp_path: Path
) -> None:
    await say(writer, "t0", "hay")
    async with indexing(database_url, tmp_path / "first") as first:
        await asyncio.gather(*(say(writer, f"t{n}", f"needle {n}") for n in range(1, 301)))
        first.kill()
    expected = [f"t{n}" for n in range(300, 0, -1)]
    assert await found(writer, "needle", first=1000) == expected
    async with indexing(database_url, tmp_path / "second"):
        # Not before the lease of the one that is dead runs out.
        await everything_indexed(writer)
    assert await found(writer, "needle", first=1000) == expected
