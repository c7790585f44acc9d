"""Thumbs, comments and stars."""

from __future__ import annotations

from typing import Any

import pytest
from chainlit.data.base import BaseDataLayer

from tests.support.socket_client import Account, Chat, Step

pytestmark = pytest.mark.e2e


def _run(chat: Chat) -> Step:
    return [run for run in chat.steps("run") if run["name"] == "on_message"][-1]


async def _feedback(account: Account, chat: Chat) -> Any:
    async with account.chat(chat.thread_id) as resumed:
        return _run(resumed).get("feedback")


async def test_a_vote_and_its_comment_come_back(alice: Account):
    async with alice.chat() as chat:
        await chat.say("what is 6 * 7?")
        response = await alice.vote(chat, _run(chat), 1, "The answer to everything")
    feedback = await _feedback(alice, chat)
    assert feedback["id"] == response.json()["feedbackId"]
    assert (feedback["value"], feedback["comment"]) == (1, "The answer to everything")
    assert type(feedback["value"]) is int


async def test_the_last_of_two_votes_counts(alice: Account):
    async with alice.chat() as chat:
        await chat.say("what is 6 * 7?")
        await alice.vote(chat, _run(chat), 1, "good")
        await alice.vote(chat, _run(chat), 0)
    feedback = await _feedback(alice, chat)
    assert (feedback["value"], feedback["comment"]) == (0, None)


async def test_a_vote_that_was_withdrawn_is_gone(alice: Account):
    async with alice.chat() as chat:
        await chat.say("what is 6 * 7?")
        response = await alice.vote(chat, _run(chat), 1)
        withdrawn = await alice.withdraw_vote(response.json()["feedbackId"])
        assert withdrawn.status_code == 200
    assert await _feedback(alice, chat) is None


async def test_a_vote_does_not_double_the_answer(alice: Account):
    async with alice.chat() as chat:
        await chat.say("what is 6 * 7?")
        for value in (1, 0, 1):
            await alice.vote(chat, _run(chat), value)
    thread = (await alice.thread(chat.thread_id)).json()
    ids = [step["id"] for step in thread["steps"]]
    assert len(ids) == len(set(ids))


async def test_a_starred_message_is_offered_in_the_next_chat(alice: Account):
    async with alice.chat() as chat:
        message = await chat.say("how high is the tide today?")
        await chat.star(message)
    async with alice.chat() as fresh:
        offered = {step["id"]: step["output"] for step in await fresh.fetch_favorites()}
    assert offered[message["id"]] == "how high is the tide today?"
    async with alice.chat(chat.thread_id) as resumed:
        assert resumed.find(message["id"])["metadata"]["favorite"] is True


@pytest.mark.skipif(
    not hasattr(BaseDataLayer, "set_step_favorite"),
    reason="this Chainlit stars the messages of the open chat only",
)
async def test_a_star_can_be_taken_away_from_a_chat_in_which_nothing_was_said(alice: Account):
    async with alice.chat() as chat:
        message = await chat.say("no longer a favourite")
        await chat.star(message)
    async with alice.chat() as fresh:
        await fresh.star(message, favorite=False)
    async with alice.chat() as later:
        assert message["id"] not in [step["id"] for step in await later.fetch_favorites()]


async def test_a_star_does_not_change_what_was_said(alice: Account):
    async with alice.chat() as chat:
        message = await chat.say("what is 2 + 3?")
        await chat.star(message)
    async with alice.chat(chat.thread_id) as resumed:
        assert resumed.texts() == ["what is 2 + 3?", "2 + 3 is **5**."]


async def test_a_star_is_for_its_owner_only(alice: Account, bob: Account):
    async with alice.chat() as chat:
        message = await chat.say("alice's favourite")
        await chat.star(message)
    async with bob.chat() as other:
        assert message["id"] not in [step["id"] for step in await other.fetch_favorites()]
