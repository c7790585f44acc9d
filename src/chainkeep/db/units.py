"""What each write does, from its first statement to its last: plain functions over a
``Connection``.

Each is one transaction. It may run more than once, and alone or among others; only the last run
commits. A write that is refused raises ``ConflictError`` and changes nothing; one that comes too
late, because what it writes to was deleted, gives False.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, text

from chainkeep.db import (
    attachment_units,
    message_units,
    queries,
    step_queries,
    thread_queries,
    thread_units,
)
from chainkeep.db.content_rows import step_of
from chainkeep.db.execution import has
from chainkeep.db.records import Operation
from chainkeep.db.scoping import require_in_scope
from chainkeep.db.step_writes import MOST_IDS, StepWrite, fits_one_statement, write_steps
from chainkeep.db.thread_copies import copy_thread
from chainkeep.errors import ConflictError
from chainkeep.models import Caller, Element, Feedback, Step, ThreadContent
from chainkeep.paging import portions
from chainkeep.scope import EVERYTHING, Scope
from chainkeep.values import utc_now


def run(connection: Connection, works: Sequence[Any]) -> list[Any]:
    """Do what several units are for, in order; neighbouring writes of steps go together.

    A work is a ``StepWrite``, an ``Operation``, or a function that lacks only the connection.
    """
    results: list[Any] = []
    for of_steps, group in groupby(works, lambda work: isinstance(work, StepWrite)):
        if of_steps:
            results += write_steps(connection, list(group))
        else:
            results += [_result(connection, work) for work in group]
    return results


def fit_one_statement(works: Sequence[Any]) -> bool:
    """Whether these are for ``put_steps``."""
    return all(isinstance(work, StepWrite) and fits_one_statement(work) for work in works)


def _result(connection: Connection, work: Any) -> Any:
    if isinstance(work, Operation):
        if work.name == message_units.post_messages.__name__:
            # It is called most, and keeps to the scope in a statement that it runs anyway.
            return message_units.post_messages(connection, **work.arguments, scope=work.scope)
        if work.scope != EVERYTHING:
            require_in_scope(connection, work.arguments["thread_id"], work.scope)
        return OPERATIONS[work.name](connection, **work.arguments)
    return work(connection)


def _stored(connection: Connection, step_id: str) -> Step | None:
    row = queries.step_get(connection, id=step_id)
    return None if row is None else step_of(row)


def set_favorite(connection: Connection, step_id: str, favorite: bool) -> Step | None:
    """Star a step, or take its star away; the step as it is now, None where there is none."""
    stored = _stored(connection, step_id)
    if stored is None or stored.deleted_at is not None:
        return None
    metadata = {**stored.metadata, "favorite": favorite}
    if favorite:
        queries.threads_star(connection, ids=[stored.thread_id])
    queries.step_set_metadata(connection, id=step_id, metadata=metadata)
    return replace(stored, metadata=metadata)


def delete_step(
    connection: Connection, step_id: str, *, caller: Caller | None, position: int
) -> list[str]:
    """Delete a step with all below it, their elements and votes; the keys of the blobs that are to
    go.
    """
    stored = _stored(connection, step_id)
    now = utc_now()
    if stored is None:
        if caller is not None and caller.thread_id:
            queries.step_bury(
                connection,
                id=step_id,
                thread_id=caller.thread_id,
                deleted_at=now,
                position=position,
            )
        return []
    _refuse_stranger(connection, caller, stored.thread_id, f"Step {step_id}")
    return _delete_steps(connection, queries.step_tree(connection, id=step_id), now)


def _delete_steps(connection: Connection, step_ids: Sequence[str], now: str) -> list[str]:
    keys: list[str] = []
    for ids in portions(step_ids, MOST_IDS):
        keys += _delete_elements(connection, queries.elements_of_steps(connection, ids=ids), now)
        queries.steps_clear_feedbacks(connection, ids=ids)
        thread_units.forget_steps(connection, ids)
        queries.steps_delete(connection, ids=ids, deleted_at=now)
    return keys


def delete_message(connection: Connection, thread_id: str, message_id: str) -> list[str] | None:
    """Delete a message, and nothing that hangs under it; the keys of the blobs that are to go, None
    where it is not there.
    """
    if not message_units.release_message(connection, thread_id, message_id):
        return None
    return _delete_steps(connection, [message_id], utc_now())


def clear_thread(connection: Connection, thread_id: str) -> list[str]:
    """Delete all that is in a thread and keep the thread; the keys of the blobs that are to go."""
    return _delete_steps(connection, thread_units.steps_to_clear(connection, thread_id), utc_now())


def _delete_elements(connection: Connection, elements: Sequence[Element], now: str) -> list[str]:
    for ids in portions([element.id for element in elements], MOST_IDS):
        queries.elements_delete(connection, ids=ids, deleted_at=now)
    return _request_deletions(connection, elements, now)


def _request_deletions(connection: Connection, elements: Sequence[Element], now: str) -> list[str]:
    keys = [element.object_key for element in elements if element.object_key]
    queries.blob_deletion_request(connection, object_keys=keys, requested_at=now)
    return keys


def _refuse_stranger(
    connection: Connection, caller: Caller | None, thread_id: str | None, subject: str
) -> None:
    """Let a caller touch the thread they are in, their own, and nobody's; without a caller, any."""
    if caller is None or thread_id is None or thread_id == caller.thread_id:
        return
    author = queries.thread_author(connection, id=thread_id)
    if author is not None and author != caller.identifier:
        raise ConflictError(f"{subject} belongs to somebody else's thread and was left as it is.")


