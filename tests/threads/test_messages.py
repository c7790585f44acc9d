"""Messages are posted, read, edited and deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

import pytest

from chainkeep.errors import ConflictError, InvalidInputError, NotFoundError
from chainkeep.settings import Settings
from chainkeep.store import Store
from chainkeep.threads import Draft, Message, Thread, Threads, open_threads
from chainkeep.threads.drafts import MessageOptions
from tests.threads.statements import statements_of


def texts(messages: list[Message]) -> list[str]:
    return [message.text for message in messages]


async def test_messages_come_back_in_the_order_in_which_they_were_posted(thread: Thread) -> None:
    for number in range(5):
        await thread.add_message("user" if number % 2 else "assistant", f"{number}")
    found = await thread.messages()
    assert texts(found) == ["0", "1", "2", "3", "4"]
    assert [message.sequence for message in found] == [1, 2, 3, 4, 5]


async def test_a_message_comes_back_with_all_that_it_was_given(thread: Thread) -> None:
    first = await thread.add_message("user", "hi")
    call = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": "{}"}}
    given: dict[str, Any] = {
        "name": "Bob",
        "private": True,
        "reply_to": first.id,
        "tool_calls": [call],
        "attributes": {"deep": {"list": [1, None]}},
        "display_text": "shown",
        "question_config": {"q": 1},
        "prompt_details": {"p": 2},
        "source": {"id": "u1", "type": "user"},
        "platforms": {"slack": {"ts": "1"}},
        "reasoning": "because",
        "metrics": {"model": "m", "weave_call": {"id": "w"}},
    }
    posted = await thread.add_message("assistant", "hello", **given)
    found = await thread.message(posted.id)
    assert found is not None
    for message in (posted, found):
        assert {name: getattr(message, name) for name in given} == given
        assert message.generation == {"model": "m"}
    assert found == replace(posted, sequence=2, turn=2)
    assert not found.by_owner
    assert (found.role, found.content) == ("assistant", "hello")


async def test_nothing_is_kept_of_a_message_that_was_only_made(thread: Thread) -> None:
    Draft(role="user", content="thought, not said")
    assert await thread.messages() == []


async def test_the_options_of_a_message_are_the_fields_of_a_draft() -> None:
    assert {*MessageOptions.__annotations__, "role", "content"} == {f.name for f in fields(Draft)}


async def test_a_list_of_parts_comes_back_to_the_letter(thread: Thread) -> None:
    parts: list[dict[str, Any]] = [
        {"type": "text", "text": "What is "},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "text", "text": "this?"},
    ]
    posted = await thread.add_message("user", parts)
    found = await thread.message(posted.id)
    assert found is not None
    assert found.content == parts
    assert found.text == "What is \nthis?"


async def test_equal_messages_are_two(thread: Thread) -> None:
    await thread.add_message("user", "again")
    await thread.add_message("user", "again")
    assert texts(await thread.messages()) == ["again", "again"]


async def test_a_role_may_be_any_word(thread: Thread) -> None:
    await thread.add_message("critic", "hm")
    [message] = await thread.messages(roles=["critic"])
    assert message.role == "critic"


async def test_system_messages_can_be_left_unwritten(open_: Callable[..., Any]) -> None:
    threads: Threads = await open_(persist_system=False)
    thread = await threads.create()
    said = await thread.add_message("system", "be brief")
    assert (said.role, said.text) == ("system", "be brief")
    posted = await thread.add_messages(
        [Draft(role="system", content="be kind"), Draft(role="user", content="hi")]
    )
    assert texts(posted) == ["be kind", "hi"]
    assert texts(await thread.messages()) == ["hi"]
    assert (await thread.figures()).messages["system"] == 0
    await thread.delete()
    with pytest.raises(NotFoundError):
        await thread.add_message("system", "be brief")


async def test_strict_roles_refuse_any_other_word(open_: Callable[..., Any]) -> None:
    threads: Threads = await open_(strict_roles=True)
    thread = await threads.create()
    with pytest.raises(InvalidInputError, match="critic"):
        await thread.add_message("critic", "hm")
    assert await thread.messages() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"role": ""},
        {"role": "user", "content": None},
        {"role": "tool", "content": "4"},
        {"role": "user", "content": "{", "is_json": True},
        {"role": "user", "content": "[" * 100_000, "is_json": True},
        {"role": "user", "content": [{"text": "no type"}]},
        {"role": " "},
        {"role": "assistant", "tool_calls": [{"id": "1"}]},
        {"tool_calls": [{"id": "1", "type": "function", "function": "add"}]},
        {"tool_calls": [{"id": "1", "type": "function", "function": {"name": "add"}}]},
        {"tool_calls": [{"type": "function", "function": {"name": "add", "arguments": ""}}]},
        {"tool_calls": [5]},
        {"content": 5},
        {"content": {"type": "text"}},
        {"attributes": "x"},
        {"metrics": [1]},
        {"usage": 5},
        {"source": "bob"},
        {"role": "user", "content": "x", "source": {"type": "user"}},
        {"role": "user", "content": "x", "source": {"id": "1", "type": "god"}},
    ],
)
async def test_what_is_no_message_is_refused(thread: Thread, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        await thread.add_message(**{"role": "user", "content": "x", **wrong})
    assert await thread.messages() == []


async def test_a_message_that_only_calls_tools_has_no_content(thread: Thread) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": "{}"}}
    posted = await thread.add_message("assistant", None, tool_calls=[call])
    found = await thread.message(posted.id)
    assert found is not None
    assert found.content is None
    assert found.tool_calls == [call]


async def test_system_messages_come_first_the_newest_before_the_others(thread: Thread) -> None:
    await thread.add_message("user", "hi")
    await thread.add_message("system", "be brief")
    await thread.add_message("system", "be kind")
    found = await thread.messages()
    assert texts(found) == ["be kind", "be brief", "hi"]
    assert [message.sequence for message in found] == [0, 0, 1]
    newest = await thread.system_message()
    assert newest is not None
    assert newest.text == "be kind"


async def test_the_last_messages_are_left_by_a_limit(thread: Thread) -> None:
    for number in range(4):
        await thread.add_message("user", f"{number}")
    found = await thread.messages(limit=2)
    assert [(message.text, message.sequence) for message in found] == [("2", 3), ("3", 4)]
    assert await thread.messages(limit=0) == []
    with pytest.raises(InvalidInputError):
        await thread.messages(limit=-1)


async def test_the_last_message_of_a_role_is_found(thread: Thread) -> None:
    await thread.add_message("user", "a")
    await thread.add_message("assistant", "b")
    await thread.add_message("user", "c")
    await thread.add_message("system", "s")
    for role, text in [("assistant", "b"), ("user", "c"), (None, "c"), ("system", "s")]:
        found = await thread.last_message(role)
        assert found is not None
        assert found.text == text
    assert await thread.last_message("tool") is None


async def test_private_messages_are_left_out_on_request(thread: Thread) -> None:
    await thread.add_message("user", "seen")
    await thread.add_message("assistant", "hidden", private=True)
    assert texts(await thread.messages()) == ["seen", "hidden"]
    assert texts(await thread.messages(include_private=False)) == ["seen"]


async def test_each_message_is_a_turn_unless_it_joins_the_last(thread: Thread) -> None:
    assert await thread.current_turn() == 0
    await thread.add_message("system", "s")
    await thread.add_message("user", "a")
    await thread.add_message("assistant", "b")
    await thread.add_message("assistant", "c", same_turn=True)
    await thread.add_messages([Draft(role="user", content=text) for text in "de"])
    found = await thread.messages()
    assert [(m.text, m.turn) for m in found] == [
        ("s", 0), ("a", 1), ("b", 2), ("c", 2), ("d", 3), ("e", 3),
    ]  # fmt: skip
    assert await thread.current_turn() == 3
    assert texts(await thread.messages(turn=2)) == ["b", "c"]


async def test_the_first_message_may_ask_for_the_same_turn(thread: Thread) -> None:
    await thread.add_message("user", "a", same_turn=True)
    assert await thread.current_turn() == 1


async def test_several_messages_are_posted_all_or_none(thread: Thread) -> None:
    taken = await thread.add_message("user", "first")
    with pytest.raises(ConflictError):
        await thread.add_messages(
            [Draft(role="user", content="a"), Draft(role="user", content="b", id=taken.id)]
        )
    assert texts(await thread.messages()) == ["first"]


async def test_an_id_of_the_callers_own_is_kept(thread: Thread) -> None:
    await thread.add_message("user", "a", id="mine")
    found = await thread.message("mine")
    assert found is not None


async def test_an_id_is_given_once_also_to_the_same_words(thread: Thread) -> None:
    await thread.add_message("assistant", "a", id="mine")
    with pytest.raises(ConflictError, match="mine"):
        await thread.add_message("assistant", "a", id="mine")
    assert texts(await thread.messages()) == ["a"]


async def test_an_id_is_given_once_among_messages_that_are_posted_together(thread: Thread) -> None:
    twice = Draft(role="assistant", content="a", id="mine")
    with pytest.raises(ConflictError, match="twice"):
        await thread.add_messages([twice, twice])
    assert await thread.messages() == []


async def test_an_id_may_be_any_text(thread: Thread) -> None:
    for id in ("nul\0byte", "\ufdd0", "'quoted' \"%_", "é 🙂"):
        message = await thread.add_message("user", "a", id=id, images=["https://host/x.png"])
        await message.add_reaction("+1", "ada")
        assert len((await message.reload()).attachments) == 1
        assert await message.delete()
        assert await thread.message(id) is None
    assert await thread.messages() == []


async def test_an_id_is_given_once_in_all_threads(threads: Threads, thread: Thread) -> None:
    await thread.add_message("user", "a", id="mine")
    other = await threads.create()
    with pytest.raises(ConflictError, match="mine"):
        await other.add_message("user", "a", id="mine")


async def test_a_message_answers_one_that_is_in_the_thread(thread: Thread) -> None:
    asked = await thread.add_message("user", "a")
    answer = await thread.add_message("assistant", "b", reply_to=asked.id)
    assert texts(await thread.replies(asked.id)) == ["b"]
    assert answer.reply_to == asked.id


async def test_a_message_answers_none_of_another_thread(threads: Threads, thread: Thread) -> None:
    elsewhere = await (await threads.create()).add_message("user", "a")
    with pytest.raises(InvalidInputError, match="reply"):
        await thread.add_message("assistant", "b", reply_to=elsewhere.id)
    assert await thread.messages() == []


async def test_a_message_answers_none_that_was_deleted(thread: Thread) -> None:
    asked = await thread.add_message("user", "a")
    await asked.delete()
    with pytest.raises(InvalidInputError, match="reply"):
        await thread.add_message("assistant", "b", reply_to=asked.id)


async def test_a_message_answers_nothing_but_a_message(thread: Thread, store: Store) -> None:
    await thread.add_message("user", "a")
    content = await store.get_thread(thread.id)
    assert content is not None
    [run] = [step.id for step in content.steps if step.type == "run"]
    with pytest.raises(InvalidInputError, match="reply"):
        await thread.add_message("assistant", "b", reply_to=run)


async def test_an_edit_sets_what_is_given_and_keeps_the_place(thread: Thread) -> None:
    first = await thread.add_message("user", "frist", attributes={"a": 1}, name="Bob")
    await thread.add_message("assistant", "b")
    edited = await first.edit("first")
    assert (edited.text, edited.attributes, edited.name) == ("first", {"a": 1}, "Bob")
    edited = await edited.edit(attributes={}, display_text="1st")
    assert (edited.text, edited.attributes, edited.display_text) == ("first", {}, "1st")
    assert texts(await thread.messages()) == ["first", "b"]


async def test_what_is_shown_is_the_text_where_nothing_else_is_said(thread: Thread) -> None:
    message = await thread.add_message("user", "text", display_text="")
    assert (message.display_text, (await message.reload()).display_text) == ("text", "text")
    shown = await message.edit(display_text="shown")
    assert shown.display_text == "shown"
    assert (await shown.edit("new", display_text="")).display_text == "new"


async def test_what_was_not_given_has_a_shape_all_the_same(thread: Thread) -> None:
    posted = await thread.add_message("user", "a")
    [message] = await thread.messages()
    for each in (posted, message):
        assert (each.question_config, each.prompt_details, each.source) == (None, {}, None)
        assert (each.attributes, each.platforms, each.tool_calls) == ({}, {}, [])
        assert (each.is_disliked, each.metrics, each.generation) == (None, None, None)


async def test_metrics_tell_what_was_not_said_apart(thread: Thread) -> None:
    metrics = {
        "model": "big",
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
        "timing": {"started_at": "2026-01-01T00:00:00Z", "latency": 250},
    }
    await thread.add_message("assistant", "a", metrics=metrics)
    await thread.add_message("assistant", "b", metrics=metrics, model="small", latency=50)
    await thread.add_message("assistant", "c", metrics={"timing": None, "usage": None})
    await thread.add_message("assistant", "d", metrics={"timing": {"latency": "long"}, "usage": 5})
    await thread.add_message("assistant", "e", metrics={"usage": {"prompt_tokens": "many"}})
    figures = await thread.figures()
    assert figures.of_model("big").total_latency == 250
    assert (figures.of_model("small").total_tokens, figures.of_model("small").total_latency) == (
        3, 50,
    )  # fmt: skip
    assert figures.overall.calls == 2
    assert (await thread.messages())[0].metrics == metrics


async def test_parts_can_be_edited_into_text_and_back(thread: Thread) -> None:
    parts = [{"type": "text", "text": "a"}]
    message = await thread.add_message("user", parts)
    assert (await message.edit("b")).content == "b"
    assert (await message.edit(parts)).content == parts


async def test_a_message_that_was_deleted_cannot_be_edited(thread: Thread) -> None:
    message = await thread.add_message("user", "a")
    await message.delete()
    with pytest.raises(NotFoundError):
        await message.edit("b")


async def test_a_message_is_deleted_once_and_alone(thread: Thread) -> None:
    asked = await thread.add_message("user", "a")
    await thread.add_message("assistant", "b")
    assert await thread.delete_message(asked.id)
    assert not await thread.delete_message(asked.id)
    assert not await asked.delete()
    found = await thread.messages()
    assert [(message.text, message.sequence) for message in found] == [("b", 1)]


async def test_a_cleared_thread_begins_again(thread: Thread) -> None:
    await thread.add_message("user", "a")
    await thread.clear()
    assert await thread.messages() == []
    await thread.add_message("user", "b")
    [message] = await thread.messages()
    assert (message.sequence, message.turn) == (1, 1)


async def test_a_thread_that_is_not_there_takes_no_message(thread: Thread) -> None:
    await thread.delete()
    with pytest.raises(NotFoundError):
        await thread.add_message("user", "a")


async def test_a_message_is_found_without_its_thread(threads: Threads, thread: Thread) -> None:
    posted = await thread.add_message("user", "a")
    found = await threads.message(posted.id)
    assert found is not None
    assert found.thread_id == thread.id
    assert await threads.message("no-such") is None


async def test_posting_takes_two_statements_whatever_the_length(thread: Thread) -> None:
    counts = set()
    for number in range(30):
        role = ("user", "assistant", "tool", "critic")[number % 4]
        post = partial(thread.add_message, role, "text", tool_call_id="c")
        counts.add(len(await statements_of(post)))
    assert counts == {2}


async def test_many_writers_at_once_keep_every_message(settings: Settings, thread: Thread) -> None:
    async def write(name: str) -> None:
        # Each has a connection and a queue of its own, as another process would.
        async with open_threads(settings) as own:
            mine = await own.get(thread.id)
            assert mine is not None
            for number in range(25):
                await mine.add_message("user", f"{name}-{number}")

    await asyncio.gather(*(write(f"w{number}") for number in range(8)))
    found = await thread.messages()
    assert len(found) == 200
    assert len({message.created_at for message in found}) == 200
    for name in (f"w{number}" for number in range(8)):
        own = [message.text for message in found if message.text.startswith(f"{name}-")]
        assert own == [f"{name}-{number}" for number in range(25)]


async def test_a_message_answers_what_it_was_said_to_answer_and_nothing_else(
    thread: Thread,
) -> None:
    asked = await thread.add_message("user", "a")
    await thread.add_message("assistant", "b")
    await thread.add_message("assistant", "c", reply_to=asked.id)
    assert texts(await thread.replies(asked.id)) == ["c"]


async def test_what_was_said_to_be_json_stays_json(thread: Thread) -> None:
    message = await thread.add_message("user", "[1]", is_json=True)
    with pytest.raises(InvalidInputError):
        await message.edit("no json")
    assert (await message.edit("[2]")).is_json
    assert not (await message.edit("words", is_json=False)).is_json


async def test_a_message_may_have_been_said_earlier(thread: Thread) -> None:
    await thread.add_message("user", "now")
    zone = timezone(timedelta(hours=5))
    said = datetime(2020, 1, 2, 3, 4, 5, 678901, tzinfo=zone)
    posted = await thread.add_message("user", "then", created_at=said)
    naive = await thread.add_message("user", "naive", created_at=said.replace(tzinfo=None))
    found = await thread.messages()
    assert [each.text for each in found] == ["now", "then", "naive"]
    assert found[1].created_at == posted.created_at == said
    assert found[1].created == said.timestamp()
    assert found[2].created_at == naive.created_at == said.replace(tzinfo=timezone.utc)


async def test_messages_are_found_by_who_said_them_and_by_turn(thread: Thread) -> None:
    for number in range(4):
        source = {"id": f"agent-{number % 2}", "type": "agent"}
        await thread.add_message("assistant", f"{number}", source=source, same_turn=number == 1)
    assert texts(await thread.messages(source="agent-0")) == ["0", "2"]
    assert texts(await thread.messages(source="agent-1", limit=1)) == ["3"]
    assert texts(await thread.messages(turn=1)) == ["0", "1"]
    assert texts(await thread.messages(turn=1, limit=1)) == ["1"]
    assert await thread.messages(source="nobody") == []
