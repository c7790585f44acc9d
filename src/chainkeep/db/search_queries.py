"""The statements of the search and of its index, one typed function each, of the same name, over a
``Connection``.

What a statement promises stands in its ``.sql`` file.
"""
# ruff: noqa: D103 - a query is described with the statement of its name, in db/sql

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection

from chainkeep.db.execution import Rows, each, execute, many, one, returned
from chainkeep.models import Thread
from chainkeep.paging import NEWEST, Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which threads are looked through. What is None leaves none out."""

    user_id: str | None = None
    org: str | None = None
    any_org: bool = True
    """Whatever the organisation; else where ``org`` is None only threads that have none."""
    product: str | None = None
    feedback: int | None = None
    """Somebody voted so."""
    before: Cursor | None = None
    """Only what comes after this place."""

    @property
    def place(self) -> Cursor:
        """Where to begin."""
        return self.before or NEWEST

    def binds(self, *, with_user: bool) -> dict[str, Any]:
        """The binds of the filters."""
        user = {"user_id": self.user_id} if with_user else {}
        return {
            **user,
            "org": self.org,
            "any_org": self.any_org,
            "product": self.product,
            "feedback": self.feedback,
            "before_activity": self.place.last_activity_at,
            "before_id": self.place.id,
        }


class IndexState(NamedTuple):
    """What the trigram index can do."""

    ready: bool
    """Whether there is one."""
    letters: bool
    """Whether it knows letters beyond ASCII."""
    signs: bool
    """Whether it knows what is no letter and no digit."""


def search_index_state(connection: Connection) -> IndexState:
    row = returned(connection, "search_index_state")
    return IndexState(**{name: bool(value) for name, value in row.items()})


def search_backlog(connection: Connection, *, count: int) -> list[str]:
    return [row["thread_id"] for row in many(connection, "search_backlog", count=count)]


def search_backlog_of_user(
    connection: Connection, *, user_id: str, before: Cursor, count: int
) -> list[Cursor]:
    rows = many(
        connection,
        "search_backlog_of_user",
        user_id=user_id,
        before_activity=before.last_activity_at,
        before_id=before.id,
        count=count,
    )
    return [Cursor(row["last_activity_at"], row["thread_id"]) for row in rows]


def search_backlog_of_everybody(
    connection: Connection, *, before: Cursor, count: int
) -> list[Cursor]:
    rows = many(
        connection,
        "search_backlog_of_everybody",
        before_activity=before.last_activity_at,
        before_id=before.id,
        count=count,
    )
    return [Cursor(row["last_activity_at"], row["thread_id"]) for row in rows]


class Said(NamedTuple):
    """A title or a message that is not indexed, and its thread's place in the list."""

    place: Cursor
    text: str


def search_unindexed(
    connection: Connection, *, ids: Collection[str], filters: Filters
) -> list[Said]:
    rows = many(connection, "search_unindexed", ids=ids, **filters.binds(with_user=True))
    return [Said(Cursor(row["last_activity_at"], row["thread_id"]), row["text"]) for row in rows]


class Matches(NamedTuple):
    """Threads whose indexed texts match, and whether they may be all that match."""

    waiting: bool
    """Whether there are titles or messages, be it anybody's, that are not indexed."""
    rows: Rows
    """What ``Thread.from_row`` reads, newest activity first."""


def _matches(connection: Connection, name: str, **binds: Any) -> Matches:
    rows = many(connection, name, **binds)
    return Matches(bool(rows[0]["waiting"]), [row for row in rows if row["id"] is not None])


def search_walk_of_user(
    connection: Connection, *, pattern: str, filters: Filters, reach: int, count: int
) -> Matches:
    return _matches(
        connection,
        "search_walk_of_user",
        pattern=pattern,
        reach=reach,
        count=count,
        **filters.binds(with_user=True),
    )


def search_walk_of_everybody(
    connection: Connection, *, pattern: str, filters: Filters, reach: int, count: int
) -> Matches:
    return _matches(
        connection,
        "search_walk_of_everybody",
        pattern=pattern,
        reach=reach,
        count=count,
        **filters.binds(with_user=False),
    )


