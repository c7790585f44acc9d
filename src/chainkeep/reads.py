"""What is read by its id: a user, a thread, a step, an element, and what a user starred.

A read of a thread waits for the writes of that thread that were handed over before.
"""

from __future__ import annotations

from chainkeep.db import queries, units
from chainkeep.db.attachment_queries import element_shown
from chainkeep.keeper import Keeper
from chainkeep.models import Element, Step, StepValues, ThreadContent, ThreadValues, User

__all__ = ["Reads"]


class Reads(Keeper):
    """The reads of the store that make no list of threads."""

    async def get_user(self, identifier: str) -> User | None:
        """The user who logs in as ``identifier``."""
        return await self._read(queries.user_get, identifier=identifier)

    async def get_thread(self, thread_id: str) -> ThreadContent | None:
        """A thread and all that is in it, at one moment, after the writes made to it so far."""
        await self.settled(thread_id)
        return await self._read(units.thread_content, thread_id=thread_id)

    async def thread_values(self, thread_id: str) -> ThreadValues | None:
        """``get_thread`` in less time, for who makes something else of the steps anyway."""
        await self.settled(thread_id)
        return await self._read(queries.thread_content, id=thread_id)

    async def thread_author(self, thread_id: str) -> str | None:
        """The identifier of a thread's owner; None if it is unknown or nobody owns it yet."""
        await self.settled(thread_id)
        return await self._read(queries.thread_author, id=thread_id)

    async def get_step(self, step_id: str) -> Step | None:
        """A step that is not deleted."""
        await self.settled()
        step = await self._read(queries.step_get, id=step_id)
        return None if step is None or step.deleted_at else step

    async def favorite_steps(self, user_id: str) -> list[StepValues]:
        """The steps that are starred in a user's threads, newest first."""
        await self.settled()
        return await self._read(queries.steps_favorite, user_id=user_id)

    async def get_element(self, element_id: str, *, thread_id: str | None = None) -> Element | None:
        """An element that is not deleted or private; of that thread, where one is named."""
        await self.settled(thread_id)
        return await self._read(element_shown, id=element_id, thread_id=thread_id)
