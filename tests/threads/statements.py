"""Counts the statements that reach a database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import Engine, event


async def statements_of(work: Callable[[], Awaitable[Any]]) -> list[str]:
    """The statements that a piece of work runs, without the transaction's own."""
    ran: list[str] = []

    def note(_c: object, _d: object, sql: str, _p: object, _x: object, _m: object) -> None:
        ran.append(sql)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        await work()
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    return [sql for sql in ran if not sql.startswith("BEGIN")]
