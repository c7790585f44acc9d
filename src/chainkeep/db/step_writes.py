"""Writes of steps, which are nearly all writes there are: any number of them in one statement where
they fit it, else in three.

Folding them changes no outcome: what is written is what one write after the other would have left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import Connection

from chainkeep.db import queries
from chainkeep.db.execution import Change, has
from chainkeep.db.step_queries import (
    Known,
    StepRow,
    Touch,
    step_put,
    step_write,
    steps_known,
    steps_put,
    steps_put_rows,
    thread_touch,
)
from chainkeep.errors import ConflictError
from chainkeep.models import Caller, Step
from chainkeep.paging import portions
from chainkeep.values import is_starred

__all__ = ["StepWrite", "fits_one_statement", "put_steps", "write_steps"]

# Both databases limit the parameters of a statement, to about 32,000.
MOST_IDS = 1000
"""How many ids a statement is given at a time."""


class StepWrite(NamedTuple):
    """The creation of a step, or an update of some of its fields."""

    step: Step
    position: int
    given: frozenset[str] | None = None
    """The fields that an update sets, by their names in ``Step``; None for a creation."""
    caller: Caller | None = None


def put_steps(dialect: str, writes: Sequence[StepWrite]) -> Change | None:
    """``write_steps`` as one change.

    Each fits it. None where a thread has several callers, and where what is said cannot be told
    apart in it; then, and where the change is refused, ``write_steps`` has to follow.
    """
    rows, touches = _folded(writes), _touches(writes)
    if len({touch.id for touch in touches}) < len(touches):
        return None
    if has(dialect, "steps_put_rows"):
        return steps_put_rows(rows=rows, touches=touches)
    if len(rows) == 1:
        return step_put(row=rows[0], touch=touches[0])
    return steps_put(rows=rows, touches=touches)


def write_steps(connection: Connection, writes: Sequence[StepWrite]) -> list[bool]:
    """Write steps, and their threads where they are missing, as if one after the other.

    For each whether it was written: False where the step, or its thread, was deleted before.
    ``ConflictError`` where one belongs to another thread; then nothing may be committed.
    """
    rows = _folded(writes)
    thread_touch(connection, _touches(writes))
    if starred := {row.step.thread_id for row in rows if is_starred(row.step.metadata)}:
        queries.threads_star(connection, ids=starred)
    known = _known(connection, [row for row in rows if "extra" in row.given])
    written = step_write(connection, [_with_extra(row, known) for row in rows])
    if written == len(rows):
        return [True] * len(writes)
    return list(_results(writes, _known(connection, rows)))


def fits_one_statement(write: StepWrite) -> bool:
    """Whether nothing has to be read before a step is written, and nothing but its thread goes with
    it.
    """
    added = write.given is not None and "extra" in write.given
    return _is_timed(write) and not added and not is_starred(write.step.metadata)


def _is_timed(write: StepWrite) -> bool:
    """Whether a write says when its step was made, which moves the thread's last activity."""
    return write.given is None or "created_at" in write.given


def _folded(writes: Sequence[StepWrite]) -> list[StepRow]:
    """One row for each step, in the order in which the steps first appear."""
    rows: dict[str, StepRow] = {}
    for write in writes:
        earlier = rows.get(write.step.id)
        rows[write.step.id] = _row(write) if earlier is None else _followed(earlier, write)
    return list(rows.values())


def _row(write: StepWrite) -> StepRow:
    if write.given is None:
        return StepRow(write.step, created=True, position=write.position)
    step = replace(write.step, extra={}) if write.step.extra else write.step
    return StepRow(
        step,
        created=False,
        position=write.position,
        given=write.given,
        more=_more({}, write),
        updates=1,
    )


def _followed(row: StepRow, write: StepWrite) -> StepRow:
    """What is left of a row when one more write of the same step follows."""
    if row.step.thread_id != write.step.thread_id:
        raise ConflictError(_elsewhere(write.step))
    if write.given is None:
        return row if row.updates else row._replace(step=write.step)
    earlier, later = vars(row.step), vars(write.step)
    fields = {name: later[name] for name in write.given}
    return StepRow(
        Step.of({**earlier, **fields, "extra": row.step.extra}),
        created=row.created,
        position=row.position,
        given=row.given | write.given,
        more=_more(row.more, write),
        updates=row.updates + 1,
    )


def _touches(writes: Sequence[StepWrite]) -> list[Touch]:
    """One touch for each thread and caller, the first caller of a thread first.

    Sorted by thread, so that two processes never wait for each other.
    """
    touches: dict[tuple[str, str | None, str | None], Touch] = {}
    for touch in map(_touch, writes):
        caller = (touch.id, touch.user_id, touch.user_identifier)
        earlier = touches.get(caller, touch)
        later = (touch.activity_at or "") > (earlier.activity_at or "")
        touches[caller] = earlier._replace(activity_at=touch.activity_at) if later else earlier
    return sorted(touches.values(), key=lambda touch: touch.id)


def _touch(write: StepWrite) -> Touch:
    step, caller = write.step, write.caller
    activity_at = step.created_at if _is_timed(write) else None
    if caller is None or caller.thread_id != step.thread_id:
        return Touch(step.thread_id, step.created_at, activity_at)
    return Touch(step.thread_id, step.created_at, activity_at, caller.user_id, caller.identifier)


def _known(connection: Connection, rows: Sequence[StepRow]) -> dict[str, Known]:
    ids = [row.step.id for row in rows]
    return {
        known.id: known
        for portion in portions(ids, MOST_IDS)
        for known in steps_known(connection, ids=portion)
    }


def _more(earlier: Mapping[str, Any], write: StepWrite) -> Mapping[str, Any]:
    """The keys without a column that updates set, the later ones over the earlier."""
    given = write.given is not None and "extra" in write.given
    return {**earlier, **write.step.extra} if given else earlier


def _with_extra(row: StepRow, known: dict[str, Known]) -> StepRow:
    """The row with what updates add to the step's keys without a column, stored or just created."""
    stored = known.get(row.step.id)
    created = row.created and (stored is None or stored.revision == 0)
    base = stored.extra if stored is not None and not created else row.step.extra
    if not row.more:
        return row
    return row._replace(step=replace(row.step, extra={**base, **row.more}))


def _results(writes: Sequence[StepWrite], known: dict[str, Known]) -> Iterator[bool]:
    for write in writes:
        stored = known.get(write.step.id)
        if stored is not None and stored.thread_id != write.step.thread_id:
            raise ConflictError(_elsewhere(write.step))
        yield stored is not None and stored.deleted_at is None


def _elsewhere(step: Step) -> str:
    return f"Step {step.id} belongs to another thread and was left as it is."
