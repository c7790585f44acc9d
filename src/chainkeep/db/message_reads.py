"""Messages with what goes with them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from chainkeep.db import queries, thread_queries
from chainkeep.db.scoping import in_scope
from chainkeep.models import Element, StoredMessage
from chainkeep.scope import Scope


def messages_with_elements(
    connection: Connection,
    *,
    thread_id: str | None,
    id: str | None,
    include_private: bool,
    roles: Sequence[str] | None,
    count: int,
    scope: Scope,
) -> tuple[list[StoredMessage], dict[str, list[Element]]]:
    """What ``messages_of_thread`` gives, and the elements by the message that they belong to; of a
    thread that is found by a message, only where it is in the scope.
    """
    found = thread_queries.messages_of_thread(
        connection,
        thread_id=thread_id,
        id=id,
        include_private=include_private,
        roles=roles,
        count=count,
    )
    if thread_id is None:
        found = [each for each in found if in_scope(connection, each.thread_id, scope)]
    elements: dict[str, list[Element]] = {}
    for element in _elements(connection, found):
        elements.setdefault(element.for_id or "", []).append(element)
    return found, elements


def elements_shown(connection: Connection, *, thread_id: str) -> list[Element]:
    """The elements of a thread, in the order in which they came; none where it was deleted."""
    thread = thread_queries.thread_read(connection, id=thread_id, include_deleted=False)
    return [] if thread is None else queries.elements_of_thread(connection, thread_id=thread_id)


def _elements(connection: Connection, messages: Sequence[StoredMessage]) -> list[Element]:
    if len(messages) > 1:
        return queries.elements_of_thread(connection, thread_id=messages[0].thread_id)
    return queries.elements_of_steps(connection, ids=[messages[0].id]) if messages else []
