"""A thread written once more, under new ids."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from chainkeep.db import attachment_queries, queries
from chainkeep.db import thread_queries as sql
from chainkeep.db.scoping import GONE
from chainkeep.db.thread_units import create_thread
from chainkeep.errors import NotFoundError
from chainkeep.scope import EVERYTHING
from chainkeep.values import utc_now


def copy_thread(
    connection: Connection,
    thread_id: str,
    *,
    new_id: str,
    new_user_id: str,
    created_at: str,
    name: str | None,
    elements: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Make a thread of the same messages, roles, summaries and elements, all under new ids.

    An element is named by ``id``, ``new_id``, ``for_id`` and the ``object_key`` of its new blob.
    """
    stored = sql.thread_read(connection, id=thread_id, include_deleted=False)
    if stored is None:
        raise NotFoundError(GONE.format(thread_id))
    create_thread(
        connection,
        new_id,
        new_user_id=new_user_id,
        created_at=created_at,
        name=stored.name if name is None else name or None,
        owner=stored.user_identifier,
        tags=stored.tags,
        metadata=stored.metadata,
        attributes=stored.attributes,
        platforms=stored.platforms,
        public=False,
        org_id=stored.org_id,
        product=stored.product,
    )
    # What is said in the copy comes after what was said before, also where a clock was ahead.
    sql.thread_advance(
        connection,
        id=new_id,
        position=1,
        count=1,
        activity_at=stored.last_activity_at,
        scope=EVERYTHING,
    )
    steps = sql.steps_alive(connection, thread_id=thread_id)
    # Made from the old ones, so that a write that is tried again makes the same.
    ids = {step.id: str(uuid.uuid5(uuid.NAMESPACE_OID, f"{new_id}/{step.id}")) for step in steps}
    if steps:
        sql.step_copy(connection, copies=[_copy(step, new_id, ids) for step in steps])
    if any(step.favorite for step in steps):
        queries.threads_star(connection, ids=[new_id])
    _copy_roles_and_summaries(connection, thread_id, new_id, ids)
    if elements:
        copies = [_element_copy(element, new_id, ids) for element in elements]
        attachment_queries.attachment_copy(connection, copies=copies)


def _element_copy(
    element: Mapping[str, Any], thread_id: str, ids: Mapping[str, str]
) -> attachment_queries.AttachmentCopy:
    for_id = ids.get(element["for_id"] or "")
    return attachment_queries.AttachmentCopy(**{**element, "for_id": for_id}, thread_id=thread_id)


def _copy(step: sql.Links, thread_id: str, ids: Mapping[str, str]) -> sql.Copy:
    return sql.Copy(
        id=step.id,
        new_id=ids[step.id],
        thread_id=thread_id,
        parent_id=ids.get(step.parent_id or ""),
        reply_to=ids.get(step.reply_to or ""),
    )


def _copy_roles_and_summaries(
    connection: Connection, thread_id: str, new_id: str, ids: Mapping[str, str]
) -> None:
    for number, role in enumerate(sql.roles_of_thread(connection, thread_id=thread_id)):
        row = sql.RoleRow(**role, thread_id=new_id, position=number)
        sql.role_add(connection, role=row)
    for step_id, summary in sql.summaries_of_thread(connection, thread_id=thread_id).items():
        sql.summary_upsert(
            connection,
            thread_id=new_id,
            step_id=ids.get(step_id, ""),
            summary=summary,
            earlier=None,
            now=utc_now(),
        )
