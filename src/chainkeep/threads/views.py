"""A thread as others take it: models, and whoever asks whether it changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypedDict, overload

from typing_extensions import Unpack

from chainkeep.db import thread_queries, versions
from chainkeep.errors import NotFoundError
from chainkeep.paging import NO_LIMIT
from chainkeep.threads.access import Access
from chainkeep.threads.attachments import ImagesAs, line_of, pictures_among
from chainkeep.threads.formats import to_chat_completion, to_openai, to_swift3
from chainkeep.threads.message import Message, read_messages
from chainkeep.threads.summaries import with_summary

__all__ = ["ThreadViews", "Turn", "pictures_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What was said at one go."""

    number: int
    message_count: int
    roles: Mapping[str, int]
    """How many messages of each role."""
    first_message_time: datetime
    last_message_time: datetime


class OpenAIOptions(TypedDict, total=False):
    """How OpenAI's messages are made of a thread."""

    include_private: bool
    images: ImagesAs | None
    """As data URLs, which is the default; as addresses, where there are any; or not at all."""
    roles: Mapping[str, str] | None
    tool_steps: bool


class ThreadViews:
    """What a thread's messages can be turned into."""

    __slots__ = ()

    id: str
    _access: Access

    async def version(self) -> str:
        """A hash of what the thread says: 64 hexadecimal digits, the same until somebody posts,
        edits, deletes, renames or changes a role; ids and times do not count.
        """
        found = await self._access.read(self.id, versions.content_version, thread_id=self.id)
        if found is None:
            raise NotFoundError(f"Thread {self.id} was deleted.")
        return found

    @overload
    async def to_openai(
        self, *, as_dict: Literal[False] = False, **options: Unpack[OpenAIOptions]
    ) -> list[dict[str, Any]]: ...

    @overload
    async def to_openai(
        self, *, as_dict: Literal[True], **options: Unpack[OpenAIOptions]
    ) -> dict[str, Any]: ...

    async def to_openai(
        self, *, as_dict: bool = False, **options: Unpack[OpenAIOptions]
    ) -> list[dict[str, Any]] | dict[str, Any]:
        """``chainkeep.threads.to_openai`` for all messages, with their images; in a dict under
        ``messages`` where ``as_dict``.
        """
        images = options.get("images", "data")
        private = options.get("include_private", False)
        messages = await self._said(private)
        found = to_openai(
            messages,
            include_private=private,
            images={} if images is None else await pictures_of(messages, images),
            roles=options.get("roles"),
            tool_steps=options.get("tool_steps", False),
        )
        return {"messages": found} if as_dict else found

    async def to_chat_completion(
        self, *, include_private: bool = False, tool_steps: bool = False
    ) -> list[dict[str, Any]]:
        """``chainkeep.threads.to_chat_completion`` for all messages, with a line for each
        attachment: its address, or its name where it has none.
        """
        messages = await self._said(include_private)
        files: dict[str, list[str]] = {}
        for message in messages:
            files[message.id] = [await line_of(attachment) for attachment in message.attachments]
        return to_chat_completion(
            messages, include_private=include_private, files=files, tool_steps=tool_steps
        )

    async def to_swift3(self, *, include_private: bool = False) -> dict[str, Any]:
        """``chainkeep.threads.to_swift3`` for all messages, with their images as data URLs."""
        messages = await self._said(include_private)
        return to_swift3(messages, images=await pictures_of(messages, "data"))

    async def messages_with_summaries(self, *, include_private: bool = True) -> list[Message]:
        """The messages, with the newest summary, as a system's message, in place of those that it
        covers.
        """
        messages = await self._said(include_private)
        summaries = await self._access.read(
            self.id, thread_queries.summaries_of_thread, thread_id=self.id
        )
        return with_summary(messages, summaries)

    async def turns(self) -> dict[int, Turn]:
        """What was said at one go, by number from 1; system messages belong to none."""
        by_turn: dict[int, list[Message]] = {}
        for message in await self._said(include_private=True):
            if message.turn:
                by_turn.setdefault(message.turn, []).append(message)
        return {number: _turn(number, by_turn[number]) for number in sorted(by_turn)}

    async def _said(self, include_private: bool) -> list[Message]:
        found = await read_messages(
            self._access, self.id, include_private=include_private, count=NO_LIMIT
        )
        return found[::-1]


def _turn(number: int, messages: list[Message]) -> Turn:
    roles: dict[str, int] = {}
    for message in messages:
        roles[message.role] = roles.get(message.role, 0) + 1
    times = [message.created_at for message in messages]
    return Turn(
        number=number,
        message_count=len(messages),
        roles=roles,
        first_message_time=min(times),
        last_message_time=max(times),
    )


async def pictures_of(messages: Sequence[Message], images: ImagesAs) -> dict[str, list[str]]:
    """The pictures of each message, by its id: data URLs, or addresses where there are any."""
    return {message.id: await pictures_among(message.attachments, images) for message in messages}
