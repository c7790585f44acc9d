"""A message, as it was when it was read or written."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from mimetypes import guess_type
from typing import Any

from chainkeep.db import message_reads, message_units, thread_queries, thread_units, units
from chainkeep.errors import InvalidInputError, NotFoundError
from chainkeep.models import Element, StoredMessage
from chainkeep.threads.access import Access
from chainkeep.threads.attachments import Attachment, ImagesAs, line_of, pictures_among
from chainkeep.threads.drafts import Content, content_ext, pictures_in, text_of
from chainkeep.threads.formats import to_chat_completion, to_openai
from chainkeep.threads.parcels import deliver, pack, with_bytes
from chainkeep.threads.reactions import Reacted
from chainkeep.values import cleaned_json, next_position

__all__ = ["Message"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(Reacted):
    """Something that somebody said in a thread. Values do not change; methods that write say what
    they give back.
    """

    id: str
    thread_id: str
    role: str
    content: Content
    """Text, or parts as they were given; None where the message only calls tools."""
    name: str | None = None
    private: bool = False
    """Kept from the UI."""
    reply_to: str | None = None
    """The message that this one answers; in chats that the UI wrote, the one that it belongs to."""
    sequence: int | None = None
    """0 for a system message, else 1, 2, 3 …; known once the message was read."""
    turn: int | None = None
    """0 for a system message, else 1, 2, 3 …; known once the message was read."""
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    tool_call_id: str | None = None
    tool_input: str | None = None
    """What a tool was called with, where the UI wrote it."""
    attributes: dict[str, Any] = field(default_factory=dict)
    display_text: str = ""
    is_json: bool = False
    question_config: dict[str, Any] | None = None
    prompt_details: dict[str, Any] = field(default_factory=dict)
    source: dict[str, Any] | None = None
    platforms: dict[str, Any] = field(default_factory=dict)
    reasoning: str | None = None
    metrics: dict[str, Any] | None = None
    generation: dict[str, Any] | None = None
    """The model, its tokens and its time, as Chainlit names them."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """The UI's own; read only."""
    from_ui: bool = False
    """Written by the UI, not by this API."""
    by_owner: bool = False
    """Said by the user, or in a role of the thread that is its owner's; known once it was read."""
    created_at: datetime
    feedback: int | None = None
    """0 or 1: the vote on the message, or on the run that it belongs to."""
    feedback_comment: str | None = None
    attachments: list[Attachment] = field(default_factory=list)
    """Files and pictures, in the order in which they came."""
    _access: Access = field(repr=False, compare=False)

    @classmethod
    def of(cls, stored: StoredMessage, access: Access, elements: Sequence[Element] = ()) -> Message:
        """The message in a row, with the elements that belong to it."""
        ext = stored.ext or {}
        content = ext.get("content", stored.output)
        if text_of(content) != stored.output:  # somebody edited it in the UI
            content = stored.output
        return cls(
            id=stored.id,
            thread_id=stored.thread_id,
            role=stored.role,
            content=content,
            name=ext.get("name") if stored.ext is not None else stored.name,
            private=stored.private,
            reply_to=stored.reply_to,
            sequence=stored.sequence,
            turn=stored.turn,
            tool_calls=ext.get("toolCalls") or _generated_calls(stored),
            tool_call_id=stored.tool_call_id or _step_as_call(stored),
            tool_input=stored.input or None,
            attributes=ext.get("attributes", {}),
            display_text=ext.get("displayText") or stored.output,
            is_json=stored.language == "json",
            question_config=ext.get("questionConfig"),
            prompt_details=ext.get("promptDetails", {}),
            source=ext.get("source"),
            platforms=ext.get("platforms", {}),
            reasoning=ext.get("reasoning"),
            metrics=ext.get("metrics"),
            generation=stored.generation,
            metadata=stored.metadata,
            from_ui=stored.from_ui,
            by_owner=stored.type == "user_message",
            created_at=moment_of(ext.get("createdAt", stored.created_at)),
            feedback=stored.feedback,
            feedback_comment=stored.feedback_comment,
            attachments=[
                attachment
                for attachment in (found_attachment(element, access) for element in elements)
                if not attachment.in_content
            ],
            _access=access,
        )

    @property
    def text(self) -> str:
        """The content's text."""
        return text_of(self.content)

    @property
    def created(self) -> float:
        """Seconds since 1970."""
        return self.created_at.timestamp()

    @property
    def is_disliked(self) -> bool | None:
        """Whether somebody voted it down; None where nobody voted."""
        return None if self.feedback is None else self.feedback == 0

    async def to_openai(self, *, images: ImagesAs = "data") -> list[dict[str, Any]]:
        """``Thread.to_openai`` for this message alone, as it is now, also where it is private."""
        now = await self.reload()
        shown = {now.id: await pictures_among(now.attachments, images)}
        return to_openai([now], include_private=True, images=shown)

    async def to_chat_completion(self) -> list[dict[str, Any]]:
        """``Thread.to_chat_completion`` for this message alone, as it is now, also where it is
        private.
        """
        now = await self.reload()
        files = {now.id: [await line_of(attachment) for attachment in now.attachments]}
        return to_chat_completion([now], include_private=True, files=files)

    async def edit(
        self,
        content: Content = None,
        *,
        attributes: Mapping[str, Any] | None = None,
        display_text: str | None = None,
        is_json: bool | None = None,
    ) -> Message:
        """Set what is given, in the same place; the message as it is then.

        ``attributes`` replace those that were there. ``NotFoundError`` where it was deleted,
        ``InvalidInputError`` where it is JSON and the content is not.
        """
        given = {"attributes": attributes, "displayText": display_text}
        ext = {key: cleaned_json(value) for key, value in given.items() if value is not None}
        parcels = await pack(self._access, self.thread_id, pictures_in(content))
        written = self._access.submit(
            self.thread_id,
            message_units.change_message,
            message_id=self.id,
            output=None if content is None else text_of(content),
            language=None if is_json is None else "json" if is_json else "",
            ext=ext if content is None else {**ext, **content_ext(content)},
            attachments=[parcel.row for parcel in parcels],
            position=next_position(),
        )
        stored = deliver(self._access, self.thread_id, parcels, written)
        keys, *_ = await asyncio.shield(asyncio.gather(written, *stored))
        self._access.remove_blobs(keys)
        return await self.reload()

    async def reload(self) -> Message:
        """The message as it is now; ``NotFoundError`` where it was deleted."""
        found = await read_messages(self._access, self.thread_id, id=self.id, count=1)
        if not found:
            raise NotFoundError(f"Message {self.id} was deleted.")
        return found[0]

    async def delete(self) -> bool:
        """Delete it, with its reactions, vote, summary and attachments; whether it was there.

        What answers it stays.
        """
        keys = await self._access.write(self.thread_id, units.delete_message, message_id=self.id)
        self._access.remove_blobs(keys or [])
        return keys is not None

    async def set_feedback(self, value: int | None, comment: str | None = None) -> bool:
        """Vote 0 or 1, in place of an earlier vote and its comment, or None to take it back;
        whether that changed anything. The same vote without a comment changes nothing; an empty
        comment takes one away. It is the vote that the UI shows.
        """
        if value not in (0, 1, None):
            raise InvalidInputError("A vote is 0 or 1, or None for no vote.")
        return await self._vote(value, comment, only_replace=None)

    async def set_disliked(self, disliked: bool | None) -> bool:
        """Vote it down, or take such a vote back; whether that changed anything."""
        return await self._vote(0 if disliked else None, None, only_replace=0)

    async def _vote(
        self, value: int | None, comment: str | None, *, only_replace: int | None
    ) -> bool:
        return await self._access.write(
            self.thread_id,
            thread_units.vote,
            message_id=self.id,
            new_id=str(uuid.uuid4()),
            value=value,
            comment=comment,
            only_replace=only_replace,
        )

    async def summarize(self, summary: str, *, history: bool = False) -> None:
        """Write down, in short, what was said up to this message and with it; a second summary
        replaces the first, which is kept for ``summaries`` with ``history``.
        """
        await self._access.write(
            self.thread_id,
            thread_units.save_summary,
            message_id=self.id,
            summary=summary,
            history=history,
        )

    async def summaries(self) -> list[str]:
        """The summary, after those that were kept when it replaced them."""
        return await self._access.read(
            self.thread_id,
            thread_queries.summary_of_message,
            thread_id=self.thread_id,
            step_id=self.id,
        )


