"""Lists from a replica: two servers, one of which follows the other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import Connection, text

from chainkeep.db import replica
from chainkeep.db.migrate import migrate
from chainkeep.db.search import Search
from chainkeep.db.search_queries import Filters
from chainkeep.errors import UnsupportedDatabaseError
from chainkeep.models import Caller, Step
from chainkeep.settings import DatabaseSettings, Settings
from chainkeep.store import Store
from tests.store.blobs import MemoryBlobs
from tests.support.databases import run_on
from tests.support.postgres import PostgresServer, postgres_servers
from tests.support.replica import ReplicaServer
from tests.support.waiting import eventually

ADA = "user-ada"


class Pair(NamedTuple):
    """Two servers with a database of the test's own."""

    primary: PostgresServer
    replica: ReplicaServer
    database: str


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[PostgresServer, ReplicaServer]]:
    newest = postgres_servers()[0]
    if not (newest.bindir / "pg_basebackup").exists():
        pytest.skip("these PostgreSQL binaries have no pg_basebackup")
    with PostgresServer(newest) as primary, ReplicaServer(primary) as replica:
        yield primary, replica


@pytest.fixture
async def pair(servers: tuple[PostgresServer, ReplicaServer]) -> AsyncIterator[Pair]:
    primary, replica = servers
    name = primary.create_database()
    there = text("SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = :name)")

    def arrived(connection: Connection) -> bool:
        return bool(connection.scalar(there, {"name": name}))

    await eventually(lambda: run_on(replica.url(), arrived))
    yield Pair(primary, replica, name)
    replica.restart("fast")


OpenStore = Callable[..., Store]


@pytest.fixture
async def open_store(pair: Pair, tmp_path: Path) -> AsyncIterator[OpenStore]:
    opened: list[Store] = []

    def open_one(replica_url: str | None = pair.replica.url(pair.database)) -> Store:
        database = DatabaseSettings(url=pair.primary.url(pair.database), replica_url=replica_url)
        settings = Settings(database=database, journal=str(tmp_path / f"journal{len(opened)}"))
        opened.append(Store(settings, blobs=MemoryBlobs()))
        return opened[-1]

    yield open_one
    for store in opened:
        await store.close()


@pytest.fixture
async def theirs(open_store: OpenStore) -> Store:
    """Another process's store, with one thread of ada's."""
    store = open_store(None)
    await store.update_thread("old", user_id=ADA)
    return store


@pytest.fixture
async def ours(theirs: Store, open_store: OpenStore, pair: Pair) -> Store:
    """A store with a replica, that has what there is, and does not follow any more."""
    await theirs.drain()
    await followed(pair, 1)
    pair.replica.hold()
    return open_store()


async def followed(pair: Pair, threads: int) -> None:
    """Wait until the replica has so many threads."""

    def count(connection: Connection) -> bool:
        tables = connection.scalar(text("SELECT to_regclass('threads') IS NOT NULL"))
        rows = tables and connection.scalar(text("SELECT count(id) FROM threads"))
        return bool(rows == threads)

    await eventually(lambda: run_on(pair.replica.url(pair.database), count))


async def listed(store: Store) -> list[str]:
    page = await store.list_threads(ADA, first=10)
    return sorted(thread.id for thread in page.items)


async def found(store: Store, words: str) -> list[str]:
    page = await store.list_threads(ADA, first=10, search=words)
    return [thread.id for thread in page.items]


def named(connection: Connection) -> bool:
    name = text('SELECT "name" FROM threads WHERE "id" = \'old\'')
    return connection.scalar(name) is not None


def say(store: Store, thread_id: str) -> object:
    step = Step(id=f"in {thread_id}", thread_id=thread_id, created_at="2026-01-01T00:00:00.000000Z")
    return store.create_step(step, caller=Caller(thread_id, "ada", ADA))


async def test_a_list_is_read_from_the_replica(ours: Store, theirs: Store) -> None:
    await theirs.update_thread("new", user_id=ADA)
    assert await listed(ours) == ["old"]
    assert await listed(theirs) == ["new", "old"]


