"""The store as its callers see it, beside what Chainlit demands of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chainkeep.attachments import Content
from chainkeep.errors import InvalidInputError, StorageError
from chainkeep.models import Caller, Element, Feedback, Step, ThreadContent
from chainkeep.settings import DatabaseSettings, Settings
from chainkeep.store import Store
from tests.store.blobs import MemoryBlobs
from tests.store.conftest import OpenStore
from tests.support.faults import FaultProxy
from tests.support.postgres import PostgresServer, postgres_servers
from tests.threads.statements import statements_of

MOMENT = "2026-01-01T00:00:0{}.000000Z"
ADA = Caller(thread_id="t", identifier="ada")


def step(step_id: str = "s", thread_id: str = "t", second: int = 1, **fields: Any) -> Step:
    return Step(id=step_id, thread_id=thread_id, created_at=MOMENT.format(second), **fields)


def vote(value: int = 1) -> Feedback:
    return Feedback(id="v", for_id="s", thread_id="t", value=value)


# Reads come after writes


WRITES: dict[str, Callable[[Store], asyncio.Future[Any]]] = {
    "create": lambda store: store.create_step(step("new")),
    "update": lambda store: store.update_step(step(output="newer"), given=["output"]),
    "delete by its caller": lambda store: store.delete_step("s", caller=ADA),
    "delete element": lambda store: store.delete_element("e", thread_id="t"),
    "element": lambda store: store.save_element(Element(id="new", thread_id="t")),
    "rename": lambda store: store.update_thread("t", name="renamed"),
    "vote": lambda store: store.save_feedback(vote(0)),
    "delete thread": lambda store: store.delete_thread("t"),
}
UNADDRESSED: dict[str, Callable[[Store], asyncio.Future[Any]]] = {
    "delete by nobody": lambda store: store.delete_step("s"),
    "star": lambda store: store.set_favorite("s", True),
    "take a vote back": lambda store: store.delete_feedback("v"),
    "delete an element of any thread": lambda store: store.delete_element("e"),
}
SAID = [pytest.param(write, id=name) for name, write in {**WRITES, **UNADDRESSED}.items()]


@pytest.fixture
async def filled(store: Store) -> Store:
    """A store with one thread that has one of everything."""
    await store.create_step(step(output="first"), caller=ADA)
    await store.save_element(Element(id="e", thread_id="t", for_id="s"))
    await store.save_feedback(vote())
    return store


@pytest.mark.parametrize("write", SAID)
async def test_a_thread_is_read_after_the_writes_that_nobody_waited_for(
    filled: Store, write: Callable[[Store], asyncio.Future[Any]]
) -> None:
    before = await filled.get_thread("t")
    written = write(filled)
    after = await filled.get_thread("t")
    await written
    assert after != before
    assert after == await filled.get_thread("t")


# Lists


async def pages(store: Store, first: int) -> list[list[str]]:
    found: list[list[str]] = []
    cursor: str | None = None
    while True:
        page = await store.list_threads("ada", first=first, cursor=cursor)
        found.append([thread.id for thread in page.items])
        if page.next_cursor is None:
            return found
        cursor = page.next_cursor


@pytest.fixture
async def five_threads(store: Store) -> Store:
    """Threads own0 to own4, two of them last active at the same time; five more are deleted."""
    for number, second in enumerate([1, 2, 3, 3, 4]):
        await store.update_thread(f"t{number}", user_id="ada")
        await store.delete_thread(f"t{number}")
        await store.create_step(
            step(f"s{number}", f"own{number}", second),
            caller=Caller(thread_id=f"own{number}", identifier="ada", user_id="ada"),
        )
    return store


async def test_pages_follow_each_other_newest_first_without_gap_or_repeat(
    five_threads: Store,
) -> None:
    assert await pages(five_threads, 2) == [["own4", "own3"], ["own2", "own1"], ["own0"]]


async def test_a_list_that_ends_with_a_page_names_no_next_one(five_threads: Store) -> None:
    assert await pages(five_threads, 5) == [["own4", "own3", "own2", "own1", "own0"]]


async def test_a_cursor_outlives_the_thread_that_it_was_made_from(five_threads: Store) -> None:
    page = await five_threads.list_threads("ada", first=2)
    await five_threads.delete_thread("own3")
    following = await five_threads.list_threads("ada", first=2, cursor=page.next_cursor)
    assert [thread.id for thread in following.items] == ["own2", "own1"]


async def test_a_page_holds_one_thread_at_least(five_threads: Store) -> None:
    assert len((await five_threads.list_threads("ada", first=-3)).items) == 1


@pytest.mark.parametrize("cursor", ["x", "bm90IG91cnM=", "WzIsICJhIiwgImIiXQ==", "é"])
async def test_another_cursor_is_refused(five_threads: Store, cursor: str) -> None:
    with pytest.raises(InvalidInputError, match="without one"):
        await five_threads.list_threads("ada", first=2, cursor=cursor)


# Several stores


async def test_metadata_from_two_processes_is_merged_key_by_key(open_store: OpenStore) -> None:
    one, other = open_store(), open_store()
    await one.update_thread("t", metadata={})
    await asyncio.gather(
        *(
            store.update_thread("t", metadata={f"{name}{n}": n})
            for n in range(20)
            for name, store in (("a", one), ("b", other))
        )
    )
    content = await one.get_thread("t")
    assert content is not None
    assert len(content.thread.metadata) == 40


async def test_an_owner_is_set_once_whoever_comes_later(open_store: OpenStore) -> None:
    one, other = open_store(), open_store()
    await one.create_step(step("a"), caller=ADA)
    await other.create_step(step("b"), caller=Caller(thread_id="t", identifier="eve"))
    assert await one.thread_author("t") == "ada"


# Twice


async def test_steps_that_gather_go_to_postgresql_in_one_statement(
    open_store: OpenStore, make_postgres: Callable[[bool], str]
) -> None:
    store = open_store(make_postgres(True))
    await store.create_step(step("first"))

    async def gather() -> None:
        steps = [step(str(number)) for number in range(20)]
        await asyncio.gather(*map(store.create_step, steps))

    [statement] = await statements_of(gather)
    assert "INSERT INTO steps" in statement
    content = await store.get_thread("t")
    assert content is not None
    assert len(content.steps) == 21


TEXTS = ["", "\0", "\ufdd0\ufdd1", "é\n\t\\", "NULL", "{a,b}", '"']


@pytest.mark.parametrize("odd", ["none", "\x1f", "\x1e", "a\x1fb\x1e"])
async def test_steps_that_gather_are_written_whole_whatever_their_texts_hold(
    open_store: OpenStore, odd: str
) -> None:
    store = open_store()
    steps = [step(f"{n}", output=text) for n, text in enumerate([*TEXTS, odd])]
    await asyncio.gather(*map(store.create_step, steps))
    content = await store.get_thread("t")
    assert content is not None
    assert [each.output for each in content.steps] == [*TEXTS, odd]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server of this module's own."""
    with PostgresServer(postgres_servers()[0]) as running:
        yield running


