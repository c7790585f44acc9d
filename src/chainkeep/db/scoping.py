"""Keeps reads and writes to the threads of a scope."""

from __future__ import annotations

from sqlalchemy import Connection

from chainkeep.db.list_queries import thread_in_scope
from chainkeep.errors import NotFoundError
from chainkeep.scope import EVERYTHING, Scope

__all__ = ["GONE", "in_scope", "require_in_scope"]

GONE = "Thread {} does not exist, or was deleted; create it first."


def in_scope(connection: Connection, thread_id: str, scope: Scope) -> bool:
    """Whether a thread is in a scope. Asks the database, unless the scope is everything."""
    return scope == EVERYTHING or thread_in_scope(connection, id=thread_id, scope=scope)


def require_in_scope(connection: Connection, thread_id: str, scope: Scope) -> None:
    """Raise ``NotFoundError`` for a thread that is not in the scope, as for one that is nowhere."""
    if not in_scope(connection, thread_id, scope):
        raise NotFoundError(GONE.format(thread_id))
