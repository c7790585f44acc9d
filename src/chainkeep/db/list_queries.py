"""The statements that list threads, or say whether one is in a list: one typed function each, of
the same name, over a ``Connection``.

What a statement promises stands in its ``.sql`` file.
"""
# ruff: noqa: D103 - a query is described with the statement of its name, in db/sql

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection

from chainkeep.db.content_rows import thread_of
from chainkeep.db.execution import many, one, returned, values
from chainkeep.models import StoredThread, Thread
from chainkeep.paging import NEWEST, Cursor
from chainkeep.scope import Scope


def threads_page(
    connection: Connection, *, user_id: str, before: Cursor | None, count: int
) -> list[Thread]:
    return _page(connection, "threads_page", before, user_id=user_id, count=count)


def threads_page_voted(
    connection: Connection, *, user_id: str, before: Cursor | None, feedback: int, count: int
) -> list[Thread]:
    return _page(
        connection, "threads_page_voted", before, user_id=user_id, feedback=feedback, count=count
    )


def _page(connection: Connection, name: str, before: Cursor | None, **binds: Any) -> list[Thread]:
    place = before or NEWEST
    rows = values(
        connection,
        name,
        before_activity=place.last_activity_at,
        before_id=place.id,
        **binds,
    )
    return [thread_of(row) for row in rows]


def _listed(
    connection: Connection, name: str, before: Cursor | None, **binds: Any
) -> list[StoredThread]:
    place = before or NEWEST
    rows = many(
        connection,
        name,
        before_activity=place.last_activity_at,
        before_id=place.id,
        **binds,
    )
    return [StoredThread.from_row(row) for row in rows]


def threads_of_owner(
    connection: Connection,
    *,
    scope: Scope,
    before: Cursor | None,
    feedback: int | None,
    count: int,
    skip: int,
) -> list[StoredThread]:
    return _listed(
        connection,
        "threads_of_owner",
        before,
        feedback=feedback,
        count=count,
        skip=skip,
        **scope.binds(),
    )


def threads_of_org(
    connection: Connection,
    *,
    scope: Scope,
    before: Cursor | None,
    feedback: int | None,
    count: int,
    skip: int,
) -> list[StoredThread]:
    return _listed(
        connection,
        "threads_of_org",
        before,
        feedback=feedback,
        count=count,
        skip=skip,
        org=scope.org,
        product=scope.product,
    )


def threads_of_product(
    connection: Connection,
    *,
    scope: Scope,
    before: Cursor | None,
    feedback: int | None,
    count: int,
    skip: int,
) -> list[StoredThread]:
    return _listed(
        connection,
        "threads_of_product",
        before,
        feedback=feedback,
        count=count,
        skip=skip,
        any_org=scope.any_org,
        product=scope.product,
    )


def threads_of_everybody(
    connection: Connection,
    *,
    scope: Scope,
    before: Cursor | None,
    feedback: int | None,
    count: int,
    skip: int,
) -> list[StoredThread]:
    return _listed(
        connection,
        "threads_of_everybody",
        before,
        feedback=feedback,
        count=count,
        skip=skip,
        any_org=scope.any_org,
    )


def threads_count(connection: Connection, *, scope: Scope, feedback: int | None) -> int:
    row = returned(connection, "threads_count", feedback=feedback, **scope.binds())
    return int(row["total"])


def threads_with_facts(
    connection: Connection,
    *,
    facts: Collection[str],
    absent: Collection[str],
    scope: Scope,
    count: int,
) -> list[StoredThread]:
    rows = many(
        connection,
        "threads_with_facts",
        facts=facts,
        absent=absent or [""],  # an empty list has no type
        fact_count=len(facts),
        count=count,
        **scope.binds(),
    )
    return [StoredThread.from_row(row) for row in rows]


def threads_set_aside(
    connection: Connection, *, before: str, scope: Scope, count: int
) -> list[str]:
    rows = many(connection, "threads_set_aside", before=before, count=count, **scope.binds())
    return [row["id"] for row in rows]


def thread_in_scope(connection: Connection, *, id: str, scope: Scope) -> bool:
    return one(connection, "thread_in_scope", id=id, **scope.binds()) is not None


def threads_of_ids(connection: Connection, *, ids: Collection[str]) -> list[StoredThread]:
    return [StoredThread.from_row(row) for row in many(connection, "threads_of_ids", ids=ids)]
