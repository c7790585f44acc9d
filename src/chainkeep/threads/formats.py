"""Messages as models take them, and back: pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from chainkeep.errors import InvalidInputError
from chainkeep.threads.drafts import Draft

if TYPE_CHECKING:
    from chainkeep.threads.message import Message

__all__ = ["from_openai", "to_chat_completion", "to_openai", "to_swift3"]

Images = Mapping[str, Sequence[str]]
"""The addresses or data URLs of a message's images, by the message's id."""
Files = Mapping[str, Sequence[str]]
"""What a message's attachments are called, such as "https://… (image/png)", by its id."""

_IMAGE = "<image>"
_MODEL_ROLES = ("user", "assistant", "system", "tool", "developer", "function")


def to_openai(
    messages: Sequence[Message],
    *,
    include_private: bool = False,
    images: Images | None = None,
    roles: Mapping[str, str] | None = None,
    tool_steps: bool = False,
) -> list[dict[str, Any]]:
    """OpenAI's messages, each with a list of parts as its content.

    The tags ``<image>`` in a text are replaced in order by the message's images; where there are
    no tags, the images follow the text. ``roles`` maps an app's own roles to a model's; a role that
    is mapped to none speaks as the user where it is the thread's owner's, else as the assistant.

    A tool's result is there only with the call that it answers, and a call only with its result,
    since models refuse them alone; with ``tool_steps`` the tools that ran in the UI are there too,
    as calls of the assistant's.
    """
    said = [each for each in messages if include_private or not each.private]
    calls = _answered(said)
    found: list[dict[str, Any]] = []
    for message in said:
        role = (roles or {}).get(message.role, message.role)
        if role == "tool":
            found += _tool_result(message, calls, tool_steps)
            continue
        content = _parts(message, (images or {}).get(message.id, ()))
        own = [call for call in message.tool_calls if call.get("id") in calls]
        if content or own or not message.tool_calls:
            found.append(_spoken(message, role, content, own))
    return found


def _answered(messages: Sequence[Message]) -> set[str]:
    """The ids of the tool calls whose results follow."""
    asked: set[str] = set()
    answered: set[str] = set()
    for message in messages:
        asked.update(str(call.get("id")) for call in message.tool_calls)
        if message.role == "tool" and message.tool_call_id in asked:
            answered.add(message.tool_call_id)
    return answered


def _spoken(
    message: Message, role: str, content: list[dict[str, Any]], calls: list[dict[str, Any]]
) -> dict[str, Any]:
    known = role in _MODEL_ROLES
    name = message.name if known and not message.from_ui else None
    spoken: dict[str, Any] = {
        "role": _model_role(message, role),
        "content": content if content or not calls else None,
    }
    if name:
        spoken["name"] = name
    if calls:
        spoken["tool_calls"] = calls
    return spoken


def _model_role(message: Message, role: str) -> str:
    """Who speaks, in a word that models know."""
    if role in _MODEL_ROLES:
        return role
    return "user" if message.by_owner else "assistant"


def _tool_result(message: Message, calls: set[str], tool_steps: bool) -> Iterator[dict[str, Any]]:
    result = {
        "role": "tool",
        "tool_call_id": message.tool_call_id,
        "content": _parts(message, ()),
    }
    if message.tool_call_id in calls:
        yield result
    elif tool_steps and message.from_ui:
        yield {"role": "assistant", "content": None, "tool_calls": [_call_of(message)]}
        yield result


def _call_of(message: Message) -> dict[str, Any]:
    """The call that a tool's step in the UI stands for."""
    function = {"name": message.name, "arguments": message.tool_input or "{}"}
    return {"id": message.tool_call_id, "type": "function", "function": function}


def _parts(message: Message, images: Sequence[str]) -> list[dict[str, Any]]:
    pictures = [{"type": "image_url", "image_url": {"url": address}} for address in images]
    if message.content is not None and not isinstance(message.content, str):
        return [*map(dict, message.content), *pictures]
    if message.from_ui:  # there a tag is a word that somebody typed
        return [*_with_pictures(message.text, []), *pictures]
    return list(_with_pictures(message.text, pictures))


