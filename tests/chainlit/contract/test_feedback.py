"""Thumbs: one per step, and only from whoever the chat belongs to."""

from __future__ import annotations

import asyncio
from typing import Any

import chainlit as cl
import pytest
from chainlit.types import Feedback

from chainkeep.chainlit import ChainkeepDataLayer
from chainkeep.errors import ChainkeepError, StorageError
from tests.chainlit.contract.chats import App, Chat, as_sent, everything_fired, in_slack, step_dict


async def voted(app: App, step_id: str = "step", thread_id: str = "thread") -> Any:
    return (await app.step(thread_id, step_id))["feedback"]


async def votes(layer: ChainkeepDataLayer) -> Any:
    return await layer.execute_sql('SELECT * FROM feedbacks ORDER BY "id"', {})


async def test_a_vote_comes_back_with_its_step(app: App):
    await app.layer.create_step(step_dict(type="run"))
    vote = Feedback(forId="step", value=1, threadId="thread", comment="good\0 🐚")
    feedback_id = await app.layer.upsert_feedback(feedback=vote)
    feedback = await voted(app)
    assert feedback == {"forId": "step", "id": feedback_id, "value": 1, "comment": "good\0 🐚"}
    assert type(feedback["value"]) is int
    assert vote.id == feedback_id


async def test_a_step_nobody_voted_on_has_no_feedback(app: App):
    await app.layer.create_step(step_dict())
    assert await voted(app) is None


async def test_a_second_vote_replaces_the_first_and_keeps_its_id(app: App):
    await app.layer.create_step(step_dict())
    first = await app.layer.upsert_feedback(Feedback(forId="step", value=1, comment="good"))
    second = await app.layer.upsert_feedback(Feedback(forId="step", value=0, comment="bad"))
    third = await app.layer.upsert_feedback(Feedback(forId="step", value=0, id=first))
    assert first == second == third
    assert await voted(app) == {"forId": "step", "id": first, "value": 0, "comment": None}


async def test_many_votes_at_once_are_one_and_do_not_double_the_step(app: App):
    await app.layer.create_step(step_dict())
    ids = await asyncio.gather(
        *(app.layer.upsert_feedback(Feedback(forId="step", value=1)) for _ in range(8))
    )
    assert len(set(ids)) == 1
    assert len(await app.steps("thread")) == 1


async def test_a_vote_without_a_thread_is_kept_and_belongs_to_its_steps(app: App):
    chat = await app.spoken(text="hi")
    [step] = await app.steps(chat.thread_id)
    await in_slack(
        lambda: app.layer.upsert_feedback(Feedback(forId=step["id"], value=0, threadId=None)),
        chat.thread_id,
    )
    assert (await voted(app, step["id"], chat.thread_id))["value"] == 0
    assert await app.listed(feedback=0) == [chat.thread_id]


async def test_a_vote_may_come_before_its_step(app: App):
    await app.layer.upsert_feedback(Feedback(forId="step", value=1, threadId="thread"))
    await app.layer.create_step(step_dict())
    assert (await voted(app))["value"] == 1


async def test_a_vote_that_is_taken_back_is_gone(app: App):
    await app.layer.create_step(step_dict())
    feedback_id = await app.layer.upsert_feedback(Feedback(forId="step", value=1))
    assert await app.layer.delete_feedback(feedback_id) is True
    assert await voted(app) is None
    assert await app.layer.delete_feedback(feedback_id) is False
    assert await app.layer.delete_feedback("never there") is False


async def test_a_vote_on_a_deleted_step_goes_with_it(app: App):
    await app.layer.create_step(step_dict())
    await app.layer.upsert_feedback(Feedback(forId="step", value=1, comment="private"))
    await app.layer.delete_step("step")
    assert await votes(app.layer) == []


async def test_an_update_of_the_step_does_not_touch_the_vote(app: App):
    await app.layer.create_step(step_dict())
    await app.layer.upsert_feedback(Feedback(forId="step", value=1, comment="good"))
    read = await app.step("thread", "step")
    read["feedback"]["value"] = 0
    await app.layer.update_step(read)  # type: ignore[arg-type]
    await app.layer.update_step(step_dict(feedback=None))
    assert (await voted(app))["value"] == 1


