"""What a thread can be turned into."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from chainkeep.errors import ConflictError, NotFoundError
from chainkeep.models import Step
from chainkeep.store import Store
from chainkeep.threads import Attachment, Draft, Role, Thread, Threads, to_swift3, with_summary

PNG = b"\x89PNG\r\n\x1a\n"
DATA_URL = "data:image/png;base64,iVBORw0KGgo="
LINK = "https://host/cat.jpg"
NOW = "2026-01-01T00:00:00.000000Z"


async def spoken(thread: Thread) -> Thread:
    await thread.add_message("system", "be kind")
    asked = await thread.add_message("user", "hi", images=[PNG, LINK])
    await thread.add_message("assistant", "hello", reply_to=asked.id, attributes={"a": 1})
    return thread


async def test_a_version_is_that_of_the_content(threads: Threads) -> None:
    given: dict[str, Any] = {"name": "same", "owner": "ada", "attributes": {"x": [1]}}
    thread = await spoken(await threads.create(**given))
    other = await spoken(await threads.create(**given))
    alike = [thread, await thread.reload(), await thread.copy(), other]
    versions = {await each.version() for each in alike}
    [version] = versions
    assert len(version) == 64
    assert int(version, 16) >= 0


CHANGES: dict[str, Callable[[Thread], Awaitable[object]]] = {
    "post": lambda thread: thread.add_message("user", "more"),
    "private post": lambda thread: thread.add_message("user", "", private=True),
    "rename": lambda thread: thread.update(name="other"),
    "attribute": lambda thread: thread.update(attributes={"a": 1}),
    "role": lambda thread: thread.add_role(Role(name="bot")),
    "clear": lambda thread: thread.clear(),
    "images": lambda thread: thread.remove_images(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_a_version_changes_with_the_content(
    thread: Thread, change: Callable[[Thread], Awaitable[object]]
) -> None:
    before = await (await spoken(thread)).version()
    await change(thread)
    assert await thread.version() != before


async def test_a_version_knows_of_edits_and_of_the_ui(thread: Thread, store: Store) -> None:
    message = await (await spoken(thread)).last_message()
    assert message is not None
    versions = [await thread.version()]
    await message.edit("goodbye")
    versions.append(await thread.version())
    step = Step(id="ui", thread_id=thread.id, type="user_message", output="typed", created_at=NOW)
    await store.create_step(step)
    versions.append(await thread.version())
    await message.add_reaction("👍", "ada")
    await thread.update(metadata={"chat_profile": "fast"})
    assert len(set(versions)) == 3
    assert await thread.version() == versions[-1]


async def test_a_thread_that_is_gone_has_no_version(thread: Thread) -> None:
    await thread.delete()
    with pytest.raises(NotFoundError):
        await thread.version()


async def test_who_read_an_older_version_does_not_write(thread: Thread) -> None:
    version = await thread.version()
    updated = await thread.update(name="first", expected_version=version)
    with pytest.raises(ConflictError, match="changed meanwhile"):
        await thread.update(name="second", expected_version=version)
    assert (await updated.reload()).name == "first"
    assert (await updated.update(name="third", expected_version=await thread.version())).name


async def test_of_several_who_read_the_same_version_one_writes(thread: Thread) -> None:
    version = await thread.version()
    outcomes = await asyncio.gather(
        *(thread.update(name=f"name {n}", expected_version=version) for n in range(8)),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, ConflictError) for outcome in outcomes) == 7


async def test_a_thread_is_what_openai_takes_with_its_images(thread: Thread) -> None:
    await spoken(thread)
    messages = await thread.to_openai()
    pictures = [{"type": "image_url", "image_url": {"url": url}} for url in (DATA_URL, LINK)]
    assert messages[1]["content"] == [{"type": "text", "text": "hi"}, *pictures]
    without = await thread.to_openai(images=None)
    assert without[1]["content"] == [{"type": "text", "text": "hi"}]
    # No place serves a directory's blobs, so they go along.
    assert await thread.to_openai(images="url") == messages


async def test_images_stand_where_their_tags_are(thread: Thread) -> None:
    await thread.add_message("user", "<image> or <image>?", images=[PNG, LINK])
    [message] = await thread.to_openai()
    assert [part.get("text", "image") for part in message["content"]] == [
        "image", " or ", "image", "?",
    ]  # fmt: skip


async def test_attachments_are_lines_of_a_chat_completion(thread: Thread) -> None:
    notes = Attachment.from_bytes(b"x", "notes.txt")
    await thread.add_message("user", "see", images=[LINK], attachments=[notes])
    await thread.add_message("assistant", "made", attachments=[Attachment.from_link(LINK)])
    first, second = await thread.to_chat_completion()
    assert first["content"] == f"see\n\n[File: {LINK} (image/jpeg)]\n[File: notes.txt (text/plain)]"
    assert second["content"] == f"made\n\nGenerated Files:\n[File: {LINK} (image/jpeg)]"


async def test_swift3_takes_texts_and_images_apart(thread: Thread) -> None:
    await spoken(thread)
    await thread.add_message("user", [
        {"type": "text", "text": "a "}, {"type": "image_url", "image_url": {"url": LINK}},
    ])  # fmt: skip
    await thread.add_message("user", "secret", private=True)
    assert await thread.to_swift3() == {
        "messages": [
            {"role": "system", "content": "be kind"},
            {"role": "user", "content": "hi<image><image>"},
            {"role": "assistant", "content": "hello"},
            {"role": "user", "content": "a <image>"},
        ],
        "images": [DATA_URL, LINK, LINK],
    }
    assert to_swift3([]) == {"messages": [], "images": []}


async def test_turns_say_who_spoke_and_how_often(thread: Thread) -> None:
    assert await thread.turns() == {}
    await thread.add_message("system", "be kind")
    await thread.add_message("user", "a")
    await thread.add_messages(
        [Draft(role="assistant", content="b"), Draft(role="assistant", content="c")]
    )
    await thread.add_message("critic", "d", same_turn=True)
    first, second = (await thread.turns()).values()
    assert (first.number, first.message_count, first.roles) == (1, 1, {"user": 1})
    assert (second.number, second.message_count) == (2, 3)
    assert second.roles == {"assistant": 2, "critic": 1}
    assert first.last_message_time < second.first_message_time < second.last_message_time


async def test_a_summary_stands_for_what_it_covers(thread: Thread) -> None:
    await spoken(thread)
    covered = await thread.last_message()
    assert covered is not None
    assert len(await thread.messages_with_summaries()) == 3
    await covered.summarize("they met")
    await thread.add_message("user", "and now?")
    found = await thread.messages_with_summaries()
    assert [(each.role, each.text) for each in found] == [
        ("system", "be kind"), ("system", "they met"), ("user", "and now?"),
    ]  # fmt: skip
    assert with_summary(await thread.messages(), {}) == await thread.messages()


async def test_earlier_summaries_are_kept_where_that_is_asked_for(thread: Thread) -> None:
    message = await thread.add_message("user", "hi")
    assert await message.summaries() == []
    await message.summarize("first")
    await message.summarize("second")
    await message.summarize("third", history=True)
    assert await message.summaries() == ["second", "third"]
    await message.summarize("fourth", history=True)
    await message.summarize("fifth")
    assert await message.summaries() == ["second", "third", "fifth"]
    assert await thread.summaries() == {message.id: "fifth"}
    await message.delete()
    assert await message.summaries() == []