def search_found(
    connection: Connection,
    *,
    trigrams: str,
    owner: str,
    pattern: str,
    filters: Filters,
    count: int,
) -> Matches:
    return _matches(
        connection,
        "search_found",
        trigrams=trigrams,
        owner=owner,
        pattern=pattern,
        count=count,
        **filters.binds(with_user=True),
    )


def search_found_of_everybody(
    connection: Connection, *, trigrams: str, pattern: str, filters: Filters, count: int
) -> Matches:
    return _matches(
        connection,
        "search_found_of_everybody",
        trigrams=trigrams,
        pattern=pattern,
        count=count,
        **filters.binds(with_user=False),
    )


def search_threads(connection: Connection, *, ids: Collection[str]) -> list[Thread]:
    return [Thread.from_row(row) for row in many(connection, "search_threads", ids=ids)]


class Hit(NamedTuple):
    """A message that may hold what was looked for."""

    thread_id: str
    id: str
    text: str


def search_hits(
    connection: Connection, *, ids: Collection[str], pattern: str, most: int
) -> list[Hit]:
    rows = many(connection, "search_hits", ids=ids, pattern=pattern, most=most)
    return [Hit(**row) for row in rows]


def search_claim(
    connection: Connection, *, holder: str, now: str, until: str, count: int
) -> int | None:
    row = one(connection, "search_claim", holder=holder, now=now, until=until, count=count)
    return None if row is None else int(row["last_number"])


def search_waiting(connection: Connection) -> int:
    return int(returned(connection, "search_waiting")["waiting"])


class NextStep(NamedTuple):
    """A message to be indexed."""

    id: str
    thread_id: str
    text: str
    folded: str = ""


class NextThread(NamedTuple):
    """A thread to be indexed."""

    thread_id: str
    unindexed: int
    text: str
    gone: bool


def search_next_steps(connection: Connection, *, count: int) -> list[NextStep]:
    return [NextStep(**row) for row in many(connection, "search_next_steps", count=count)]


def search_next_threads(connection: Connection, *, count: int) -> list[NextThread]:
    return [NextThread(**row) for row in many(connection, "search_next_threads", count=count)]


class LockedStep(NamedTuple):
    """A message that nobody else writes until the transaction ends."""

    id: str
    text: str
    user_id: str


class LockedThread(NamedTuple):
    """A thread that nobody else writes until the transaction ends."""

    id: str
    unindexed: int
    user_id: str


def search_lock_steps(connection: Connection, *, ids: Collection[str]) -> list[LockedStep]:
    return [LockedStep(**row) for row in many(connection, "search_lock_steps", ids=ids)]


def search_lock_threads(connection: Connection, *, ids: Collection[str]) -> list[LockedThread]:
    return [LockedThread(**row) for row in many(connection, "search_lock_threads", ids=ids)]


@dataclass(frozen=True, kw_only=True)
class TextRow:
    """The binds of ``search_text_write``."""

    thread_id: str
    step_id: str
    number: int
    owner: str
    text: str


def search_text_write(connection: Connection, *, rows: Sequence[TextRow]) -> int:
    return each(connection, "search_text_write", [asdict(row) for row in rows])


def search_text_forget(connection: Connection, *, places: Sequence[tuple[str, str]]) -> int:
    binds = [{"thread_id": thread_id, "step_id": step_id} for thread_id, step_id in places]
    return each(connection, "search_text_forget", binds)


def search_thread_forget(connection: Connection, *, thread_id: str) -> int:
    return execute(connection, "search_thread_forget", thread_id=thread_id)


def search_thread_mark(connection: Connection, *, owners: Sequence[tuple[str, str]]) -> int:
    binds = [{"thread_id": thread_id, "owner": owner} for thread_id, owner in owners]
    return each(connection, "search_thread_mark", binds)


def search_steps_done(connection: Connection, *, ids: Collection[str]) -> int:
    return execute(connection, "search_steps_done", ids=ids)


def search_threads_done(connection: Connection, *, ids: Collection[str]) -> int:
    return execute(connection, "search_threads_done", ids=ids)
