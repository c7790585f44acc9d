"""All threads: making, finding and listing them."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from typing_extensions import Unpack

from chainkeep.db import list_queries, thread_queries, thread_units
from chainkeep.errors import InvalidInputError
from chainkeep.models import StoredThread
from chainkeep.paging import Cursor, Page
from chainkeep.settings import DatabaseSettings, Settings
from chainkeep.store import Store
from chainkeep.threads.access import Access
from chainkeep.threads.attachments import AttachmentLimits, Describe, describe
from chainkeep.threads.drafts import Content, Draft, MessageOptions, text_of
from chainkeep.threads.figures import Figures, count
from chainkeep.threads.message import Message, read_messages
from chainkeep.threads.posting import post
from chainkeep.threads.thread import Thread, check_platforms
from chainkeep.values import timestamp, utc_now

__all__ = ["NumberedPage", "Threads", "open_threads"]

_MOST_PER_PAGE = 1000
_PORTION = 500
_TITLE = 23

Many = list[Thread]
"""For a class that has a method ``list``."""


class HasStore(Protocol):
    """Such as the data layer of a Chainlit app."""

    @property
    def store(self) -> Store:
        """Where its conversations are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedPage:
    """A page of threads, counted from 1."""

    threads: list[Thread]
    total_count: int
    total_pages: int
    current_page: int
    page_size: int

    @property
    def has_next(self) -> bool:
        """Whether a page follows."""
        return self.current_page < self.total_pages

    @property
    def has_previous(self) -> bool:
        """Whether a page comes before."""
        return self.current_page > 1


@asynccontextmanager
async def open_threads(
    source: str | Settings | Store | HasStore | None = None,
    *,
    strict_roles: bool = False,
    ui_runs: bool = True,
    limits: AttachmentLimits | None = None,
    describe: Describe = describe,
) -> AsyncIterator[Threads]:
    """The threads in a database, which is named by a URL, by settings, or by the environment; or
    those of a store or data layer that is open already, and stays so.

    With ``strict_roles`` a message's role is user, assistant, system or tool. ``ui_runs`` gives
    user messages what the UI draws thumbs with. ``limits`` say what may be attached, 50 MB of
    anything where not given, and ``describe`` looks into it once it is stored.
    """
    own = source is None or isinstance(source, (str, Settings))
    store = _store(source)
    access = Access(
        store,
        strict_roles=strict_roles,
        ui_runs=ui_runs,
        limits=limits or AttachmentLimits(),
        describe=describe,
        address=getattr(source, "element_address", None),
    )
    try:
        yield Threads(access)
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


