"""A process that indexes the database of a URL until its input ends, and says what it sees."""

from __future__ import annotations

import asyncio
import sys

from chainkeep.db import indexer
from chainkeep.settings import DatabaseSettings, Settings
from chainkeep.store import Store


async def index(url: str, journal: str) -> None:
    """Index whatever there is, and what comes, at once."""
    indexer.FIRST_PAUSE = 0.01
    store = Store(Settings(database=DatabaseSettings(url=url), journal=journal))
    sys.stdout.write("indexing\n")
    sys.stdout.flush()
    over = asyncio.ensure_future(asyncio.to_thread(sys.stdin.read))
    while not over.done():
        store._indexer.wake()
        await asyncio.wait([over], timeout=0.02)
    await store.close()


if __name__ == "__main__":
    asyncio.run(index(*sys.argv[1:]))
