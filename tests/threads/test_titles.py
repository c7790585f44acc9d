"""Threads are named after what was said in them."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest

from chainkeep.threads import Message, Thread, generate_title


async def test_a_title_is_how_the_first_user_message_begins(thread: Thread) -> None:
    await thread.add_message("assistant", "welcome")
    await thread.add_message("user", "a" * 60)
    assert await generate_title(thread) == "a" * 50 + "..."
    assert (await thread.reload()).name == "a" * 50 + "..."


async def test_a_short_message_is_a_whole_title(thread: Thread) -> None:
    await thread.add_message("user", " two\nlines ")
    assert await generate_title(thread) == "two lines"


async def test_nothing_said_leaves_the_name(thread: Thread) -> None:
    await thread.add_message("system", "be brief")
    assert await generate_title(thread) == "Empty Thread"
    await thread.add_message("assistant", "welcome")
    assert await generate_title(thread) == "Untitled Thread"
    assert (await thread.reload()).name == "A chat"


async def test_a_title_may_be_written_by_whoever_can(thread: Thread) -> None:
    async def write(messages: Sequence[Message]) -> str:
        return f' "About\n{messages[0].text}" ' + "x" * 300

    await thread.add_message("system", "be brief")
    await thread.add_message("user", "secret", private=True)
    await thread.add_message("user", "cats")
    title = await generate_title(thread, write)
    assert title.startswith('About cats" xxx')
    assert len(title) == 200


async def test_a_title_that_cannot_be_written_is_no_fault(
    thread: Thread, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_messages: Sequence[Message]) -> str:
        raise ValueError("cats")

    async def nothing(_messages: Sequence[Message]) -> str:
        return ' ""'

    await thread.add_message("user", "cats and dogs")
    with caplog.at_level(logging.WARNING):
        assert await generate_title(thread, fail) == "cats and dogs"
    assert caplog.messages == ["A title was not written: ValueError"]
    assert await generate_title(thread, nothing) == "cats and dogs"


async def test_a_title_can_be_written_once_after_the_first_exchange(thread: Thread) -> None:
    titles = iter(("first", "never"))

    async def write(_messages: Sequence[Message]) -> str:
        return next(titles)

    async def titled() -> str:
        return await generate_title(thread, write, once=True)

    assert await titled() == "Empty Thread"
    await thread.add_message("assistant", "welcome")
    assert await titled() == "A chat"
    await thread.add_message("user", "cats")
    assert await titled() == "A chat"
    await thread.add_message("assistant", "purr")
    assert await titled() == "first"
    await thread.add_message("user", "dogs")
    await thread.add_message("assistant", "woof")
    assert await titled() == "first"
    assert (await thread.reload()).name == "first"
