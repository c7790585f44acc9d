"""Reactions to what somebody said."""

from __future__ import annotations

from chainkeep.db import thread_queries, thread_units
from chainkeep.errors import InvalidInputError
from chainkeep.threads.access import Access
from chainkeep.values import next_position

__all__ = ["Reacted"]


class Reacted:
    """The reactions to a message."""

    __slots__ = ()

    id: str
    thread_id: str
    _access: Access

    async def add_reaction(self, emoji: str, user: str) -> bool:
        """Whether the reaction is new; False also where the message is gone."""
        if not emoji or not user:
            raise InvalidInputError("A reaction is an emoji, and a user whose it is.")
        return await self._access.write(
            self.thread_id,
            thread_units.add_reaction,
            message_id=self.id,
            emoji=emoji,
            user_id=user,
            position=next_position(),
        )

    async def remove_reaction(self, emoji: str, user: str) -> bool:
        """Take a reaction back; whether there was one."""
        return await self._access.write(
            self.thread_id,
            thread_units.remove_reaction,
            message_id=self.id,
            emoji=emoji,
            user_id=user,
        )

    async def reactions(self) -> dict[str, list[str]]:
        """Who reacted, by emoji; both in the order in which they came."""
        found: dict[str, list[str]] = {}
        for emoji, user in await self._access.read(
            self.thread_id,
            thread_queries.reactions_of_message,
            thread_id=self.thread_id,
            step_id=self.id,
        ):
            found.setdefault(emoji, []).append(user)
        return found

    async def has_reaction(self, emoji: str, user: str) -> bool:
        """Whether somebody reacted so."""
        return user in (await self.reactions()).get(emoji, [])

    async def reaction_counts(self) -> dict[str, int]:
        """How many reacted, by emoji."""
        return {emoji: len(users) for emoji, users in (await self.reactions()).items()}
