"""What was said before an adoption is found after it, indexed or not."""

from __future__ import annotations

from pathlib import Path

import pytest

from chainkeep.db import indexer, search_queries
from chainkeep.settings import DatabaseSettings, Settings
from chainkeep.store import Store
from tests.support.waiting import eventually
from tests.transfer.conftest import EMPTY_THREAD, THREAD, History


async def answers(store: Store, history: History) -> list[set[str]]:
    """For old words, the title of both threads, signs, and words that nobody said."""
    pages = [
        await store.list_threads(history.user_id, first=10, search=words)
        for words in ("drop table STEPS", "CHAT 🙂", "'s \"U", "nobody said so")
    ]
    return [{thread.id for thread in page.items} for page in pages]


async def test_adopted_rows_are_found_before_and_after_they_are_indexed(
    adopted: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexer, "FIRST_PAUSE", 1000)
    expected = [{THREAD}, {THREAD, EMPTY_THREAD}, {THREAD}, set()]
    settings = Settings(
        database=DatabaseSettings(url=adopted.url), journal=str(tmp_path / "journal")
    )
    store = Store(settings)
    waiting = await store._database.read(search_queries.search_waiting)
    assert waiting >= 3  # both threads and the question at least
    assert await answers(store, adopted) == expected
    assert await store._database.read(search_queries.search_waiting) == waiting
    await store.close()

    monkeypatch.setattr(indexer, "FIRST_PAUSE", 0.01)
    store = Store(settings)

    async def indexed() -> bool:
        store._indexer.wake()
        return await store._database.read(search_queries.search_waiting) == 0

    await eventually(indexed)
    assert await answers(store, adopted) == expected
    await store.close()
