"""What a message is made of, checked before it is written."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypedDict

from chainkeep.db.message_units import check_json
from chainkeep.errors import InvalidInputError
from chainkeep.threads.attachments import Attachment, file_of, picture_of
from chainkeep.values import cleaned_json, timestamp, to_json

__all__ = ["Content", "Draft", "MessageOptions", "text_of"]

Content = str | Sequence[Mapping[str, Any]] | None
"""Text, or a list of parts as OpenAI has them; None for a message that only calls tools."""

TYPES = {
    "user": "user_message",
    "assistant": "assistant_message",
    "system": "system_message",
    "tool": "tool",
}
_AUTHORS = {"user": "User", "assistant": "Assistant", "system": "System"}
_SOURCES = ("user", "agent", "tool")
_OBJECTS = (
    "attributes", "question_config", "prompt_details", "source", "platforms", "usage", "metrics",
)  # fmt: skip


def text_of(content: Content) -> str:
    """The text of a content: that of its text parts, one a line."""
    if content is None or isinstance(content, str):
        return content or ""
    return "\n".join(str(part.get("text", "")) for part in content if part.get("type") == "text")


class MessageOptions(TypedDict, total=False):
    """What a message may have besides role and content; each is said in ``Draft``."""

    id: str | None
    name: str | None
    private: bool
    reply_to: str | None
    tool_calls: Sequence[Mapping[str, Any]] | None
    tool_call_id: str | None
    attributes: Mapping[str, Any] | None
    display_text: str | None
    is_json: bool
    question_config: Mapping[str, Any] | None
    prompt_details: Mapping[str, Any] | None
    source: Mapping[str, Any] | None
    platforms: Mapping[str, Any] | None
    reasoning: str | None
    model: str | None
    usage: Mapping[str, Any] | None
    latency: float | None
    metrics: Mapping[str, Any] | None
    images: Sequence[Any] | None
    attachments: Sequence[Any] | None
    created_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message that is not written yet; ``InvalidInputError`` where it cannot be one.

    ``role`` is any word; user, assistant, system and tool have types of their own in the UI, any
    other is shown as an assistant of that name.
    """

    role: str
    content: Content = None
    id: str | None = None
    name: str | None = None
    private: bool = False
    reply_to: str | None = None
    tool_calls: Sequence[Mapping[str, Any]] | None = None
    tool_call_id: str | None = None
    attributes: Mapping[str, Any] | None = None
    display_text: str | None = None
    is_json: bool = False
    question_config: Mapping[str, Any] | None = None
    prompt_details: Mapping[str, Any] | None = None
    source: Mapping[str, Any] | None = None
    platforms: Mapping[str, Any] | None = None
    reasoning: str | None = None
    model: str | None = None
    usage: Mapping[str, Any] | None = None
    """As OpenAI counts: prompt_tokens, completion_tokens, total_tokens."""
    latency: float | None = None
    """Milliseconds."""
    metrics: Mapping[str, Any] | None = None
    """``model``, ``usage``, ``timing`` with a ``latency``, and whatever else; kept to the letter.
    The three are taken from there where they are not given themselves."""
    images: Sequence[Any] | None = None
    """Each as bytes, a data URL, a link, one of Pillow's, or an ``Attachment``."""
    attachments: Sequence[Any] | None = None
    """Each as a data URL, a link, or an ``Attachment``."""
    created_at: datetime | None = None
    """When it was said, where that was earlier; its place in the thread is that of a new message.
    Without a zone it is UTC."""

    def __post_init__(self) -> None:
        if not isinstance(self.role, str) or not self.role.strip():
            raise InvalidInputError("A role is a word, such as user or assistant.")
        if self.content is None and not (self.tool_calls or self.images or self.attachments):
            raise InvalidInputError("Only a message that calls tools or carries files has no text.")
        if self.role == "tool" and not self.tool_call_id:
            raise InvalidInputError("A tool's message needs the tool_call_id that it answers.")
        _check_content(self.content)
        for name in _OBJECTS:
            if not isinstance(getattr(self, name) or {}, Mapping):
                raise InvalidInputError(f"What a message has as {name} is an object: give a dict.")
        for call in self.tool_calls or ():
            _check_tool_call(call)
        if self.is_json:
            check_json(text_of(self.content))
        if self.source is not None and not _is_source(self.source):
            raise InvalidInputError("A source has an id, and the type user, agent or tool.")

    def attached(self) -> list[Attachment]:
        """The images in the content, the images, then the other attachments."""
        return [
            *pictures_in(self.content),
            *map(picture_of, self.images or ()),
            *map(file_of, self.attachments or ()),
        ]

    def time(self) -> str | None:
        """When it was said, as the database holds times."""
        return timestamp(self.created_at)

    def binds(self, *, strict: bool, ui_runs: bool, same_turn: bool) -> dict[str, Any]:
        """What the message's row is made of, without its place."""
        if strict and self.role not in TYPES:
            raise InvalidInputError(f"{self.role} is none of {', '.join(TYPES)}.")
        # A role of the app's own has a run where it turns out to be the owner's.
        runs = ui_runs and not self.private and self.role not in ("assistant", "system", "tool")
        return {
            "id": self.id or str(uuid.uuid4()),
            "type": TYPES.get(self.role, "assistant_message"),
            "name": self.name or _AUTHORS.get(self.role, self.role),
            "speaks_as": None if self.name else self.role,
            "input": "",
            "output": text_of(self.content),
            "language": "json" if self.is_json else None,
            "metadata": "{}",
            "generation": self._generation(),
            "role": self.role,
            "private": self.private,
            "reply_to": self.reply_to,
            "same_turn": same_turn,
            "tool_call_id": self.tool_call_id,
            "ext": to_json(self._ext()),
            "run_id": str(uuid.uuid4()) if runs else None,
            "nests": ui_runs and self.role not in ("user", "system"),
        }

    def _ext(self) -> dict[str, Any]:
        """What a message has besides text."""
        given = {
            "name": self.name,
            "toolCalls": self.tool_calls or None,
            "attributes": self.attributes or None,
            "displayText": self.display_text,
            "questionConfig": self.question_config,
            "promptDetails": self.prompt_details,
            "source": self.source,
            "platforms": self.platforms,
            "reasoning": self.reasoning,
            "metrics": self.metrics,
            "createdAt": self.time(),
        }
        kept = {key: cleaned_json(value) for key, value in given.items() if value is not None}
        return kept if isinstance(self.content, str) else {**kept, **content_ext(self.content)}

    def _generation(self) -> str | None:
        metrics = self.metrics or {}
        usage = self.usage or _within(metrics, "usage")
        latency = self.latency or _number(_within(metrics, "timing").get("latency"))
        asked, answered, total = (
            _number(usage.get(f"{what}_tokens")) for what in ("prompt", "completion", "total")
        )
        given = {
            "model": self.model or metrics.get("model"),
            "inputTokenCount": asked,
            "outputTokenCount": answered,
            "tokenCount": total or (asked or 0) + (answered or 0) or None,
            "duration": None if latency is None else latency / 1000,
        }
        known = {key: value for key, value in given.items() if value is not None}
        return to_json(known) if known else None


