"""Saying things, and searching for them."""

from __future__ import annotations

from typing import Any

from chainkeep.db import search_queries
from chainkeep.models import Caller, Step
from chainkeep.store import Store
from tests.support.waiting import eventually

ADA = "ada's id"


async def say(
    store: Store, thread_id: str, *texts: str, user_id: str | None = ADA, **fields: Any
) -> None:
    """Write messages; `t3` was active after `t2`."""
    caller = Caller(thread_id, None, user_id)
    for n, text in enumerate(texts):
        step = Step(
            id=fields.get("id", f"{thread_id}.{n}"),
            thread_id=thread_id,
            type=fields.get("type", "user_message"),
            output=text,
            created_at=f"2026-01-01T00:00:00.{int(thread_id.lstrip('t') or 0):06}Z",
        )
        await store.create_step(step, caller=caller)


async def found(
    store: Store, words: str, *, user_id: str = ADA, first: int = 20, **more: Any
) -> list[str]:
    page = await store.list_threads(user_id, first=first, search=words, **more)
    return [thread.id for thread in page.items]


async def indexed(store: Store) -> None:
    """Wait until nothing is left to index."""

    async def done() -> bool:
        store._indexer.wake()
        return await store._database.read(search_queries.search_waiting) == 0

    await eventually(done)