@pytest.fixture
async def proxied(
    server: PostgresServer, tmp_path: Path
) -> AsyncIterator[tuple[Store, FaultProxy]]:
    """A store whose way to the database can be cut."""
    name = await server.acreate_database()
    async with FaultProxy(server.port) as proxy:
        url = f"postgresql+asyncpg://postgres@127.0.0.1:{proxy.port}/{name}"
        settings = Settings(database=DatabaseSettings(url=url), journal=str(tmp_path / "journal"))
        store = Store(settings, blobs=MemoryBlobs())
        yield store, proxy
        await store.close()


async def tell(store: Store, lose: Callable[[], None]) -> ThreadContent | None:
    """Write in every way, the answers lost where ``lose`` does so; the thread in the end."""
    writes: list[Callable[[], asyncio.Future[Any]]] = [
        lambda: store.save_user("ada", display_name="Ada", metadata={"n": 1}),
        lambda: store.create_step(step(output="first"), caller=ADA),
        lambda: store.create_step(step("below", second=2, parent_id="s"), caller=ADA),
        lambda: store.update_step(
            step(output="last", extra={"icon": "x"}), given=["output", "extra"]
        ),
        lambda: store.update_thread("t", name="Title", metadata={"a": 1, "b": 2}),
        lambda: store.update_thread("t", metadata={"a": None}),
        lambda: store.save_feedback(vote()),
        lambda: store.set_favorite("s", True),
        lambda: store.save_element(
            Element(id="e", thread_id="t", for_id="s"), Content(source=b"bytes")
        ),
        lambda: store.save_element(Element(id="gone", thread_id="t")),
        lambda: store.delete_element("gone", thread_id="t"),
        lambda: store.delete_step("below"),
    ]
    await store.update_thread("another")
    for write in writes:
        lose()
        await write()
    return await store.get_thread("t")


def without_what_differs(content: ThreadContent | None) -> Any:
    assert content is not None
    deleted = [each.deleted_at is not None for each in content.steps]
    steps = [(s.id, s.output, s.metadata, s.extra, s.parent_id, s.feedback) for s in content.steps]
    return content.thread.name, content.thread.metadata, steps, deleted, content.elements


async def test_a_write_that_is_done_twice_because_its_answer_was_lost_leaves_what_once_leaves(
    proxied: tuple[Store, FaultProxy], open_store: OpenStore, make_sqlite: Callable[[bool], str]
) -> None:
    store, proxy = proxied
    cut = await tell(store, lambda: proxy.cut_answer_to(b"COMMIT;"))
    whole = await tell(open_store(make_sqlite(True)), lambda: None)
    assert without_what_differs(cut) == without_what_differs(whole)
    assert proxy.connections > 10


# The end


async def test_a_store_that_was_never_used_closes(
    open_store: OpenStore, blobs: MemoryBlobs
) -> None:
    await open_store().close()
    assert blobs.closed == 1


async def test_what_was_handed_over_is_there_after_closing(open_store: OpenStore) -> None:
    store = open_store()
    for number in range(100):
        _ = store.create_step(step(f"s{number}"))
    await store.close()
    content = await open_store().get_thread("t")
    assert content is not None
    assert len(content.steps) == 100


async def test_a_statement_of_ones_own_raises_our_errors(store: Store) -> None:
    with pytest.raises(StorageError):
        await store.execute("SELECT nothing FROM users", {})
    assert await store.execute("SELECT 1 AS one", {}) == [{"one": 1}]
