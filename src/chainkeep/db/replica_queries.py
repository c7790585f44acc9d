"""The statements that tell how far a replica has come, one typed function each, of the same name,
over a ``Connection``.
"""
# ruff: noqa: D103 - a query is described with the statement of its name, in db/sql

from __future__ import annotations

from sqlalchemy import Connection

from chainkeep.db.execution import returned


def wal_position(connection: Connection) -> str:
    return str(returned(connection, "wal_position")["place"])


def wal_replayed(connection: Connection, *, place: str) -> bool:
    return bool(returned(connection, "wal_replayed", place=place)["replayed"])
