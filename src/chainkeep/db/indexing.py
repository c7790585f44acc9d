"""Puts what the search index has not seen into it, a batch at a time: plain functions over a
``Connection``.

A row is done when the index has what it says now; if it changes meanwhile, it stays to be done.
Nothing waits for a writer, and a writer no longer than for one batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from itertools import count
from typing import NamedTuple

from sqlalchemy import Connection

from chainkeep.db import search_queries as sql
from chainkeep.db.search import owner_mark
from chainkeep.db.search_queries import LockedThread, NextStep, NextThread, TextRow
from chainkeep.folding import fold
from chainkeep.values import timestamp

__all__ = ["LEASE_SECONDS", "Batch", "claim", "next_batch", "write_batch"]

LEASE_SECONDS = 5
_MOST_ROWS = 100


class Batch(NamedTuple):
    """Rows that the index has not seen."""

    steps: list[NextStep]
    threads: list[NextThread]

    @property
    def size(self) -> int:
        """How many rows."""
        return len(self.steps) + len(self.threads)

    @property
    def characters(self) -> int:
        """How much text."""
        return sum(len(row.text) for rows in self for row in rows)

    def folded(self) -> Batch:
        """The same rows with their texts folded: a message's beside what it says."""
        return Batch(
            [step._replace(folded=fold(step.text)) for step in self.steps],
            [thread._replace(text=fold(thread.text)) for thread in self.threads],
        )


def next_batch(connection: Connection, most: int = _MOST_ROWS) -> Batch:
    """Some of the rows that the index has not seen, as they are now: so many of each at most."""
    return Batch(
        sql.search_next_steps(connection, count=most),
        sql.search_next_threads(connection, count=most),
    )


def claim(connection: Connection, holder: str, numbers: int = 0) -> int | None:
    """Be the one who indexes, until the transaction ends and some seconds more: the last number
    that was given away before these; None where another process is.
    """
    now = datetime.now(timezone.utc)
    last = sql.search_claim(
        connection,
        holder=holder,
        now=timestamp(now) or "",
        until=timestamp(now + timedelta(seconds=LEASE_SECONDS)) or "",
        count=numbers,
    )
    return None if last is None else last - numbers


def write_batch(connection: Connection, holder: str, batch: Batch) -> int | None:
    """Index a batch whose texts are folded; how many of its rows are done, None where another
    process indexes.
    """
    last = claim(connection, holder, batch.size)
    if last is None:
        return None
    numbers = count(last + 1)
    return _write_steps(connection, batch.steps, numbers) + _write_threads(
        connection, batch.threads, numbers
    )


def _write_steps(connection: Connection, steps: Sequence[NextStep], numbers: count[int]) -> int:
    if not steps:
        return 0
    found = sql.search_lock_steps(connection, ids=[step.id for step in steps])
    locked = {step.id: step for step in found}
    done = [step for step in steps if step.id in locked and locked[step.id].text == step.text]
    rows = [
        TextRow(
            thread_id=step.thread_id,
            step_id=step.id,
            number=next(numbers),
            owner=_mark(locked[step.id].user_id),
            text=step.folded,
        )
        for step in done
        if step.folded
    ]
    _write(connection, rows, [(step.thread_id, step.id) for step in done if not step.folded])
    if done:
        sql.search_steps_done(connection, ids=[step.id for step in done])
    return len(done)


def _write_threads(
    connection: Connection, threads: Sequence[NextThread], numbers: count[int]
) -> int:
    if not threads:
        return 0
    found = sql.search_lock_threads(connection, ids=[row.thread_id for row in threads])
    locked = {row.id: row for row in found}
    done = [row for row in threads if _unchanged(locked.get(row.thread_id), row.unindexed)]
    marks = {row.thread_id: _mark(locked[row.thread_id].user_id) for row in done if not row.gone}
    rows = [
        TextRow(
            thread_id=row.thread_id,
            step_id="",
            number=next(numbers),
            owner=marks[row.thread_id],
            text=row.text,
        )
        for row in done
        if row.text and not row.gone
    ]
    _write(connection, rows, [(row.thread_id, "") for row in done if not row.text])
    if marks:
        sql.search_thread_mark(connection, owners=list(marks.items()))
    for row in done:
        if row.gone:
            sql.search_thread_forget(connection, thread_id=row.thread_id)
    if done:
        sql.search_threads_done(connection, ids=[row.thread_id for row in done])
    return len(done)


def _write(
    connection: Connection, rows: Sequence[TextRow], empty: Sequence[tuple[str, str]]
) -> None:
    if rows:
        sql.search_text_write(connection, rows=rows)
    if empty:
        sql.search_text_forget(connection, places=empty)


def _unchanged(row: LockedThread | None, unindexed: int) -> bool:
    return row is not None and row.unindexed == unindexed


def _mark(user_id: str) -> str:
    return owner_mark(user_id) if user_id else ""
