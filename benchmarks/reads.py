"""The workloads that read: the sidebar, a thread, search, favourites, and single rows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import repeat
from typing import Any

from chainlit.types import Pagination, ThreadFilter

from benchmarks.measure import Call, Sample, timed
from benchmarks.subject import Subject

__all__ = ["author", "favorites", "history", "search", "sidebar", "thread", "user"]

PAGE = 35
"""What the sidebar asks for."""
FOUND = 20
"""What the search asks for."""


async def sidebar(subject: Subject, seconds: float, *, threads: int) -> Sample:
    """The first page of a user with so many threads."""
    filters = ThreadFilter(userId=subject.seed.user_id(threads))
    newest = subject.seed.newest_thread(threads)

    def check(page: Any) -> str | None:
        if len(page.data) != min(PAGE, threads):
            return f"gave {len(page.data)} threads for {min(PAGE, threads)}"
        return None if str(page.data[0]["id"]) == newest else "gave another thread first"

    call = partial(subject.layer.list_threads, Pagination(first=PAGE), filters)
    return await timed([repeat(call)], seconds, check=check)


class Walk:
    """Through a user's history, page by page."""

    def __init__(self, subject: Subject, user_id: str) -> None:
        self._list = subject.layer.list_threads
        self._filters = ThreadFilter(userId=user_id)
        self._cursor: str | None = None
        self.seen: list[str] = []
        self.over = False

    def calls(self) -> Iterator[Call]:
        """A call for each page, until there is none."""
        while not self.over:
            yield self._next

    async def _next(self) -> None:
        page = await self._list(Pagination(first=PAGE, cursor=self._cursor), self._filters)
        self.seen += [str(thread["id"]) for thread in page.data]
        self._cursor, self.over = page.pageInfo.endCursor, not page.pageInfo.hasNextPage


async def history(subject: Subject, seconds: float, *, threads: int) -> Sample:
    """The pages of a user with so many threads, all of them where the time suffices."""
    walk = Walk(subject, subject.seed.user_id(threads))
    sample = await timed([walk.calls()], seconds)
    if walk.over and not sample.flaws and len(set(walk.seen)) != threads:
        sample.blame(f"showed {len(set(walk.seen))} of {threads} threads")
    return sample


async def thread(subject: Subject, seconds: float, *, steps: int) -> Sample:
    """A thread of so many steps, whole."""

    def check(found: Any) -> str | None:
        given = len(found["steps"]) if found else 0
        return None if given == steps else f"gave {given} of {steps} steps"

    call = partial(subject.layer.get_thread, subject.seed.thread_of(steps))
    return await timed([repeat(call)], seconds, check=check)


async def search(subject: Subject, seconds: float, *, threads: int, word: str) -> Sample:
    """The threads, among so many, in which a word was said; asked for in capitals."""
    filters = ThreadFilter(userId=subject.seed.user_id(threads), search=word.upper())
    expected = min(FOUND, subject.seed.found(threads, word))

    def check(page: Any) -> str | None:
        given = len(page.data)
        return None if given == expected else f"found {given} of {expected} threads"

    call = partial(subject.layer.list_threads, Pagination(first=FOUND), filters)
    return await timed([repeat(call)], seconds, check=check)


async def favorites(subject: Subject, seconds: float, *, threads: int) -> Sample:
    """What the user with so many threads starred."""
    expected = subject.seed.favorites(threads)

    def check(steps: Any) -> str | None:
        return None if len(steps) == expected else f"gave {len(steps)} of {expected} steps"

    call = partial(subject.layer.get_favorite_steps, subject.seed.user_id(threads))
    return await timed([repeat(call)], seconds, check=check)


async def user(subject: Subject, seconds: float, *, threads: int) -> Sample:
    """A user, by identifier."""
    call = partial(subject.layer.get_user, subject.seed.identifier(threads))
    return await timed([repeat(call)], seconds, check=lambda u: None if u else "gave no user")


async def author(subject: Subject, seconds: float, *, threads: int) -> Sample:
    """A thread's owner, which every request for a thread asks for."""
    expected = subject.seed.identifier(threads)
    call = partial(subject.layer.get_thread_author, subject.seed.newest_thread(threads))
    return await timed(
        [repeat(call)], seconds, check=lambda found: None if found == expected else "gave another"
    )
