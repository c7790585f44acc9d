"""Posts messages to a thread of another library, on SQLite as the library opens it, and tells how
many milliseconds each took. Run by the interpreter that has the library, in an empty directory:

    PYTHON benchmarks/thread_libraries.py threadmem 200

``append-only`` is a stand-in for libraries that are in no package index: one row a message, by
SQLAlchemy's ORM, with a session and a commit of its own.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

TEXT = "What does a data layer do?"


async def threadmem(posts: int) -> list[float]:
    """Merges the thread with all its messages at each post."""
    os.environ["AGENTSEA_HOME"] = str(Path.cwd())
    thread = importlib.import_module("threadmem").RoleThread(owner_id="ada")

    async def post() -> None:
        thread.post("user", TEXT)

    return await timed(post, posts)


async def narrator(posts: int) -> list[float]:
    """Saves the thread with all its messages after each."""
    library = importlib.import_module("narrator")
    store = await library.ThreadStore.create("sqlite+aiosqlite:///narrator.db")
    thread = library.Thread(title="New")
    await store.save(thread)

    async def post() -> None:
        thread.add_message(library.Message(role="user", content=TEXT))
        await store.save(thread)

    return await timed(post, posts)


async def append_only(posts: int) -> list[float]:
    """Adds a row."""
    sqlalchemy = importlib.import_module("sqlalchemy")
    asynchronous = importlib.import_module("sqlalchemy.ext.asyncio")
    orm = importlib.import_module("sqlalchemy.orm")
    base: Any = orm.declarative_base()
    columns = {
        name: sqlalchemy.Column(sqlalchemy.Text) for name in ("thread_id", "role", "content")
    }
    key = sqlalchemy.Column(sqlalchemy.Integer, primary_key=True)
    message = type("Message", (base,), {"__tablename__": "messages", "id": key, **columns})
    engine = asynchronous.create_async_engine("sqlite+aiosqlite:///append.db")
    async with engine.begin() as connection:
        await connection.run_sync(base.metadata.create_all)

    async def post() -> None:
        async with asynchronous.AsyncSession(engine) as session:
            session.add(message(thread_id="t", role="user", content=TEXT))
            await session.commit()

    times = await timed(post, posts)
    await engine.dispose()
    return times


async def timed(post: Callable[[], Awaitable[None]], posts: int) -> list[float]:
    """Milliseconds of each, after one that opens what is opened at first use."""
    await post()
    times = []
    for _ in range(posts):
        began = time.perf_counter()
        await post()
        times.append((time.perf_counter() - began) * 1000)
    return times


LIBRARIES: dict[str, tuple[Callable[[int], Awaitable[list[float]]], str]] = {
    "threadmem": (threadmem, "threadmem"),
    "narrator": (narrator, "slide-narrator"),
    "append-only": (append_only, "sqlalchemy"),
}


def main(library: str, posts: str) -> None:
    """Print the package with its version, and the times, as JSON."""
    post, package = LIBRARIES[library]
    found = {"package": f"{package} {version(package)}"}
    sys.stdout.write(json.dumps({**found, "times": asyncio.run(_of(post, int(posts)))}))


async def _of(post: Callable[[int], Awaitable[list[float]]], posts: int) -> list[float]:
    return await post(posts)


if __name__ == "__main__":
    main(*sys.argv[1:])
