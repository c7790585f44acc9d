"""What is told again without asking the database, and what is not."""

from __future__ import annotations

import asyncio

import pytest

from chainkeep.models import Step
from chainkeep.settings import DatabaseSettings, Settings
from chainkeep.store import Store
from tests.store.conftest import OpenStore
from tests.threads.statements import statements_of


@pytest.fixture
async def owned(store: Store) -> Store:
    """A store with ada's thread."""
    user = await store.save_user("ada", display_name="Ada", metadata={"role": "reader"})
    await store.update_thread("t", user_id=user.id, user_identifier="ada")
    return store


async def test_a_user_and_an_owner_are_asked_for_once(owned: Store) -> None:
    for read in (lambda: owned.get_user("ada"), lambda: owned.thread_author("t")):
        assert len(await statements_of(read)) == 1
        assert await statements_of(read) == []


async def test_the_cache_can_be_switched_off(database_url: str) -> None:
    settings = Settings(database=DatabaseSettings(url=database_url), cache_seconds=0)
    store = Store(settings)
    await store.save_user("ada", display_name=None, metadata={})
    for _ in range(2):
        assert len(await statements_of(lambda: store.get_user("ada"))) == 1
    await store.close()


async def test_that_nobody_is_there_is_asked_again(store: Store, open_store: OpenStore) -> None:
    assert await store.get_user("ada") is None
    assert await store.thread_author("t") is None
    other = open_store()
    user = await other.save_user("ada", display_name=None, metadata={})
    await other.update_thread("t", user_id=user.id)
    assert await store.get_user("ada") == user
    assert await store.thread_author("t") == "ada"


async def test_a_user_is_read_as_this_process_last_wrote_it(owned: Store) -> None:
    await owned.get_user("ada")
    saving = owned.save_user("ada", display_name="Ada", metadata={"role": "admin"})
    found = await owned.get_user("ada")
    assert found is not None
    assert found == await saving
    assert found == await owned.get_user("ada")


async def test_a_thread_that_this_process_deleted_has_no_owner(owned: Store) -> None:
    assert await owned.thread_author("t") == "ada"
    deleting = owned.delete_thread("t")
    assert await owned.thread_author("t") is None
    await deleting
    assert await owned.thread_author("t") is None


async def test_a_thread_that_is_deleted_while_its_owner_is_read_has_none_afterwards(
    owned: Store,
) -> None:
    reading = asyncio.ensure_future(owned.thread_author("t"))
    await asyncio.sleep(0)
    await owned.delete_thread("t")
    await reading
    assert await owned.thread_author("t") is None


async def test_a_statement_of_the_apps_own_is_seen_at_once(owned: Store) -> None:
    await owned.get_user("ada")
    await owned.execute("UPDATE users SET metadata = :it", {"it": '{"role": "admin"}'})
    found = await owned.get_user("ada")
    assert found is not None
    assert found.metadata == {"role": "admin"}


async def test_who_changes_a_user_that_was_read_changes_nobody_elses(owned: Store) -> None:
    for _ in range(2):
        found = await owned.get_user("ada")
        assert found is not None
        assert found.metadata == {"role": "reader"}
        found.metadata["role"] = "admin"


async def test_a_step_that_is_written_leaves_its_threads_owner_known(owned: Store) -> None:
    await owned.thread_author("t")
    await owned.create_step(Step(id="s", thread_id="t", created_at="2026-01-01T00:00:00.000000Z"))
    assert await statements_of(lambda: owned.thread_author("t")) == []
