"""What the database knows of the journal's files; one typed function per statement."""

# ruff: noqa: D103 - a query is described with the statement of its name, in db/sql

from __future__ import annotations

from sqlalchemy import Connection

from chainkeep.db.execution import execute, one


def journal_progress(connection: Connection, *, id: str) -> int:
    row = one(connection, "journal_progress", id=id)
    return 0 if row is None else int(row["replayed_to"])


def journal_advance(connection: Connection, *, id: str, replayed_to: int, updated_at: str) -> int:
    return execute(
        connection, "journal_advance", id=id, replayed_to=replayed_to, updated_at=updated_at
    )


def journal_forget(connection: Connection, *, id: str) -> int:
    return execute(connection, "journal_forget", id=id)