def save_element(
    connection: Connection,
    element: Element,
    *,
    caller: Caller | None,
    revive: bool,
    position: int,
) -> bool:
    """Write an element, all of it; its blob, if it has one, is wanted from now on."""
    _refuse_stranger(connection, caller, element.thread_id, f"Element {element.id}")
    written = queries.element_upsert(
        connection, element, created_at=utc_now(), position=position, revive=revive
    )
    if written:
        if element.object_key:
            queries.blob_deletions_done(connection, object_keys=[element.object_key])
        return True
    stored = queries.element_get(connection, id=element.id, thread_id=None)
    if stored is not None and stored.thread_id != element.thread_id:
        raise ConflictError(
            f"Element {element.id} belongs to another thread and was left as it is."
        )
    return False


def delete_element(
    connection: Connection,
    element_id: str,
    *,
    thread_id: str | None,
    caller: Caller | None,
    position: int,
) -> list[str]:
    """Delete an element, of that thread where one is named; the keys of the blobs to go."""
    stored = queries.element_get(connection, id=element_id, thread_id=None)
    now = utc_now()
    if stored is None:
        queries.element_bury(
            connection, id=element_id, thread_id=thread_id, deleted_at=now, position=position
        )
        return []
    if thread_id is not None and stored.thread_id not in (None, thread_id):
        raise ConflictError(
            f"Element {element_id} belongs to another thread and was left as it is."
        )
    _refuse_stranger(connection, caller, stored.thread_id, f"Element {element_id}")
    return _delete_elements(connection, [stored], now)


def update_thread(
    connection: Connection,
    thread_id: str,
    *,
    name: str | None,
    keep_name: bool,
    user_id: str | None,
    user_identifier: str | None,
    org_id: str | None,
    product: str | None,
    tags: list[str] | None,
    metadata: Mapping[str, Any] | None,
) -> bool:
    """Make a thread, or set what is given; metadata merges key by key, and None deletes a key."""
    touch = step_queries.Touch(
        id=thread_id, created_at=utc_now(), user_id=user_id, user_identifier=user_identifier
    )
    step_queries.thread_touch(connection, [touch])
    stored = None if metadata is None else queries.thread_get(connection, id=thread_id)
    merged = None if stored is None or metadata is None else _merged(stored.metadata, metadata)
    written = queries.thread_update(
        connection,
        id=thread_id,
        name=name,
        keep_name=keep_name,
        org_id=org_id,
        product=product,
        tags=tags,
        metadata=merged,
    )
    return bool(written)


def _merged(stored: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in {**stored, **given}.items() if value is not None}