def _with_pictures(text: str, pictures: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    pieces = text.split(_IMAGE) if pictures else [text]
    if len(pieces) == 1:
        pieces, tail = [text], pictures
    else:
        tail = []
        if len(pieces) - 1 != len(pictures):
            raise InvalidInputError(
                f"Number of <image> tags ({len(pieces) - 1}) must match number of images"
                f" ({len(pictures)})"
            )
    for number, piece in enumerate(pieces):
        if piece:
            yield {"type": "text", "text": piece}
        if number < len(pieces) - 1:
            yield pictures[number]
    yield from tail


def to_chat_completion(
    messages: Sequence[Message],
    *,
    include_private: bool = False,
    files: Files | None = None,
    tool_steps: bool = False,
) -> list[dict[str, Any]]:
    """Messages whose content is text, with their sequence and without the system's.

    Attachments follow the text, a line each. A content that was given as parts stays so. A tool's
    result is there only with the call that it answers; with ``tool_steps`` the tools that ran in
    the UI are there too, as calls of the assistant's with the same sequence.
    """
    said = [
        message
        for message in messages
        if message.role != "system" and (include_private or not message.private)
    ]
    calls = _answered(said)
    found: list[dict[str, Any]] = []
    for message in said:
        completed = _completed(message, (files or {}).get(message.id, ()))
        if message.role != "tool" or message.tool_call_id in calls:
            found.append(completed)
        elif tool_steps and message.from_ui:
            call = {"role": "assistant", "content": "", "sequence": message.sequence}
            found += [{**call, "tool_calls": [_call_of(message)]}, completed]
    return found


def _completed(message: Message, files: Sequence[str]) -> dict[str, Any]:
    content: Any = message.content if message.content is not None else ""
    if isinstance(content, str) and files:
        heading = ["Generated Files:"] if message.role == "assistant" else []
        lines = "\n".join([*heading, *(f"[File: {name}]" for name in files)])
        content = f"{content}\n\n{lines}" if content else lines
    role = _model_role(message, message.role)
    completed = {"role": role, "content": content, "sequence": message.sequence}
    optional = {
        "name": message.name,
        "tool_calls": message.tool_calls or None,
        "tool_call_id": message.tool_call_id,
    }
    return completed | {key: value for key, value in optional.items() if value}


def to_swift3(messages: Sequence[Message], *, images: Images | None = None) -> dict[str, Any]:
    """What ms-swift trains on: messages whose content is text, and the images of all of them, in
    order. An image has its tag ``<image>`` in the text, before it where it was given beside it.
    """
    shown: list[str] = []
    said: list[dict[str, str]] = []
    for message in messages:
        text, found = _tagged(message, (images or {}).get(message.id, ()))
        shown += found
        said.append({"role": message.role, "content": text})
    return {"messages": said, "images": shown}


def _tagged(message: Message, images: Sequence[str]) -> tuple[str, list[str]]:
    """A message's text with a tag for each of its images, and the images."""
    text, found = "", []
    for part in _parts(message, images):
        if part["type"] == "image_url":
            found.append(str(part["image_url"]["url"]))
        text += _IMAGE if part["type"] == "image_url" else str(part.get("text", ""))
    return text, found


def from_openai(messages: Sequence[Mapping[str, Any]]) -> list[Draft]:
    """What ``Thread.add_messages`` takes, from OpenAI's messages, parts and tool calls as they are;
    a message that neither says nor calls anything has an empty text.
    """
    return [
        Draft(
            role=message["role"],
            content=_said(message),
            name=message.get("name"),
            tool_calls=message.get("tool_calls"),
            tool_call_id=message.get("tool_call_id"),
        )
        for message in messages
    ]


def _said(message: Mapping[str, Any]) -> Any:
    content = message.get("content")
    return "" if content is None and not message.get("tool_calls") else content


def words_of(message: Mapping[str, Any]) -> str:
    """All the text in one of OpenAI's messages, data URLs left out."""
    return re.sub(r"data:[^\"]*", "", str([message.get("content"), message.get("tool_calls")]))
