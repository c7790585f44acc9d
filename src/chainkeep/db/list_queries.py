"""The statements that list threads, one typed function each, of the same name, over a
``Connection``.

What a statement promises stands in its ``.sql`` file.
"""
# ruff: noqa: D103 - a query is described with the statement of its name, in db/sql

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from chainkeep.db.execution import many, returned, texts
from chainkeep.models import StoredThread, Thread
from chainkeep.paging import Cursor

_NEWEST = Cursor("~", "")  # after every time


def threads_page(
    connection: Connection,
    *,
    user_id: str,
    before: Cursor | None,
    feedback: int | None,
    pattern: str | None,
    count: int,
) -> list[Thread]:
    rows = many(
        connection,
        "threads_page",
        user_id=user_id,
        before_activity=None if before is None else before.last_activity_at,
        before_id=None if before is None else before.id,
        feedback=feedback,
        pattern=pattern,
        count=count,
    )
    return [Thread.from_row(row) for row in rows]


def threads_of_owner(
    connection: Connection,
    *,
    owner: str,
    before: Cursor | None,
    pattern: str | None,
    count: int,
    skip: int,
) -> list[StoredThread]:
    place = before or _NEWEST
    rows = many(
        connection,
        "threads_of_owner",
        owner=owner,
        before_activity=place.last_activity_at,
        before_id=place.id,
        pattern=pattern,
        count=count,
        skip=skip,
    )
    return [StoredThread.from_row(row) for row in rows]


def threads_of_owner_count(connection: Connection, *, owner: str, pattern: str | None) -> int:
    row = returned(connection, "threads_of_owner_count", owner=owner, pattern=pattern)
    return int(row["total"])


def threads_of_everybody(
    connection: Connection, *, before: Cursor | None, pattern: str | None, count: int
) -> list[StoredThread]:
    place = before or _NEWEST
    rows = many(
        connection,
        "threads_of_everybody",
        before_activity=place.last_activity_at,
        before_id=place.id,
        pattern=pattern,
        count=count,
    )
    return [StoredThread.from_row(row) for row in rows]


def threads_with_facts(
    connection: Connection,
    *,
    facts: Collection[str],
    absent: Collection[str],
    owner: str | None,
    count: int,
) -> list[StoredThread]:
    rows = many(
        connection,
        "threads_with_facts",
        facts=texts(facts),
        absent=texts(absent or [""]),
        fact_count=len(facts),
        owner=owner,
        count=count,
    )
    return [StoredThread.from_row(row) for row in rows]


def threads_set_aside(connection: Connection, *, before: str, count: int) -> list[str]:
    rows = many(connection, "threads_set_aside", before=before, count=count)
    return [row["id"] for row in rows]