class Threads:
    """Every thread of a store, whoever wrote it. Made by ``open_threads``."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def create(
        self,
        name: str | None = None,
        *,
        id: str | None = None,
        owner: str | None = None,
        tags: Sequence[str] | None = None,
        attributes: Mapping[str, Any] | None = None,
        platforms: Mapping[str, Mapping[str, str]] | None = None,
        metadata: Mapping[str, Any] | None = None,
        public: bool = False,
    ) -> Thread:
        """Make a thread; ``ConflictError`` where the id is taken, also by one that was deleted.

        ``owner`` is what a user logs in with; the thread is then in their sidebar, also when they
        log in for the first time later on.
        """
        check_platforms(platforms or {})
        thread_id = id or str(uuid.uuid4())
        values = _opening(
            name=name,
            owner=owner,
            tags=None if tags is None else [*tags],
            metadata=dict(metadata or {}),
            attributes=dict(attributes or {}),
            platforms={key: dict(value) for key, value in (platforms or {}).items()},
            public=public,
        )
        await self._access.write(thread_id, thread_units.create_thread, **values)
        return await self._known(thread_id)

    async def add_message(
        self,
        role: str,
        content: Content = None,
        *,
        thread_id: str | None = None,
        owner: str | None = None,
        always_dots: bool = False,
        **options: Unpack[MessageOptions],
    ) -> Message:
        """Post a message in a thread, or where none is named in a new one of ``owner``'s, which is
        made in the same transaction; the message's ``thread_id`` names it.

        A new thread is named after the first 23 characters, with dots where there are more, or
        ``always_dots``.
        """
        draft = Draft(role=role, content=content, **options)
        opening = None
        if thread_id is None:
            opening = _opening(name=_beginning(text_of(content), always_dots), owner=owner)
        [message] = await post(
            self._access, thread_id or str(uuid.uuid4()), [draft], opening=opening
        )
        return message

    async def _known(self, thread_id: str) -> Thread:
        found = await self.get(thread_id)
        if found is None:
            raise InvalidInputError(f"Thread {thread_id} was deleted meanwhile.")
        return found

    async def get(self, thread_id: str, *, include_deleted: bool = False) -> Thread | None:
        """A thread; None where there is none, or it was deleted.

        ``include_deleted`` finds one that can be restored.
        """
        stored = await self._access.read(
            thread_id, thread_queries.thread_read, id=thread_id, include_deleted=include_deleted
        )
        return None if stored is None else Thread.of(stored, self._access)

    async def message(self, message_id: str) -> Message | None:
        """A message of any thread; its ``thread_id`` names that thread."""
        found = await read_messages(self._access, None, id=message_id, count=1)
        return found[0] if found else None

    async def list(
        self,
        *,
        owner: str | None = None,
        first: int = 20,
        cursor: str | None = None,
        search: str | None = None,
    ) -> Page[Thread]:
        """A page of an owner's threads, or of everybody's, newest activity first.

        ``cursor`` is the ``next_cursor`` of the page before. ``search`` is a part of the name or
        of what was said in public, in any case.
        """
        most = max(1, min(first, _MOST_PER_PAGE))
        before = Cursor.decode(cursor) if cursor else None
        pattern = contains(search)
        if owner is None:
            found = await self._access.read(
                None,
                list_queries.threads_of_everybody,
                before=before,
                pattern=pattern,
                count=most + 1,
            )
        else:
            found = await self._access.read(
                None,
                list_queries.threads_of_owner,
                owner=owner,
                before=before,
                pattern=pattern,
                count=most + 1,
                skip=0,
            )
        last = Cursor.of(found[most - 1]).encode() if len(found) > most else None
        return Page(self._threads(found[:most]), last)

    async def page(
        self, owner: str, *, page: int = 1, page_size: int = 20, search: str | None = None
    ) -> NumberedPage:
        """A numbered page of an owner's threads, newest activity first, and how many there are.

        Pages count from 1; a ``page_size`` of 0 is everything on one page; a page beyond the end
        is empty.
        """
        if page < 1 or page_size < 0:
            raise InvalidInputError("Pages count from 1, and a page's size is no less than 0.")
        pattern = contains(search)
        total = await self._access.read(
            None, list_queries.threads_of_owner_count, owner=owner, pattern=pattern
        )
        size = page_size or max(total, 1)
        found = await self._access.read(
            None,
            list_queries.threads_of_owner,
            owner=owner,
            before=None,
            pattern=pattern,
            count=size,
            skip=(page - 1) * size,
        )
        return NumberedPage(
            threads=self._threads(found),
            total_count=total,
            total_pages=-(-total // size) if page_size else 1,
            current_page=page,
            page_size=page_size,
        )

    async def find(
        self,
        *,
        owner: str | None = None,
        attributes: Mapping[str, Any] | None = None,
        platform: str | None = None,
        references: Mapping[str, str] | None = None,
        limit: int = 100,
    ) -> Many:
        """The threads that have all these attributes, and these references on a platform, newest
        activity first.

        Equality is typed: 1 and 1.0 are the same, 1, "1" and True are three things; None is an
        attribute that is not there. At least one value or a platform must be named.
        """
        wanted = {key: value for key, value in (attributes or {}).items() if value is not None}
        facts = [thread_units.fact("attributes", *item) for item in wanted.items()]
        if platform is not None:
            facts.append(thread_units.fact("platforms", platform))
            facts += [
                thread_units.fact("platforms", platform, *reference)
                for reference in (references or {}).items()
            ]
        if not facts:
            raise InvalidInputError("Name an attribute's value or a platform to find threads by.")
        missing = [key for key, value in (attributes or {}).items() if value is None]
        found = await self._access.read(
            None,
            list_queries.threads_with_facts,
            facts=facts,
            absent=[thread_units.fact("attributes", key) for key in missing],
            owner=owner,
            count=limit,
        )
        return self._threads(found)

    async def figures(
        self, owner: str, *, since: datetime | None = None, until: datetime | None = None
    ) -> Figures:
        """What all of an owner's threads took together."""
        return await count(self._access, owner=owner, since=since, until=until)

    async def purge(self, *, before: datetime | None = None) -> int:
        """Delete for good what was deleted, all of it or until a time; how many threads went."""
        until, gone = timestamp(before) or utc_now(), 0
        while found := await self._access.read(
            None, list_queries.threads_set_aside, before=until, count=_PORTION
        ):
            for thread_id in found:
                await self._access.store.delete_thread(thread_id)
            gone += len(found)
        return gone

    def _threads(self, found: Sequence[StoredThread]) -> Many:
        return [Thread.of(stored, self._access) for stored in found]


def _opening(*, name: str | None, owner: str | None, **given: Any) -> dict[str, Any]:
    """What ``thread_units.create_thread`` makes a thread of."""
    return {
        "new_user_id": str(uuid.uuid4()),
        "created_at": utc_now(),
        "name": (name or "").strip() or None,
        "owner": owner,
        "tags": None,
        "metadata": {},
        "attributes": {},
        "platforms": {},
        "public": False,
        "org_id": None,
        "product": None,
        **given,
    }


def _beginning(text: str, always_dots: bool) -> str:
    text = " ".join(text.split())
    return f"{text[:_TITLE]}..." if text and (always_dots or len(text) > _TITLE) else text


def contains(words: str | None) -> str | None:
    """A LIKE pattern for text that contains the words; none of their characters is a wildcard."""
    if not words:
        return None
    escaped = words.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f"%{escaped}%"
