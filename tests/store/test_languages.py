"""Lists and searches on a server that sorts text as a language does: signs before digits, and
capitals beside their small letters.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from chainkeep.models import Feedback
from chainkeep.store import Store
from chainkeep.threads import open_threads
from tests.store.searching import ADA, found, say
from tests.support.postgres import PostgresDatabases

NEWEST_FIRST = [f"t{n}" for n in range(9, 0, -1)]


@pytest.fixture
def database_kind() -> str:
    return "postgresql"


@pytest.fixture
def make_database_url(
    trigram_postgres: PostgresDatabases, request: pytest.FixtureRequest
) -> Callable[[bool], str]:
    """Databases in the order of English."""

    def make(_migrated: bool) -> str:
        name = trigram_postgres.create_database()
        trigram_postgres.drop_database(name)
        trigram_postgres.execute(
            f"CREATE DATABASE \"{name}\" TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'"
        )
        request.addfinalizer(partial(trigram_postgres.drop_database, name))
        return trigram_postgres.url(name)

    return make


@pytest.fixture
async def said(store: Store) -> Store:
    """A store with nine threads of ada's."""
    await store.save_user("ada", display_name=None, metadata={})
    for n in range(1, 10):
        await say(store, f"t{n}", "a needle")
    return store


async def test_every_page_of_a_list_is_there(said: Store) -> None:
    pages: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        page = await said.list_threads(ADA, first=4, cursor=cursor)
        pages += [thread.id for thread in page.items]
        cursor = page.next_cursor
    assert (pages, cursor) == (NEWEST_FIRST, None)


async def test_a_list_of_what_was_voted_on_begins_at_the_newest(said: Store) -> None:
    for n in (3, 7):
        await said.save_feedback(Feedback(id=f"f{n}", for_id=f"t{n}.0", thread_id=f"t{n}", value=1))
    page = await said.list_threads(ADA, first=4, feedback=1)
    assert [thread.id for thread in page.items] == ["t7", "t3"]


@pytest.mark.parametrize("words", ["needle", "ne"])
async def test_a_search_finds_all(said: Store, words: str) -> None:
    assert await found(said, words) == NEWEST_FIRST


async def test_the_thread_api_lists_all(said: Store) -> None:
    async with open_threads(said) as threads:
        page = await threads.list()
    assert [thread.id for thread in page.items] == NEWEST_FIRST
