"""What the Thread API is meant to do, in plain lists: no SQL, no queue, nobody else.

Method for method as a test calls them, with the ids that it chose; what cannot be done raises the
error that is documented for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from chainkeep.errors import InvalidInputError, NotFoundError

__all__ = ["ModelThreads"]

USERS, SYSTEM = ("user", "assistant", "tool"), "system"


@dataclass
class Said:
    """A message."""

    id: str
    role: str
    text: str
    turn: int
    private: bool = False
    reply_to: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    feedback: int | None = None
    summary: str | None = None


@dataclass
class Talk:
    """A thread."""

    name: str | None
    active: int
    attributes: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    roles: list[str] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    deleted: bool = False

    def find(self, message_id: str) -> Said | None:
        return next((each for each in self.said if each.id == message_id), None)


class ModelThreads:
    """The threads of one owner."""

    def __init__(self) -> None:
        self.talks: dict[str, Talk] = {}
        self._tick = count(1)

    def _open(self, thread: str) -> Talk:
        talk = self.talks.get(thread)
        if talk is None or talk.deleted:
            raise NotFoundError
        return talk

    def _message(self, thread: str, message: str) -> Said:
        said = self._open(thread).find(message)
        if said is None:
            raise NotFoundError
        return said

    # Threads

    def create(self, thread: str, name: str | None) -> None:
        self.talks[thread] = Talk(name=name, active=next(self._tick))

    def update(self, thread: str, name: str | None, attributes: dict[str, Any] | None) -> None:
        talk = self._open(thread)
        talk.name = talk.name if name is None else name
        talk.attributes = talk.attributes if attributes is None else attributes

    def delete(self, thread: str) -> bool:
        self._open(thread).deleted = True
        return True

    def restore(self, thread: str) -> bool:
        talk = self.talks.get(thread)
        was = talk is not None and talk.deleted
        if talk is not None:
            talk.deleted = False
        return was

    def destroy(self, thread: str) -> bool:
        return self.talks.pop(thread, None) is not None

    def copy(self, thread: str, new: str, ids: dict[str, str]) -> None:
        talk = deepcopy(self._open(thread))
        for said in talk.said:
            said.id, said.reply_to = ids[said.id], ids.get(said.reply_to or "")
            said.reactions, said.feedback = {}, None
        talk.active = next(self._tick)
        self.talks[new] = talk

    # Messages

    def post(
        self,
        thread: str,
        message: str,
        role: str,
        text: str,
        private: bool = False,
        same_turn: bool = False,
        reply_to: str | None = None,
    ) -> None:
        talk = self._open(thread)
        if reply_to is not None and talk.find(reply_to) is None:
            raise InvalidInputError
        now = next(self._tick)
        last = [each.turn for each in talk.said if each.role != SYSTEM]
        turn = last[-1] if same_turn and last else now
        talk.said.append(Said(message, role, text, turn, private, reply_to))
        talk.active = now

    def edit(self, thread: str, message: str, text: str, attributes: dict[str, Any] | None) -> None:
        said = self._message(thread, message)
        said.text = text
        said.attributes = said.attributes if attributes is None else attributes

    def remove(self, thread: str, message: str) -> bool:
        talk = self.talks.get(thread)
        said = None if talk is None or talk.deleted else talk.find(message)
        if talk is None or said is None:
            return False
        talk.said.remove(said)
        return True

    def clear(self, thread: str) -> None:
        self._open(thread).said.clear()

    def react(self, thread: str, message: str, emoji: str, user: str) -> bool:
        talk = self.talks.get(thread)
        said = None if talk is None or talk.deleted else talk.find(message)
        if said is None or user in said.reactions.get(emoji, []):
            return False
        said.reactions.setdefault(emoji, []).append(user)
        return True

    def unreact(self, thread: str, message: str, emoji: str, user: str) -> bool:
        talk = self.talks.get(thread)
        said = None if talk is None or talk.deleted else talk.find(message)
        if said is None or user not in said.reactions.get(emoji, []):
            return False
        said.reactions[emoji].remove(user)
        said.reactions = {key: users for key, users in said.reactions.items() if users}
        return True

    def vote(self, thread: str, message: str, value: int | None) -> bool:
        said = self._message(thread, message)
        changed = said.feedback != value
        said.feedback = value
        return changed

    def dislike(self, thread: str, message: str, disliked: bool) -> bool:
        said = self._message(thread, message)
        if disliked == (said.feedback == 0):
            return False
        said.feedback = 0 if disliked else None
        return True

    def summarize(self, thread: str, message: str, summary: str) -> None:
        self._message(thread, message).summary = summary

    def add_role(self, thread: str, role: str) -> bool:
        talk = self._open(thread)
        if role in talk.roles:
            return False
        talk.roles.append(role)
        return True

    def remove_role(self, thread: str, role: str) -> None:
        talk = self._open(thread)
        if role not in talk.roles:
            raise NotFoundError
        talk.roles.remove(role)

    # What the UI does

    def ui_say(self, thread: str, message: str, role: str, text: str) -> None:
        if thread in self.talks and not self.talks[thread].deleted:
            self.post(thread, message, role, text)

    def ui_edit(self, thread: str, message: str, text: str) -> None:
        if self.shows(thread, message):
            self.edit(thread, message, text, None)

    def ui_remove(self, thread: str, message: str) -> None:
        self.remove(thread, message)

    def ui_rename(self, thread: str, name: str, metadata: dict[str, Any]) -> None:
        talk = self.talks.get(thread)
        if talk is not None and not talk.deleted:
            talk.name = name
            talk.metadata = {**talk.metadata, **metadata}

    def ui_vote(self, thread: str, message: str, value: int) -> None:
        self.vote(thread, message, value)

    def ui_destroy(self, thread: str) -> bool:
        self.destroy(thread)
        return True

    def shows(self, thread: str, message: str) -> bool:
        talk = self.talks.get(thread)
        return talk is not None and not talk.deleted and talk.find(message) is not None

    # What is seen

    def seen(self, thread: str) -> dict[str, Any] | None:
        talk = self.talks.get(thread)
        if talk is None or talk.deleted:
            return None
        return {
            "name": talk.name,
            "attributes": talk.attributes,
            "metadata": talk.metadata,
            "roles": talk.roles,
            "messages": list(_shown(talk.said)),
            "summaries": {each.id: each.summary for each in talk.said if each.summary is not None},
            "ui": [(each.id, each.text) for each in talk.said if not each.private],
        }

    def listed(self) -> list[str]:
        alive = [(talk.active, key) for key, talk in self.talks.items() if not talk.deleted]
        return [key for _, key in sorted(alive, reverse=True)]

    def with_attribute(self, name: str, value: object) -> list[str]:
        return [
            key
            for key in self.listed()
            if repr(self.talks[key].attributes.get(name)) == repr(value)  # 1 is not True
        ]

    def counted(self) -> dict[str, int]:
        counts = dict.fromkeys((*USERS, SYSTEM), 0)
        for key in self.listed():
            for said in self.talks[key].said:
                counts[said.role] = counts.get(said.role, 0) + 1
        return counts


def _shown(all_said: list[Said]) -> Iterator[tuple[Any, ...]]:
    """System messages first, the newest of them before the others; counted as they stand."""
    system = [each for each in all_said if each.role == SYSTEM][::-1]
    others = [each for each in all_said if each.role != SYSTEM]
    turns = sorted({each.turn for each in others})
    for each in system:
        yield (*_plain(each), 0, 0)
    for number, each in enumerate(others, 1):
        yield (*_plain(each), number, turns.index(each.turn) + 1)


def _plain(said: Said) -> tuple[Any, ...]:
    return (
        said.id, said.role, said.text, said.private, said.reply_to, said.attributes, said.reactions,
        said.feedback,
    )  # fmt: skip
