"""A title for a thread, from what was said in it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from chainkeep.threads.message import Message
from chainkeep.threads.thread import Thread

__all__ = ["WriteTitle", "generate_title"]

WriteTitle = Callable[[Sequence[Message]], Awaitable[str]]
"""Makes a title of a thread's public messages, most often by asking a model."""

logger = logging.getLogger("chainkeep.threads")

_LONGEST, _EXCERPT = 200, 50
_UNTITLED, _EMPTY = "Untitled Thread", "Empty Thread"


async def generate_title(
    thread: Thread, write: WriteTitle | None = None, *, once: bool = False
) -> str:
    """Name a thread after what was said in it, system messages aside; the name.

    Without ``write``, or where that fails or gives nothing, the name is how the first user message
    begins. Where nobody has said anything the thread is left as it is; so it is with ``once``, but
    after the first exchange: when a user has said one thing and somebody has answered.
    """
    messages = await thread.messages(include_private=False)
    spoken = [message for message in messages if message.role != "system"]
    if not spoken:
        return _EMPTY
    if once and not _is_first_exchange(spoken):
        return (await thread.reload()).title
    title = (await _written(spoken, write) if write else "") or _excerpt(spoken)
    if not title:
        return _UNTITLED
    await thread.update(name=title)
    return title


def _is_first_exchange(spoken: Sequence[Message]) -> bool:
    roles = [message.role for message in spoken]
    return roles.count("user") == 1 and roles[-1] != "user"


async def _written(messages: Sequence[Message], write: WriteTitle) -> str:
    # Whatever goes wrong with a model, a chat goes on without a title of its making.
    [made] = await asyncio.gather(_awaited(messages, write), return_exceptions=True)
    if isinstance(made, BaseException):
        logger.warning("A title was not written: %s", type(made).__name__)
        return ""
    return " ".join(str(made).split()).strip("\"'“” ")[:_LONGEST].strip()


async def _awaited(messages: Sequence[Message], write: WriteTitle) -> str:
    return await write(messages)


def _excerpt(messages: Sequence[Message]) -> str:
    texts = (" ".join(message.text.split()) for message in messages if message.role == "user")
    text = next((text for text in texts if text), "")
    return text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]}..."
