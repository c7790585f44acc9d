"""Starred messages, on both databases."""

from __future__ import annotations

from typing import Any

import chainlit as cl
import pytest
from chainlit import socket
from chainlit.config import config

from chainkeep.errors import StorageError
from tests.chainlit.contract.chats import App, Chat, as_sent, everything_fired, step_dict


@pytest.fixture(autouse=True)
def favorites_are_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config.features, "favorites", True, raising=False)


async def star(chat: Chat, step_id: str) -> None:
    """The page's star is clicked."""
    payload: Any = {"message": {"id": step_id, "metadata": {"favorite": True}}}
    await socket.message_favorite(chat.session.socket_id, payload)
    await everything_fired()


async def starred(app: App, identifier: str = "alice") -> list[Any]:
    user = await app.user(identifier)
    return as_sent([dict(step) for step in await app.layer.get_favorite_steps(user.id)])


async def test_a_starred_message_is_in_its_owners_list_whole(app: App):
    chat = await app.chat()
    message_id = await chat.say("how high is the tide?")
    await chat.settled()
    await star(chat, message_id)
    [found] = await starred(app)
    assert found == await app.step(chat.thread_id, message_id)
    assert (found["output"], found["metadata"]["favorite"]) == ("how high is the tide?", True)


async def test_a_star_is_nobody_elses(app: App):
    chat = await app.chat()
    await star(chat, await chat.say("alice's"))
    assert len(await starred(app, "alice")) == 1
    assert await starred(app, "bob") == []


async def test_a_star_is_taken_away_from_a_chat_in_which_nobody_spoke(app: App):
    chat = await app.chat()
    message_id = await chat.say("no longer")
    await chat.settled()
    await star(chat, message_id)
    [found] = await starred(app)
    with await app.chat():
        await app.layer.set_step_favorite(found, False)
    assert await starred(app) == []
    assert (await app.step(chat.thread_id, message_id))["metadata"]["favorite"] is False


async def test_starring_changes_nothing_but_the_metadata(app: App):
    chat = await app.spoken()
    written: Any = step_dict(
        "a", chat.thread_id, output="text", tags=["t"], metadata={"x": 1}, unknown={"kept": True}
    )
    await app.layer.create_step(written)
    before = await app.step(chat.thread_id, "a")
    given: Any = {**before, "createdAt": f"{before['createdAt']}Z"}
    returned = as_sent(dict(await app.layer.set_step_favorite(given, True)))
    after = await app.step(chat.thread_id, "a")
    assert after == {**before, "metadata": {"x": 1, "favorite": True}}
    assert returned["metadata"] == after["metadata"]
    assert returned["output"] == "text"


async def test_a_star_does_not_undo_an_update_of_the_metadata(app: App):
    chat = await app.spoken()
    await app.layer.create_step(step_dict("a", chat.thread_id, metadata={"x": 1}))
    stale: Any = await app.step(chat.thread_id, "a")
    await app.layer.update_step(step_dict("a", chat.thread_id, metadata={"x": 2}))
    await app.layer.set_step_favorite(stale, True)
    stored = await app.step(chat.thread_id, "a")
    assert stored["metadata"] == {"x": 2, "favorite": True}


async def test_a_message_that_is_starred_before_it_is_written_is_written_starred(app: App):
    chat = await app.spoken()
    with chat:
        message = cl.Message("early")
        await app.layer.set_step_favorite(message.to_dict(), True)
        await message.send()
    await everything_fired()
    [found] = await starred(app)
    assert (found["id"], found["output"]) == (message.id, "early")


async def test_only_true_counts_as_a_star(app: App):
    chat = await app.spoken()
    for n, value in enumerate([True, False, None, "true", 1, '": true', {"favorite": True}]):
        metadata = {"favorite": value, "note": '"favorite": true'}
        await app.layer.create_step(step_dict(str(n), chat.thread_id, metadata=metadata))
    assert [step["id"] for step in await starred(app)] == ["0"]


async def test_deleted_messages_and_threads_have_no_stars(app: App):
    first, second = await app.spoken(), await app.spoken()
    for chat in (first, second):
        step = step_dict(f"in {chat.thread_id}", chat.thread_id, metadata={"favorite": True})
        await app.layer.create_step(step)
    await app.layer.delete_step(f"in {first.thread_id}")
    await app.layer.delete_thread(second.thread_id)
    assert await starred(app) == []


async def test_the_newest_star_comes_first(app: App):
    chat = await app.spoken()
    for n in (2, 1, 3):
        at = f"2026-01-0{n}T00:00:00Z"
        step = step_dict(str(n), chat.thread_id, metadata={"favorite": True}, createdAt=at)
        await app.layer.create_step(step)
    assert [step["id"] for step in await starred(app)] == ["3", "2", "1"]


@pytest.mark.usefixtures("own_database")
async def test_a_database_that_cannot_answer_raises(app: App):
    user = await app.user("alice")
    await app.layer.execute_sql("DROP TABLE steps", {})
    with pytest.raises(StorageError):
        await app.layer.get_favorite_steps(user.id)
