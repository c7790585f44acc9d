"""The statements that count, one typed function each, of the same name, over a ``Connection``.

What a statement promises stands in its ``.sql`` file. Each counts a thread, where one is named, or
all of an owner's.
"""
# ruff: noqa: D103 - a query is described with the statement of its name, in db/sql

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection

from chainkeep.db.execution import Rows, many


class Span(NamedTuple):
    """What is counted."""

    thread_id: str | None
    owner: str | None
    since: str
    until: str


def model_usage(connection: Connection, *, span: Span) -> Rows:
    return many(connection, "model_usage", **span._asdict())


def tool_usage(connection: Connection, *, span: Span) -> dict[str, int]:
    rows = many(connection, "tool_usage", **span._asdict())
    return {row["name"]: int(row["uses"]) for row in rows}


def message_counts(connection: Connection, *, span: Span) -> dict[str, int]:
    rows = many(connection, "message_counts", **span._asdict())
    return {row["role"]: int(row["messages"]) for row in rows}
