"""What each write of the Thread API does, as ``chainkeep.db.units`` says it for the others.

``NotFoundError`` where the thread or the message is not there, ``ConflictError`` where an id is
taken; then nothing is changed. What a write is given is JSON, so that the journal can keep it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection

from chainkeep.db import queries
from chainkeep.db import thread_queries as sql
from chainkeep.db.scoping import GONE
from chainkeep.db.versions import content_version
from chainkeep.errors import ConflictError, NotFoundError
from chainkeep.values import timestamp, to_json, utc_now

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_LONGEST_FACT = 500  # an index entry has its limits


def moment(position: int) -> str:
    """Microseconds since 1970 as the database holds times."""
    return timestamp(_EPOCH + timedelta(microseconds=position)) or ""


def fact(*path: object) -> str:
    """What a thread is found by: the path to a value, and the value. 1 and 1.0 are the same."""
    text = to_json([_plain(item) for item in path])
    return text if len(text) <= _LONGEST_FACT else sha256(text.encode()).hexdigest()


def _plain(value: object) -> object:
    """A value of JSON's, so that what is equal is written in one way."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _plain(value[key]) for key in sorted(value)}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _facts(attributes: Mapping[str, Any], platforms: Mapping[str, Any]) -> Iterator[str]:
    for key, value in attributes.items():
        if value is not None:
            yield fact("attributes", key)
            yield fact("attributes", key, value)
    for platform, references in platforms.items():
        yield fact("platforms", platform)
        yield from (fact("platforms", platform, *reference) for reference in references.items())


def create_thread(
    connection: Connection, thread_id: str, *, new_user_id: str, created_at: str, **values: Any
) -> None:
    """Make a thread, and its owner where nobody of that name was there before."""
    if values["owner"] is not None:
        sql.user_ensure(
            connection, id=new_user_id, identifier=values["owner"], created_at=created_at
        )
    if not sql.thread_create(connection, id=thread_id, created_at=created_at, **values):
        stored = sql.thread_read(connection, id=thread_id, include_deleted=True)
        if stored is None or stored.created_at != created_at:  # else this write was tried before
            raise ConflictError(f"The thread id {thread_id} is taken; choose another.")
    _note_facts(connection, thread_id, list(_facts(values["attributes"], values["platforms"])))


def _note_facts(connection: Connection, thread_id: str, facts: Sequence[str]) -> None:
    if facts:
        sql.thread_note_facts(connection, thread_id=thread_id, facts=facts)


def revise_thread(
    connection: Connection,
    thread_id: str,
    *,
    metadata: Mapping[str, Any] | None = None,
    attributes: Mapping[str, Any] | None = None,
    platforms: Mapping[str, Any] | None = None,
    expected_version: str | None = None,
    **values: Any,
) -> None:
    """Set what is given. ``metadata`` merges, and None deletes a key; ``attributes`` and
    ``platforms`` replace what was there. ``ConflictError`` where another version is expected.
    """
    note_change(connection, thread_id)
    if expected_version not in (None, content_version(connection, thread_id=thread_id)):
        raise ConflictError(f"Thread {thread_id} was changed meanwhile; read it again.")
    stored = sql.thread_read(connection, id=thread_id, include_deleted=False)
    if stored is None:
        raise NotFoundError(GONE.format(thread_id))
    if metadata is not None:
        merged = {**stored.metadata, **metadata}
        metadata = {key: value for key, value in merged.items() if value is not None}
    note_change(
        connection,
        thread_id,
        metadata=metadata,
        attributes=attributes,
        platforms=platforms,
        **values,
    )
    if attributes is not None or platforms is not None:
        sql.thread_forget_facts(connection, thread_id=thread_id)
        found_by = _facts(
            stored.attributes if attributes is None else attributes,
            stored.platforms if platforms is None else platforms,
        )
        _note_facts(connection, thread_id, list(found_by))


_NOTHING = dict.fromkeys(
    ("name", "tags", "metadata", "attributes", "platforms", "public", "org_id", "product")
)


def note_change(connection: Connection, thread_id: str, **values: Any) -> None:
    """Lock the thread, and note that it changed."""
    given = {**_NOTHING, **values}
    if not sql.thread_revise(connection, id=thread_id, updated_at=utc_now(), **given):
        raise NotFoundError(GONE.format(thread_id))


def set_thread_aside(connection: Connection, thread_id: str, *, deleted_at: str) -> None:
    """Delete a thread so that it can be restored; ``deleted_at`` is of one deletion alone."""
    if sql.thread_set_aside(connection, id=thread_id, deleted_at=deleted_at):
        return
    if sql.thread_deleted_at(connection, id=thread_id) != deleted_at:  # else this was tried before
        raise NotFoundError(GONE.format(thread_id))


