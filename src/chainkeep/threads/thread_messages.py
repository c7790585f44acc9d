"""What is said in a thread: writing and reading it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from typing_extensions import Unpack

from chainkeep.errors import InvalidInputError, NotFoundError
from chainkeep.paging import NO_LIMIT
from chainkeep.threads.access import Access
from chainkeep.threads.drafts import Content, Draft, MessageOptions
from chainkeep.threads.message import Message, read_messages
from chainkeep.threads.posting import post

__all__ = ["ThreadMessages"]


class ThreadMessages:
    """The messages of a thread."""

    __slots__ = ()

    id: str
    _access: Access

    async def add_message(
        self,
        role: str,
        content: Content = None,
        *,
        same_turn: bool = False,
        **options: Unpack[MessageOptions],
    ) -> Message:
        """Post a message after all others; it is a turn of its own unless ``same_turn``.

        ``ConflictError`` where the given id is taken, ``InvalidInputError`` where there is no
        message ``reply_to``.
        """
        draft = Draft(role=role, content=content, **options)
        [message] = await post(self._access, self.id, [draft], same_turn=same_turn)
        return message

    async def add_messages(self, messages: Sequence[Draft]) -> list[Message]:
        """Post several messages as one turn, all or none."""
        return await post(self._access, self.id, messages) if messages else []

    async def messages(
        self,
        *,
        include_private: bool = True,
        roles: Sequence[str] | None = None,
        turn: int | None = None,
        source: str | None = None,
        limit: int | None = None,
    ) -> list[Message]:
        """The messages: system messages first, the newest of them before the others, then by
        sequence.

        ``source`` is the id of who said them; ``limit`` leaves only the last ones.
        """
        if limit is not None and limit < 0:
            raise InvalidInputError("A limit is no less than 0.")
        some = turn is not None or source is not None
        found = await self._read_messages(None, include_private, roles, None if some else limit)
        wanted = [
            message
            for message in found
            if (turn is None or message.turn == turn)
            and (source is None or (message.source or {}).get("id") == source)
        ]
        return wanted[:limit][::-1]

    async def message(self, message_id: str) -> Message | None:
        """A message of this thread; None where there is none of that id."""
        found = await self._read_messages(message_id, True, None, 1)
        return found[0] if found else None

    async def last_message(
        self, role: str | None = None, *, include_private: bool = True
    ) -> Message | None:
        """The last message, or the last of a role."""
        if role == "system":
            return await self.system_message()
        roles = None if role is None else [role]
        found = await self._read_messages(None, include_private, roles, 1)
        return found[0] if found else None

    async def system_message(self) -> Message | None:
        """The system message that was added last."""
        found = await self.messages(roles=["system"])
        return found[0] if found else None

    async def replies(self, message_id: str) -> list[Message]:
        """The messages that answer a message."""
        return [each for each in await self.messages() if each.reply_to == message_id]

    async def current_turn(self) -> int:
        """The number of the last turn; 0 where nobody has spoken."""
        last = await self._read_messages(None, True, None, 1)
        return (last[0].turn or 0) if last else 0

    async def _read_messages(
        self, message_id: str | None, private: bool, roles: Sequence[str] | None, limit: int | None
    ) -> list[Message]:
        return await read_messages(
            self._access,
            self.id,
            id=message_id,
            include_private=private,
            roles=roles,
            count=NO_LIMIT if limit is None else limit,
        )

    async def edit_message(
        self, message_id: str, content: Content = None, **changes: Any
    ) -> Message:
        """``Message.edit`` by id."""
        return await (await self._known(message_id)).edit(content, **changes)

    async def delete_message(self, message_id: str) -> bool:
        """``Message.delete`` by id; False where there is none."""
        found = await self.message(message_id)
        return found is not None and await found.delete()

    async def add_reaction(self, message_id: str, emoji: str, user: str) -> bool:
        """``Message.add_reaction`` by id; False where there is none."""
        found = await self.message(message_id)
        return found is not None and await found.add_reaction(emoji, user)

    async def remove_reaction(self, message_id: str, emoji: str, user: str) -> bool:
        """``Message.remove_reaction`` by id; False where there is none."""
        found = await self.message(message_id)
        return found is not None and await found.remove_reaction(emoji, user)

    async def reactions(self, message_id: str) -> dict[str, list[str]]:
        """``Message.reactions`` by id; empty where there is none."""
        found = await self.message(message_id)
        return {} if found is None else await found.reactions()

    async def has_reaction(self, message_id: str, emoji: str, user: str) -> bool:
        """``Message.has_reaction`` by id; False where there is none."""
        found = await self.message(message_id)
        return found is not None and await found.has_reaction(emoji, user)

    async def reaction_counts(self, message_id: str) -> dict[str, int]:
        """``Message.reaction_counts`` by id; empty where there is none."""
        found = await self.message(message_id)
        return {} if found is None else await found.reaction_counts()

    async def _known(self, message_id: str) -> Message:
        found = await self.message(message_id)
        if found is None:
            raise NotFoundError(f"Message {message_id} is not in thread {self.id}.")
        return found
