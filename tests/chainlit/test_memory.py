"""What a chat's context holds when the chat is resumed."""

from __future__ import annotations

from typing import Any

import chainlit as cl
import pytest
from chainlit import socket
from chainlit.config import config

from chainkeep.chainlit import fill_chat_context
from chainkeep.threads import open_threads, remember
from tests.chainlit.contract.chats import App, Chat


@pytest.fixture
def resume(app: App, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Resumes a thread as a page does, with the memory that ``options`` ask for."""

    async def work(thread_id: str, **options: Any) -> Chat:
        async def on_chat_resume(chat: Any) -> None:
            async with open_threads(app.layer) as threads:
                thread = await threads.get(chat["id"])
                assert thread is not None
                fill_chat_context(chat, await remember(thread, **options))

        monkeypatch.setattr(config.code, "on_chat_resume", on_chat_resume)
        chat = await app.chat("ada", thread_id)
        with chat:
            await socket.connection_successful(chat.session.socket_id)
        return chat

    return work


def held(chat: Chat) -> list[tuple[str, str]]:
    with chat:
        return [(m["role"], m["content"]) for m in cl.chat_context.to_openai()]


async def spoken(app: App) -> str:
    """A thread in which a question was answered and summarized, and another followed."""
    await app.user("ada")
    async with open_threads(app.layer) as threads:
        thread = await threads.create(owner="ada")
        await thread.add_message("system", "be brief")
        await thread.add_message("user", "first")
        answer = await thread.add_message("assistant", "one")
        await answer.summarize("they began")
        await thread.add_message("user", "second", images=["https://host/x.png"])
        await thread.add_message("assistant", "two")
    return thread.id


async def test_a_resumed_chat_holds_the_memory_and_nothing_twice(app: App, resume: Any) -> None:
    chat = await resume(await spoken(app))
    assert held(chat) == [
        ("system", "be brief"),
        ("system", "What was said before, in short: they began"),
        ("user", "second"),
        ("assistant", "two"),
    ]


async def test_a_resumed_chat_keeps_to_the_budget(app: App, resume: Any) -> None:
    chat = await resume(await spoken(app), max_messages=1)
    assert held(chat)[2:] == [("assistant", "two")]


async def test_what_is_said_next_follows_the_memory(app: App, resume: Any) -> None:
    chat = await resume(await spoken(app), max_messages=1)
    with chat:
        cl.chat_context.add(cl.Message(content="three"))
    assert held(chat)[2:] == [("assistant", "two"), ("assistant", "three")]
    with chat:
        cl.chat_context.clear()
    assert held(chat) == []
