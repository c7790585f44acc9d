"""Summaries in place of what they cover."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from chainkeep.threads.message import Message

__all__ = ["shortened", "with_summary"]


def shortened(
    messages: Sequence[Message], summaries: Mapping[str, str]
) -> tuple[Message | None, list[Message]]:
    """The last message that is summarized, and those that its summary does not cover; system
    messages are never covered.
    """
    for place in range(len(messages) - 1, -1, -1):
        if messages[place].id in summaries:
            system = [each for each in messages[: place + 1] if each.role == "system"]
            return messages[place], system + list(messages[place + 1 :])
    return None, list(messages)


def with_summary(messages: Sequence[Message], summaries: Mapping[str, str]) -> list[Message]:
    """The messages, the newest summary in place of those that it covers, as a system's message."""
    last, rest = shortened(messages, summaries)
    if last is None:
        return rest
    text = summaries[last.id]
    summary = replace(
        last,
        role="system",
        content=text,
        display_text=text,
        name=None,
        tool_calls=[],
        tool_call_id=None,
        attachments=[],
        sequence=0,
        turn=0,
    )
    system = [message for message in rest if message.role == "system"]
    return [*system, summary, *rest[len(system) :]]
