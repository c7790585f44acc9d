"""The store: the only way in and out of the database and the blobs.

Writes are taken in the order of the calls: a method that writes takes its place in the queue, and copies nothing
later, before it returns; the future it returns is done when the write is committed. Cancelling that future does not
take the write back.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from chainkeep.attachments import Attachments
from chainkeep.blobs import Blobs, BlobSource
from chainkeep.blobs.keys import element_key
from chainkeep.blobs.open import open_blobs
from chainkeep.db import queries, units
from chainkeep.db.database import UpToDateDatabase, open_database
from chainkeep.db.writer import Unit, Writer
from chainkeep.errors import ChainkeepError, InvalidInputError
from chainkeep.models import (
    Caller,
    Cursor,
    Element,
    Feedback,
    Page,
    Step,
    Thread,
    ThreadContent,
    User,
)
from chainkeep.settings import Settings
from chainkeep.values import next_position, utc_now

__all__ = ["Store"]

T = TypeVar("T")
logger = logging.getLogger("chainkeep.store")

MOST_PER_PAGE = 1000


class Store:
    """Users, threads, steps, elements and feedback in one database, their blobs in one blob store.

    Connects, and brings the tables up to date, on first use. Methods raise ``TransientStorageError`` where the same
    call may succeed later, ``StorageError`` where it will not, and ``ConflictError`` for a write that would take
    something from its owner.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        engine: AsyncEngine | None = None,
        blobs: Blobs | None = None,
    ) -> None:
        self.settings = settings or Settings.from_environment()
        self._database = UpToDateDatabase(
            open_database(self.settings.database, engine), auto_migrate=self.settings.auto_migrate
        )
        self._writer = Writer(self._database)
        self._attachments = Attachments(
            blobs or open_blobs(self.settings.blobs, spool=Path(self.settings.spool)),
            self._database,
            self._writer,
        )
        self._saving: set[asyncio.Future[Any]] = set()
        self._opened = False

    @property
    def blobs(self) -> Blobs:
        """Where the bytes of elements are."""
        return self._attachments.blobs

    async def drain(self) -> None:
        """Wait until everything handed over so far is committed and stored, or has failed."""
        while self._saving:
            await asyncio.wait(list(self._saving))
        await self._writer.settled()

    async def close(self) -> None:
        """Finish what was handed over, within ``close_timeout_seconds``, then release everything."""
        timeout = self.settings.close_timeout_seconds
        if self._saving:
            await asyncio.wait(list(self._saving), timeout=timeout)
        undone = await self._writer.close(timeout)
        if undone:
            logger.error("%d writes could not be committed before closing and are lost.", undone)
        await self._attachments.close(timeout)
        await self._database.close()

    def _submit(self, key: str, label: str, work: Callable[[Connection], T]) -> asyncio.Future[T]:
        if not self._opened:
            self._opened = True
            self._keep(asyncio.ensure_future(self._attachments.take_up_removals()))
        return self._writer.submit(Unit(key, label, work))

    def _keep(self, future: asyncio.Future[T]) -> asyncio.Future[T]:
        """Hold on to a task until it is done: the event loop itself does not."""
        self._saving.add(future)
        future.add_done_callback(self._saving.discard)
        future.add_done_callback(_retrieved)
        return future

    # Users

    async def get_user(self, identifier: str) -> User | None:
        """The user who logs in as ``identifier``."""
        return await self._database.read(
            lambda connection: queries.user_get(connection, identifier=identifier)
        )

    def save_user(
        self, identifier: str, *, display_name: str | None, metadata: Mapping[str, Any]
    ) -> asyncio.Future[User]:
        """Make a user, or take over newer metadata; id and creation time of one who exists stay."""
        user_id, now = str(uuid.uuid4()), utc_now()
        return self._submit(
            f"user {identifier}",
            "user_upsert",
            lambda connection: queries.user_upsert(
                connection,
                id=user_id,
                identifier=identifier,
                display_name=display_name,
                metadata=metadata,
                created_at=now,
            ),
        )

    # Threads

    async def get_thread(self, thread_id: str) -> ThreadContent | None:
        """A thread and all that is in it, at one moment, after the writes handed over for it so far."""
        await self._writer.settled(thread_id)

        def work(connection: Connection) -> ThreadContent | None:
            thread = queries.thread_get(connection, id=thread_id)
            if thread is None:
                return None
            steps = queries.steps_of_thread(connection, thread_id=thread_id)
            return ThreadContent(
                thread, steps, queries.elements_of_thread(connection, thread_id=thread_id)
            )

        return await self._database.snapshot(work)

    async def thread_author(self, thread_id: str) -> str | None:
        """The identifier of a thread's owner; None for an unknown thread, and for one that nobody owns yet."""
        await self._writer.settled(thread_id)
        return await self._database.read(
            lambda connection: queries.thread_author(connection, id=thread_id)
        )

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

        ``first`` is brought into 1 to 1,000. ``search`` is a part of the title or of a message, in any case;
        ``feedback`` (0 or 1) leaves only threads where somebody voted so.
        """
        count = max(1, min(first, MOST_PER_PAGE))
        before = Cursor.decode(cursor) if cursor else None
        await self._writer.settled()
        found = await self._database.read(
            lambda connection: queries.threads_page(
                connection,
                user_id=user_id,
                before=before,
                feedback=feedback,
                pattern=_contains(search) if search else None,
                count=count + 1,
            )
        )
        items = found[:count]
        last = Cursor(items[-1].last_activity_at, items[-1].id) if len(found) > count else None
        return Page(items, last.encode() if last else None)

    def update_thread(
        self,
        thread_id: str,
        *,
        name: str | None = None,
        keep_name: bool = False,
        user_id: str | None = None,
        user_identifier: str | None = None,
        tags: list[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> asyncio.Future[bool]:
        """Make a thread, or set what is given and leave what is None; False where it was deleted.

        ``metadata`` merges key by key, where None deletes a key. An owner is set once and never changed. With
        ``keep_name`` a name that is there stays.
        """
        return self._submit(
            thread_id,
            f"thread_update of thread {thread_id}",
            lambda connection: units.update_thread(
                connection,
                thread_id,
                name=name,
                keep_name=keep_name,
                user_id=user_id,
                user_identifier=user_identifier,
                tags=tags,
                metadata=metadata,
            ),
        )

    def delete_thread(self, thread_id: str) -> asyncio.Future[None]:
        """Delete a thread with its steps, elements and votes; their blobs follow once that is committed."""
        return self._deleting(
            thread_id,
            f"thread_delete of thread {thread_id}",
            lambda connection: units.delete_thread(connection, thread_id),
        )

    def _deleting(
        self, key: str, label: str, work: Callable[[Connection], list[str]]
    ) -> asyncio.Future[None]:
        committed = self._submit(key, label, work)

        async def finish() -> None:
            self._attachments.remove_soon(await committed)

        return self._keep(asyncio.ensure_future(finish()))

    # Steps

    async def get_step(self, step_id: str) -> Step | None:
        """A step that is not deleted."""
        await self._writer.settled()
        step = await self._database.read(
            lambda connection: queries.step_get(connection, id=step_id)
        )
        return step if step is not None and step.deleted_at is None else None

    async def favorite_steps(self, user_id: str) -> list[Step]:
        """The steps that are starred in a user's threads, newest first."""
        await self._writer.settled()
        return await self._database.read(
            lambda connection: queries.steps_favorite(connection, user_id=user_id)
        )

    def create_step(self, step: Step, *, caller: Caller | None = None) -> asyncio.Future[bool]:
        """Write a new step, and its thread where it is missing; never over what an update wrote.

        False where the step or its thread was deleted before.
        """
        position = next_position()
        return self._submit(
            step.thread_id,
            f"step_create of step {step.id} in thread {step.thread_id}",
            lambda connection: units.create_step(
                connection, step, caller=caller, position=position
            ),
        )

    def update_step(
        self, step: Step, *, given: Collection[str], caller: Caller | None = None
    ) -> asyncio.Future[bool]:
        """Write the ``given`` fields of a step, by their names in ``Step``; the others stay as they are.

        False where the step or its thread was deleted before.
        """
        position = next_position()
        return self._submit(
            step.thread_id,
            f"step_update of step {step.id} in thread {step.thread_id}",
            lambda connection: units.update_step(
                connection, step, given=given, caller=caller, position=position
            ),
        )

    def set_favorite(self, step_id: str, favorite: bool) -> asyncio.Future[Step | None]:
        """Star a step, or take its star away; the step as it is then, None where there is none."""
        return self._submit(
            f"step {step_id}",
            f"step_set_metadata of step {step_id}",
            lambda connection: units.set_favorite(connection, step_id, favorite),
        )

    def delete_step(self, step_id: str, *, caller: Caller | None = None) -> asyncio.Future[None]:
        """Delete a step with all below it, their elements and votes; blobs follow once that is committed."""
        position = next_position()
        return self._deleting(
            (caller.thread_id if caller else None) or f"step {step_id}",
            f"steps_delete of step {step_id}",
            lambda connection: units.delete_step(
                connection, step_id, caller=caller, position=position
            ),
        )

    # Elements

    async def get_element(self, element_id: str, *, thread_id: str | None = None) -> Element | None:
        """An element that is not deleted; of that thread, where one is named."""
        await self._writer.settled(thread_id)
        return await self._database.read(
            lambda connection: queries.element_get(connection, id=element_id, thread_id=thread_id)
        )

    def save_element(
        self,
        element: Element,
        content: BlobSource | None = None,
        *,
        content_type: str = "application/octet-stream",
        disposition: str | None = None,
        caller: Caller | None = None,
        revive: bool = False,
    ) -> asyncio.Future[bool]:
        """Write an element, all of it, and store its content; ``object_key`` is set here.

        Done when the row is committed and the blob store has taken charge of the bytes. ``revive`` says that the
        element is being sent again, so that one that was deleted comes back; else it stays deleted, and False is
        the result.
        """
        key = element_key(element.thread_id or "", element.id) if content is not None else None
        written = self._submit_element(element, key or element.object_key, caller, revive)

        async def finish() -> bool:
            if content is not None and key is not None:
                await self._store(key, content, content_type, disposition, written)
            return await asyncio.shield(written)

        return self._keep(asyncio.ensure_future(finish()))

    def _submit_element(
        self, element: Element, key: str | None, caller: Caller | None, revive: bool
    ) -> asyncio.Future[bool]:
        row, position = replace(element, object_key=key), next_position()
        return self._submit(
            element.thread_id or f"element {element.id}",
            f"element_upsert of element {element.id} in thread {element.thread_id}",
            lambda connection: units.save_element(
                connection, row, caller=caller, revive=revive, position=position
            ),
        )

    async def _store(
        self,
        key: str,
        content: BlobSource,
        content_type: str,
        disposition: str | None,
        written: asyncio.Future[bool],
    ) -> None:
        await self._attachments.put(
            key, content, content_type=content_type, disposition=disposition
        )
        try:
            wanted = await asyncio.shield(written)
        except ChainkeepError:
            wanted = False
        if not wanted:
            await self._attachments.discard(key)

    def delete_element(
        self, element_id: str, *, thread_id: str | None = None, caller: Caller | None = None
    ) -> asyncio.Future[None]:
        """Delete an element, of that thread where one is named; its blob follows once that is committed."""
        position = next_position()
        return self._deleting(
            thread_id or f"element {element_id}",
            f"elements_delete of element {element_id} in thread {thread_id}",
            lambda connection: units.delete_element(
                connection, element_id, thread_id=thread_id, caller=caller, position=position
            ),
        )

    # Feedback

    def save_feedback(
        self, feedback: Feedback, *, caller: Caller | None = None
    ) -> asyncio.Future[str]:
        """Write the one vote on a step, in place of an earlier one, whose id is kept; the vote's id."""
        if feedback.value not in (0, 1):
            raise InvalidInputError("A vote is 0 or 1.")
        return self._submit(
            feedback.thread_id or f"step {feedback.for_id}",
            f"feedback_upsert on step {feedback.for_id}",
            lambda connection: units.save_feedback(connection, feedback, caller=caller),
        )

    def delete_feedback(
        self, feedback_id: str, *, caller: Caller | None = None
    ) -> asyncio.Future[bool]:
        """Take a vote back; whether there was one."""
        return self._submit(
            f"feedback {feedback_id}",
            f"feedback_delete of feedback {feedback_id}",
            lambda connection: units.delete_feedback(connection, feedback_id, caller=caller),
        )

    # Anything else

    async def execute(
        self, statement: str, parameters: Mapping[str, Any]
    ) -> list[dict[str, Any]] | int:
        """Run a statement of your own in one transaction: its rows, or how many rows it changed."""
        await self._writer.settled()

        def work(connection: Connection) -> list[dict[str, Any]] | int:
            result = connection.execute(text(statement), dict(parameters))
            if not result.returns_rows:
                return result.rowcount
            return [dict(row._mapping) for row in result]

        return await self._database.write(work)


def _contains(words: str) -> str:
    """A LIKE pattern for any text that contains the words; none of their characters is a wildcard."""
    escaped = words.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f"%{escaped}%"


def _retrieved(future: asyncio.Future[Any]) -> None:
    # Chainlit leaves most writes to themselves; the failure was logged where it happened.
    if not future.cancelled():
        future.exception()
