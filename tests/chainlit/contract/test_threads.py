"""update_thread has five callers, who mean different things; and what one reads of a thread."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import chainlit as cl
import pytest
from chainlit.config import config
from chainlit.session import WebsocketSession
from chainlit.types import UpdateThreadRequest

from chainkeep.errors import StorageError
from tests.chainlit.conftest import MakeLayer
from tests.chainlit.contract.chats import App, as_sent, everything_fired, in_slack, step_dict

KEYS = {
    "id",
    "createdAt",
    "name",
    "userId",
    "userIdentifier",
    "tags",
    "metadata",
    "steps",
    "elements",
}


async def test_a_thread_has_every_key_that_chainlit_reads(app: App):
    chat = await app.spoken(text="hi")
    thread = await app.thread(chat.thread_id)
    user = await app.user("alice")
    assert set(thread) == KEYS
    assert (thread["id"], thread["name"]) == (chat.thread_id, "hi")
    assert (thread["userId"], thread["userIdentifier"]) == (user.id, "alice")
    assert type(thread["metadata"]) is dict
    assert thread["elements"] == []


async def test_a_thread_that_nobody_wrote_is_none(app: App):
    assert await app.layer.get_thread("no such thread") is None


@pytest.mark.usefixtures("own_database")
async def test_a_database_that_cannot_answer_raises_and_is_no_missing_thread(app: App):
    chat = await app.spoken()
    for table in ("elements", "steps", "threads"):
        await app.layer.execute_sql(f"DROP TABLE {table}", {})
        with pytest.raises(StorageError):
            await app.layer.get_thread(chat.thread_id)
    with pytest.raises(StorageError):
        await app.layer.get_thread_author(chat.thread_id)
    with pytest.raises(StorageError):
        await app.page()


async def test_the_author_is_the_users_identifier(app: App):
    chat = await app.spoken("alice")
    assert await app.layer.get_thread_author(chat.thread_id) == "alice"


async def test_an_unknown_thread_has_no_author_and_no_error(app: App):
    assert not await app.layer.get_thread_author("no such thread")


async def test_metadata_alone_makes_a_thread(app: App):
    await app.layer.update_thread("thread", metadata={"a": 1})
    await app.layer.update_thread("other")
    assert (await app.thread("thread"))["metadata"] == {"a": 1}
    assert (await app.thread("other"))["metadata"] == {}


async def test_what_is_none_is_left_alone(app: App):
    user = await app.user("alice")
    await app.layer.update_thread("thread", "name", user.id, {"a": 1}, ["tag"])
    before = await app.thread("thread")
    await app.layer.update_thread("thread")
    await app.layer.update_thread("thread", None, None, None, None)
    assert await app.thread("thread") == before


async def test_metadata_merges_and_none_deletes_a_key(app: App):
    await app.layer.update_thread("thread", metadata={"a": 1, "b": {"x": 1}, "c": 3})
    await app.layer.update_thread("thread", metadata={"b": {"y": 2}, "c": None, "d": 4})
    assert (await app.thread("thread"))["metadata"] == {"a": 1, "b": {"y": 2}, "d": 4}


async def test_tags_are_a_list_and_can_be_cleared(app: App):
    await app.layer.update_thread("thread", tags=["profile", "ä"])
    assert (await app.thread("thread"))["tags"] == ["profile", "ä"]
    await app.layer.update_thread("thread", tags=[])
    assert (await app.thread("thread"))["tags"] == []


async def test_a_chat_profile_becomes_the_threads_tag(app: App):
    chat = await app.chat()
    chat.session.chat_profile = "GPT"
    await chat.say("hi")
    await chat.settled()
    await chat.disconnect()
    thread = await app.thread(chat.thread_id)
    assert (thread["tags"], thread["name"], thread["userIdentifier"]) == (["GPT"], "hi", "alice")
    assert thread["metadata"]["chat_profile"] == "GPT"


async def test_merges_at_the_same_moment_lose_nothing(app: App):
    await asyncio.gather(
        *(app.layer.update_thread("thread", metadata={f"k{n}": n}) for n in range(60))
    )
    assert (await app.thread("thread"))["metadata"] == {f"k{n}": n for n in range(60)}


async def test_merges_by_two_processes_at_the_same_moment_lose_nothing(
    app: App, make_layer: MakeLayer
):
    layers = [app.layer, make_layer()]
    await asyncio.gather(
        *(layers[n % 2].update_thread("thread", metadata={f"k{n}": n}) for n in range(60))
    )
    assert (await app.thread("thread"))["metadata"] == {f"k{n}": n for n in range(60)}


async def test_the_session_is_written_down_when_the_page_closes_and_is_there_on_resume(app: App):
    chat = await app.spoken()
    with chat:
        cl.user_session.set("cart", ["shell"])
        cl.user_session.set("gone", object())
    await chat.disconnect()
    again = await app.chat("alice", chat.thread_id)
    assert as_sent(await again.resume()) is not None
    with again:
        assert cl.user_session.get("cart") == ["shell"]
    assert (await app.thread(chat.thread_id))["metadata"]["env"] == {}


async def test_a_session_value_that_was_deleted_stays_deleted(app: App):
    chat = await app.spoken()
    with chat:
        cl.user_session.set("cart", ["shell"])
    await chat.disconnect()
    again = await app.chat("alice", chat.thread_id)
    await again.resume()
    with again:
        cl.user_session.set("cart", None)
    await again.disconnect()
    assert "cart" not in (await app.thread(chat.thread_id))["metadata"]


async def test_a_name_in_the_user_session_does_not_rename_the_thread(app: App):
    chat = await app.spoken(text="the first message")
    with chat:
        cl.user_session.set("name", "Alice")
    await chat.disconnect()
    await app.layer.update_thread(chat.thread_id, metadata={"name": "Bob"})
    assert (await app.thread(chat.thread_id))["name"] == "the first message"


async def test_closing_a_page_does_not_count_as_activity(app: App):
    first, second = await app.spoken(text="one"), await app.spoken(text="two")
    viewed = await app.chat("alice", first.thread_id)
    await viewed.resume()
    await viewed.disconnect()
    await app.layer.update_thread(first.thread_id, name="renamed")
    await app.layer.update_thread(first.thread_id, metadata={"is_shared": True})
    assert await app.listed() == [second.thread_id, first.thread_id]


async def test_a_thread_is_created_once(app: App):
    chat = await app.spoken()
    created = (await app.thread(chat.thread_id))["createdAt"]
    await chat.say("again")
    await chat.settled()
    await chat.disconnect()
    assert (await app.thread(chat.thread_id))["createdAt"] == created


async def test_a_thread_is_named_after_its_first_message_whole(app: App):
    for text in ("x" * 100_000, "", "line\nbreak \0 and 🐚"):
        chat = await app.spoken(text=text)
        assert (await app.thread(chat.thread_id))["name"] == text
        assert [len(row["name"]) for row in (await app.page(first=1))["data"]] == [len(text[:300])]


async def test_a_rename_over_http_wins(app: App):
    chat = await app.spoken(text="first message")
    async with app.http("alice") as http:
        body = UpdateThreadRequest(threadId=chat.thread_id, name="my name").model_dump()
        response = await http.put("/project/thread", json=body)
    assert response.status_code == 200
    await chat.say("second message")
    await chat.settled()
    await chat.disconnect()
    assert (await app.thread(chat.thread_id))["name"] == "my name"


async def test_a_first_message_after_a_restart_keeps_the_name_that_the_user_gave(app: App):
    chat = await app.spoken(text="first message")
    await chat.disconnect()
    await app.layer.update_thread(chat.thread_id, name="my name")
    await app.spoken("alice", "said after the restart", chat.thread_id)
    assert (await app.thread(chat.thread_id))["name"] == "my name"
    assert await app.outputs(chat.thread_id) == ["first message", "said after the restart"]


async def test_a_first_message_names_a_thread_that_has_no_name_yet(app: App):
    await app.layer.create_step(step_dict("step", "thread"))
    await app.spoken("alice", "the name", "thread")
    assert (await app.thread("thread"))["name"] == "the name"


async def test_an_app_may_give_its_chat_a_title_of_its_own(app: App):
    chat = await app.spoken(text="first message")
    with chat:
        await app.layer.update_thread(chat.thread_id, name="A title by a model")
    assert (await app.thread(chat.thread_id))["name"] == "A title by a model"


async def test_a_chat_platform_names_a_thread_once(app: App):
    user = await app.user("slack alice")
    for text in ("first", "second"):
        naming = partial(
            app.layer.update_thread, "slack", name=text, metadata={"a": 1}, user_id=user.id
        )
        await in_slack(naming, "slack", user)
    await everything_fired()
    thread = await app.thread("slack")
    assert (thread["name"], thread["userIdentifier"]) == ("first", "slack alice")


async def share(app: App, thread_id: str, is_shared: bool) -> None:
    async with app.http("alice") as http:
        body = {"threadId": thread_id, "isShared": is_shared}
        assert (await http.put("/project/thread/share", json=body)).status_code == 200


async def test_a_shared_thread_says_so_and_since_when(app: App):
    chat = await app.spoken()
    await share(app, chat.thread_id, True)
    metadata = (await app.thread(chat.thread_id))["metadata"]
    assert metadata["is_shared"] is True
    assert metadata["shared_at"]
    [row] = (await app.page())["data"]
    assert row["metadata"]["is_shared"] is True


async def test_a_thread_that_is_no_longer_shared_forgets_since_when_it_was(app: App):
    chat = await app.spoken()
    await share(app, chat.thread_id, True)
    await share(app, chat.thread_id, False)
    metadata = (await app.thread(chat.thread_id))["metadata"]
    assert metadata["is_shared"] is False
    assert "shared_at" not in metadata


async def test_closing_a_page_does_not_share_again_what_is_no_longer_shared(app: App):
    chat = await app.spoken()
    await share(app, chat.thread_id, True)
    open_page = await app.chat("alice", chat.thread_id)
    await open_page.resume()
    await share(app, chat.thread_id, False)
    await open_page.disconnect()
    metadata = (await app.thread(chat.thread_id))["metadata"]
    assert metadata["is_shared"] is False
    assert "shared_at" not in metadata


async def test_closing_a_page_does_not_take_back_a_sharing(app: App):
    chat = await app.spoken()
    await share(app, chat.thread_id, True)
    await share(app, chat.thread_id, False)
    open_page = await app.chat("alice", chat.thread_id)
    await open_page.resume()
    await share(app, chat.thread_id, True)
    await open_page.disconnect()
    assert (await app.thread(chat.thread_id))["metadata"]["is_shared"] is True


async def test_what_chainlit_takes_out_of_a_shared_thread_is_still_there(
    app: App, monkeypatch: pytest.MonkeyPatch
):
    async def anybody(*_: object) -> bool:
        return True

    monkeypatch.setattr(config.code, "on_shared_thread_view", anybody)
    chat = await app.spoken()
    await chat.disconnect()
    async with app.http("bob") as http:
        shared = await http.get(f"/project/share/{chat.thread_id}")
    assert shared.status_code == 200
    assert "chat_settings" not in shared.json()["metadata"]
    assert "chat_settings" in (await app.thread(chat.thread_id))["metadata"]


async def test_what_a_caller_does_to_a_thread_is_not_kept(app: App):
    chat = await app.spoken()
    first = await app.thread(chat.thread_id)
    first["metadata"]["mine"] = 1
    first["steps"].clear()
    second = await app.thread(chat.thread_id)
    assert "mine" not in second["metadata"]
    assert len(second["steps"]) == 1


@pytest.mark.usefixtures("own_database")
async def test_an_error_at_a_disconnect_does_not_keep_the_session_from_being_cleared(app: App):
    chat = await app.spoken()
    await app.layer.execute_sql("DROP TABLE threads", {})
    await chat.disconnect()
    assert WebsocketSession.get_by_id(chat.session.id) is None


@pytest.mark.usefixtures("own_database")
async def test_an_error_over_http_is_told(app: App):
    chat = await app.spoken()
    await app.layer.execute_sql("ALTER TABLE threads RENAME TO elsewhere", {})
    with pytest.raises(StorageError):
        await app.layer.update_thread(chat.thread_id, name="x")
    with pytest.raises(StorageError):
        await app.layer.delete_thread(chat.thread_id)
    async with app.http("alice") as http:
        answer = await http.get(f"/project/thread/{chat.thread_id}")
    assert answer.status_code == 500


async def test_strangers_and_unknown_threads_are_told_apart_as_chainlit_does(app: App):
    chat = await app.spoken("alice")
    async with app.http("bob") as http:
        assert (await http.get(f"/project/thread/{chat.thread_id}")).status_code == 401
        assert (await http.get("/project/thread/none")).status_code == 404
    async with app.http("alice") as http:
        seen: dict[str, Any] = (await http.get(f"/project/thread/{chat.thread_id}")).json()
    assert seen == await app.thread(chat.thread_id)


async def test_a_deleted_thread_takes_everything_along(app: App):
    chat = await app.spoken()
    with chat:
        message = await cl.Message("answer", elements=[cl.Text(name="t", content="x")]).send()
    await everything_fired()
    async with app.http("alice") as http:
        vote = {"forId": message.id, "value": 1, "threadId": chat.thread_id}
        body = {"feedback": vote, "sessionId": chat.session.id}
        assert (await http.put("/feedback", json=body)).status_code == 200
        body = {"threadId": chat.thread_id}
        assert (await http.request("DELETE", "/project/thread", json=body)).status_code == 200
    await everything_fired()
    for table in ("steps", "elements", "feedbacks", "blob_deletions"):
        assert await app.layer.execute_sql(f"SELECT * FROM {table}", {}) == []  # noqa: S608
    assert await app.blob_keys() == []


async def test_deleting_a_thread_leaves_the_others(app: App):
    gone, kept = await app.spoken(text="gone"), await app.spoken(text="kept")
    before = await app.thread(kept.thread_id)
    await app.layer.delete_thread(gone.thread_id)
    await app.layer.delete_thread("never there")
    assert await app.thread(kept.thread_id) == before
    assert await app.listed() == [kept.thread_id]
