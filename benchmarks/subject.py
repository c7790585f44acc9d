"""A candidate at work: its open layer, its seeded database, and a look into it from outside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

from chainlit.context import init_http_context
from chainlit.user import PersistedUser
from sqlalchemy import Connection

from benchmarks import seed
from benchmarks.peers import Candidate, Layer, Place
from benchmarks.seed import Seed
from chainkeep.db.database import open_database
from chainkeep.db.indexing import next_batch, write_batch
from chainkeep.db.migrations.search import make_trigram_index
from chainkeep.db.search_queries import search_index_state
from chainkeep.settings import DatabaseSettings
from tests.support.databases import run_on
from tests.support.postgres import PostgresDatabases

__all__ = ["Subject", "index", "opened", "prepared"]

_MOST_ROWS = 2_000


class Subject:
    """One candidate with its data."""

    def __init__(self, candidate: Candidate, layer: Layer, place: Place, seeded: Seed) -> None:
        self.candidate = candidate
        self.layer = layer
        self.place = place
        self.seed = seeded
        self.deletable: Iterator[str] = seeded.deletable()
        self._labels = (f"{candidate.key}-{number}" for number in count())
        self._checks = seed.named(candidate.checks)

    def label(self) -> str:
        """A name that no step or element has yet."""
        return next(self._labels)

    async def reopen(self) -> None:
        """Open the layer anew: what it left to the background is left."""
        await self.layer.close()
        self.layer = self.candidate.open(self.place)

    async def unindex(self) -> None:
        """Take away what only searches need and each write would pay for."""
        if self.candidate.unindex is not None:
            script = partial(seed.run_script, name=self.candidate.unindex)
            await run_on(self.place.url, script)

    async def close(self) -> None:
        """Close the layer."""
        await self.layer.close()

    def enter_chat(self, thread_id: str) -> None:
        """Let the running task be in a chat, as Chainlit's callbacks are."""
        user_id, identifier = self.seed.writer
        user = PersistedUser(id=user_id, identifier=identifier, createdAt="2026-01-01T00:00:00Z")
        init_http_context(thread_id=thread_id, user=user)

    async def new_threads(self, many: int) -> list[str]:
        """Ids of new threads of the user who writes."""
        ids = [str(uuid4()) for _ in range(many)]
        for thread_id in ids:
            self.enter_chat(thread_id)
            await self.layer.update_thread(thread_id, name="New", user_id=self.seed.writer[0])
        return ids

    async def check(self, name: str, /, **binds: Any) -> tuple[Any, ...]:
        """The row of a statement of the candidate's checks, read past its layer."""
        clause = self._checks[name].clause

        def read(connection: Connection) -> tuple[Any, ...]:
            return tuple(connection.execute(clause, binds).one())

        return await run_on(self.place.url, read)


async def prepared(
    candidate: Candidate, home: Path, server: PostgresDatabases | None, seeded: Seed
) -> Place:
    """A database with the candidate's tables and all that is seeded."""
    home = home / candidate.key
    home.mkdir()
    name = None
    if candidate.database == "SQLite" or server is None:
        url = f"sqlite+aiosqlite:///{home}/history.db"
    else:
        name = await server.acreate_database()
        url = server.url(name)
    work = partial(seed.create, tables=candidate.tables, rows=candidate.rows, seed=seeded)
    await run_on(url, work)
    if candidate.index is not None:
        await run_on(url, partial(seed.run_script, name=candidate.index))
    if candidate.name == "chainkeep":
        await index(url)
    if name is not None and server is not None:
        for statement in ("VACUUM ANALYZE", "CHECKPOINT"):
            await server.aexecute(statement, name)
    return Place(url, home)


async def index(url: str) -> None:
    """Index all that there is: in long batches, without the pauses that a busy app is left, and the
    trigrams, where there are none, when all the texts are there.
    """
    database = open_database(DatabaseSettings(url=url))
    batch = partial(next_batch, most=_MOST_ROWS)
    while (found := (await database.snapshot(batch)).folded()).size:
        if await database.write(partial(write_batch, holder="seed", batch=found)) is None:
            await asyncio.sleep(0.1)  # somebody else's turn, for some seconds more
    if not (await database.read(search_index_state)).ready:
        await database.write(make_trigram_index)
    await database.close()


@asynccontextmanager
async def opened(
    candidates: Sequence[Candidate],
    home: Path,
    server: PostgresDatabases | None,
    seeded: Seed,
) -> AsyncIterator[list[Subject]]:
    """The candidates, each on a database of its own, all at once."""
    async with AsyncExitStack() as stack:
        subjects = []
        for candidate in candidates:
            place = await prepared(candidate, home, server, seeded)
            subjects.append(Subject(candidate, candidate.open(place), place, seeded))
            stack.push_async_callback(subjects[-1].close)
        yield subjects
