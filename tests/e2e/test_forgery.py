"""Requests that name what belongs to somebody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.socket_client import Account, Chat, Step

pytestmark = pytest.mark.e2e


@pytest.fixture
async def victim(alice: Account) -> AsyncIterator[Chat]:
    """An open chat of alice with a vote and a component in it."""
    async with alice.chat() as chat:
        await chat.say("show custom")
        await alice.vote(chat, _run(chat), 1, "mine")
        yield chat


@pytest.fixture
async def attacker(bob: Account) -> AsyncIterator[Chat]:
    """An open chat of bob."""
    async with bob.chat() as chat:
        await chat.say("hello")
        yield chat


def _run(chat: Chat) -> Step:
    return [run for run in chat.steps("run") if run["name"] == "on_message"][-1]


async def _stored(account: Account, chat: Chat) -> dict[str, Any]:
    thread: dict[str, Any] = (await account.thread(chat.thread_id)).json()
    # What the sidebar sorts by, and what the open page may still write, are not the question.
    return {"steps": thread["steps"], "elements": thread["elements"], "user": thread["userId"]}


async def test_a_vote_in_somebody_elses_chat_is_refused(
    alice: Account, bob: Account, victim: Chat, attacker: Chat
):
    before = await _stored(alice, victim)
    response = await bob.vote(attacker, _run(victim), 0, "forged")
    assert response.status_code >= 400
    assert await _stored(alice, victim) == before


async def test_a_vote_that_names_ones_own_thread_for_somebody_elses_step_is_refused(
    alice: Account, bob: Account, victim: Chat, attacker: Chat
):
    before = await _stored(alice, victim)
    forged = {**_run(victim), "threadId": attacker.thread_id}
    response = await bob.vote(attacker, forged, 0, "forged")
    assert response.status_code >= 400
    assert await _stored(alice, victim) == before


async def test_a_vote_on_somebody_elses_step_without_a_thread_is_refused(
    alice: Account, bob: Account, victim: Chat, attacker: Chat
):
    before = await _stored(alice, victim)
    response = await bob.vote(attacker, {**_run(victim), "threadId": None}, 0, "forged")
    assert response.status_code >= 400
    assert await _stored(alice, victim) == before


async def test_somebody_elses_vote_cannot_be_withdrawn(alice: Account, bob: Account, victim: Chat):
    before = await _stored(alice, victim)
    [feedback] = [step["feedback"] for step in before["steps"] if step.get("feedback")]
    response = await bob.withdraw_vote(feedback["id"])
    assert response.status_code >= 400
    assert await _stored(alice, victim) == before


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_somebody_elses_component_can_neither_be_changed_nor_deleted(
    alice: Account, victim: Chat, attacker: Chat, method: str
):
    before = await _stored(alice, victim)
    [component] = victim.elements.values()
    for named in (victim.thread_id, attacker.thread_id, ""):
        element = {**component, "threadId": named, "props": {"count": 666}}
        body = {"sessionId": attacker.session_id, "element": element}
        await attacker.account.http.request(method, "/project/element", json=body)
    # The page is told of success either way. A read waits for what was written before it.
    await attacker.account.thread(attacker.thread_id)
    assert await _stored(alice, victim) == before


async def test_a_message_under_somebody_elses_id_changes_nothing_of_theirs(
    alice: Account, victim: Chat, attacker: Chat
):
    before = await _stored(alice, victim)
    [message] = victim.steps("user_message")
    await attacker.say("overwritten", id=message["id"])
    assert await _stored(alice, victim) == before


async def test_a_message_that_names_somebody_elses_thread_stays_in_ones_own(
    alice: Account, victim: Chat, attacker: Chat
):
    before = await _stored(alice, victim)
    await attacker.say("intruding", threadId=victim.thread_id)
    assert await _stored(alice, victim) == before


async def test_a_star_on_somebody_elses_message_changes_nothing(
    alice: Account, victim: Chat, attacker: Chat
):
    before = await _stored(alice, victim)
    [message] = victim.steps("user_message")
    await attacker.star(message)
    await attacker.star(message, favorite=False)
    assert await _stored(alice, victim) == before


async def test_a_thread_id_that_is_a_piece_of_sql_is_only_an_id(alice: Account, victim: Chat):
    before = await _stored(alice, victim)
    async with alice.chat("x') OR ('1'='1", stored=False) as chat:
        await chat.say("hello from nowhere")
    assert await _stored(alice, victim) == before
    assert "x') OR ('1'='1" in [thread["id"] for thread in await alice.threads()]
