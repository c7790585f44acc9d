"""Threads in which something is said, and where in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from chainkeep.db import list_queries, search_queries
from chainkeep.db.search import Search, folded, pattern
from chainkeep.db.search_queries import Filters
from chainkeep.folding import places
from chainkeep.models import StoredThread
from chainkeep.paging import NO_LIMIT, Cursor
from chainkeep.scope import Scope
from chainkeep.threads.access import Access
from chainkeep.threads.thread import Thread

__all__ = ["Found", "Snippet", "Wanted", "page_saying", "threads_saying", "with_snippets"]

_MOST_SNIPPETS = 3
_BEFORE, _LONGEST = 60, 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """A part of a text that holds what was looked for."""

    message_id: str | None
    """The message; None for the thread's name."""
    text: str
    """With an ellipsis where something is left out."""
    highlights: list[tuple[int, int]]
    """Where the words are: the beginning and the end of each place in ``text``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A thread in which something is said."""

    thread: Thread
    snippets: list[Snippet]
    """The name first, then messages, the newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is looked for, and where."""

    words: str
    scope: Scope
    feedback: int | None = None
    before: Cursor | None = None


async def threads_saying(access: Access, wanted: Wanted, *, count: int) -> list[StoredThread]:
    """The newest threads in which something is said."""
    search = await _search(access, wanted, count)
    if search is None:
        return []
    return await access.store.search(search, list_queries.threads_of_ids)


async def page_saying(
    access: Access, wanted: Wanted, *, page: int, page_size: int
) -> tuple[int, list[StoredThread]]:
    """In how many threads something is said, and a numbered page of them."""
    search = await _search(access, wanted, NO_LIMIT)
    if search is None:
        return 0, []
    ids = await access.store.search(search, _themselves)
    size = page_size or max(len(ids), 1)
    some = ids[(page - 1) * size : page * size]
    read = list_queries.threads_of_ids
    return len(ids), await access.read(None, read, ids=some) if some else []


def _themselves(_connection: Any, *, ids: Sequence[str]) -> list[str]:
    return [*ids]


async def _search(access: Access, wanted: Wanted, count: int) -> Search | None:
    """What the store is asked; None where nobody logs in as the scope's user."""
    scope = wanted.scope
    user = None if scope.user is None else await access.store.get_user(scope.user)
    if scope.user is not None and user is None:
        return None
    filters = Filters(
        user_id=None if user is None else user.id,
        org=scope.org,
        any_org=scope.any_org,
        product=scope.product,
        feedback=wanted.feedback,
        before=wanted.before,
    )
    return Search(words=wanted.words, filters=filters, count=count)


async def with_snippets(access: Access, threads: Sequence[Thread], words: str) -> list[Found]:
    """The threads, with the places where something is said."""
    if not words or not threads:
        return [Found(thread=thread, snippets=[]) for thread in threads]
    term = folded(words)
    read = partial(search_queries.search_hits, pattern=pattern(term), most=_MOST_SNIPPETS)
    hits = await access.read(None, read, ids=[thread.id for thread in threads])
    said: dict[str, list[Snippet]] = {thread.id: [] for thread in threads}
    for hit in hits:
        _add(said, hit.thread_id, snippet(hit.text, term, message_id=hit.id))
    return [_found(thread, said, term) for thread in threads]


def _add(said: Mapping[str, list[Snippet]], thread_id: str, found: Snippet | None) -> None:
    if found is not None and len(said[thread_id]) < _MOST_SNIPPETS:
        said[thread_id].append(found)


def _found(thread: Thread, said: Mapping[str, list[Snippet]], term: str) -> Found:
    title = snippet(thread.name or "", term, message_id=None)
    return Found(thread=thread, snippets=[*([title] if title else []), *said[thread.id]])


def snippet(text: str, term: str, *, message_id: str | None) -> Snippet | None:
    """The part of a text around the first place of a folded term; None where it is nowhere."""
    found = places(text, term)
    if not found:
        return None
    begin = max(0, found[0][0] - _BEFORE)
    end = max(begin + _LONGEST, found[0][1])
    before, after = "…" if begin else "", "…" if end < len(text) else ""
    shift = len(before) - begin
    return Snippet(
        message_id=message_id,
        text=before + text[begin:end] + after,
        highlights=[(at + shift, to + shift) for at, to in found if to <= end],
    )
