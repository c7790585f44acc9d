"""The list of chats: names, search, pages, deletion, and whose it is."""

from __future__ import annotations

import pytest

from tests.support.socket_client import Account, RefusedError

pytestmark = pytest.mark.e2e


async def _thread_about(account: Account, text: str) -> str:
    async with account.chat() as chat:
        await chat.say(text)
    return chat.thread_id


async def _ids(account: Account, search: str | None = None) -> list[str]:
    return [thread["id"] for thread in await account.threads(search)]


async def test_the_newest_chat_stands_first_under_its_first_words(alice: Account):
    thread = await _thread_about(alice, "words that name it")
    newest = (await alice.threads())[0]
    assert (newest["id"], newest["name"]) == (thread, "words that name it")


async def test_a_new_message_moves_a_chat_up(alice: Account):
    old = await _thread_about(alice, "the old one")
    new = await _thread_about(alice, "the new one")
    async with alice.chat(old) as chat:
        await chat.say("again")
    assert (await _ids(alice))[:2] == [old, new]


async def test_pages_hold_every_chat_once(alice: Account):
    made = {await _thread_about(alice, f"page {number}") for number in range(3)}
    seen: list[str] = []
    cursor = None
    for _ in range(100):
        page = await alice.page(first=2, cursor=cursor)
        seen += [thread["id"] for thread in page["data"]]
        cursor = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert made <= set(seen)
    assert len(seen) == len(set(seen))


async def test_a_name_that_was_given_survives_the_next_message(alice: Account):
    thread = await _thread_about(alice, "dull")
    assert (await alice.rename(thread, "A better name")).status_code == 200
    async with alice.chat(thread) as chat:
        await chat.say("go on")
    assert (await alice.threads())[0]["name"] == "A better name"


async def test_search_looks_at_titles_and_at_what_was_said(alice: Account):
    thread = await _thread_about(alice, "a Nautilus, 50% off_season")
    await alice.rename(thread, "Spiral shells")
    assert await _ids(alice, "nautilus") == [thread]
    assert await _ids(alice, "SPIRAL") == [thread]
    assert await _ids(alice, "50% off_") == [thread]
    assert await _ids(alice, "50_ off%") == []


async def test_search_sees_the_bots_answers(alice: Account):
    thread = await _thread_about(alice, "what is 1234 * 1001?")
    assert await _ids(alice, "1,235,234") == [thread]


async def test_a_deleted_chat_is_gone(alice: Account):
    thread = await _thread_about(alice, "to be forgotten entirely")
    assert (await alice.delete(thread)).status_code == 200
    assert thread not in await _ids(alice)
    assert await _ids(alice, "forgotten entirely") == []
    assert (await alice.thread(thread)).status_code == 404


async def test_a_chat_that_is_deleted_while_open_stays_away(alice: Account):
    async with alice.chat() as chat:
        await chat.say("open and deleted")
        await alice.delete(chat.thread_id)
        await chat.say("still talking")
    assert chat.thread_id not in await _ids(alice)
    assert (await alice.thread(chat.thread_id)).status_code == 404


async def test_a_chat_that_does_not_exist_is_not_found(alice: Account):
    assert (await alice.thread("no-such-thread")).status_code == 404


async def test_another_user_neither_sees_nor_finds_nor_opens_a_chat(alice: Account, bob: Account):
    thread = await _thread_about(alice, "for nobody else, xylophone")
    assert thread not in await _ids(bob)
    assert await _ids(bob, "xylophone") == []
    assert (await bob.thread(thread)).status_code == 401
    with pytest.raises(RefusedError):
        await bob.chat(thread).connect()


async def test_another_user_can_neither_rename_nor_share_nor_delete_a_chat(
    alice: Account, bob: Account
):
    thread = await _thread_about(alice, "hands off")
    for attempt in (bob.rename(thread, "mine"), bob.share(thread), bob.delete(thread)):
        assert (await attempt).status_code == 401
    kept = (await alice.thread(thread)).json()
    assert kept["name"] == "hands off"
    assert not kept["metadata"].get("is_shared")
