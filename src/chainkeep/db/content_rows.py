"""Threads and what is in them, from rows: there may be thousands, and each takes as little as can
be.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from operator import itemgetter
from typing import Any

from chainkeep.models import (
    STEP_COLUMNS,
    Element,
    Feedback,
    Step,
    StepValues,
    Thread,
    ThreadValues,
    show_input_from_text,
)
from chainkeep.values import from_json, json_object

__all__ = ["content_of", "step_of", "thread_of"]

Values = Sequence[Any]

# fmt: off
_CONTENT = (*STEP_COLUMNS, "kind", "position")
_ELEMENT_IN_CONTENT = (
    "id", "thread_id", "for_id", "type", "name", "display", "url", "object_key", "chainlit_key",
    "mime", "size", "props", "language", "auto_play", "", "", "player_config", "", "", "attributes",
    "status", "", "extra", "", "", "page", "", "kind", "position",
)
_THREAD_IN_CONTENT = (
    "id", "", "", "", "name", "user_id", "user_identifier", "created_at", "last_activity_at", "",
    "", "", "", "", "", "", "", "", "", "metadata", "tags", "", "", "", "", "", "", "kind", "",
)
# fmt: on
_ID, _CREATED_AT, _KIND, _POSITION = map(_CONTENT.index, ("id", "created_at", "kind", "position"))

_STEP_FIELDS = [field.name for field in fields(Step)]
# A frozen dataclass makes itself by looking up each field's name, which takes twice as long.
# fmt: off
(
    _put_id, _put_created_at, _put_name, _put_user_id, _put_user_identifier, _put_tags,
    _put_metadata, _put_last_activity_at,
) = [getattr(Thread, field.name).__set__ for field in fields(Thread)]
# fmt: on


def thread_of(row: Values) -> Thread:
    """A thread from a row's columns, in the order of the fields."""
    id_, created_at, name, user_id, user_identifier, tags, metadata, last_activity_at = row
    thread = object.__new__(Thread)
    _put_id(thread, id_)
    _put_created_at(thread, created_at)
    _put_name(thread, name)
    _put_user_id(thread, user_id)
    _put_user_identifier(thread, user_identifier)
    _put_tags(thread, None if tags is None else from_json(tags))
    _put_metadata(thread, {} if metadata == "{}" else json_object(metadata))
    _put_last_activity_at(thread, last_activity_at)
    return thread


def step_of(row: StepValues) -> Step:
    """The step of a row."""
    # fmt: off
    (
        id_, thread_id, parent_id, type_, name, input_, output, created_at, start, end, command,
        modes, language, streaming, wait_for_answer, is_error, show_input, default_open,
        auto_collapse, metadata, tags, generation, extra, deleted_at, vote_id, vote, comment,
    ) = row[:len(STEP_COLUMNS)]
    values = (
        id_, thread_id, parent_id, type_, name, input_, output, created_at, start, end, command,
        from_json(modes),
        language,
        bool(streaming),
        None if wait_for_answer is None else bool(wait_for_answer),
        None if is_error is None else bool(is_error),
        show_input_from_text(show_input),
        None if default_open is None else bool(default_open),
        None if auto_collapse is None else bool(auto_collapse),
        json_object(metadata),
        from_json(tags),
        from_json(generation),
        json_object(extra),
        None if vote_id is None else Feedback(
            id=vote_id, for_id=id_, thread_id=thread_id, value=vote, comment=comment
        ),
        deleted_at,
    )
    # fmt: on
    return Step.of(dict(zip(_STEP_FIELDS, values, strict=True)))


def content_of(rows: Iterable[Values]) -> ThreadValues | None:
    """The rows of ``thread_content``, put in order; None where the thread is not among them."""
    steps: list[StepValues] = []
    elements: list[tuple[int, str, Element]] = []
    thread: Thread | None = None
    for row in rows:
        if row[_KIND] == "step":
            steps.append(row)
        elif row[_KIND] == "element":
            element = Element.from_row(dict(zip(_ELEMENT_IN_CONTENT, row, strict=True)))
            elements.append((row[_POSITION], row[_ID], element))
        else:
            thread = Thread.from_row(dict(zip(_THREAD_IN_CONTENT, row, strict=True)))
    if thread is None:
        return None
    steps.sort(key=itemgetter(_CREATED_AT, _POSITION, _ID))
    elements.sort(key=itemgetter(0, 1))
    return ThreadValues(thread, steps, [each[-1] for each in elements])
