"""Messages as models take them."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from chainkeep.attachments import Content
from chainkeep.errors import InvalidInputError
from chainkeep.models import Element
from chainkeep.store import Store
from chainkeep.threads import (
    Thread,
    from_openai,
    remember,
    to_chat_completion,
    to_openai,
)

CALL = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a":1}'}}


def text(words: str) -> dict[str, str]:
    return {"type": "text", "text": words}


def image(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def said(messages: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(m["role"], "".join(p.get("text", "") for p in m["content"] or ())) for m in messages]


async def test_a_conversation_is_what_openai_takes(thread: Thread) -> None:
    await thread.add_message("user", "1+1?", name="Ada")
    await thread.add_message("system", "be brief")
    await thread.add_message("assistant", None, tool_calls=[CALL])
    await thread.add_message("tool", "2", tool_call_id="c1", name="add")
    await thread.add_message("assistant", "two")
    assert to_openai(await thread.messages()) == [
        {"role": "system", "content": [text("be brief")]},
        {"role": "user", "content": [text("1+1?")], "name": "Ada"},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": [text("2")]},
        {"role": "assistant", "content": [text("two")]},
    ]


async def test_a_tool_call_and_its_result_come_together_or_not_at_all(thread: Thread) -> None:
    await thread.add_message("tool", "orphan", tool_call_id="none")
    await thread.add_message("assistant", None, tool_calls=[CALL])
    await thread.add_message("assistant", "sorry", tool_calls=[{**CALL, "id": "c2"}])
    found = to_openai(await thread.messages())
    assert found == [{"role": "assistant", "content": [text("sorry")]}]


async def test_private_messages_are_for_the_model_on_request_only(thread: Thread) -> None:
    await thread.add_message("user", "a")
    await thread.add_message("assistant", "b", private=True)
    messages = await thread.messages()
    assert said(to_openai(messages)) == [("user", "a")]
    assert len(to_openai(messages, include_private=True)) == 2
    assert len(to_chat_completion(messages)) == 1
    assert len(to_chat_completion(messages, include_private=True)) == 2


async def test_an_apps_own_role_speaks_as_the_assistant_or_as_it_is_mapped(thread: Thread) -> None:
    await thread.add_message("user42", "hi")
    messages = await thread.messages()
    assert said(to_openai(messages)) == [("assistant", "hi")]
    assert said(to_openai(messages, roles={"user42": "user"})) == [("user", "hi")]


async def test_images_take_the_place_of_their_tags(thread: Thread) -> None:
    message = await thread.add_message("user", "a<image>b<image>")
    [found] = to_openai([message], images={message.id: ["x", "y"]})
    assert found["content"] == [text("a"), image("x"), text("b"), image("y")]


async def test_images_without_tags_follow_the_text(thread: Thread) -> None:
    message = await thread.add_message("user", "a")
    [found] = to_openai([message], images={message.id: ["x"]})
    assert found["content"] == [text("a"), image("x")]


async def test_there_are_as_many_images_as_tags(thread: Thread) -> None:
    message = await thread.add_message("user", "a<image>")
    with pytest.raises(InvalidInputError, match=r"tags \(1\) must match number of images \(2\)"):
        to_openai([message], images={message.id: ["x", "y"]})


async def test_an_empty_text_has_no_parts(thread: Thread) -> None:
    message = await thread.add_message("user", "")
    assert to_openai([message]) == [{"role": "user", "content": []}]


async def test_openais_messages_come_in_and_out_the_same(thread: Thread) -> None:
    given: list[dict[str, Any]] = [
        {"role": "system", "content": [text("be brief")]},
        {"role": "user", "content": [text("a"), image("data:x"), text("b")]},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": [text("2")]},
        {"role": "assistant", "content": [text("two")], "name": "Bob"},
    ]
    await thread.add_messages(from_openai(given))
    assert to_openai(await thread.messages()) == given


async def test_a_message_of_openais_may_say_nothing(thread: Thread) -> None:
    await thread.add_messages(from_openai([{"role": "assistant", "content": None}]))
    [message] = await thread.messages()
    assert message.content == ""


async def test_a_message_alone_is_what_a_model_takes(thread: Thread) -> None:
    png = "data:image/png;base64,iVBORw0KGgo="
    await thread.add_message("system", "be kind")
    message = await thread.add_message("user", "<image>?", images=[png], private=True)
    assert await message.to_openai() == [{"role": "user", "content": [image(png), text("?")]}]
    assert await message.to_chat_completion() == [
        {"role": "user", "content": "<image>?\n\n[File: image.png (image/png)]", "sequence": 1}
    ]


async def test_a_chat_completion_has_text_and_sequence_and_no_system_message(
    thread: Thread,
) -> None:
    await thread.add_message("system", "be brief")
    asked = await thread.add_message("user", "a")
    await thread.add_message("assistant", "b", tool_calls=[CALL])
    await thread.add_message("tool", "2", tool_call_id="c1", name="add")
    await thread.add_message("user", [text("parts")])
    files = {asked.id: ["https://host/f (text/plain)"]}
    assert to_chat_completion(await thread.messages(), files=files) == [
        {"role": "user", "content": "a\n\n[File: https://host/f (text/plain)]", "sequence": 1},
        {"role": "assistant", "content": "b", "sequence": 2, "tool_calls": [CALL]},
        {"role": "tool", "content": "2", "sequence": 3, "name": "add", "tool_call_id": "c1"},
        {"role": "user", "content": [text("parts")], "sequence": 4},
    ]


async def test_generated_files_stand_under_a_heading(thread: Thread) -> None:
    answer = await thread.add_message("assistant", "b")
    [found] = to_chat_completion([answer], files={answer.id: ["u (m)"]})
    assert found["content"] == "b\n\nGenerated Files:\n[File: u (m)]"


async def test_files_alone_are_the_whole_text(thread: Thread) -> None:
    answer = await thread.add_message("assistant", "")
    question = await thread.add_message("user", "")
    files = {answer.id: ["u (m)"], question.id: ["v (m)", "w (m)"]}
    assert [m["content"] for m in to_chat_completion([answer, question], files=files)] == [
        "Generated Files:\n[File: u (m)]", "[File: v (m)]\n[File: w (m)]",
    ]  # fmt: skip


async def test_a_role_of_the_apps_own_is_one_that_models_know(thread: Thread) -> None:
    await thread.add_message("critic", "hm")
    messages = await thread.messages()
    assert [m["role"] for m in to_chat_completion(messages) + to_openai(messages)] == [
        "assistant", "assistant",
    ]  # fmt: skip


async def test_a_summary_stands_for_what_was_said_up_to_it(thread: Thread) -> None:
    await thread.add_message("system", "be brief")
    await thread.add_message("user", "a")
    answer = await thread.add_message("assistant", "b")
    await thread.add_message("user", "c")
    await answer.summarize("a and b")
    assert said(await remember(thread)) == [
        ("system", "be brief"),
        ("system", "What was said before, in short: a and b"),
        ("user", "c"),
    ]


async def test_memory_has_the_last_messages(thread: Thread) -> None:
    await thread.add_message("system", "s")
    for number in range(4):
        await thread.add_message("user", f"{number}")
    assert said(await remember(thread, max_messages=2)) == [
        ("system", "s"), ("user", "2"), ("user", "3"),
    ]  # fmt: skip
    assert said(await remember(thread, max_messages=0)) == [("system", "s")]


async def test_memory_keeps_to_its_tokens(thread: Thread) -> None:
    for number in range(4):
        await thread.add_message("user", f"{number}")
    found = await remember(thread, max_tokens=2, count_tokens=lambda _text: 1)
    assert said(found) == [("user", "2"), ("user", "3")]
    assert await remember(thread, max_tokens=0) == []
    assert len(await remember(thread, max_tokens=100_000)) == 4


@pytest.mark.parametrize("budget", [{"max_messages": 2}, {"max_tokens": 2}])
async def test_memory_begins_with_no_result_of_a_tool(
    thread: Thread, budget: dict[str, Any]
) -> None:
    await thread.add_message("user", "a")
    await thread.add_message("assistant", None, tool_calls=[CALL])
    await thread.add_message("tool", "2", tool_call_id="c1")
    await thread.add_message("assistant", "two")
    found = await remember(thread, **budget, count_tokens=lambda _text: 1)
    assert said(found) == [("assistant", "two")]


async def test_images_of_the_ui_are_remembered_as_data(thread: Thread, store: Store) -> None:
    message = await thread.add_message("user", "what is this?")
    where: dict[str, Any] = {
        "thread_id": thread.id,
        "for_id": message.id,
        "type": "image",
        "mime": "image/png",
    }
    await store.save_element(Element(id="1", **where), Content(source=b"png"))
    await store.save_element(Element(id="2", **where, url="https://host/x.png"))
    [found] = await remember(thread)
    data = f"data:image/png;base64,{base64.b64encode(b'png').decode()}"
    assert found["content"] == [text("what is this?"), image(data), image("https://host/x.png")]
    [bare] = await remember(thread, images=False)
    assert bare["content"] == [text("what is this?")]
