"""A conversation as a model remembers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chainkeep.threads.formats import to_openai, words_of
from chainkeep.threads.summaries import shortened
from chainkeep.threads.thread import Thread
from chainkeep.threads.views import pictures_of

__all__ = ["remember"]

_SUMMARY = "What was said before, in short: {}"


async def remember(
    thread: Thread,
    *,
    max_messages: int | None = None,
    max_tokens: int | None = None,
    count_tokens: Callable[[str], int] | None = None,
    include_private: bool = False,
    images: bool = True,
    roles: Mapping[str, str] | None = None,
    tool_steps: bool = False,
) -> list[dict[str, Any]]:
    """OpenAI's messages for a thread that somebody comes back to.

    What was summarized is replaced by its summary. System messages are always there; of the others
    the last ``max_messages``, and of those as many of the last as have ``max_tokens`` together. A
    token is taken for four characters, unless ``count_tokens`` knows better. Images come along as
    data URLs. ``roles`` and ``tool_steps`` are as in ``to_openai``.
    """
    messages = await thread.messages(include_private=include_private)
    summaries = await thread.summaries()
    last, said = shortened(messages, summaries)
    spoken = [message for message in said if message.role != "system"]
    if max_messages is not None:
        spoken = spoken[max(len(spoken) - max_messages, 0) :]
    pictures = await pictures_of(spoken, "data") if images else {}
    system = [message for message in said if message.role == "system"]
    opening = to_openai(system, include_private=True)
    if last is not None:
        text = _SUMMARY.format(summaries[last.id])
        opening.append({"role": "system", "content": [{"type": "text", "text": text}]})
    rest = to_openai(
        spoken, include_private=True, images=pictures, roles=roles, tool_steps=tool_steps
    )
    if max_tokens is None:
        return opening + rest
    count = count_tokens or _guess
    left = max_tokens - sum(count(words_of(message)) for message in opening)
    return opening + _last(rest, left, count)


def _last(
    messages: list[dict[str, Any]], left: int, count: Callable[[str], int]
) -> list[dict[str, Any]]:
    """As many of the last messages as fit; a tool's result never without its call."""
    start = len(messages)
    for place in range(len(messages) - 1, -1, -1):
        left -= count(words_of(messages[place]))
        if left < 0:
            break
        if messages[place]["role"] != "tool":
            start = place
    return messages[start:]


def _guess(text: str) -> int:
    return len(text) // 4 + 1
