"""Lists of threads, and what is asked about many of them at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chainkeep.db import list_queries, thread_units
from chainkeep.errors import InvalidInputError
from chainkeep.models import StoredThread
from chainkeep.paging import Cursor, Page
from chainkeep.scope import Scope
from chainkeep.threads.access import Access
from chainkeep.threads.figures import NOTHING, Figures, count
from chainkeep.threads.finding import (
    Found,
    Wanted,
    page_saying,
    threads_saying,
    with_snippets,
)
from chainkeep.threads.thread import Thread
from chainkeep.values import cleaned_json

__all__ = ["NumberedPage", "ThreadLists"]

_MOST_PER_PAGE = 1000

Many = list[Thread]
"""For a class that has a method ``list``."""


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

    @property
    def pagination(self) -> dict[str, Any]:
        """All but the threads, as a dict."""
        return {
            "total_count": self.total_count,
            "total_pages": self.total_pages,
            "current_page": self.current_page,
            "page_size": self.page_size,
            "has_next": self.has_next,
            "has_previous": self.has_previous,
        }


class ThreadLists:
    """The lists of threads. Each names an owner, an organisation, a product, or none of them; what
    is outside of the scope is in no list.
    """

    _access: Access

    async def list(
        self,
        *,
        owner: str | None = None,
        org: str | None = None,
        product: str | None = None,
        feedback: int | None = None,
        search: str | None = None,
        first: int = 20,
        cursor: str | None = None,
    ) -> Page[Thread]:
        """A page of the threads, newest activity first.

        ``cursor`` is the ``next_cursor`` of the page before. ``search`` is a part of the name or
        of what was said in public, in any case; ``feedback`` (0 or 1) leaves only threads where
        somebody voted so.
        """
        most = max(1, min(first, _MOST_PER_PAGE))
        before = Cursor.decode(cursor) if cursor else None
        scope = self._narrowed(owner, org, product)
        if scope is None:
            return Page([], None)
        if search:
            wanted = Wanted(words=search, scope=scope, feedback=_vote(feedback), before=before)
            found = await threads_saying(self._access, wanted, count=most + 1)
        else:
            found = await self._access.read(
                None,
                _list_of(scope),
                scope=scope,
                before=before,
                feedback=_vote(feedback),
                count=most + 1,
                skip=0,
            )
        last = Cursor.of(found[most - 1]).encode() if len(found) > most else None
        return Page(self._threads(found[:most]), last)

    async def search(
        self,
        words: str,
        *,
        owner: str | None = None,
        org: str | None = None,
        product: str | None = None,
        feedback: int | None = None,
        first: int = 20,
        cursor: str | None = None,
    ) -> Page[Found]:
        """``list`` of what ``search`` finds, with the places where it is said.

        A thread comes with a snippet of its title and of its newest messages, three at most, where
        they hold the words.
        """
        page = await self.list(
            owner=owner,
            org=org,
            product=product,
            feedback=feedback,
            search=words,
            first=first,
            cursor=cursor,
        )
        return Page(await with_snippets(self._access, page.items, words), page.next_cursor)

    async def list_recent(self, limit: int = 20) -> Many:
        """The threads that were active last, newest first."""
        found: Many = []
        cursor: str | None = None
        while len(found) < limit:
            page = await self.list(first=limit - len(found), cursor=cursor)
            found += page.items
            if (cursor := page.next_cursor) is None:
                break
        return found

    async def page(
        self,
        owner: str | None = None,
        *,
        org: str | None = None,
        product: str | None = None,
        feedback: int | None = None,
        search: str | None = None,
        page: int = 1,
        page_size: int = 20,
    ) -> NumberedPage:
        """A numbered page of what ``list`` finds, and how many there are.

        Pages count from 1; a ``page_size`` of 0 is everything on one page; a page beyond the end
        is empty.
        """
        if page < 1 or page_size < 0:
            raise InvalidInputError("Pages count from 1, and a page's size is no less than 0.")
        scope = self._narrowed(owner, org, product)
        if scope is None:
            total, found = 0, list[StoredThread]()
        elif search:
            wanted = Wanted(words=search, scope=scope, feedback=_vote(feedback))
            total, found = await page_saying(self._access, wanted, page=page, page_size=page_size)
        else:
            total, found = await self._access.read(
                None, _numbered, scope, _vote(feedback), page=page, page_size=page_size
            )
        return NumberedPage(
            threads=self._threads(found),
            total_count=total,
            total_pages=-(-total // page_size) if page_size else 1,
            current_page=page,
            page_size=page_size,
        )

    async def find(
        self,
        *,
        owner: str | None = None,
        org: str | None = None,
        product: str | None = None,
        attributes: Mapping[str, Any] | None = None,
        platform: str | None = None,
        references: Mapping[str, str] | None = None,
        limit: int = 100,
    ) -> Many:
        """The threads that have all these attributes, and these references on a platform, newest
        activity first.

        Equality is typed: 1 and 1.0 are the same, 1, "1" and True are three things; None is an
        attribute that is not there.
        """
        if references and platform is None:
            raise InvalidInputError("References are those of a platform: name it too.")
        if limit < 0:
            raise InvalidInputError("A limit is no less than 0.")
        scope = self._narrowed(owner, org, product)
        if scope is None:
            return []
        wanted = cleaned_json(attributes or {})
        facts = _facts(wanted, platform, references or {})
        missing = [key for key, value in wanted.items() if value is None]
        if not facts:
            return self._threads(await self._access.read(None, _lacking, scope, missing, limit))
        found = await self._access.read(
            None,
            list_queries.threads_with_facts,
            facts=facts,
            absent=[thread_units.fact("attributes", key) for key in missing],
            scope=scope,
            count=limit,
        )
        return self._threads(found)

    async def figures(
        self,
        owner: str | None = None,
        *,
        org: str | None = None,
        product: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Figures:
        """What all of the threads took together, from a time up to another."""
        scope = self._narrowed(owner, org, product)
        if scope is None:
            return NOTHING
        return await count(self._access, scope=scope, since=since, until=until)

    def _narrowed(self, owner: str | None, org: str | None, product: str | None) -> Scope | None:
        self._access.check_product(product)
        asked = Scope(user=owner, org=org, product=product, any_org=org is None)
        return self._access.scope.narrowed(asked)

    def _threads(self, found: Sequence[StoredThread]) -> Many:
        return [Thread.of(stored, self._access) for stored in found]


def _list_of(scope: Scope) -> Callable[..., list[StoredThread]]:
    """The list whose index carries the scope best."""
    if scope.user is not None:
        return list_queries.threads_of_owner
    if scope.org is not None:
        return list_queries.threads_of_org
    if scope.product is not None:
        return list_queries.threads_of_product
    return list_queries.threads_of_everybody


def _numbered(
    connection: Any, scope: Scope, feedback: int | None, *, page: int, page_size: int
) -> tuple[int, list[StoredThread]]:
    """How many threads there are, and those of a page."""
    total = list_queries.threads_count(connection, scope=scope, feedback=feedback)
    size = page_size or max(total, 1)
    place = {"before": None, "count": size, "skip": (page - 1) * size}
    return total, _list_of(scope)(connection, scope=scope, feedback=feedback, **place)


def _lacking(
    connection: Any, scope: Scope, attributes: Sequence[str], limit: int
) -> list[StoredThread]:
    """The first threads that have none of these attributes; reads portions until it has enough."""
    found: list[StoredThread] = []
    place: dict[str, Any] = {"feedback": None, "count": _MOST_PER_PAGE, "skip": 0}
    before: Cursor | None = None
    while len(found) < limit:
        portion = _list_of(scope)(connection, scope=scope, before=before, **place)
        found += [each for each in portion if _lacks(each, attributes)]
        if len(portion) < _MOST_PER_PAGE:
            break
        before = Cursor.of(portion[-1])
    return found[:limit]


def _lacks(thread: StoredThread, attributes: Sequence[str]) -> bool:
    return all(thread.attributes.get(name) is None for name in attributes)


def _facts(
    attributes: Mapping[str, Any], platform: str | None, references: Mapping[str, str]
) -> list[str]:
    wanted = [item for item in attributes.items() if item[1] is not None]
    facts = [thread_units.fact("attributes", *item) for item in wanted]
    if platform is not None:
        facts.append(thread_units.fact("platforms", platform))
        facts += [thread_units.fact("platforms", platform, *item) for item in references.items()]
    return facts


def _vote(feedback: int | None) -> int | None:
    if feedback not in (0, 1, None):
        raise InvalidInputError("A vote is 0 or 1.")
    return feedback
