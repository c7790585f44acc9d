"""One typed function per statement, of the same name, over a ``Connection``.

What a statement promises stands in its ``.sql`` file.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from chainkeep.db.content_rows import content_of
from chainkeep.db.execution import each, execute, many, one, returned, values
from chainkeep.models import (
    Element,
    Feedback,
    StepValues,
    Thread,
    ThreadValues,
    User,
)
from chainkeep.values import is_starred, json_or_null, to_json


def user_get(connection: Connection, *, identifier: str) -> User | None:
    row = one(connection, "user_get", identifier=identifier)
    return None if row is None else User.from_row(row)


def user_upsert(
    connection: Connection,
    *,
    id: str,
    identifier: str,
    display_name: str | None,
    metadata: Mapping[str, Any],
    created_at: str,
) -> User:
    row = returned(
        connection,
        "user_upsert",
        id=id,
        identifier=identifier,
        display_name=display_name,
        metadata=to_json(metadata),
        created_at=created_at,
    )
    return User.from_row(row)


def thread_update(
    connection: Connection,
    *,
    id: str,
    name: str | None,
    keep_name: bool,
    org_id: str | None,
    product: str | None,
    tags: list[str] | None,
    metadata: Mapping[str, Any] | None,
) -> int:
    return execute(
        connection,
        "thread_update",
        id=id,
        name=name,
        keep_name=keep_name,
        org_id=org_id,
        product=product,
        tags=json_or_null(tags),
        metadata=json_or_null(metadata),
    )


def threads_star(connection: Connection, *, ids: Collection[str]) -> int:
    return execute(connection, "threads_star", ids=ids)


def thread_get(connection: Connection, *, id: str) -> Thread | None:
    row = one(connection, "thread_get", id=id)
    return None if row is None else Thread.from_row(row)


def thread_content(connection: Connection, *, id: str) -> ThreadValues | None:
    return content_of(values(connection, "thread_content", id=id))


def thread_author(connection: Connection, *, id: str) -> str | None:
    row = one(connection, "thread_author", id=id)
    return None if row is None else row["user_identifier"]


def thread_delete(connection: Connection, *, id: str, deleted_at: str) -> int:
    return execute(connection, "thread_delete", id=id, deleted_at=deleted_at)


def thread_erase(connection: Connection, *, thread_id: str, requested_at: str) -> list[str]:
    rows = many(connection, "thread_erase", thread_id=thread_id, requested_at=requested_at)
    return [row["object_key"] for row in rows]


def thread_clear_steps(connection: Connection, *, thread_id: str) -> int:
    return execute(connection, "thread_clear_steps", thread_id=thread_id)


def thread_clear_elements(connection: Connection, *, thread_id: str) -> int:
    return execute(connection, "thread_clear_elements", thread_id=thread_id)


def thread_clear_feedbacks(connection: Connection, *, thread_id: str) -> int:
    return execute(connection, "thread_clear_feedbacks", thread_id=thread_id)


def step_get(connection: Connection, *, id: str) -> StepValues | None:
    return next(values(connection, "step_get", id=id), None)


def steps_favorite(connection: Connection, *, user_id: str) -> list[StepValues]:
    return list(values(connection, "steps_favorite", user_id=user_id))


def step_set_metadata(connection: Connection, *, id: str, metadata: Mapping[str, Any]) -> int:
    return execute(
        connection,
        "step_set_metadata",
        id=id,
        metadata=to_json(metadata),
        favorite=is_starred(metadata),
    )


def step_author(connection: Connection, *, id: str) -> str | None:
    row = one(connection, "step_author", id=id)
    return None if row is None else row["user_identifier"]


def step_tree(connection: Connection, *, id: str) -> list[str]:
    return [row["id"] for row in many(connection, "step_tree", id=id)]


def steps_delete(connection: Connection, *, ids: Collection[str], deleted_at: str) -> int:
    return execute(connection, "steps_delete", ids=ids, deleted_at=deleted_at)


def steps_clear_feedbacks(connection: Connection, *, ids: Collection[str]) -> int:
    return execute(connection, "steps_clear_feedbacks", ids=ids)


def step_bury(
    connection: Connection, *, id: str, thread_id: str, deleted_at: str, position: int
) -> int:
    return execute(
        connection,
        "step_bury",
        id=id,
        thread_id=thread_id,
        deleted_at=deleted_at,
        position=position,
    )


def element_upsert(
    connection: Connection, element: Element, *, created_at: str, position: int, revive: bool
) -> int:
    return execute(
        connection,
        "element_upsert",
        id=element.id,
        thread_id=element.thread_id,
        for_id=element.for_id,
        type=element.type,
        name=element.name,
        display=element.display,
        url=element.url,
        object_key=element.object_key,
        chainlit_key=element.chainlit_key,
        mime=element.mime,
        size=element.size,
        language=element.language,
        page=element.page,
        props=json_or_null(element.props),
        auto_play=element.auto_play,
        player_config=json_or_null(element.player_config),
        extra=json_or_null(element.extra or None),
        attributes=json_or_null(element.attributes or None),
        status=element.status,
        created_at=created_at,
        position=position,
        revive=revive,
    )


def element_get(connection: Connection, *, id: str, thread_id: str | None) -> Element | None:
    row = one(connection, "element_get", id=id, thread_id=thread_id)
    return None if row is None else Element.from_row(row)


def elements_of_thread(connection: Connection, *, thread_id: str) -> list[Element]:
    rows = many(connection, "elements_of_thread", thread_id=thread_id)
    return [Element.from_row(row) for row in rows]


def elements_of_steps(connection: Connection, *, ids: Collection[str]) -> list[Element]:
    return [Element.from_row(row) for row in many(connection, "elements_of_steps", ids=ids)]


def elements_delete(connection: Connection, *, ids: Collection[str], deleted_at: str) -> int:
    return execute(connection, "elements_delete", ids=ids, deleted_at=deleted_at)


def element_bury(
    connection: Connection, *, id: str, thread_id: str | None, deleted_at: str, position: int
) -> int:
    return execute(
        connection,
        "element_bury",
        id=id,
        thread_id=thread_id,
        deleted_at=deleted_at,
        position=position,
    )


def feedback_upsert(
    connection: Connection,
    *,
    id: str,
    for_id: str,
    thread_id: str | None,
    value: int,
    comment: str | None,
    now: str,
) -> str:
    row = one(
        connection,
        "feedback_upsert",
        id=id,
        for_id=for_id,
        thread_id=thread_id,
        value=value,
        comment=comment,
        now=now,
    )
    return id if row is None else str(row["id"])


def feedback_get(connection: Connection, *, id: str) -> Feedback | None:
    row = one(connection, "feedback_get", id=id)
    return None if row is None else Feedback.from_row(row)


def feedback_delete(connection: Connection, *, id: str) -> int:
    return execute(connection, "feedback_delete", id=id)


def blob_deletion_request(
    connection: Connection, *, object_keys: Sequence[str], requested_at: str
) -> int:
    requests = [{"object_key": key, "requested_at": requested_at} for key in object_keys]
    return each(connection, "blob_deletion_request", requests) if requests else 0


def blob_deletion_requests(connection: Connection, *, count: int) -> list[str]:
    return [row["object_key"] for row in many(connection, "blob_deletion_requests", count=count)]


def blob_deletions_wanted(connection: Connection, *, object_keys: Collection[str]) -> list[str]:
    rows = many(connection, "blob_deletions_wanted", object_keys=object_keys)
    return [row["object_key"] for row in rows]


def blob_deletions_done(connection: Connection, *, object_keys: Collection[str]) -> int:
    return execute(connection, "blob_deletions_done", object_keys=object_keys)