async def test_the_id_of_another_steps_vote_is_refused(app: App):
    await app.layer.create_step(step_dict("a"))
    await app.layer.create_step(step_dict("b"))
    first = await app.layer.upsert_feedback(Feedback(forId="a", value=1))
    with pytest.raises(ChainkeepError):
        await app.layer.upsert_feedback(Feedback(forId="b", value=0, id=first))
    assert (await voted(app, "a"))["value"] == 1
    assert await voted(app, "b") is None


@pytest.mark.usefixtures("own_database")
async def test_a_database_that_cannot_take_a_vote_says_so(app: App):
    await app.layer.create_step(step_dict())
    await app.layer.execute_sql("DROP TABLE feedbacks", {})
    with pytest.raises(StorageError):
        await app.layer.upsert_feedback(Feedback(forId="step", value=1))
    with pytest.raises(StorageError):
        await app.layer.delete_feedback("any")


@pytest.fixture
async def chat(app: App) -> Chat:
    """A chat of alice's with an answer in it."""
    chat = await app.spoken("alice")
    with chat:
        await cl.Message("answer", id="the answer").send()
    await everything_fired()
    return chat


async def vote(app: App, chat: Chat, identifier: str, **feedback: Any) -> int:
    """Somebody votes on alice's answer over HTTP; the status."""
    given = {"forId": "the answer", "value": 0, "threadId": chat.thread_id, **feedback}
    async with app.http(identifier) as http:
        body = {"feedback": given, "sessionId": chat.session.id}
        return (await http.put("/feedback", json=body)).status_code


async def test_the_owner_votes_over_http(app: App, chat: Chat):
    assert await vote(app, chat, "alice", value=1, comment="good") == 200
    feedback = await voted(app, "the answer", chat.thread_id)
    assert (feedback["value"], feedback["comment"]) == (1, "good")
    as_sent(feedback)


async def test_a_stranger_votes_on_nothing_whatever_thread_is_named(app: App, chat: Chat):
    assert await vote(app, chat, "alice", value=1) == 200
    own = await app.spoken("mallory")
    for thread_id in (chat.thread_id, own.thread_id, None, "no such thread"):
        assert await vote(app, chat, "mallory", threadId=thread_id) == 500
    stored = await voted(app, "the answer", chat.thread_id)
    assert stored["value"] == 1
    assert await vote(app, own, "mallory", forId="the answer", id=stored["id"]) == 500
    assert await voted(app, "the answer", chat.thread_id) == stored


async def test_a_stranger_does_not_vote_in_a_thread_ahead_of_its_steps(app: App, chat: Chat):
    assert await vote(app, chat, "mallory", forId="a step to come") == 500
    assert await votes(app.layer) == []


async def test_a_stranger_takes_no_vote_back(app: App, chat: Chat):
    assert await vote(app, chat, "alice", value=1) == 200
    stored = await voted(app, "the answer", chat.thread_id)
    async with app.http("mallory") as http:
        response = await http.request("DELETE", "/feedback", json={"feedbackId": stored["id"]})
    assert response.status_code == 500
    assert await voted(app, "the answer", chat.thread_id) == stored
    async with app.http("alice") as http:
        response = await http.request("DELETE", "/feedback", json={"feedbackId": stored["id"]})
    assert response.status_code == 200
    assert await voted(app, "the answer", chat.thread_id) is None


async def test_a_vote_that_comes_after_its_thread_was_deleted_leaves_nothing(app: App, chat: Chat):
    await app.layer.delete_thread(chat.thread_id)
    await vote(app, chat, "alice", comment="private")
    assert await votes(app.layer) == []


async def test_a_vote_that_comes_after_its_step_was_deleted_leaves_nothing(app: App, chat: Chat):
    await app.layer.delete_step("the answer")
    await vote(app, chat, "alice", comment="private")
    assert await votes(app.layer) == []
