"""What each write of messages does, as ``chainkeep.db.units`` says it for the others.

Errors are as in ``thread_units``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from sqlalchemy import Connection

from chainkeep.db import attachment_queries, queries, step_queries
from chainkeep.db import thread_queries as sql
from chainkeep.db.scoping import GONE
from chainkeep.db.thread_units import create_thread, moment, note_change
from chainkeep.errors import ConflictError, InvalidInputError, NotFoundError
from chainkeep.models import StoredMessage
from chainkeep.scope import EVERYTHING, Scope
from chainkeep.values import to_json, utc_now

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def post_messages(
    connection: Connection,
    thread_id: str,
    *,
    position: int,
    messages: Sequence[dict[str, Any]],
    scope: Scope = EVERYTHING,
) -> list[str]:
    """Write new messages with their attachments, one turn, after all that is in the thread; the
    messages' times. The statement that finds the thread keeps to the scope.

    Each takes the places that ``places_of`` says.
    """
    places = sum(map(places_of, messages))
    reached = sql.thread_advance(
        connection,
        id=thread_id,
        position=position,
        count=places,
        activity_at=moment(position + places - 1),
        scope=scope,
    )
    if reached is None:
        raise NotFoundError(GONE.format(thread_id))
    first = place = reached.last_position - places + 1
    times: list[str] = []
    attached: list[attachment_queries.AttachmentRow] = []
    for message in messages:
        row = _row(_shown(message, reached.owners_role), thread_id, place, first, reached)
        if sql.message_insert(connection, message=row) != (2 if row.run_id else 1):
            _explain(connection, row, since=position)
        times.append(row.created_at)
        attached += _attachments(message, row)
        place += places_of(message)
    if attached:
        attachment_queries.attachment_insert(connection, attachments=attached)
    return times


def open_thread(
    connection: Connection,
    thread_id: str,
    *,
    thread: Mapping[str, Any],
    position: int,
    messages: Sequence[dict[str, Any]],
) -> list[str]:
    """Make a thread with its first messages; their times."""
    create_thread(connection, thread_id, **thread)
    return post_messages(connection, thread_id, position=position, messages=messages)


def places_of(message: Mapping[str, Any]) -> int:
    """How many places a message takes: its own, its run's, and one for each attachment."""
    return (2 if message["run_id"] else 1) + len(message.get("attachments", ()))


def _shown(message: dict[str, Any], owners_role: str | None) -> dict[str, Any]:
    """The message as the UI shows it: what the owner says in a role is said by the user, with a
    run; in any other role nobody has one.
    """
    if message["role"] == "user":
        return message
    if message["role"] == owners_role and message["type"] == "assistant_message":
        return {**message, "type": "user_message", "nests": False}
    return {**message, "run_id": None}


def _attachments(
    message: Mapping[str, Any], row: sql.MessageRow
) -> Iterator[attachment_queries.AttachmentRow]:
    place = row.position + (2 if row.run_id else 1)
    for number, attachment in enumerate(message.get("attachments", ())):
        yield attachment_queries.AttachmentRow(
            **attachment,
            thread_id=row.thread_id,
            for_id=row.id,
            created_at=row.created_at,
            position=place + number,
        )


def _row(
    message: dict[str, Any], thread_id: str, place: int, turn: int, reached: sql.Advance
) -> sql.MessageRow:
    return sql.MessageRow(
        **{key: value for key, value in message.items() if key != "attachments"},
        thread_id=thread_id,
        position=place,
        turn=turn,
        created_at=_time(place, reached),
        run_created_at=_time(place + 1, reached),
    )


def _time(place: int, reached: sql.Advance) -> str:
    """The time of a place: after the last activity, also where another clock is ahead of ours."""
    if reached.last_activity_at <= moment(reached.last_position):
        return moment(place)
    ahead = datetime.fromisoformat(reached.last_activity_at.replace("Z", "+00:00")) - _EPOCH
    return moment(ahead // timedelta(microseconds=1) + 1)


def _explain(connection: Connection, row: sql.MessageRow, *, since: int) -> None:
    """Say why a message was not written, unless it was: by this very write, tried before, which
    took no place before ``since``.
    """
    known = {known.id: known for known in step_queries.steps_known(connection, ids=[row.id])}
    if row.id not in known:
        raise InvalidInputError(f"{row.reply_to} is no message of this thread to reply to.")
    stored = _message(connection, row.thread_id, row.id)
    same = stored is not None and (stored.output, to_json(stored.ext)) == (row.output, row.ext)
    if stored is None or not same or stored.position < since:
        raise ConflictError(f"The message id {row.id} is taken; choose another.")


def _message(connection: Connection, thread_id: str, message_id: str) -> StoredMessage | None:
    found = sql.messages_of_thread(
        connection, thread_id=thread_id, id=message_id, include_private=True, roles=None, count=1
    )
    return found[0] if found else None


def change_message(
    connection: Connection,
    thread_id: str,
    message_id: str,
    *,
    output: str | None,
    language: str | None,
    ext: Mapping[str, Any],
    attachments: Sequence[Mapping[str, Any]] = (),
    position: int = 0,
) -> list[str]:
    """Set a message's text where one is given, and the keys of ``ext``; None deletes a key.

    ``attachments`` show what is in the new content, in place of those for the old one; the keys of
    the blobs that are to go.
    """
    note_change(connection, thread_id)
    stored = _message(connection, thread_id, message_id)
    if stored is None:
        raise NotFoundError(f"Message {message_id} is not in thread {thread_id}, or was deleted.")
    kept, keys = dict(stored.ext or {}), []
    language = stored.language if language is None else language or None
    if language == "json":
        check_json(stored.output if output is None else output)
    if output is not None:
        kept.pop("content", None)
        keys = _show_instead(connection, stored, attachments, position)
    named = {"name": stored.name} if stored.ext is None else {}
    merged = {**named, **kept, **ext}
    sql.message_change(
        connection,
        id=message_id,
        thread_id=thread_id,
        output=stored.output if output is None else output,
        ext={key: value for key, value in merged.items() if value is not None},
        language=language,
    )
    return keys


def _show_instead(
    connection: Connection,
    message: StoredMessage,
    attachments: Sequence[Mapping[str, Any]],
    position: int,
) -> list[str]:
    """Replace what shows a message's content; the keys of the blobs that are to go."""
    elements = queries.elements_of_steps(connection, ids=[message.id])
    old = [element for element in elements if element.attributes.get("in_content")]
    keys = [element.object_key for element in old if element.object_key]
    if old:
        now = utc_now()
        queries.elements_delete(connection, ids=[each.id for each in old], deleted_at=now)
        queries.blob_deletion_request(connection, object_keys=keys, requested_at=now)
    rows = [
        attachment_queries.AttachmentRow(
            **attachment,
            thread_id=message.thread_id,
            for_id=message.id,
            created_at=utc_now(),
            position=position,
        )
        for attachment in attachments
    ]
    if rows:
        attachment_queries.attachment_insert(connection, attachments=rows)
    return keys


def check_json(text: str) -> None:
    """Let text pass that is JSON."""
    try:
        json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise InvalidInputError("The content is said to be JSON, and is not.") from exc


def release_message(connection: Connection, thread_id: str, message_id: str) -> bool:
    """Loose a message from what hangs under it, so that it can go alone; whether it is there."""
    if _message(connection, thread_id, message_id) is None:
        return False
    note_change(connection, thread_id)
    sql.message_release(connection, id=message_id, thread_id=thread_id)
    return True