async def test_what_is_known_of_who_reads_does_not_grow_with_their_number(
    ours: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica, "_MOST_USERS", 10)
    await ours.set_favorite("of nobody knows whom", True)
    for number in range(25):
        await ours.list_threads(f"user {number}", first=1)
    assert ours._replica is not None
    assert 0 < len(ours._replica._marks) <= 10
    _ = ours.update_thread("new", user_id=ADA)
    assert await listed(ours) == ["new", "old"]


@pytest.mark.parametrize("write", ["thread", "step", "deletion"])
async def test_what_this_process_wrote_is_listed_while_the_replica_is_behind(
    ours: Store, write: str
) -> None:
    if write == "thread":
        _ = ours.update_thread("new", user_id=ADA)
    elif write == "step":
        _ = say(ours, "new")
    else:
        _ = ours.delete_thread("old")
    expected = [] if write == "deletion" else ["new", "old"]
    assert [await listed(ours) for _ in range(3)] == [expected] * 3


async def test_the_replica_is_read_again_once_it_has_what_was_written(
    ours: Store, theirs: Store, pair: Pair
) -> None:
    await ours.update_thread("new", user_id=ADA)
    assert await listed(ours) == ["new", "old"]
    pair.replica.follow()
    await followed(pair, 2)
    pair.replica.hold()
    await theirs.update_thread("newest", user_id=ADA)
    assert await listed(ours) == ["new", "old"]


async def test_a_search_is_read_from_the_replica(ours: Store, theirs: Store) -> None:
    await theirs.update_thread("new", name="the old harbour", user_id=ADA)
    assert await found(ours, "HARBOUR") == []
    assert await found(theirs, "HARBOUR") == ["new"]


async def test_a_search_finds_what_this_process_wrote_while_the_replica_is_behind(
    ours: Store,
) -> None:
    _ = ours.update_thread("new", name="the old harbour", user_id=ADA)
    assert [await found(ours, "harbour") for _ in range(3)] == [["new"]] * 3


async def test_a_search_finds_on_the_replica_what_came_there_since(
    ours: Store, theirs: Store, pair: Pair
) -> None:
    await theirs.update_thread("new", name="the old harbour", user_id=ADA)
    pair.replica.follow()
    await followed(pair, 2)
    assert await found(ours, "harbour") == ["new"]


@pytest.mark.parametrize("written", [False, True], ids=["on the replica", "on the primary"])
async def test_the_statements_of_a_search_see_one_moment(
    ours: Store, theirs: Store, pair: Pair, written: bool
) -> None:
    await theirs.update_thread("old", name="the old harbour")
    pair.replica.follow()
    await eventually(lambda: run_on(pair.replica.url(pair.database), named))
    if written:
        await ours.update_thread("old", name="the harbour")
    state = text("SELECT pg_is_in_recovery(), current_setting('transaction_isolation')")

    def look(connection: Connection, *, ids: list[str]) -> list[object]:
        assert ids == ["old"]
        return list(connection.execute(state).one())

    search = Search(words="harbour", filters=Filters(user_id=ADA), count=2)
    assert await ours.search(search, look) == [not written, "repeatable read"]


async def test_another_users_write_sends_nobody_else_to_the_primary(
    ours: Store, theirs: Store
) -> None:
    await theirs.update_thread("new", user_id=ADA)
    await ours.update_thread("bobs", user_id="user-bob")
    await ours.save_user("bob", display_name=None, metadata={})
    assert await listed(ours) == ["old"]


async def test_lists_go_on_while_the_replica_is_away(
    ours: Store, theirs: Store, pair: Pair
) -> None:
    await theirs.update_thread("new", user_id=ADA)
    pair.replica.stop()
    assert [await listed(ours) for _ in range(2)] == [["new", "old"]] * 2


async def test_a_server_that_follows_nobody_is_not_read(
    open_store: OpenStore, theirs: Store, pair: Pair
) -> None:
    alone = pair.primary.create_database()
    await run_on(pair.primary.url(alone), migrate)
    store = open_store(pair.primary.url(alone))
    assert await listed(store) == await listed(theirs) == ["old"]


def test_a_file_is_no_replica() -> None:
    database = DatabaseSettings(url="postgresql://h/d", replica_url="sqlite:///a.db")
    with pytest.raises(UnsupportedDatabaseError):
        Store(Settings(database=database), blobs=MemoryBlobs())
