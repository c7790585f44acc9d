"""Ids come from browsers: nobody gets at what is somebody else's by naming it."""

from __future__ import annotations

from typing import Any

import chainlit as cl
import pytest

from chainkeep.errors import ConflictError
from tests.chainlit.contract.chats import App, Chat, everything_fired, in_slack, step_dict


@pytest.fixture
async def victim(app: App) -> Chat:
    """A chat of alice's with an answer and a component."""
    chat = await app.spoken("alice", "a question")
    with chat:
        await cl.Message("an answer", id="answer").send()
        component = cl.CustomElement(id="component", name="counter", props={"count": 1})
        await component.send(for_id="answer")
        await cl.Text(id="note", name="note", content="alice's note").send(for_id="answer")
    return await chat.settled()


@pytest.fixture
async def mallory(app: App) -> Chat:
    """A chat of somebody else's."""
    return await app.spoken("mallory", "mine")


async def everything(app: App, chat: Chat) -> dict[str, Any]:
    thread = await app.thread(chat.thread_id)
    thread["note"] = await app.bytes_of(chat.thread_id, "note")
    return thread


async def test_a_message_under_a_foreign_id_changes_nothing(app: App, victim: Chat, mallory: Chat):
    before = await everything(app, victim)
    for step in before["steps"]:
        if step["type"] == "user_message":
            await mallory.say("overwritten", id=step["id"])
    with mallory:
        await cl.Message("overwritten", id="answer").send()
        updated = cl.Message("overwritten", id="answer")
        await updated.update()
    await everything_fired()
    assert await everything(app, victim) == before
    assert await app.outputs(mallory.thread_id) == ["mine"]


async def test_a_foreign_step_is_refused_in_words(app: App, victim: Chat, mallory: Chat):
    assert victim.thread_id != mallory.thread_id
    with mallory:
        for write in (app.layer.create_step, app.layer.update_step):
            with pytest.raises(ConflictError, match="another thread"):
                await write(step_dict("answer", "", output="overwritten"))
        with pytest.raises(ConflictError, match="somebody else"):
            await app.layer.delete_step("answer")


async def test_a_step_does_not_move_though_its_owner_writes_it(app: App, victim: Chat):
    other = await app.spoken("alice", "another chat")
    before = await everything(app, victim)
    with pytest.raises(ConflictError):
        await app.layer.update_step(step_dict("answer", other.thread_id, output="moved"))
    assert await everything(app, victim) == before


async def test_a_foreign_step_is_not_deleted(app: App, victim: Chat, mallory: Chat):
    before = await everything(app, victim)
    with mallory:
        for step in before["steps"]:
            await cl.Message("", id=step["id"]).remove()
    await everything_fired()
    assert await everything(app, victim) == before


async def test_an_owner_deletes_a_step_of_another_chat_of_theirs(app: App, victim: Chat):
    with await app.spoken("alice", "another chat"):
        await app.layer.delete_step("answer")
    assert await app.outputs(victim.thread_id) == ["a question"]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_a_foreign_component_is_neither_changed_nor_deleted_over_http(
    app: App, victim: Chat, mallory: Chat, method: str
):
    before = await everything(app, victim)
    for thread_id in (victim.thread_id, mallory.thread_id, "", None, "no such thread"):
        for element_id in ("component", "note"):
            element = {
                "id": element_id, "threadId": thread_id, "type": "custom", "forId": "answer",
                "name": "forged", "display": "inline", "props": {"count": 666},
            }  # fmt: skip
            body = {"element": element, "sessionId": mallory.session.id}
            async with app.http("mallory") as http:
                assert (await http.request(method, "/project/element", json=body)).is_success
    await everything_fired()
    assert await everything(app, victim) == before


async def test_a_new_component_is_not_put_into_a_foreign_thread(
    app: App, victim: Chat, mallory: Chat
):
    before = await everything(app, victim)
    element = cl.CustomElement(id="new", name="x", thread_id=victim.thread_id, for_id="answer")
    with mallory, pytest.raises(ConflictError):
        await app.layer.create_element(element)
    await everything_fired()
    assert await everything(app, victim) == before


async def test_bytes_of_a_refused_element_are_not_kept(app: App, victim: Chat, mallory: Chat):
    before = sorted(await app.blob_keys())
    with mallory:
        for thread_id in (victim.thread_id, mallory.thread_id):
            element = cl.Text(id="note", name="note", content="forged", thread_id=thread_id)
            with pytest.raises(ConflictError):
                await app.layer.create_element(element)
    await everything_fired()
    assert sorted(await app.blob_keys()) == before
    assert await app.bytes_of(victim.thread_id, "note") == b"alice's note"


