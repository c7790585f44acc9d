"""The tables of Chainlit's built-in SQLAlchemy layer: their columns, and what becomes of each row.

A function returns what the statement ``<table>_insert`` of ``sql/adopt.sql`` binds, or None for a
row that has no place in our tables; what it does not read of a row is left in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from chainkeep.transfer.source import SourceRow

__all__ = ["CONVERT", "REQUIRED", "UNKNOWN_TIME"]

Values = dict[str, Any]

UNKNOWN_TIME = "1970-01-01T00:00:00.000000Z"
"""Where nothing says when: such a thread is listed last."""

# The columns without which it is something else. Others came and went with Chainlit's versions.
REQUIRED: Mapping[str, frozenset[str]] = {
    "users": frozenset({"id", "identifier", "metadata"}),
    "threads": frozenset({"id", "name", "userId", "metadata"}),
    "steps": frozenset({"id", "threadId", "parentId", "type", "name", "output", "createdAt"}),
    "elements": frozenset({"id", "threadId", "forId", "type", "name"}),
    "feedbacks": frozenset({"id", "forId", "value"}),
}


def user(row: SourceRow) -> Values | None:
    if row.peek("id") is None or row.peek("identifier") is None:
        return None
    return {
        "id": row.text("id"),
        "identifier": row.text("identifier"),
        "metadata": row.json_object("metadata"),
        "created_at": row.time_or("createdAt", UNKNOWN_TIME),
    }


def thread(row: SourceRow) -> Values | None:
    if row.peek("id") is None:
        return None
    return {
        "id": row.text("id"),
        "created_at": row.time_or("createdAt", UNKNOWN_TIME),
        "name": row.text("name"),
        "user_id": row.text("userId"),
        "user_identifier": row.text("userIdentifier"),
        "tags": row.tags("tags"),
        "metadata": row.json_object("metadata"),
    }


def step(row: SourceRow) -> Values | None:
    if row.peek("id") is None or row.peek("threadId") is None:
        return None
    start, end, metadata = row.time("start"), row.time("end"), row.json_object("metadata")
    return {
        "id": row.text("id"),
        "thread_id": row.text("threadId"),
        "parent_id": row.text("parentId"),
        "type": row.text_or("type", "undefined"),
        "name": row.text_or("name", ""),
        "input": row.text_or("input", ""),
        "output": row.text_or("output", ""),
        "created_at": row.time_or("createdAt", start, end, UNKNOWN_TIME),
        "start": start,
        "end": end,
        "command": row.text("command"),
        "modes": row.json("modes"),
        "language": row.text("language"),
        "streaming": bool(row.flag("streaming")),
        "wait_for_answer": row.flag("waitForAnswer"),
        "is_error": row.flag("isError"),
        "show_input": row.show_input("showInput"),
        "default_open": row.flag("defaultOpen"),
        "auto_collapse": row.flag("autoCollapse"),
        "metadata": metadata,
        "tags": row.tags("tags"),
        "generation": _generation(row),
        "favorite": json.loads(metadata).get("favorite") is True,
        "extra": row.rest(),
    }


def _generation(row: SourceRow) -> str | None:
    # The built-in layer wrote {} for a step that has none.
    text = row.json("generation")
    return None if text == "{}" else text


def element(row: SourceRow) -> Values | None:
    if row.peek("id") is None:
        return None
    if row.peek("objectKey"):
        # The bucket's address of the blob, which opens nothing unsigned; made anew when it is read.
        row.leave("url")
    return {
        "id": row.text("id"),
        "thread_id": row.text("threadId"),
        "for_id": row.text("forId") or None,
        "type": row.text_or("type", "file"),
        "name": row.text_or("name", ""),
        "display": row.text_or("display", "inline"),
        "url": row.text("url"),
        "object_key": row.text("objectKey") or None,
        "chainlit_key": row.text("chainlitKey"),
        "mime": row.text("mime"),
        "size": row.text("size"),
        "language": row.text("language"),
        "page": row.number("page"),
        "props": row.json("props"),
        "auto_play": row.flag("autoPlay"),
        "player_config": row.json("playerConfig"),
        "created_at": UNKNOWN_TIME,
        "extra": row.rest(),
    }


def feedback(row: SourceRow) -> Values | None:
    if row.peek("id") is None or row.peek("forId") is None:
        return None
    value = row.number("value")
    if value is None:
        return None
    return {
        "id": row.text("id"),
        "for_id": row.text("forId"),
        "thread_id": row.text("threadId") or None,
        "value": value,
        "comment": row.text("comment"),
        "created_at": UNKNOWN_TIME,
    }


CONVERT: Mapping[str, Callable[[SourceRow], Values | None]] = {
    "users": user,
    "threads": thread,
    "steps": step,
    "elements": element,
    "feedbacks": feedback,
}
