"""Threads are listed by owner, organisation and product, in pages."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from chainkeep.errors import InvalidInputError
from chainkeep.store import Store
from chainkeep.threads import Scope, Thread, Threads
from tests.threads.statements import statements_of


async def written(threads: Threads, name: str, **given: Any) -> Thread:
    thread = await threads.create(name, **given)
    await thread.add_message("user", f"words of {name}")
    return thread


@pytest.fixture
async def some(threads: Threads) -> Threads:
    """Six threads of two owners, two organisations and two products."""
    await written(threads, "1", owner="ada", org="acme", product="chat")
    await written(threads, "2", owner="ada", org="acme", product="docs")
    await written(threads, "3", owner="eve", org="acme", product="chat")
    await written(threads, "4", owner="eve", org="zeta", product="chat")
    await written(threads, "5", owner="ada")
    await written(threads, "6")
    gone = await written(threads, "7", owner="ada", org="acme", product="chat")
    await gone.delete()
    return threads


WANTED = [
    ({}, "654321"),
    ({"owner": "ada"}, "521"),
    ({"org": "acme"}, "321"),
    ({"product": "chat"}, "431"),
    ({"owner": "ada", "org": "acme"}, "21"),
    ({"org": "acme", "product": "chat"}, "31"),
    ({"owner": "eve", "product": "chat"}, "43"),
    ({"owner": "ada", "org": "acme", "product": "docs"}, "2"),
    ({"owner": "nobody"}, ""),
    ({"search": "WORDS of 3"}, "3"),
    ({"org": "acme", "search": "2"}, "2"),
]


@pytest.mark.parametrize(("given", "names"), WANTED, ids=str)
async def test_a_list_is_of_what_is_named(some: Threads, given: dict[str, Any], names: str) -> None:
    listed = await some.list(**given)
    assert "".join(thread.title for thread in listed.items) == names
    numbered = await some.page(**given, page_size=0)
    assert "".join(thread.title for thread in numbered.threads) == names
    assert numbered.total_count == len(names)


@pytest.mark.parametrize(
    "given", [{}, {"owner": "ada"}, {"org": "acme"}, {"product": "chat"}], ids=str
)
async def test_pages_follow_each_other_and_miss_nothing(
    some: Threads, given: dict[str, Any]
) -> None:
    whole = [thread.id for thread in (await some.list(**given)).items]
    seen: list[str] = []
    cursor = None
    while True:
        page = await some.list(**given, first=2, cursor=cursor)
        seen += [thread.id for thread in page.items]
        if (cursor := page.next_cursor) is None:
            break
    assert seen == whole
    numbered = [await some.page(**given, page=n, page_size=2) for n in (1, 2, 3)]
    assert [thread.id for page in numbered for thread in page.threads] == whole[:6]


async def test_a_numbered_page_counts_as_a_dict_too(some: Threads) -> None:
    page = await some.page("ada", page=2, page_size=2)
    assert page.pagination == {
        "total_count": 3, "total_pages": 2, "current_page": 2, "page_size": 2, "has_next": False,
        "has_previous": True,
    }  # fmt: skip
    beyond = await some.page("ada", page=9, page_size=2)
    assert (beyond.threads, beyond.has_next, beyond.has_previous) == ([], False, True)


async def test_votes_of_both_kinds_are_found(threads: Threads) -> None:
    for name, vote in (("down", 0), ("up", 1), ("none", None)):
        thread = await threads.create(name, owner="ada", org="acme")
        message = await thread.add_message("assistant", "a")
        await message.set_feedback(vote)
    for vote, name in ((0, "down"), (1, "up")):
        assert [t.title for t in (await threads.list(owner="ada", feedback=vote)).items] == [name]
        assert [t.title for t in (await threads.list(feedback=vote)).items] == [name]
        assert (await threads.page(org="acme", feedback=vote)).total_count == 1
    with pytest.raises(InvalidInputError, match="0 or 1"):
        await threads.list(feedback=2)


async def test_the_recent_threads_come_newest_first(some: Threads) -> None:
    assert [thread.title for thread in await some.list_recent(2)] == ["6", "5"]
    assert await some.list_recent(0) == []
    with pytest.raises(InvalidInputError):
        await some.find(limit=-1)


async def test_what_has_no_such_attribute_is_found(threads: Threads) -> None:
    await threads.create("with", owner="ada", attributes={"a": 1})
    await threads.create("null", owner="ada", attributes={"a": None})
    await threads.create("without", owner="ada", org="acme")
    await threads.create("hers", owner="eve")
    names = [t.title for t in await threads.find(owner="ada", attributes={"a": None})]
    assert names == ["without", "null"]
    assert [t.title for t in await threads.find(org="acme")] == ["without"]


async def test_what_is_found_keeps_to_organisation_and_product(some: Threads) -> None:
    for thread in (await some.list()).items:
        await thread.update(attributes={"a": True}, platforms={"slack": {"ts": "1"}})
    assert len(await some.find(attributes={"a": True}, org="acme", product="chat")) == 2
    inside = some.within(Scope(org="zeta"))
    assert [t.title for t in await inside.find(platform="slack")] == ["4"]


NOW = "2026-01-01T00:00:00.000000Z"
THOUSAND_THREADS = """
INSERT INTO threads (
    "id", "createdAt", "userId", "userIdentifier", "metadata", "lastActivityAt", "orgId"
)
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1000)
SELECT
    't' || n, CAST(:now AS TEXT), (SELECT "id" FROM users), 'ada', '{}', CAST(:now AS TEXT), 'acme'
FROM numbers
"""
TWENTY_STEPS_EACH = """
INSERT INTO steps (
    "id", "threadId", "type", "name", "input", "output", "createdAt", "streaming", "metadata",
    "favorite", "position", "revision"
)
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 20)
SELECT
    threads."id" || '/' || n, threads."id", 'user_message', 'User', '', 'words', CAST(:now AS TEXT),
    FALSE, '{}', FALSE, n, 0
FROM threads, numbers
"""


async def test_a_list_of_a_thousand_threads_takes_one_statement(
    threads: Threads, store: Store
) -> None:
    await threads.create("first", owner="ada")
    await store.execute(THOUSAND_THREADS, {"now": NOW})
    await store.execute(TWENTY_STEPS_EACH, {"now": NOW})
    everywhere: list[dict[str, Any]] = [{"owner": "ada"}, {"org": "acme"}, {}]
    for given in everywhere:
        assert len(await statements_of(partial(threads.list, **given, first=20))) == 1
        assert len(await statements_of(partial(threads.page, **given, page=3))) == 2
    assert len({thread.id for thread in await threads.list_recent(5000)}) == 1001
    page = await threads.within(Scope(user="ada", org="acme")).page(page=50, page_size=20)
    assert (len(page.threads), page.total_count, page.total_pages) == (20, 1000, 50)
