"""What each write of attachments does, as ``chainkeep.db.units`` says it for the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from chainkeep.db import attachment_queries as sql
from chainkeep.db import queries, thread_queries
from chainkeep.db.thread_units import note_change
from chainkeep.models import StoredMessage
from chainkeep.paging import NO_LIMIT
from chainkeep.values import utc_now


def describe_attachment(
    connection: Connection,
    thread_id: str,  # noqa: ARG001 - whose write it is, as for every operation
    *,
    attachment_id: str,
    status: str,
    attributes: Mapping[str, Any],
) -> bool:
    """Note what became of an attachment, and what was found in it; whether it is there."""
    written = sql.attachment_describe(
        connection, id=attachment_id, status=status, attributes=attributes
    )
    return bool(written)


class RemovedPictures(NamedTuple):
    """What ``remove_pictures`` took away."""

    removed: int
    keys: list[str]
    """Of the blobs that are to go."""


def remove_pictures(connection: Connection, thread_id: str) -> RemovedPictures:
    """Remove the pictures from what users said: those beside a text, and those among its parts."""
    note_change(connection, thread_id)
    pictures = sql.pictures_of_users(connection, thread_id=thread_id)
    keys = [picture.object_key for picture in pictures if picture.object_key]
    now = utc_now()
    if pictures:
        ids = [picture.id for picture in pictures]
        queries.elements_delete(connection, ids=ids, deleted_at=now)
        queries.blob_deletion_request(connection, object_keys=keys, requested_at=now)
    for message in _with_parts(connection, thread_id):
        _take_pictures_out(connection, message)
    return RemovedPictures(len(pictures), keys)


def _with_parts(connection: Connection, thread_id: str) -> list[StoredMessage]:
    said = thread_queries.messages_of_thread(
        connection,
        thread_id=thread_id,
        id=None,
        include_private=True,
        roles=["user"],
        count=NO_LIMIT,
    )
    return [message for message in said if any(map(_is_picture, _parts(message)))]


def _take_pictures_out(connection: Connection, message: StoredMessage) -> None:
    kept = [part for part in _parts(message) if not _is_picture(part)]
    ext = {**(message.ext or {}), "content": kept}
    thread_queries.message_change(
        connection,
        id=message.id,
        thread_id=message.thread_id,
        output=message.output,
        ext=ext,
        language=message.language,
    )


def _parts(message: StoredMessage) -> Sequence[Mapping[str, Any]]:
    content = (message.ext or {}).get("content")
    return content if isinstance(content, list) else []


def _is_picture(part: Mapping[str, Any]) -> bool:
    return part.get("type") == "image_url"
