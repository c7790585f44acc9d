"""Searching by the Thread API, and the snippets that it shows."""

from __future__ import annotations

from typing import Any

import pytest

from chainkeep.threads import Found, Scope, Threads, open_threads_blocking
from chainkeep.threads.finding import snippet


async def titles(threads: Threads, words: str, **where: Any) -> list[str | None]:
    return [found.thread.name for found in (await threads.search(words, **where)).items]


async def test_a_search_says_where_it_found_the_words(threads: Threads) -> None:
    thread = await threads.create("Parcels and parcels", owner="ada")
    asked = await thread.add_message("user", "Where is my PARCEL?")
    await thread.add_message("assistant", "On its way.")
    await thread.add_message("reviewer", "a parcel in private", private=True)
    [found] = (await threads.search("parcel", owner="ada")).items
    assert found.thread.id == thread.id
    title, message = found.snippets
    assert (title.message_id, title.highlights) == (None, [(0, 6), (12, 18)])
    assert (message.message_id, message.text) == (asked.id, "Where is my PARCEL?")
    assert message.highlights == [(12, 18)]


async def test_a_thread_shows_its_three_newest_places(threads: Threads) -> None:
    thread = await threads.create(owner="ada")
    for n in range(5):
        await thread.add_message("user", f"needle {n}")
    [found] = (await threads.search("needle", owner="ada")).items
    assert [each.text for each in found.snippets] == ["needle 4", "needle 3", "needle 2"]


async def test_a_search_has_pages_of_both_kinds(threads: Threads) -> None:
    for n in range(5):
        await threads.create(f"needle {n}", owner="ada")
    await threads.create("hay", owner="ada")
    first = await threads.search("needle", owner="ada", first=3)
    rest = await threads.search("needle", owner="ada", first=3, cursor=first.next_cursor)
    seen = [found.thread.name for found in (*first.items, *rest.items)]
    assert seen == [f"needle {n}" for n in (4, 3, 2, 1, 0)]
    assert rest.next_cursor is None
    page = await threads.page("ada", search="NEEDLE", page=2, page_size=2)
    assert [thread.name for thread in page.threads] == ["needle 2", "needle 1"]
    assert (page.total_count, page.total_pages) == (5, 3)


async def test_a_search_keeps_to_its_scope(threads: Threads) -> None:
    await threads.create("needle of ada", owner="ada", org="north", product="chat")
    await threads.create("needle of bob", owner="bob", org="north")
    await threads.create("needle of nobody")
    assert await titles(threads, "needle") == [
        "needle of nobody", "needle of bob", "needle of ada",
    ]  # fmt: skip
    assert await titles(threads, "needle", owner="ada") == ["needle of ada"]
    assert await titles(threads, "needle", org="north") == ["needle of bob", "needle of ada"]
    assert await titles(threads, "needle", product="chat") == ["needle of ada"]
    assert await titles(threads, "needle", owner="who?") == []
    within = threads.within(Scope(user="bob", any_org=True))
    assert await titles(within, "needle") == ["needle of bob"]


async def test_a_search_for_nothing_finds_everything_and_shows_nothing(threads: Threads) -> None:
    thread = await threads.create("a chat", owner="ada")
    assert (await threads.search("", owner="ada")).items == [Found(thread=thread, snippets=[])]


def test_a_snippet_is_short_and_says_what_it_leaves_out() -> None:
    text = "x" * 500 + " the needle " + "y" * 500
    found = snippet(text, "needle", message_id="m")
    assert found is not None
    [(begin, end)] = found.highlights
    assert found.text[begin:end] == "needle"
    assert found.text.startswith("…")
    assert found.text.endswith("…")
    assert len(found.text) < 250


def test_a_script_that_does_not_await_can_search(
    tmp_path: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(str(tmp_path))
    with open_threads_blocking("sqlite+aiosqlite:///chat.db") as threads:
        threads.create("a needle")
        [found] = threads.search("needle").items
        assert [message.text for message in found.thread.messages()] == []
