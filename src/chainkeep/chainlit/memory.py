"""The conversation in ``cl.chat_context``, as a model is to remember it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chainlit.chat_context import chat_contexts
from chainlit.context import context
from chainlit.message import Message
from chainlit.types import ThreadDict
from typing_extensions import override

__all__ = ["fill_chat_context"]

_TYPES = {"user": "user_message", "assistant": "assistant_message", "system": "system_message"}


class _Remembered(list[Message]):
    """A chat's context that holds a memory of some messages, and so does not take them as well."""

    def __init__(self, memory: Iterable[Message], covered: Iterable[str]) -> None:
        super().__init__(memory)
        self._covered = frozenset(covered)

    @override
    def append(self, message: Message, /) -> None:
        if message.id not in self._covered:
            super().append(message)


def fill_chat_context(chat: ThreadDict, memory: Sequence[Mapping[str, Any]]) -> None:
    """Have ``cl.chat_context`` hold ``memory``, which ``chainkeep.threads.remember`` gave for the
    chat, instead of all its messages; for ``@cl.on_chat_resume``.

    After that callback Chainlit adds every message of ``chat`` to the context, whatever its length;
    those are left out, and what is said from then on follows. The context holds text, so images and
    tools are not in it.
    """
    said = [message for entry in memory for message in _messages(entry)]
    covered = [step["id"] for step in chat.get("steps") or ()]
    chat_contexts[context.session.id] = _Remembered(said, covered)


def _messages(entry: Mapping[str, Any]) -> Iterable[Message]:
    """The entry as Chainlit's message; nothing where it says nothing in text."""
    kind, text = _TYPES.get(entry["role"]), _text(entry.get("content"))
    if kind is not None and text:
        yield Message(content=text, type=kind)  # type: ignore[arg-type] # one of the three it knows


def _text(content: Any) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    return "\n".join(part["text"] for part in content if part.get("type") == "text")
