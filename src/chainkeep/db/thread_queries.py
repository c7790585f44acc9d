"""The statements of the Thread API: one typed function each, of the same name, over a
``Connection``.

What a statement promises stands in its ``.sql`` file.
"""
# ruff: noqa: D103 - a query is described with the statement of its name, in db/sql

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection

from chainkeep.db.execution import each, execute, many, one
from chainkeep.models import StoredMessage, StoredThread
from chainkeep.scope import Scope
from chainkeep.values import from_json, json_or_null, to_json


def user_ensure(connection: Connection, *, id: str, identifier: str, created_at: str) -> int:
    return execute(connection, "user_ensure", id=id, identifier=identifier, created_at=created_at)


def thread_create(
    connection: Connection,
    *,
    id: str,
    created_at: str,
    name: str | None,
    owner: str | None,
    tags: list[str] | None,
    metadata: Mapping[str, Any],
    attributes: Mapping[str, Any],
    platforms: Mapping[str, Any],
    public: bool,
    org_id: str | None,
    product: str | None,
) -> int:
    return execute(
        connection,
        "thread_create",
        id=id,
        created_at=created_at,
        name=name,
        owner=owner,
        tags=json_or_null(tags),
        metadata=to_json(metadata),
        attributes=to_json(attributes),
        platforms=to_json(platforms),
        public=public,
        org_id=org_id,
        product=product,
    )


def thread_read(connection: Connection, *, id: str, include_deleted: bool) -> StoredThread | None:
    row = one(connection, "thread_read", id=id, include_deleted=include_deleted)
    return None if row is None else StoredThread.from_row(row)


def thread_deleted_at(connection: Connection, *, id: str) -> str | None:
    row = one(connection, "thread_deleted_at", id=id)
    return None if row is None else row["deleted_at"]


def thread_revise(
    connection: Connection,
    *,
    id: str,
    name: str | None,
    tags: list[str] | None,
    metadata: Mapping[str, Any] | None,
    attributes: Mapping[str, Any] | None,
    platforms: Mapping[str, Any] | None,
    public: bool | None,
    org_id: str | None,
    product: str | None,
    updated_at: str,
) -> int:
    return execute(
        connection,
        "thread_revise",
        id=id,
        name=name,
        tags=json_or_null(tags),
        metadata=json_or_null(metadata),
        attributes=json_or_null(attributes),
        platforms=json_or_null(platforms),
        public=public,
        org_id=org_id,
        product=product,
        updated_at=updated_at,
    )


class Advance(NamedTuple):
    """How far a thread has come."""

    last_position: int
    last_activity_at: str
    owners_role: str | None
    """The role in which the owner speaks, besides user."""


def thread_advance(
    connection: Connection, *, id: str, position: int, count: int, activity_at: str, scope: Scope
) -> Advance | None:
    row = one(
        connection,
        "thread_advance",
        id=id,
        position=position,
        count=count,
        activity_at=activity_at,
        **scope.binds(),
    )
    return None if row is None else Advance(**row)


def thread_set_aside(connection: Connection, *, id: str, deleted_at: str) -> int:
    return execute(connection, "thread_set_aside", id=id, deleted_at=deleted_at)


def thread_restore(connection: Connection, *, id: str) -> int:
    return execute(connection, "thread_restore", id=id)


def thread_forget_facts(connection: Connection, *, thread_id: str) -> int:
    return execute(connection, "thread_forget_facts", thread_id=thread_id)


def thread_note_facts(connection: Connection, *, thread_id: str, facts: Collection[str]) -> None:
    each(connection, "thread_note_facts", [{"thread_id": thread_id, "fact": f} for f in facts])


def thread_clear_roles(connection: Connection, *, thread_id: str) -> int:
    return execute(connection, "thread_clear_roles", thread_id=thread_id)


def thread_clear_summaries(connection: Connection, *, thread_id: str) -> int:
    return execute(connection, "thread_clear_summaries", thread_id=thread_id)