async def read_messages(
    access: Access,
    thread_id: str | None,
    *,
    id: str | None = None,
    include_private: bool = True,
    roles: Sequence[str] | None = None,
    count: int,
) -> list[Message]:
    """Messages, the newest first and system messages last, with their attachments."""
    found, elements = await access.read(
        thread_id,
        message_reads.messages_with_elements,
        thread_id=thread_id,
        id=id,
        include_private=include_private,
        roles=roles,
        count=count,
        scope=access.scope,
    )
    return [Message.of(stored, access, elements.get(stored.id, ())) for stored in found]


def found_attachment(element: Element, access: Access) -> Attachment:
    """The attachment in a row."""
    attachment = Attachment(
        id=element.id,
        message_id=element.for_id,
        name=element.name,
        mime=element.mime or guess_type(element.name)[0] or "application/octet-stream",
        url=element.url,
        attributes=element.attributes,
        status=element.status,
    )
    return with_bytes(attachment, element, access)


def moment_of(text: str) -> datetime:
    """A stored time."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _step_as_call(stored: StoredMessage) -> str | None:
    return stored.id if stored.role == "tool" else None


def _generated_calls(stored: StoredMessage) -> list[dict[str, Any]]:
    generation = stored.generation if isinstance(stored.generation, dict) else {}
    completion = generation.get("messageCompletion")
    return (completion.get("tool_calls") or []) if isinstance(completion, dict) else []