def _within(metrics: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = metrics.get(name)
    return found if isinstance(found, Mapping) else {}


def _number(value: object) -> float | None:
    return value if isinstance(value, (int, float)) else None


def content_ext(content: Content) -> dict[str, Any]:
    """Where a content is kept that is not mere text."""
    return {} if isinstance(content, str) else {"content": cleaned_json(content)}


def pictures_in(content: Content) -> list[Attachment]:
    """The images among the parts of a content: the UI shows no parts."""
    if content is None or isinstance(content, str):
        return []
    parts = [part.get("image_url") for part in content if part.get("type") == "image_url"]
    urls = [str(part.get("url")) if isinstance(part, Mapping) else str(part) for part in parts]
    return [picture for url in urls for picture in _shown(url)]


def _shown(url: str) -> Iterator[Attachment]:
    try:
        picture = picture_of(url)
    except InvalidInputError:
        return  # The content is kept to the letter, also where no browser can show it.
    yield replace(picture, attributes={**picture.attributes, "in_content": True})


def _check_content(content: Content) -> None:
    if content is None or isinstance(content, str):
        return
    parts = content if isinstance(content, Sequence) else [None]
    if not all(isinstance(part, Mapping) and part.get("type") for part in parts):
        raise InvalidInputError("A content is text, or a list of parts that each have a type.")


def _check_tool_call(call: Mapping[str, Any]) -> None:
    call = call if isinstance(call, Mapping) else {}
    function = call.get("function")
    if not isinstance(function, Mapping):
        function = {}
    called = isinstance(function.get("name"), str) and "arguments" in function
    if not call.get("id") or not call.get("type") or not called:
        raise InvalidInputError(
            "A tool call has an id, a type, and a function with its name and arguments."
        )


def _is_source(source: Mapping[str, Any]) -> bool:
    return bool(source.get("id")) and source.get("type", "user") in _SOURCES
