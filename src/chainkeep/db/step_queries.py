"""The statements that write steps, and their threads with them: one typed function each, of the
same name, over a ``Connection`` or giving a ``Change``.

What a statement promises stands in its ``.sql`` file.
"""
# ruff: noqa: D103 - a query is described with the statement of its name, in db/sql

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import Connection

from chainkeep.db.execution import Change, change_of, each, many
from chainkeep.models import STEP_COLUMNS, Step, show_input_to_text
from chainkeep.values import is_starred, json_object, json_or_null, text_of_rows, to_json

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


def step_put(*, row: StepRow, touch: Touch) -> Change:
    """Not every database has this statement."""
    return change_of(
        "step_put",
        **_step_binds(row),
        activity_at=touch.activity_at,
        user_id=touch.user_id,
        user_identifier=touch.user_identifier,
    )


def steps_put(*, rows: Sequence[StepRow], touches: Sequence[Touch]) -> Change | None:
    """None where a text cannot stand among others. Not every database has this statement."""
    try:
        steps, touched = text_of_rows([_step_values(row) for row in rows]), text_of_rows(touches)
    except ValueError:
        return None
    return change_of("steps_put", steps=steps, touches=touched)


def steps_put_rows(*, rows: Sequence[StepRow], touches: Sequence[Touch]) -> Change:
    """Not every database has this statement."""
    touched = {touch.id: touch[1:] for touch in touches}
    full = [(*_step_values(row), *touched[row.step.thread_id]) for row in rows]
    # As many as a power of two, so that there are few texts for the database to understand.
    filling = [(None,) * len(full[0])] * ((1 << (len(full) - 1).bit_length()) - len(full))
    return change_of("steps_put_rows", rows=full + filling)


_COLUMNS = STEP_COLUMNS[STEP_COLUMNS.index("parent_id") : STEP_COLUMNS.index("extra") + 1]
"""What an update may set, in the order in which ``step_write`` counts."""
_NUMBERS = {name: 1 << place for place, name in enumerate(_COLUMNS)}


@lru_cache(maxsize=1000)
def _sum(given: frozenset[str]) -> int:
    return sum(_NUMBERS.get(name, 0) for name in given)


_STEP_BINDS = (
    "id", "thread_id", *_COLUMNS, "favorite", "position", "created", "given", "updates",
)  # fmt: skip


def _step_values(row: StepRow) -> tuple[Any, ...]:
    step = row.step
    return (
        step.id,
        step.thread_id,
        step.parent_id,
        step.type,
        step.name,
        step.input,
        step.output,
        step.created_at,
        step.start,
        step.end,
        step.command,
        json_or_null(step.modes),
        step.language,
        step.streaming,
        step.wait_for_answer,
        step.is_error,
        show_input_to_text(step.show_input),
        step.default_open,
        step.auto_collapse,
        to_json(step.metadata) if step.metadata else "{}",
        json_or_null(step.tags),
        json_or_null(step.generation),
        json_or_null(step.extra or None),
        is_starred(step.metadata),
        row.position,
        row.created,
        _sum(row.given),
        row.updates,
    )


def _step_binds(row: StepRow) -> dict[str, Any]:
    return dict(zip(_STEP_BINDS, _step_values(row), strict=True))


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
