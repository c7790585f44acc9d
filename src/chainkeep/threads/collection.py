"""All threads: making, finding and listing them."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from typing_extensions import Unpack

from chainkeep.db import list_queries, thread_queries, thread_units
from chainkeep.errors import InvalidInputError, NotFoundError
from chainkeep.scope import EVERYTHING, Scope
from chainkeep.settings import DatabaseSettings, Settings
from chainkeep.store import Store
from chainkeep.threads.access import Access
from chainkeep.threads.attachments import AttachmentLimits, Describe, describe
from chainkeep.threads.drafts import Content, Draft, MessageOptions, text_of
from chainkeep.threads.lists import ThreadLists
from chainkeep.threads.message import Message, read_messages
from chainkeep.threads.posting import post
from chainkeep.threads.thread import Thread, check_platforms
from chainkeep.values import cleaned_json, timestamp, utc_now

__all__ = ["Threads", "open_threads"]

_PORTION = 500
_TITLE = 23


class HasStore(Protocol):
    """Such as the data layer of a Chainlit app."""

    @property
    def store(self) -> Store:
        """Where its conversations are."""


@asynccontextmanager
async def open_threads(
    source: str | Settings | Store | HasStore | None = None,
    *,
    strict_roles: bool = False,
    persist_system: bool = True,
    ui_runs: bool = True,
    limits: AttachmentLimits | None = None,
    describe: Describe = describe,
    products: Collection[str] | None = None,
    scope: Scope = EVERYTHING,
) -> AsyncIterator[Threads]:
    """The threads in a database, which is named by a URL, by settings, or by the environment; or
    those of a store or data layer that is open already, and stays so.

    With ``strict_roles`` a message's role is user, assistant, system or tool. Without
    ``persist_system`` a system message is given back and not written. ``ui_runs`` gives user
    messages what the UI draws thumbs with. ``limits`` say what may be attached, 50 MB of
    anything where not given, and ``describe`` looks into it once it is stored. ``products`` are all
    that there are; without them any word is one. ``scope`` is as in ``Threads.within``.
    """
    own = source is None or isinstance(source, (str, Settings))
    store = _store(source)
    access = Access(
        store,
        strict_roles=strict_roles,
        persist_system=persist_system,
        ui_runs=ui_runs,
        limits=limits or AttachmentLimits(),
        describe=describe,
        address=getattr(source, "element_address", None),
        products=products,
    )
    try:
        yield Threads(access.within(scope))
    finally:
        if own:
            await store.close()


def _store(source: str | Settings | Store | HasStore | None) -> Store:
    if source is None or isinstance(source, (str, Settings)):
        return Store(_settings(source))
    return source if isinstance(source, Store) else source.store


def _settings(source: str | Settings | None) -> Settings:
    if isinstance(source, Settings):
        return source
    return Settings.from_environment(database=DatabaseSettings.from_environment(url=source))


class Threads(ThreadLists):
    """Every thread of a store, whoever wrote it. Made by ``open_threads``."""

    def __init__(self, access: Access) -> None:
        self._access = access

    @property
    def scope(self) -> Scope:
        """What can be seen and changed."""
        return self._access.scope

    def within(self, scope: Scope) -> Threads:
        """The same, of which no more can be seen or changed than is in the scope: a thread that is
        not in it is simply not there, for whatever is done with what this gives.

        What is made in it gets its owner, organisation and product. ``InvalidInputError`` for a
        scope that has nothing in common with this one.
        """
        return Threads(self._access.within(scope))

    async def create(
        self,
        name: str | None = None,
        *,
        id: str | None = None,
        owner: str | None = None,
        org: str | None = None,
        product: str | None = None,
        tags: Sequence[str] | None = None,
        attributes: Mapping[str, Any] | None = None,
        platforms: Mapping[str, Mapping[str, str]] | None = None,
        metadata: Mapping[str, Any] | None = None,
        public: bool = False,
    ) -> Thread:
        """Make a thread; ``ConflictError`` where the id is taken, also by one that was deleted.

        ``owner`` is what a user logs in with; the thread is then in their sidebar, also when they
        log in for the first time later on. Owner, organisation and product are those of the scope
        where they are not given.
        """
        check_platforms(platforms or {})
        thread_id = id or str(uuid.uuid4())
        values = _opening(
            name=name,
            place=self._access.place(owner, org, product),
            tags=None if tags is None else [*tags],
            metadata=cleaned_json(metadata or {}),
            attributes=cleaned_json(attributes or {}),
            platforms={key: dict(value) for key, value in (platforms or {}).items()},
            public=public,
        )
        await self._access.outside().write(thread_id, thread_units.create_thread, **values)
        return await self._known(thread_id)

    async def add_message(
        self,
        role: str,
        content: Content = None,
        *,
        thread_id: str | None = None,
        owner: str | None = None,
        org: str | None = None,
        product: str | None = None,
        always_dots: bool = False,
        **options: Unpack[MessageOptions],
    ) -> Message:
        """Post a message in a thread, or where none is named in a new one of ``owner``'s, which is
        made in the same transaction; the message's ``thread_id`` names it.

        A new thread is named after the first 23 characters, with dots where there are more, or
        ``always_dots``.
        """
        draft = Draft(role=role, content=content, **options)
        if thread_id is not None:
            [message] = await post(self._access, thread_id, [draft])
            return message
        place = self._access.place(owner, org, product)
        opening = _opening(name=_beginning(text_of(content), always_dots), place=place)
        access = self._access.outside()
        [message] = await post(access, str(uuid.uuid4()), [draft], opening=opening)
        return replace(message, _access=self._access)

    async def _known(self, thread_id: str) -> Thread:
        found = await self.get(thread_id)
        if found is None:
            raise InvalidInputError(f"Thread {thread_id} was deleted meanwhile.")
        return found

    async def get(self, thread_id: str, *, include_deleted: bool = False) -> Thread | None:
        """A thread; None where there is none, or it was deleted.

        ``include_deleted`` finds one that can be restored.
        """
        try:
            stored = await self._access.read(
                thread_id, thread_queries.thread_read, id=thread_id, include_deleted=include_deleted
            )
        except NotFoundError:
            return None
        return None if stored is None else Thread.of(stored, self._access)

    async def message(self, message_id: str) -> Message | None:
        """A message of any thread; its ``thread_id`` names that thread."""
        found = await read_messages(self._access, None, id=message_id, count=1)
        return found[0] if found else None

    async def purge(self, *, before: datetime | None = None) -> int:
        """Delete for good what was deleted, all of it or until a time; how many threads went."""
        until, gone = timestamp(before) or utc_now(), 0
        while found := await self._access.read(
            None,
            list_queries.threads_set_aside,
            before=until,
            scope=self._access.scope,
            count=_PORTION,
        ):
            for thread_id in found:
                await self._access.delete_for_good(thread_id)
            gone += len(found)
        return gone


def _opening(*, name: str | None, place: Scope, **given: Any) -> dict[str, Any]:
    """What ``thread_units.create_thread`` makes a thread of."""
    return {
        "new_user_id": str(uuid.uuid4()),
        "created_at": utc_now(),
        "name": (name or "").strip() or None,
        "owner": place.user,
        "tags": None,
        "metadata": {},
        "attributes": {},
        "platforms": {},
        "public": False,
        "org_id": place.org,
        "product": place.product,
        **given,
    }


def _beginning(text: str, always_dots: bool) -> str:
    text = " ".join(text.split())
    return f"{text[:_TITLE]}..." if text and (always_dots or len(text) > _TITLE) else text
