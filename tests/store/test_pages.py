"""The pages of a list while the list changes between them."""

from __future__ import annotations

from random import Random

import pytest

from chainkeep.models import Step
from chainkeep.store import Store
from tests.store.searching import ADA, say

PAGE = 4


class Meanwhile:
    """What others do between two pages: they add, rename, use and delete threads."""

    def __init__(self, store: Store, seed: int, threads: list[str]) -> None:
        self._store = store
        self._rng = Random(seed)
        self._ids = threads
        self._last = 1000
        self.moved: set[str] = set()
        self.deleted: set[str] = set()

    async def happen(self) -> None:
        """A few of these things, in any order."""
        for _ in range(5):
            await self._rng.choice([self._add, self._rename, self._use, self._delete])()

    def _any(self) -> str:
        return self._rng.choice([each for each in self._ids if each not in self.deleted])

    async def _add(self) -> None:
        self._last += 1
        await say(self._store, f"t{self._last}", "new")

    async def _rename(self) -> None:
        await self._store.update_thread(self._any(), name="renamed")

    async def _use(self) -> None:
        thread_id = self._any()
        self._last += 1
        step = Step(
            id=f"use {self._last}",
            thread_id=thread_id,
            created_at=f"2026-01-01T00:00:00.{self._last:06}Z",
        )
        await self._store.create_step(step)
        self.moved.add(thread_id)

    async def _delete(self) -> None:
        thread_id = self._any()
        await self._store.delete_thread(thread_id)
        self.deleted.add(thread_id)


@pytest.mark.parametrize("seed", range(5))
async def test_what_nobody_touched_is_seen_once_and_nothing_twice(store: Store, seed: int) -> None:
    threads = [f"t{n}" for n in range(40, 0, -1)]
    for thread_id in threads:
        await say(store, thread_id, "something")
    others = Meanwhile(store, seed, threads)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = await store.list_threads(ADA, first=PAGE, cursor=cursor)
        assert not others.deleted & {thread.id for thread in page.items}
        seen += [thread.id for thread in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
        await others.happen()
    untouched = [each for each in threads if each not in others.moved | others.deleted]
    assert len(untouched) > PAGE
    assert [each for each in seen if each in untouched] == untouched
    assert len(seen) == len(set(seen))