def delete_thread(
    connection: Connection, thread_id: str, *, deleted_at: str | None = None
) -> list[str]:
    """Delete a thread and all that is in it; the keys of the blobs that are to go."""
    now = deleted_at or utc_now()
    queries.thread_delete(connection, id=thread_id, deleted_at=now)
    if has(connection.dialect.name, "thread_erase"):
        return queries.thread_erase(connection, thread_id=thread_id, requested_at=now)
    elements = queries.elements_of_thread(connection, thread_id=thread_id)
    keys = _request_deletions(connection, elements, now)
    queries.thread_clear_feedbacks(connection, thread_id=thread_id)
    thread_units.forget_thread(connection, thread_id)
    queries.thread_clear_elements(connection, thread_id=thread_id)
    queries.thread_clear_steps(connection, thread_id=thread_id)
    return keys


def discard_thread(
    connection: Connection, thread_id: str, *, deleted_at: str, within: Scope
) -> tuple[bool, list[str]]:
    """``delete_thread`` in a scope, and whether there was one.

    ``deleted_at`` is of one deletion alone: a thread that went then was deleted by this very one,
    whose answer was lost.
    """
    if thread_queries.thread_deleted_at(connection, id=thread_id) == deleted_at:
        return True, []
    require_in_scope(connection, thread_id, within)
    stored = thread_queries.thread_read(connection, id=thread_id, include_deleted=True)
    return stored is not None, delete_thread(connection, thread_id, deleted_at=deleted_at)


def save_feedback(connection: Connection, feedback: Feedback, *, caller: Caller | None) -> str:
    """Write the one vote on a step; its id."""
    _refuse_foreign_vote(connection, feedback.for_id, feedback.thread_id, caller)
    earlier = queries.feedback_get(connection, id=feedback.id)
    if earlier is not None and earlier.for_id != feedback.for_id:
        raise ConflictError(f"Feedback {feedback.id} is about another step and was left as it is.")
    return queries.feedback_upsert(
        connection,
        id=feedback.id,
        for_id=feedback.for_id,
        thread_id=feedback.thread_id,
        value=feedback.value,
        comment=feedback.comment,
        now=utc_now(),
    )


def delete_feedback(connection: Connection, feedback_id: str, *, caller: Caller | None) -> bool:
    """Take a vote back; whether there was one."""
    stored = queries.feedback_get(connection, id=feedback_id)
    if stored is None:
        return False
    _refuse_foreign_vote(connection, stored.for_id, stored.thread_id, caller)
    return bool(queries.feedback_delete(connection, id=feedback_id))


def _refuse_foreign_vote(
    connection: Connection, for_id: str, thread_id: str | None, caller: Caller | None
) -> None:
    if caller is None:
        return
    author = queries.step_author(connection, id=for_id)
    if author is None and thread_id is not None:
        author = queries.thread_author(connection, id=thread_id)
    if author is not None and author != caller.identifier:
        raise ConflictError(
            f"Step {for_id} belongs to somebody else's thread; the vote was refused."
        )


def thread_content(connection: Connection, *, thread_id: str) -> ThreadContent | None:
    """Read a thread that is not deleted, with all that is in it and not private."""
    found = queries.thread_content(connection, id=thread_id)
    if found is None:
        return None
    return ThreadContent(found.thread, list(map(step_of, found.steps)), found.elements)


def execute(
    connection: Connection, *, statement: str, parameters: Mapping[str, Any]
) -> list[dict[str, Any]] | int:
    """Run a statement of the app's own: its rows, or how many rows it changed."""
    result = connection.execute(text(statement), dict(parameters))
    return [dict(row) for row in result.mappings()] if result.returns_rows else result.rowcount


OPERATIONS: Mapping[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        attachment_units.describe_attachment,
        attachment_units.remove_pictures,
        clear_thread,
        copy_thread,
        delete_element,
        delete_feedback,
        delete_message,
        delete_step,
        delete_thread,
        discard_thread,
        queries.user_upsert,
        save_element,
        save_feedback,
        set_favorite,
        thread_units.add_reaction,
        thread_units.add_role,
        message_units.change_message,
        thread_units.create_thread,
        message_units.open_thread,
        message_units.post_messages,
        thread_units.remove_reaction,
        thread_units.remove_role,
        thread_units.replace_role,
        thread_units.restore_thread,
        thread_units.revise_thread,
        thread_units.save_summary,
        thread_units.set_thread_aside,
        thread_units.vote,
        update_thread,
    )
}
"""What an ``Operation`` can name. The journal may hold a name for long: rename none of them."""
