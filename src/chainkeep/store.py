"""The store: the only way in and out of the database and the blobs.

Writes are taken in the order of the calls: a method that writes takes its place in the queue, and
copies nothing later, before it returns; the future it returns is done when the write is committed.
Cancelling that future does not take the write back.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from chainkeep.attachments import Content
from chainkeep.blobs.keys import element_key
from chainkeep.db import queries, units
from chainkeep.db.list_queries import threads_page, threads_page_voted
from chainkeep.db.search import Search
from chainkeep.db.search_queries import Filters
from chainkeep.db.step_writes import StepWrite
from chainkeep.errors import InvalidInputError
from chainkeep.keeper import NO_THREAD
from chainkeep.models import (
    Caller,
    Element,
    Feedback,
    Step,
    Thread,
    User,
)
from chainkeep.paging import Cursor, Page
from chainkeep.reads import Reads, user_key
from chainkeep.values import next_position, utc_now

__all__ = ["Store"]

MOST_PER_PAGE = 1000


class Store(Reads):
    """Users, threads, steps, elements and feedback in a database, their blobs in a blob store.

    Connects on first use. Methods raise ``TransientStorageError`` where the same call may succeed
    later, ``StorageError`` where not, ``ConflictError`` for what would rob its owner.
    """

    # Users

    def save_user(
        self, identifier: str, *, display_name: str | None, metadata: Mapping[str, Any]
    ) -> asyncio.Future[User]:
        """Make a user, or take over newer metadata; id and creation time of one who exists stay."""
        return self.submit(
            user_key(identifier),
            "a user",
            queries.user_upsert,
            id=str(uuid.uuid4()),
            identifier=identifier,
            display_name=display_name,
            metadata=metadata,
            created_at=utc_now(),
        )

    # Threads

    async def list_threads(
        self,
        user_id: str,
        *,
        first: int,
        cursor: str | None = None,
        search: str | None = None,
        feedback: int | None = None,
    ) -> Page[Thread]:
        """A page of a user's threads, newest activity first, without what is in them.

        ``first`` is brought into 1 to 1,000. ``search`` is a part of title or message, in any case;
        ``feedback`` (0 or 1) leaves only threads where somebody voted so.
        """
        count = max(1, min(first, MOST_PER_PAGE))
        before = Cursor.decode(cursor) if cursor else None
        if search:
            filters = Filters(user_id=user_id, feedback=feedback, before=before)
            wanted = Search(words=search, filters=filters, count=count + 1)
            found = await self.find_threads(wanted)
        else:
            page = partial(threads_page, user_id=user_id, before=before, count=count + 1)
            if feedback is not None:
                page = partial(threads_page_voted, **page.keywords, feedback=feedback)
            found = await self.list_read(user_id, page)
        last = Cursor.of(found[count - 1]).encode() if len(found) > count else None
        return Page(found[:count], last)

    def update_thread(
        self,
        thread_id: str,
        *,
        name: str | None = None,
        keep_name: bool = False,
        user_id: str | None = None,
        user_identifier: str | None = None,
        org: str | None = None,
        product: str | None = None,
        tags: list[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> asyncio.Future[bool]:
        """Make a thread, or set what is given and leave what is None; False where it was deleted.

        ``metadata`` merges key by key, where None deletes a key. Owner, organisation and product
        are set once and never changed. With ``keep_name`` a name that is there stays.
        """
        return self.submit(
            thread_id,
            f"thread {thread_id}",
            units.update_thread,
            promise=True,
            thread_id=thread_id,
            name=name,
            keep_name=keep_name,
            user_id=user_id,
            user_identifier=user_identifier,
            org_id=org,
            product=product,
            tags=tags,
            metadata=metadata,
        )

    def delete_thread(self, thread_id: str) -> asyncio.Future[None]:
        """Delete a thread with its steps, elements and votes, then the blobs."""
        return self._removing(
            self.submit(
                thread_id,
                f"thread {thread_id}",
                units.delete_thread,
                promise=[],
                thread_id=thread_id,
            )
        )

    # Steps

    def create_step(self, step: Step, *, caller: Caller | None = None) -> asyncio.Future[bool]:
        """Write a new step, never over what an update wrote, and its thread if it is missing.

        False where the step or its thread was deleted before.
        """
        return self._submit_step(
            "create", StepWrite(step=step, caller=caller, position=next_position())
        )

    def update_step(
        self, step: Step, *, given: Collection[str], caller: Caller | None = None
    ) -> asyncio.Future[bool]:
        """Write the ``given`` fields of a step, by their names in ``Step``, and leave the others.

        False where the step or its thread was deleted before.
        """
        fields = frozenset(given)
        return self._submit_step(
            "update", StepWrite(step=step, given=fields, caller=caller, position=next_position())
        )

    def set_favorite(self, step_id: str, favorite: bool) -> asyncio.Future[Step | None]:
        """Star a step, or take its star away; the step as it is then, None where there is none."""
        return self.submit(
            NO_THREAD, f"step {step_id}", units.set_favorite, step_id=step_id, favorite=favorite
        )

    def delete_step(self, step_id: str, *, caller: Caller | None = None) -> asyncio.Future[None]:
        """Delete a step with all below it, their elements and votes, then the blobs."""
        return self._removing(
            self.submit(
                (caller.thread_id if caller else None) or NO_THREAD,
                f"step {step_id}",
                units.delete_step,
                promise=[],
                step_id=step_id,
                caller=caller,
                position=next_position(),
            )
        )

    # Elements

    def save_element(
        self,
        element: Element,
        content: Content | None = None,
        *,
        caller: Caller | None = None,
        revive: bool = False,
    ) -> asyncio.Future[bool]:
        """Write an element, all of it, and store its content; ``object_key`` is set here.

        Done when the row is committed and the blob store has the bytes. ``revive`` brings one that
        was deleted back, since it is sent again; else it stays deleted, and False is the result.
        """
        if content is not None:
            element = replace(element, object_key=element_key(element.thread_id or "", element.id))
        written = self.submit(
            element.thread_id or NO_THREAD,
            f"element {element.id} in thread {element.thread_id}",
            units.save_element,
            promise=True,
            element=element,
            caller=caller,
            revive=revive,
            position=next_position(),
        )
        if content is None or element.object_key is None:
            return written
        return self.store_blob(element.object_key, content, written)

    def delete_element(
        self, element_id: str, *, thread_id: str | None = None, caller: Caller | None = None
    ) -> asyncio.Future[None]:
        """Delete an element, of that thread where one is named, then its blob."""
        return self._removing(
            self.submit(
                thread_id or NO_THREAD,
                f"element {element_id} in thread {thread_id}",
                units.delete_element,
                promise=[],
                element_id=element_id,
                thread_id=thread_id,
                caller=caller,
                position=next_position(),
            )
        )

    # Feedback

    def save_feedback(
        self, feedback: Feedback, *, caller: Caller | None = None
    ) -> asyncio.Future[str]:
        """Write the one vote on a step, in place of an earlier one, whose id is kept; its id."""
        if feedback.value not in (0, 1):
            raise InvalidInputError("A vote is 0 or 1.")
        return self.submit(
            feedback.thread_id or NO_THREAD,
            f"a vote on step {feedback.for_id}",
            units.save_feedback,
            promise=feedback.id,
            feedback=feedback,
            caller=caller,
        )

    def delete_feedback(
        self, feedback_id: str, *, caller: Caller | None = None
    ) -> asyncio.Future[bool]:
        """Take a vote back; whether there was one."""
        return self.submit(
            NO_THREAD,
            f"feedback {feedback_id}",
            units.delete_feedback,
            promise=True,
            feedback_id=feedback_id,
            caller=caller,
        )