async def test_an_owner_changes_a_component_over_http(app: App, victim: Chat):
    before = (await app.elements(victim.thread_id))["counter"]
    for thread_id in (victim.thread_id, ""):
        element = {**before, "threadId": thread_id, "props": {"count": 2, "at": thread_id}}
        body = {"element": element, "sessionId": victim.session.id}
        async with app.http("alice") as http:
            assert (await http.put("/project/element", json=body)).is_success
        await everything_fired()
        stored = (await app.elements(victim.thread_id))["counter"]
        assert stored == {**before, "props": {"count": 2, "at": thread_id}}


async def test_an_element_is_read_in_its_own_thread_only(app: App, victim: Chat, mallory: Chat):
    assert await app.layer.get_element(mallory.thread_id, "note") is None
    assert await app.layer.element_blob(mallory.thread_id, "note") is None
    assert await app.layer.get_element(victim.thread_id, "note") is not None


async def test_a_thread_never_changes_its_owner(app: App, victim: Chat):
    mallory = await app.user("mallory")
    before = await app.thread(victim.thread_id)
    await app.layer.update_thread(victim.thread_id, user_id=mallory.id)
    await app.layer.update_thread(victim.thread_id, name="mine", user_id=mallory.id)
    stranger = await app.chat("mallory", victim.thread_id)
    await stranger.say("in a foreign thread")
    await everything_fired()
    after = await app.thread(victim.thread_id)
    owner = ("userId", "userIdentifier", "name")
    assert [after[key] for key in owner] == [before[key] for key in owner]
    assert await app.listed("mallory") == []


async def test_a_thread_without_an_owner_gets_the_first_known_user_who_writes_in_it(app: App):
    nobody = await app.spoken(None, "before the login worked")
    assert (await app.thread(nobody.thread_id))["userId"] is None
    assert await app.layer.get_thread_author(nobody.thread_id) == ""
    known = await app.chat("alice", nobody.thread_id)
    known.session.has_first_interaction = True
    with known:
        await cl.Message("now").send()
    await everything_fired()
    assert await app.layer.get_thread_author(nobody.thread_id) == "alice"
    assert await app.listed("alice") == [nobody.thread_id]
    await app.spoken("bob", "later", nobody.thread_id)
    assert await app.layer.get_thread_author(nobody.thread_id) == "alice"


async def test_a_user_whom_chainlit_could_not_look_up_still_owns_the_thread(app: App):
    alice = await app.user("alice")
    chat = await app.chat(None)
    # Where get_user failed at the connection, the session's user has no id.
    chat.session.user = cl.User(identifier="alice")
    await chat.say("hi")
    await chat.settled()
    thread = await app.thread(chat.thread_id)
    assert (thread["userId"], thread["userIdentifier"]) == (alice.id, "alice")
    assert await app.listed("alice") == [chat.thread_id]


async def test_a_thread_written_before_its_owner_was_ever_stored_is_in_the_list_later(app: App):
    chat = await app.chat(None)
    chat.session.user = cl.User(identifier="newcomer")
    await chat.say("hi")
    await chat.settled()
    assert await app.layer.get_thread_author(chat.thread_id) == "newcomer"
    await app.user("newcomer")
    await chat.say("again")
    await chat.settled()
    assert await app.listed("newcomer") == [chat.thread_id]


async def test_a_chat_platforms_context_makes_its_user_the_owner(app: App):
    user = await app.user("slack alice")
    await in_slack(lambda: app.layer.create_step(step_dict("a", "slack")), "slack", user)
    await everything_fired()
    assert await app.layer.get_thread_author("slack") == "slack alice"


async def test_a_thread_id_that_is_a_piece_of_sql_is_an_id(app: App, victim: Chat):
    before = await everything(app, victim)
    for thread_id in ("x') OR ('1'='1", "'; DROP TABLE threads; --", "%", ":id", "\\"):
        chat = await app.spoken("mallory", "hi", thread_id)
        assert await app.outputs(chat.thread_id) == ["hi"]
        found = await app.layer.get_all_user_threads(thread_id=thread_id)
        assert found is not None
        assert [thread["id"] for thread in found] == [thread_id]
        await app.layer.delete_thread(thread_id)
    assert await everything(app, victim) == before
