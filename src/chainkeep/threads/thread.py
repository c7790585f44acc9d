"""A thread, as it was when it was read or written."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from chainkeep.blobs.keys import element_key
from chainkeep.db import (
    attachment_units,
    message_reads,
    thread_copies,
    thread_queries,
    thread_units,
    units,
)
from chainkeep.errors import ConflictError, InvalidInputError, NotFoundError
from chainkeep.models import Element, StoredThread
from chainkeep.threads.access import Access
from chainkeep.threads.attachments import Attachment
from chainkeep.threads.figures import Figures, count
from chainkeep.threads.message import found_attachment, moment_of
from chainkeep.threads.parcels import copy_blobs
from chainkeep.threads.thread_messages import ThreadMessages
from chainkeep.threads.views import ThreadViews
from chainkeep.values import cleaned_json, next_position, utc_now

__all__ = ["Role", "Thread"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """Somebody who speaks in a thread, besides user and assistant."""

    name: str
    user_id: str | None = None
    user_name: str | None = None
    icon: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread(ThreadMessages, ThreadViews):
    """A conversation. Values do not change; methods that write say what they give back.

    Every write is one transaction, and raises ``NotFoundError`` where the thread was deleted.
    """

    id: str
    name: str | None = None
    owner: str | None = None
    """What the owner logs in with."""
    org: str | None = None
    """The organisation that it belongs to."""
    product: str | None = None
    tags: list[str] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)
    platforms: dict[str, dict[str, str]] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    """The UI's own session data."""
    public: bool = False
    created_at: datetime
    updated_at: datetime
    last_message_id: str | None = None
    deleted_at: datetime | None = None
    """Set where it is deleted and can be restored."""
    _access: Access = field(repr=False, compare=False)

    @classmethod
    def of(cls, stored: StoredThread, access: Access) -> Thread:
        """The thread in a row."""
        return cls(
            id=stored.id,
            name=stored.name,
            owner=stored.user_identifier,
            org=stored.org_id,
            product=stored.product,
            tags=stored.tags or [],
            attributes=stored.attributes,
            platforms=stored.platforms,
            metadata=stored.metadata,
            public=stored.public,
            created_at=moment_of(stored.created_at),
            updated_at=moment_of(stored.updated_at),
            last_message_id=stored.last_message_id,
            deleted_at=None if stored.deleted_at is None else moment_of(stored.deleted_at),
            _access=access,
        )

    @property
    def created(self) -> float:
        """Seconds since 1970."""
        return self.created_at.timestamp()

    @property
    def updated(self) -> float:
        """Seconds since 1970."""
        return self.updated_at.timestamp()

    @property
    def title(self) -> str:
        """Its name, or "Untitled Thread"."""
        return self.name or "Untitled Thread"

    # The thread itself

    async def reload(self) -> Thread:
        """The thread as it is now; ``NotFoundError`` where it was deleted."""
        stored = await self._access.read(
            self.id, thread_queries.thread_read, id=self.id, include_deleted=False
        )
        if stored is None:
            raise NotFoundError(f"Thread {self.id} was deleted.")
        return Thread.of(stored, self._access)

    async def update(
        self,
        *,
        name: str | None = None,
        tags: Sequence[str] | None = None,
        attributes: Mapping[str, Any] | None = None,
        platforms: Mapping[str, Mapping[str, str]] | None = None,
        metadata: Mapping[str, Any] | None = None,
        public: bool | None = None,
        org: str | None = None,
        product: str | None = None,
        expected_version: str | None = None,
    ) -> Thread:
        """Set what is given and leave the rest; the thread as it is then.

        A blank ``name`` takes the name away. ``tags``, ``attributes`` and ``platforms`` replace
        what was there; ``metadata`` merges key by key, and None deletes a key. ``org`` and
        ``product`` are set once, where there is none, and not where the thread would leave the
        scope. With ``expected_version``, what ``version``
        gave, it is ``ConflictError`` where the thread says something else by now.
        """
        check_platforms(platforms or {})
        self._access.place(None, org, product)
        await self._access.write(
            self.id,
            thread_units.revise_thread,
            name=None if name is None else name.strip(),
            tags=None if tags is None else list(tags),
            attributes=cleaned_json(attributes),
            platforms=None if platforms is None else {k: dict(v) for k, v in platforms.items()},
            metadata=cleaned_json(metadata),
            public=public,
            org_id=org,
            product=product,
            expected_version=expected_version,
        )
        return await self.reload()

    async def share(self, shared: bool = True) -> Thread:
        """Make it ``public`` and let the UI show it to whoever has its address; or neither any
        more.
        """
        metadata = {"is_shared": shared, "shared_at": utc_now() if shared else None}
        return await self.update(public=shared, metadata=metadata)

    async def delete(self, *, hard: bool = False) -> bool:
        """Delete it: for now, so that ``restore`` brings it back, which is ``NotFoundError`` where
        that was done before; or, where ``hard``, for good with all that is in it; whether it was
        there.
        """
        if not hard:
            await self._access.write(self.id, thread_units.set_thread_aside, deleted_at=utc_now())
            return True
        return await self._access.delete_for_good(self.id)

    async def restore(self) -> bool:
        """Bring it back; whether it was deleted so that it could be."""
        return await self._access.write(self.id, thread_units.restore_thread)

    async def clear(self) -> None:
        """Delete every message, and whatever else happened in it; the thread stays."""
        self._access.remove_blobs(await self._access.write(self.id, units.clear_thread))

    async def copy(self, *, name: str | None = None) -> Thread:
        """A new thread of the same owner with the same messages, roles, summaries and attachments,
        all under new ids. Reactions and votes are not copied, and the copy is not public.
        """
        new_id = str(uuid.uuid4())
        elements = {str(uuid.uuid4()): each for each in await self._elements()}
        keys = {
            copy: element_key(new_id, copy)
            for copy, element in elements.items()
            if element.object_key is not None
        }
        written = self._access.submit(
            self.id,
            thread_copies.copy_thread,
            new_id=new_id,
            new_user_id=str(uuid.uuid4()),
            created_at=utc_now(),
            name=None if name is None else name.strip(),
            elements=[
                {"id": e.id, "new_id": copy, "for_id": e.for_id, "object_key": keys.get(copy)}
                for copy, e in elements.items()
            ],
        )
        await asyncio.shield(written)
        await copy_blobs(
            self._access, [(elements[copy], key) for copy, key in keys.items()], written
        )
        return await replace(self, id=new_id).reload()

    async def attachments(self) -> list[Attachment]:
        """What goes with all the messages, in the order in which it came."""
        found = [found_attachment(element, self._access) for element in await self._elements()]
        return [attachment for attachment in found if not attachment.in_content]

    async def remove_images(self) -> int:
        """Remove the images from what users said, beside the text and in the content; how many."""
        removed, keys = await self._access.write(self.id, attachment_units.remove_pictures)
        self._access.remove_blobs(keys)
        return removed

    async def _elements(self) -> list[Element]:
        return await self._access.read(self.id, message_reads.elements_shown, thread_id=self.id)

    async def figures(
        self, *, since: datetime | None = None, until: datetime | None = None
    ) -> Figures:
        """What it took: tokens and calls by model, time, messages by role, tools."""
        return await count(self._access, thread_id=self.id, since=since, until=until)

    # Roles and summaries

    async def roles(self) -> dict[str, Role]:
        """The thread's roles by name, in the order in which they were added."""
        found = await self._access.read(self.id, thread_queries.roles_of_thread, thread_id=self.id)
        return {row["name"]: Role(**row) for row in found}

    async def add_role(self, role: Role) -> None:
        """Add a role; ``ConflictError`` where there is one of that name.

        Messages that are posted as it from then on bear its ``user_name`` and ``icon`` in the UI.
        """
        _check_role(role)
        added = await self._access.write(
            self.id, thread_units.add_role, position=next_position(), role=asdict(role)
        )
        if not added:
            raise ConflictError(f"Role {role.name} already exists.")

    async def replace_role(self, role: Role) -> None:
        """Set all that a role is; ``NotFoundError`` where there is none of that name."""
        _check_role(role)
        if not await self._access.write(self.id, thread_units.replace_role, role=asdict(role)):
            raise NotFoundError(f"Role {role.name} does not exist.")

    async def remove_role(self, name: str) -> None:
        """Remove a role; ``NotFoundError`` where there is none of that name."""
        if not await self._access.write(self.id, thread_units.remove_role, name=name):
            raise NotFoundError(f"Role {name} does not exist.")

    async def summaries(self) -> dict[str, str]:
        """What ``Message.summarize`` wrote, by message id, in the messages' order."""
        return await self._access.read(
            self.id, thread_queries.summaries_of_thread, thread_id=self.id
        )


def _check_role(role: Role) -> None:
    if not role.name.strip():
        raise InvalidInputError("A role has a name.")
    if not (role.icon or "").isprintable():
        raise InvalidInputError("An icon is the name of an avatar, without control characters.")


def check_platforms(platforms: Mapping[str, Mapping[str, str]]) -> None:
    """Let references pass that are text."""
    for name, references in platforms.items():
        given = references.values() if isinstance(references, Mapping) else [None]
        if not all(isinstance(value, str) for value in given):
            raise InvalidInputError(f"What {name} calls the thread is text: give str values.")