def thread_clear_reactions(connection: Connection, *, thread_id: str) -> int:
    return execute(connection, "thread_clear_reactions", thread_id=thread_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRow:
    """The binds of ``message_insert``."""

    id: str
    thread_id: str
    nests: bool
    type: str
    name: str
    speaks_as: str | None
    input: str
    output: str
    created_at: str
    language: str | None
    metadata: str
    generation: str | None
    position: int
    role: str
    private: bool
    reply_to: str | None
    same_turn: bool
    turn: int
    tool_call_id: str | None
    ext: str
    run_id: str | None
    run_created_at: str | None


def message_insert(connection: Connection, *, message: MessageRow) -> int:
    return execute(connection, "message_insert", **asdict(message))


def messages_of_thread(
    connection: Connection,
    *,
    thread_id: str | None,
    id: str | None,
    include_private: bool,
    roles: Sequence[str] | None,
    count: int,
) -> list[StoredMessage]:
    rows = many(
        connection,
        "messages_of_thread",
        thread_id=thread_id,
        id=id,
        include_private=include_private,
        any_role=roles is None,
        roles=roles or [""],  # an empty list has no type
        count=count,
    )
    return [StoredMessage.from_row(row) for row in rows]


def message_change(
    connection: Connection,
    *,
    id: str,
    thread_id: str,
    output: str,
    ext: Mapping[str, Any] | None,
    language: str | None,
) -> int:
    return execute(
        connection,
        "message_change",
        id=id,
        thread_id=thread_id,
        output=output,
        ext=json_or_null(ext),
        language=language,
    )


def message_release(connection: Connection, *, id: str, thread_id: str) -> int:
    return execute(connection, "message_release", id=id, thread_id=thread_id)


class Links(NamedTuple):
    """A step, and what it points to."""

    id: str
    parent_id: str | None
    reply_to: str | None
    favorite: bool


def steps_alive(connection: Connection, *, thread_id: str) -> list[Links]:
    return [Links(**row) for row in many(connection, "steps_alive", thread_id=thread_id)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """The binds of ``step_copy``."""

    id: str
    new_id: str
    thread_id: str
    parent_id: str | None
    reply_to: str | None


def step_copy(connection: Connection, *, copies: Sequence[Copy]) -> None:
    each(connection, "step_copy", [asdict(copy) for copy in copies])


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """The binds of ``reaction_add``."""

    thread_id: str
    step_id: str
    emoji: str
    user_id: str
    created_at: str
    position: int


def reaction_add(connection: Connection, *, reaction: Reaction) -> int:
    return execute(connection, "reaction_add", **asdict(reaction))


def reaction_remove(
    connection: Connection, *, thread_id: str, step_id: str, emoji: str, user_id: str
) -> int:
    return execute(
        connection,
        "reaction_remove",
        thread_id=thread_id,
        step_id=step_id,
        emoji=emoji,
        user_id=user_id,
    )


def reactions_of_message(
    connection: Connection, *, thread_id: str, step_id: str
) -> list[tuple[str, str]]:
    rows = many(connection, "reactions_of_message", thread_id=thread_id, step_id=step_id)
    return [(row["emoji"], row["user_id"]) for row in rows]


def steps_clear_reactions(connection: Connection, *, ids: Collection[str]) -> int:
    return execute(connection, "steps_clear_reactions", ids=ids)


class VotePlace(NamedTuple):
    """Where the vote on a message belongs, and the one that is there."""

    step_id: str
    feedback_id: str | None
    feedback_value: int | None


def vote_of_message(connection: Connection, *, thread_id: str, id: str) -> VotePlace | None:
    row = one(connection, "vote_of_message", thread_id=thread_id, id=id)
    return None if row is None else VotePlace(**row)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRow:
    """The binds of ``role_add``."""

    thread_id: str
    name: str
    user_id: str | None
    user_name: str | None
    icon: str | None
    description: str | None
    position: int


def role_add(connection: Connection, *, role: RoleRow) -> int:
    return execute(connection, "role_add", **asdict(role))


def role_replace(connection: Connection, *, role: RoleRow) -> int:
    binds = asdict(role)
    del binds["position"]
    return execute(connection, "role_replace", **binds)


def role_remove(connection: Connection, *, thread_id: str, name: str) -> int:
    return execute(connection, "role_remove", thread_id=thread_id, name=name)


def roles_of_thread(connection: Connection, *, thread_id: str) -> list[dict[str, Any]]:
    return many(connection, "roles_of_thread", thread_id=thread_id)


def summary_upsert(
    connection: Connection,
    *,
    thread_id: str,
    step_id: str,
    summary: str,
    earlier: list[str] | None,
    now: str,
) -> int:
    return execute(
        connection,
        "summary_upsert",
        thread_id=thread_id,
        step_id=step_id,
        summary=summary,
        earlier=json_or_null(earlier),
        now=now,
    )


def summary_of_message(connection: Connection, *, thread_id: str, step_id: str) -> list[str]:
    row = one(connection, "summary_of_message", thread_id=thread_id, step_id=step_id)
    return [] if row is None else [*(from_json(row["earlier"]) or []), row["summary"]]


def summaries_of_thread(connection: Connection, *, thread_id: str) -> dict[str, str]:
    rows = many(connection, "summaries_of_thread", thread_id=thread_id)
    return {row["step_id"]: row["summary"] for row in rows}


def steps_clear_summaries(connection: Connection, *, ids: Collection[str]) -> int:
    return execute(connection, "steps_clear_summaries", ids=ids)
