"""The statements that write steps, and their threads with them: one typed function each, of the
same name, over a ``Connection``.

What a statement promises stands in its ``.sql`` file.
"""
# ruff: noqa: D103 - a query is described with the statement of its name, in db/sql

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import Connection

from chainkeep.db.dialects import driver_errors, is_refusal
from chainkeep.db.execution import each, execute, many, returned
from chainkeep.models import STEP_COLUMNS, Step, show_input_to_text
from chainkeep.values import is_starred, json_object, json_or_null, text_of_list, to_json

# Tuples, as these two are made for each write: a frozen dataclass takes twice as long to make.


class Touch(NamedTuple):
    """The binds of ``thread_touch``."""

    id: str
    created_at: str
    activity_at: str | None = None
    user_id: str | None = None
    user_identifier: str | None = None


def thread_touch(connection: Connection, touches: Sequence[Touch]) -> None:
    each(connection, "thread_touch", [touch._asdict() for touch in touches])


class StepRow(NamedTuple):
    """The binds of ``step_write``."""

    step: Step
    created: bool
    """Whether this is the step's creation."""
    position: int
    given: frozenset[str] = frozenset()
    """The fields that updates set."""
    more: Mapping[str, Any] = MappingProxyType({})
    """What updates add to ``Step.extra``; no bind of its own."""
    updates: int = 0
    """How many updates these are."""


def step_write(connection: Connection, rows: Sequence[StepRow]) -> int:
    """How many rows were written; -1 where the driver does not say."""
    return each(connection, "step_write", [_step_binds(row) for row in rows])


def step_put(connection: Connection, *, row: StepRow, touch: Touch) -> int:
    """How many rows were written. Not every database has this statement."""
    binds = {
        **_step_binds(row),
        "activity_at": touch.activity_at,
        "user_id": touch.user_id,
        "user_identifier": touch.user_identifier,
    }
    return int(returned(connection, "step_put", **binds)["written"])


def steps_put(connection: Connection, *, rows: Sequence[StepRow], touches: Sequence[Touch]) -> int:
    """How many rows were written; none where a text cannot be in a list. Not every database has
    this statement.
    """
    columns = {
        **_columns([_step_binds(row) for row in rows]),
        "touched": [touch.id for touch in touches],
        "touched_at": [touch.created_at for touch in touches],
        "activity_at": [touch.activity_at for touch in touches],
        "user_id": [touch.user_id for touch in touches],
        "user_identifier": [touch.user_identifier for touch in touches],
    }
    try:
        binds = {name: text_of_list(column) for name, column in columns.items()}
    except ValueError:
        return 0
    return int(returned(connection, "steps_put", **binds)["written"])


def steps_put_rows(
    connection: Connection, *, rows: Sequence[StepRow], touches: Sequence[Touch]
) -> int:
    """How many rows were written: all or none. Not every database has this statement."""
    touched = {
        touch.id: (touch.activity_at, touch.user_id, touch.user_identifier) for touch in touches
    }
    full = [(*_step_binds(row).values(), *touched[row.step.thread_id]) for row in rows]
    # As many as a power of two, so that there are few texts for the database to understand.
    filling = [(None,) * len(full[0])] * ((1 << (len(full) - 1).bit_length()) - len(full))
    try:
        execute(connection, "steps_put_rows", rows=full + filling)
    except driver_errors() as exc:
        if not is_refusal(exc):
            raise
        return 0
    return len(rows)


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, Sequence[Any]]:
    return dict(zip(rows[0], zip(*[row.values() for row in rows], strict=True), strict=True))


_COLUMNS = STEP_COLUMNS[STEP_COLUMNS.index("parent_id") : STEP_COLUMNS.index("extra") + 1]
"""What an update may set, in the order in which ``step_write`` counts."""
_NUMBERS = {name: 1 << place for place, name in enumerate(_COLUMNS)}


@lru_cache(maxsize=1000)
def _sum(given: frozenset[str]) -> int:
    return sum(_NUMBERS.get(name, 0) for name in given)


def _step_binds(row: StepRow) -> dict[str, Any]:
    step = row.step
    return {
        "id": step.id,
        "thread_id": step.thread_id,
        "parent_id": step.parent_id,
        "type": step.type,
        "name": step.name,
        "input": step.input,
        "output": step.output,
        "created_at": step.created_at,
        "start": step.start,
        "end": step.end,
        "command": step.command,
        "modes": json_or_null(step.modes),
        "language": step.language,
        "streaming": step.streaming,
        "wait_for_answer": step.wait_for_answer,
        "is_error": step.is_error,
        "show_input": show_input_to_text(step.show_input),
        "default_open": step.default_open,
        "auto_collapse": step.auto_collapse,
        "metadata": to_json(step.metadata) if step.metadata else "{}",
        "tags": json_or_null(step.tags),
        "generation": json_or_null(step.generation),
        "extra": json_or_null(step.extra or None),
        "favorite": is_starred(step.metadata),
        "position": row.position,
        "created": row.created,
        "given": _sum(row.given),
        "updates": row.updates,
    }


class Known(NamedTuple):
    """Where a step is."""

    id: str
    thread_id: str
    extra: dict[str, Any]
    revision: int
    deleted_at: str | None


def steps_known(connection: Connection, *, ids: Collection[str]) -> list[Known]:
    rows = many(connection, "steps_known", ids=ids)
    return [
        Known(
            row["id"],
            row["thread_id"],
            json_object(row["extra"]),
            row["revision"],
            row["deleted_at"],
        )
        for row in rows
    ]
