"""What was said is there when the chat is opened again."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.socket_client import Account, Chat, Step, walk

pytestmark = pytest.mark.e2e


def outline(messages: list[Step]) -> list[tuple[str, str, str, str]]:
    """What is shown of what was said, and of what that led to."""
    said = (step for step in messages if step["type"] == "user_message")
    return [(s["type"], s["name"], s.get("input") or "", s["output"]) for s in walk(said)]


async def _closed(account: Account, chat: Chat) -> None:
    """Wait until the server has noticed that a chat was closed; it writes the settings then."""
    for _ in range(200):
        if "chat_settings" in (await account.thread(chat.thread_id)).json()["metadata"]:
            return
        await asyncio.sleep(0.02)
    raise TimeoutError("the settings were never written")


async def test_a_resumed_chat_shows_the_tree_that_was_shown_before(alice: Account):
    async with alice.chat() as chat:
        await chat.say("what is 12 * (3 + 4)?")
        await chat.say("tell me a story")
        before = outline(chat.messages)
    async with alice.chat(chat.thread_id) as resumed:
        assert outline(resumed.messages) == before


async def test_the_bot_remembers_what_was_said_before(alice: Account):
    async with alice.chat() as chat:
        await chat.say("the tide is high")
    async with alice.chat(chat.thread_id) as resumed:
        await resumed.say("what did I say?")
        assert "1. the tide is high" in resumed.texts()[-1]


async def test_a_chat_can_be_opened_in_a_second_window_at_once(alice: Account):
    async with alice.chat() as chat:
        await chat.say("in the first window")
        async with alice.chat(chat.thread_id) as second:
            assert second.texts() == chat.texts()


async def test_a_question_in_the_middle_of_a_chat_is_kept_with_its_answer(alice: Account):
    async with alice.chat(answers={"What is your": "cockle"}) as chat:
        await chat.say("ask me something")
    async with alice.chat(chat.thread_id) as resumed:
        assert resumed.texts()[-3:] == [
            "What is your favourite shell?",
            "cockle",
            "“cockle” it is.",
        ]


async def test_an_edited_message_is_kept_and_what_came_after_it_is_not(alice: Account):
    async with alice.chat() as chat:
        first = await chat.say("what is 1 + 1?")
        await chat.say("a remark")
        await chat.edit(first, "what is 20 + 2?")
    async with alice.chat(chat.thread_id) as resumed:
        assert resumed.texts()[0] == "what is 20 + 2?"
        assert "a remark" not in resumed.texts()
        assert resumed.texts()[-1] == "20 + 2 is **22**."


async def test_a_dropped_connection_loses_nothing(alice: Account):
    async with alice.chat() as chat:
        await chat.say("the line is bad")
        await chat.drop()
        async with alice.chat(chat.thread_id) as resumed:
            assert resumed.texts() == chat.texts()


async def test_the_profile_and_the_settings_of_a_chat_come_back(alice: Account):
    async with alice.chat(profile="Abacus") as chat:
        await chat.change_settings(shout=True, pace=0)
        await chat.say("hello")
    await _closed(alice, chat)
    async with alice.chat(chat.thread_id) as resumed:
        assert resumed.settings == {"shout": True, "pace": 0}
        await resumed.say("what is 2 + 2?")
        assert resumed.texts()[-1] == "4"


async def test_the_numbers_of_a_model_call_are_kept(alice: Account):
    async with alice.chat() as chat:
        await chat.say("tell me a story")
        [live] = chat.steps("llm")
    async with alice.chat(chat.thread_id) as resumed:
        [kept] = resumed.steps("llm")
        assert kept["generation"] == live["generation"]
        assert kept["generation"]["outputTokenCount"] > 0


async def test_nothing_is_kept_of_a_visit_in_which_nothing_was_said(alice: Account):
    before = await alice.threads()
    async with alice.chat():
        pass
    assert await alice.threads() == before


async def test_looking_at_an_old_chat_does_not_move_it_up(alice: Account):
    async with alice.chat() as old:
        await old.say("the older one")
    async with alice.chat() as new:
        await new.say("the newer one")
    async with alice.chat(old.thread_id):
        pass
    newest_two = [thread["id"] for thread in await alice.threads()][:2]
    assert newest_two == [new.thread_id, old.thread_id]
