"""The statement that counts, as a typed function of the same name, over a ``Connection``.

What it promises stands in its ``.sql`` files.
"""
# ruff: noqa: D103 - a query is described with the statement of its name, in db/sql

from __future__ import annotations

from sqlalchemy import Connection

from chainkeep.db.execution import Rows, many
from chainkeep.scope import Scope


def figures(
    connection: Connection, *, thread_id: str | None, scope: Scope, since: str, until: str
) -> Rows:
    return many(
        connection,
        "figures",
        thread_id=thread_id,
        since=since,
        until=until,
        **scope.binds(),
    )