def restore_thread(connection: Connection, thread_id: str) -> bool:
    """Bring a thread back that was set aside; whether it was."""
    return bool(sql.thread_restore(connection, id=thread_id))


def steps_to_clear(connection: Connection, thread_id: str) -> list[str]:
    """The ids of all that is in a thread, which is locked and noted as changed."""
    note_change(connection, thread_id)
    return [step.id for step in sql.steps_alive(connection, thread_id=thread_id)]


def forget_steps(connection: Connection, ids: Sequence[str]) -> None:
    """Remove what the Thread API keeps of steps that go."""
    sql.steps_clear_reactions(connection, ids=ids)
    sql.steps_clear_summaries(connection, ids=ids)


def forget_thread(connection: Connection, thread_id: str) -> None:
    """Remove what the Thread API keeps of a thread that goes; runs before its steps go."""
    sql.thread_clear_reactions(connection, thread_id=thread_id)
    sql.thread_clear_summaries(connection, thread_id=thread_id)
    sql.thread_clear_roles(connection, thread_id=thread_id)
    sql.thread_forget_facts(connection, thread_id=thread_id)


def add_reaction(
    connection: Connection,
    thread_id: str,
    message_id: str,
    *,
    emoji: str,
    user_id: str,
    position: int,
) -> bool:
    """Note a reaction; whether it is new. Of several at once exactly one is."""
    if sql.thread_read(connection, id=thread_id, include_deleted=False) is None:
        return False
    reaction = sql.Reaction(
        thread_id=thread_id,
        step_id=message_id,
        emoji=emoji,
        user_id=user_id,
        created_at=moment(position),
        position=position,
    )
    added = bool(sql.reaction_add(connection, reaction=reaction))
    if added:
        note_change(connection, thread_id)
    return added


def remove_reaction(
    connection: Connection, thread_id: str, message_id: str, *, emoji: str, user_id: str
) -> bool:
    """Take a reaction back; whether there was one."""
    removed = bool(
        sql.reaction_remove(
            connection, thread_id=thread_id, step_id=message_id, emoji=emoji, user_id=user_id
        )
    )
    if removed:
        note_change(connection, thread_id)
    return removed


def vote(
    connection: Connection,
    thread_id: str,
    message_id: str,
    *,
    new_id: str,
    value: int | None,
    comment: str | None,
    only_replace: int | None,
) -> bool:
    """Write the vote on a message, or take it back where ``value`` is None; whether that changed
    anything. With ``only_replace``, only a vote of that value is taken back. A vote that stays the
    same keeps its comment where none is given.
    """
    place = sql.vote_of_message(connection, thread_id=thread_id, id=message_id)
    if place is None:
        raise NotFoundError(f"Message {message_id} is not in thread {thread_id}, or was deleted.")
    if value is not None:
        if value == place.feedback_value and comment is None:
            return False
        queries.feedback_upsert(
            connection,
            id=place.feedback_id or new_id,
            for_id=place.step_id,
            thread_id=thread_id,
            value=value,
            comment=comment or None,
            now=utc_now(),
        )
        return True
    if place.feedback_id is None or only_replace not in (None, place.feedback_value):
        return False
    return bool(queries.feedback_delete(connection, id=place.feedback_id))


def add_role(
    connection: Connection, thread_id: str, *, position: int, role: dict[str, Any]
) -> bool:
    """Add a role; whether the thread had none of that name."""
    note_change(connection, thread_id)
    row = sql.RoleRow(**role, thread_id=thread_id, position=position)
    return bool(sql.role_add(connection, role=row))


def replace_role(connection: Connection, thread_id: str, *, role: dict[str, Any]) -> bool:
    """Set all that a role is; whether there was one of that name."""
    note_change(connection, thread_id)
    row = sql.RoleRow(**role, thread_id=thread_id, position=0)
    return bool(sql.role_replace(connection, role=row))


def remove_role(connection: Connection, thread_id: str, *, name: str) -> bool:
    """Remove a role; whether there was one of that name."""
    note_change(connection, thread_id)
    return bool(sql.role_remove(connection, thread_id=thread_id, name=name))


def save_summary(
    connection: Connection, thread_id: str, message_id: str, *, summary: str, history: bool = False
) -> None:
    """Write the one summary of a message; with ``history``, keep those that were there."""
    note_change(connection, thread_id)
    earlier = None
    if history:
        earlier = sql.summary_of_message(connection, thread_id=thread_id, step_id=message_id)
    if not sql.summary_upsert(
        connection,
        thread_id=thread_id,
        step_id=message_id,
        summary=summary,
        earlier=earlier,
        now=utc_now(),
    ):
        raise NotFoundError(f"Message {message_id} is not in thread {thread_id}, or was deleted.")
