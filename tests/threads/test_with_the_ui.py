"""What code writes the UI shows, and what the UI writes code reads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, fields, replace
from typing import Any

import pytest
from chainlit.types import Feedback, Pagination, ThreadDict, ThreadFilter
from typing_extensions import override

from chainkeep.chainlit import ChainkeepDataLayer
from chainkeep.threads import Message, Role, Thread, Threads, open_threads, remember, to_openai

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
async def layer(database_url: str, tmp_path: Any) -> AsyncIterator[ChainkeepDataLayer]:
    layer = ChainkeepDataLayer(
        database_url, blobs=str(tmp_path / "blobs"), journal=str(tmp_path / "journal")
    )
    yield layer
    await layer.close()


@pytest.fixture
async def threads(layer: ChainkeepDataLayer) -> AsyncIterator[Threads]:
    async with open_threads(layer) as threads:
        yield threads


@pytest.fixture
async def thread(threads: Threads) -> Thread:
    return await threads.create("A chat", owner="ada")


async def shown(layer: ChainkeepDataLayer, thread_id: str) -> list[Any]:
    found: ThreadDict | None = await layer.get_thread(thread_id)
    assert found is not None
    return list(found["steps"] or [])


async def sidebar(layer: ChainkeepDataLayer, search: str | None = None) -> list[str]:
    user = await layer.get_user("ada")
    assert user is not None
    page = await layer.list_threads(
        Pagination(first=20), ThreadFilter(userId=user.id, search=search)
    )
    return [entry["id"] for entry in page.data]


def step(**given: Any) -> Any:
    return {"name": "n", "input": "", "output": "", "metadata": {}, **given}


async def ui_chat(layer: ChainkeepDataLayer, thread_id: str) -> None:
    """A turn as Chainlit writes it."""
    at = "2026-01-01T00:00:0{}Z"
    steps: list[dict[str, Any]] = [
        {"id": "u", "type": "user_message", "name": "ada", "output": "weather?"},
        {"id": "r", "type": "run", "name": "on_message", "parentId": "u", "input": "weather?"},
        {"id": "t", "type": "tool", "name": "get_weather", "parentId": "r",
         "input": '{"city":"Oslo"}', "output": "rain"},
        {"id": "l", "type": "llm", "name": "gpt", "parentId": "r",
         "generation": {"model": "gpt-4.1", "inputTokenCount": 7, "outputTokenCount": 2}},
        {"id": "a", "type": "assistant_message", "name": "Assistant", "parentId": "r",
         "output": "Rain."},
    ]  # fmt: skip
    for number, given in enumerate(steps):
        await layer.create_step(step(threadId=thread_id, createdAt=at.format(number), **given))


@dataclass(frozen=True)
class OfInterest:
    """Of a message, what an edit leaves alone."""

    role: str
    name: str | None
    text: str
    reply_to: str | None
    tool_call_id: str | None
    from_ui: bool


def of_interest(message: Message) -> OfInterest:
    return OfInterest(*(getattr(message, field.name) for field in fields(OfInterest)))


async def test_a_thread_made_by_code_is_in_its_owners_sidebar(
    layer: ChainkeepDataLayer, thread: Thread
) -> None:
    assert await sidebar(layer) == [thread.id]
    assert await layer.get_thread_author(thread.id) == "ada"


async def test_an_answer_hangs_under_the_run_of_its_question(
    layer: ChainkeepDataLayer, thread: Thread
) -> None:
    await thread.add_message("system", "be kind")
    await thread.add_message("user", "hi")
    await thread.add_message("tool", "4", tool_call_id="c", name="add")
    await thread.add_message("assistant", "hello")
    await thread.add_message("critic", "hm")
    system, user, run, tool, assistant, critic = await shown(layer, thread.id)
    assert [system["type"], user["type"], run["type"]] == ["system_message", "user_message", "run"]
    assert (run["name"], run["parentId"], run["input"]) == ("on_message", user["id"], "hi")
    assert {each["parentId"] for each in (tool, assistant, critic)} == {run["id"]}
    assert (tool["type"], tool["name"], tool["output"]) == ("tool", "add", "4")
    assert (critic["type"], critic["name"]) == ("assistant_message", "critic")
    assert system["parentId"] is None


async def test_each_question_has_a_run_of_its_own(
    layer: ChainkeepDataLayer, thread: Thread
) -> None:
    for number in range(2):
        await thread.add_message("user", f"q{number}")
        await thread.add_message("assistant", f"a{number}")
    steps = await shown(layer, thread.id)
    runs = {each["id"]: each["parentId"] for each in steps if each["type"] == "run"}
    by_text = {each["output"]: each for each in steps}
    assert [runs[by_text[f"a{n}"]["parentId"]] for n in range(2)] == [
        by_text[f"q{n}"]["id"] for n in range(2)
    ]


async def test_without_ui_runs_a_thread_has_messages_only(layer: ChainkeepDataLayer) -> None:
    async with open_threads(layer, ui_runs=False) as threads:
        thread = await threads.create()
        await thread.add_message("user", "hi")
        await thread.add_message("assistant", "hello")
    assert [each["type"] for each in await shown(layer, thread.id)] == [
        "user_message", "assistant_message",
    ]  # fmt: skip


async def test_a_private_message_is_nowhere_in_the_ui(
    layer: ChainkeepDataLayer, thread: Thread
) -> None:
    await thread.add_message("user", "public words")
    hidden = await thread.add_message("assistant", "secret words", private=True)
    await thread.add_message("user", "secret question", private=True)
    await thread.add_message("assistant", "open answer")
    await layer.set_step_favorite(step(id=hidden.id, threadId=thread.id), favorite=True)
    steps = await shown(layer, thread.id)
    assert [each["output"] for each in steps if each["type"] != "run"] == [
        "public words", "open answer",
    ]  # fmt: skip
    assert "secret" not in str(steps)
    user = await layer.get_user("ada")
    assert user is not None
    assert await layer.get_favorite_steps(user.id) == []
    assert await sidebar(layer, "secret") == []
    assert await sidebar(layer, "open") == [thread.id]


async def test_a_message_that_only_calls_tools_is_no_empty_bubble(
    layer: ChainkeepDataLayer, thread: Thread
) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "add", "arguments": "{}"}}
    await thread.add_message("user", "2 + 2?")
    await thread.add_message("assistant", None, tool_calls=[call])
    await thread.add_message("tool", "4", tool_call_id="c", name="add")
    await thread.add_message("assistant", None, tool_calls=[call], images=[PNG])
    await thread.add_message("assistant", "Let me see.", tool_calls=[call])
    await thread.add_message("assistant", "")
    steps = await shown(layer, thread.id)
    assert [(each["type"], each["output"]) for each in steps if each["type"] != "run"] == [
        ("user_message", "2 + 2?"), ("tool", "4"), ("assistant_message", ""),
        ("assistant_message", "Let me see."), ("assistant_message", ""),
    ]  # fmt: skip
    assert len(await thread.messages()) == 6


async def test_code_and_ui_agree_about_the_order(layer: ChainkeepDataLayer, thread: Thread) -> None:
    # A browser's or another machine's clock may be ahead.
    ahead = {"id": "u", "type": "user_message", "output": "from ui"}
    ahead["createdAt"] = "2999-01-01T00:00:00Z"
    await layer.create_step(step(threadId=thread.id, **ahead))
    await thread.add_message("assistant", "1")
    await thread.add_message("assistant", "2")
    in_code = [message.text for message in await thread.messages()]
    in_ui = [each["output"] for each in await shown(layer, thread.id)]
    assert in_code == in_ui == ["from ui", "1", "2"]


async def test_a_chat_of_the_ui_is_read_with_roles_and_replies(
    layer: ChainkeepDataLayer, thread: Thread
) -> None:
    await ui_chat(layer, thread.id)
    user, tool, assistant = await thread.messages()
    assert [user.role, tool.role, assistant.role] == ["user", "tool", "assistant"]
    assert (user.name, tool.name, user.from_ui) == ("ada", "get_weather", True)
    assert (tool.content, tool.tool_input, tool.tool_call_id) == ("rain", '{"city":"Oslo"}', "t")
    assert (tool.reply_to, assistant.reply_to, user.reply_to) == ("u", "u", None)
    assert [m.turn for m in (user, tool, assistant)] == [1, 2, 3]


async def test_code_goes_on_where_the_ui_stopped(layer: ChainkeepDataLayer, thread: Thread) -> None:
    await ui_chat(layer, thread.id)
    await thread.add_message("assistant", "Take an umbrella.")
    last = (await shown(layer, thread.id))[-1]
    assert (last["output"], last["parentId"]) == ("Take an umbrella.", "r")


async def test_the_ui_changes_nothing_of_what_only_code_keeps(
    layer: ChainkeepDataLayer, threads: Threads
) -> None:
    thread = await threads.create(owner="ada", attributes={"a": 1}, platforms={"x": {"y": "z"}})
    message = await thread.add_message("critic", "hm", attributes={"b": 2}, private=True)
    await message.add_reaction("👍", "ada")
    await layer.update_thread(thread.id, name="Renamed", metadata={"chat_profile": "fast"})
    await layer.update_step(
        step(id=message.id, threadId=thread.id, type="assistant_message", output="hmm")
    )
    read = await thread.reload()
    assert (read.name, read.attributes, read.platforms) == ("Renamed", {"a": 1}, {"x": {"y": "z"}})
    edited = await message.reload()
    assert (edited.text, edited.role, edited.attributes) == ("hmm", "critic", {"b": 2})
    assert edited.private
    assert await edited.reactions() == {"👍": ["ada"]}


async def test_a_text_edited_in_the_ui_replaces_the_parts(
    layer: ChainkeepDataLayer, thread: Thread
) -> None:
    message = await thread.add_message("user", [{"type": "text", "text": "a"}])
    await layer.update_step(
        step(id=message.id, threadId=thread.id, type="user_message", output="b")
    )
    assert (await message.reload()).content == "b"


async def test_what_is_said_inside_of_steps_answers_the_question_and_has_the_runs_vote(
    layer: ChainkeepDataLayer, thread: Thread
) -> None:
    at = "2026-01-01T00:00:0{}Z"
    chain = ("user_message", "run", "undefined", "llm", "tool", "assistant_message")
    for number, kind in enumerate(chain):
        parent = {"parentId": f"{number - 1}"} if number else {}
        given = {"id": f"{number}", "type": kind, "createdAt": at.format(number), **parent}
        await layer.create_step(step(threadId=thread.id, **given))
    loops = {"id": "a", "type": "assistant_message", "createdAt": at.format(9), "parentId": "b"}
    await layer.create_step(step(threadId=thread.id, **loops))
    back = {"id": "b", "type": "undefined", "createdAt": at.format(9), "parentId": "a"}
    await layer.create_step(step(threadId=thread.id, **back))
    await layer.upsert_feedback(Feedback(forId="1", value=0, threadId=thread.id))
    found = {each.id: each for each in await thread.messages()}
    assert {key: each.reply_to for key, each in found.items()} == {
        "0": None, "4": "0", "5": "4", "a": "a",
    }  # fmt: skip
    assert [found[key].is_disliked for key in ("0", "4", "5", "a")] == [None, True, True, None]
    assert await found["5"].set_disliked(None)
    assert await found["5"].set_feedback(1)
    shown_votes = {each["id"]: each["feedback"] for each in await shown(layer, thread.id)}
    assert shown_votes["1"]["value"] == 1


async def test_what_the_ui_wrote_stays_the_uis_when_code_edits_it(
    layer: ChainkeepDataLayer, thread: Thread
) -> None:
    await ui_chat(layer, thread.id)
    before = [replace(each, text="") for each in map(of_interest, await thread.messages())]
    for message in await thread.messages():
        await message.edit(f"{message.text}!", attributes={"seen": True})
    after = await thread.messages()
    assert [message.text for message in after] == ["weather?!", "rain!", "Rain.!"]
    assert [replace(each, text="") for each in map(of_interest, after)] == before
    assert [each["role"] for each in to_openai(after, tool_steps=True)] == [
        "user", "assistant", "tool", "assistant",
    ]  # fmt: skip
    assert "name" not in to_openai(after)[0]


async def test_the_owner_speaks_as_the_user_in_a_role_of_their_own(
    layer: ChainkeepDataLayer, thread: Thread
) -> None:
    await thread.add_role(Role(name="guest", user_id="bob", user_name="Bob"))
    await thread.add_role(Role(name="customer", user_id="ada", user_name="Ada"))
    await thread.add_message("customer", "hi")
    await thread.add_message("guest", "hello")
    await thread.add_message("customer", "hush", private=True)
    user, run, guest = await shown(layer, thread.id)
    assert [user["type"], run["type"], guest["type"]] == [
        "user_message", "run", "assistant_message",
    ]  # fmt: skip
    assert (user["name"], user["parentId"], run["parentId"]) == ("Ada", None, user["id"])
    assert guest["parentId"] == run["id"]
    said = await thread.messages()
    assert [(message.role, message.sequence) for message in said] == [
        ("customer", 1), ("guest", 2), ("customer", 3),
    ]  # fmt: skip
    assert [message["role"] for message in to_openai(said)] == ["user", "assistant"]
    assert to_openai(said, roles={"customer": "assistant"})[0]["role"] == "assistant"
    assert (await thread.figures()).messages["customer"] == 2


async def test_a_vote_that_stays_the_same_keeps_its_comment(
    layer: ChainkeepDataLayer, thread: Thread
) -> None:
    await thread.add_message("user", "hi")
    answer = await thread.add_message("assistant", "hello")
    run = next(each for each in await shown(layer, thread.id) if each["type"] == "run")
    vote = Feedback(forId=run["id"], value=0, threadId=thread.id, comment="no")
    vote_id = await layer.upsert_feedback(vote)
    assert not await answer.set_disliked(True)
    assert (await answer.reload()).feedback_comment == "no"
    assert await answer.set_feedback(0, "")
    assert (await answer.reload()).feedback_comment is None
    assert await answer.set_feedback(1, "yes")
    assert await answer.set_feedback(0)
    read = await answer.reload()
    assert (read.feedback, read.feedback_comment) == (0, None)
    run = next(each for each in await shown(layer, thread.id) if each["type"] == "run")
    assert run["feedback"]["id"] == vote_id
    assert await layer.delete_feedback(vote_id)
    assert not await layer.delete_feedback(vote_id)


async def test_a_vote_in_the_ui_is_a_vote_in_code(
    layer: ChainkeepDataLayer, thread: Thread
) -> None:
    await thread.add_message("user", "hi")
    answer = await thread.add_message("assistant", "hello")
    run = next(each for each in await shown(layer, thread.id) if each["type"] == "run")
    await layer.upsert_feedback(
        Feedback(forId=run["id"], value=0, threadId=thread.id, comment="no")
    )
    read = await answer.reload()
    assert (read.feedback, read.feedback_comment, read.is_disliked) == (0, "no", True)
    assert await read.set_disliked(None)
    assert (await answer.reload()).is_disliked is None


async def test_a_vote_in_code_is_a_vote_in_the_ui(
    layer: ChainkeepDataLayer, thread: Thread
) -> None:
    await thread.add_message("user", "hi")
    answer = await thread.add_message("assistant", "hello")
    assert await answer.set_feedback(1, "good")
    run = next(each for each in await shown(layer, thread.id) if each["type"] == "run")
    assert (run["feedback"]["value"], run["feedback"]["comment"]) == (1, "good")
    assert not await answer.set_disliked(False)
    assert await answer.set_disliked(True)
    run = next(each for each in await shown(layer, thread.id) if each["type"] == "run")
    assert run["feedback"]["value"] == 0
    assert await answer.set_feedback(None)
    assert not await answer.set_feedback(None)


async def test_answers_stay_in_the_ui_when_code_deletes_their_question(
    layer: ChainkeepDataLayer, thread: Thread
) -> None:
    asked = await thread.add_message("user", "hi")
    await thread.add_message("assistant", "hello")
    await asked.delete()
    assert [each["output"] for each in await shown(layer, thread.id)] == ["", "hello"]


async def test_a_thread_that_code_deleted_is_gone_from_the_ui(
    layer: ChainkeepDataLayer, thread: Thread
) -> None:
    await thread.add_message("user", "hi")
    await thread.delete()
    assert await sidebar(layer) == []
    assert await layer.get_thread(thread.id) is None
    assert await layer.get_thread_author(thread.id) == ""
    await thread.restore()
    assert await sidebar(layer) == [thread.id]


class WithABin(ChainkeepDataLayer):
    """What users delete can be restored until it is purged."""

    @override
    async def delete_thread(self, thread_id: str) -> None:
        async with open_threads(self) as threads:
            thread = await threads.get(thread_id)
            if thread is not None:
                await thread.delete()


async def test_an_app_may_keep_what_its_users_delete(database_url: str, tmp_path: Any) -> None:
    layer = WithABin(database_url, blobs=str(tmp_path / "b"), journal=str(tmp_path / "j"))
    async with open_threads(layer) as threads:
        thread = await threads.create(owner="ada")
        await thread.add_message("user", "hi")
        await layer.delete_thread(thread.id)
        assert await sidebar(layer) == []
        late = {"id": "late", "type": "user_message", "createdAt": "2026-01-01T00:00:00Z"}
        await layer.create_step(step(threadId=thread.id, output="late", **late))
        assert await thread.restore()
        assert [message.text for message in await thread.messages()] == ["hi"]
    await layer.close()


async def test_a_thread_that_the_ui_deleted_is_gone_from_code(
    layer: ChainkeepDataLayer, threads: Threads
) -> None:
    thread = await threads.create(owner="ada", attributes={"a": 1})
    message = await thread.add_message("user", "hi")
    await message.add_reaction("👍", "ada")
    await layer.delete_thread(thread.id)
    assert await threads.get(thread.id, include_deleted=True) is None
    assert await threads.message(message.id) is None
    assert await threads.find(attributes={"a": 1}) == []
    assert await message.reactions() == {}


async def test_a_chat_of_the_ui_is_remembered(layer: ChainkeepDataLayer, thread: Thread) -> None:
    await ui_chat(layer, thread.id)
    question = {"role": "user", "content": [{"type": "text", "text": "weather?"}]}
    answer = {"role": "assistant", "content": [{"type": "text", "text": "Rain."}]}
    assert await remember(thread) == [question, answer]
    function = {"name": "get_weather", "arguments": '{"city":"Oslo"}'}
    call = {"id": "t", "type": "function", "function": function}
    assert await remember(thread, tool_steps=True) == [
        question,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "t", "content": [{"type": "text", "text": "rain"}]},
        answer,
    ]


async def test_a_tag_that_somebody_typed_is_a_word(
    layer: ChainkeepDataLayer, thread: Thread
) -> None:
    words = {"id": "u", "type": "user_message", "output": "what does <image> mean in HTML?"}
    await layer.create_step(step(threadId=thread.id, **words))
    [found] = to_openai(await thread.messages(), images={"u": ["x", "y"]})
    assert [part.get("text") for part in found["content"]] == [words["output"], None, None]


async def test_a_role_speaks_in_the_ui_under_its_name_and_avatar(
    layer: ChainkeepDataLayer, thread: Thread
) -> None:
    icon = 'a "quoted" \\ icon é'
    await thread.add_role(Role(name="critic", user_name="Rita", icon=icon))
    await thread.add_role(Role(name="assistant", user_name="Helper"))
    await thread.add_message("critic", "hm")
    await thread.add_message("critic", "named", name="Bob")
    await thread.add_message("assistant", "hello")
    first, named, last = await shown(layer, thread.id)
    assert (first["name"], first["metadata"]) == ("Rita", {"avatarName": icon})
    assert (named["name"], named["metadata"]) == ("Bob", {"avatarName": icon})
    assert (last["name"], last["metadata"]) == ("Helper", {})
    assert [message.name for message in await thread.messages()] == [None, "Bob", None]


async def test_a_picture_from_code_is_in_the_chat_and_has_an_address(
    layer: ChainkeepDataLayer, thread: Thread
) -> None:
    message = await thread.add_message("user", "look", images=[b"\x89PNG\r\n\x1a\n"])
    found: ThreadDict | None = await layer.get_thread(thread.id)
    assert found is not None
    [element] = found["elements"] or []
    assert (element["type"], element["forId"], element["display"]) == (
        "image", message.id, "inline",
    )  # fmt: skip
    assert str(element["url"]).startswith("/chainkeep/element?")
    [line] = await thread.to_chat_completion()
    assert "signature=" in line["content"]
    blob = await layer.element_blob(thread.id, element["id"])
    assert blob is not None
    assert (blob.name, blob.mime) == ("image.png", "image/png")


async def test_a_chat_completion_has_no_tools_result_without_its_call(
    layer: ChainkeepDataLayer, thread: Thread
) -> None:
    await ui_chat(layer, thread.id)
    plain = await thread.to_chat_completion()
    assert [(each["role"], each["sequence"]) for each in plain] == [("user", 1), ("assistant", 3)]
    asked, call, result, answer = await thread.to_chat_completion(tool_steps=True)
    assert [each["role"] for each in (asked, call, result, answer)] == [
        "user", "assistant", "tool", "assistant",
    ]  # fmt: skip
    assert call["tool_calls"][0]["function"]["name"] == "get_weather"
    assert call["tool_calls"][0]["id"] == result["tool_call_id"]
